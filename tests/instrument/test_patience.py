"""Who ends a visit, the portal's patience or our drain, and who is still in flight when a scored window begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from harness.catalog import Portal
from harness.catalog.workload import Workload
from harness.evidence import SweepFolder, Verdict, WindowFacts, read_runs
from harness.operations.embedded import EmbeddedPortals
from harness.operations.locust_run import run_locust
from harness.operations.measured_portal import MeasuredPortal
from harness.operations.shipped import shipped_catalog
from harness.operations.sweep_plan import make_plan
from harness.records import VISIT_ROW, Plan, ThinkTime

from .small_servers import RESTLESS

ANSWER_S = 0.4
"""Every answer takes so long; a search has three, a submission more than ten."""


@pytest.fixture(scope="module")
def portal() -> Portal:
    steady = {"distribution": "constant", "median_ms": ANSWER_S * 1000, "servers": 0}
    return shipped_catalog(None).portals["fast"].model_copy(update={"embedded_platform": "liferay", "personality": steady})


@pytest.fixture(scope="module")
def embedded(portal: Portal) -> Iterator[EmbeddedPortals]:
    still = {"distribution": "constant", "median_ms": 0, "servers": 0}
    running = EmbeddedPortals.start([portal], seed=1, identity=still, payment=still)
    yield running
    running.stop()


def workload(**changes: object) -> Workload:
    facts = {
        "id": "w", "name_vi": "w", "name_en": "w", "shortened": True, "quota_per_window": {"search": 4, "submit": 4},
        "usage": {"per_day": {}, "basis": "assumed", "source": "a test"}, "stages": [{"stage": "typical", "window_s": 2}],
        "timeout_s": 1, "patience_s": 2.2, "drain_s": 20, "think": {"default": {"median_s": 0.05, "max_s": 0.1}},
    }  # fmt: skip
    return Workload.model_validate({**facts, **changes})


def plan_of(portal: Portal, embedded: EmbeddedPortals, results: Path, made: Workload) -> Plan:
    measured = [MeasuredPortal(portal, "liferay", embedded.origins(portal.id))]
    plan = make_plan("s", measured, made, seed=1, results=results / "s", night="2026-11-22", control=embedded.control)
    return replace(plan, health=RESTLESS.model_dump(), lead_s=1.0, rounds=plan.rounds[1:])  # the lone walks are others' matter


def run(plan: Plan) -> tuple[list[WindowFacts], pd.DataFrame]:
    """The windows of a plan, and every row."""
    folder: SweepFolder = run_locust(plan, workers=1, processor=None, catalog=None, progress=print)
    (found,) = read_runs(folder)
    parts = [pd.read_parquet(path, partitioning=None) for path in folder.parts(found.portal)]
    return list(found.windows), pd.concat(parts, ignore_index=True)


@pytest.mark.slow
def test_a_drain_of_any_length_that_is_accepted_gives_the_same_outcomes(tmp_path: Path, portal: Portal, embedded: EmbeddedPortals) -> None:
    """No answer comes near its timeout, and yet nobody waits for a submission longer than the patience says."""
    found = []
    for drain_s in (8.0, 40.0):
        (window,), rows = run(plan_of(portal, embedded, tmp_path / str(drain_s), workload(drain_s=drain_s)))
        assert window.verdict is Verdict.VALID, window.reasons
        visits = rows[rows["request"] == VISIT_ROW]
        found.append(sorted(zip(visits["visit"], visits["journey"].astype(str), visits["outcome"].astype(str), strict=True)))
        late = rows[(rows["request"] != VISIT_ROW) & (rows["outcome"] == "timeout")]
        assert set(late["host_owner"]) == {"portal"}
        assert ((late["end_us"] - late["start_us"])[late["start_us"] > 0] < 0.9e6).all()  # less than a request's own timeout
    assert found[0] == found[1]
    assert {(journey, outcome) for _, journey, outcome in found[0]} == {("search", "ok"), ("submit", "timeout")}


def test_a_window_whose_visits_we_cut_off_is_void(tmp_path: Path, portal: Portal, embedded: EmbeddedPortals) -> None:
    """Citizens read for four seconds before they open a procedure; a drain of one second is not accepted, so the plan is made by hand."""
    plan = replace(
        plan_of(portal, embedded, tmp_path, workload(patience_s=30)),
        drain_s=1.0,
        think={"read": ThinkTime(4.0, 0.0, 4.0), "default": ThinkTime(0.0, 0.0, 1.0)},
    )
    (window,), rows = run(plan)
    assert window.verdict is Verdict.VOID
    (reason,) = window.reasons
    assert (reason.code, reason.detail.endswith(" of 8")) == ("visits_cut_off", True), reason
    cut = rows[(rows["request"] != VISIT_ROW) & (rows["outcome"] == "aborted")]
    assert set(cut["step"].astype(str)) == {"open_procedure"}
    assert set(cut["start_us"]) == {0}
    assert set(rows[rows["step"].astype(str) == "search"]["outcome"].astype(str)) == {"ok"}


def test_nobody_of_the_warm_up_is_in_flight_when_a_scored_window_begins(tmp_path: Path, portal: Portal, embedded: EmbeddedPortals) -> None:
    """There is room for one stage's citizens, not for both."""
    stages = [{"stage": "warm-up", "window_s": 1}, {"stage": "typical", "window_s": 1}]
    made = workload(stages=stages, quota_per_window={"search": 10}, in_flight_ceiling=10, patience_s=50)
    windows, rows = run(plan_of(portal, embedded, tmp_path, made))
    assert [(window.stage, window.verdict, window.reasons) for window in windows] == [
        ("warm-up", Verdict.VALID, ()),
        ("typical", Verdict.VALID, ()),
    ]
    visits = rows[rows["request"] == VISIT_ROW]
    assert visits["stage"].astype(str).value_counts().to_dict() == {"warm-up": 10, "typical": 10}
    assert set(visits["outcome"].astype(str)) == {"ok"}
    ended = visits.groupby(visits["stage"].astype(str))["end_us"].max()
    began = visits.groupby(visits["stage"].astype(str))["intended_us"].min()
    assert ended["warm-up"] < began["typical"]
