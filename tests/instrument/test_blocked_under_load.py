"""A portal that begins to refuse while it is loaded: a lone citizen asks again, and only then is it called blocked."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from harness.catalog.workload import HealthLimits
from harness.evidence import SweepFolder, Verdict, read_runs
from harness.operations.embedded import EmbeddedPortals
from harness.operations.locust_run import run_locust
from harness.operations.shipped import shipped_catalog
from harness.records import LONE, Plan, PlannedTarget, PlannedWindow, Round, Slot, StopLimits, run_id
from harness.records.files import read_json

RESTLESS = HealthLimits(steal_percent=100, cpu_percent=100, lag_p99_ms=5000, lateness_p99_ms=5000, scheduler_lag_ms=9000, arrival_lateness_ms=9000, reference_error_ms=5000, gc_pause_ms=5000, silent_s=30)  # fmt: skip


def plan_of(embedded: EmbeddedPortals, portal: str, results: Path) -> Plan:
    """A lone citizen, then three rounds of 2 s with ten searches each."""
    alone = PlannedWindow(0, LONE, 0.0, 0.0, 0.2, {}, {"search": 1})
    loaded = [PlannedWindow(n, "typical", 1.0, 0.0, 2.0, {}, {"search": 10}, round=n) for n in (1, 2, 3)]
    rounds = [Round(window.round, (Slot(portal, run_id(portal, 1), (window,), 100),)) for window in (alone, *loaded)]
    return Plan(
        sweep="refusing", seed=1, arrivals="poisson", workload="test", results=str(results / "refusing"), night="2026-11-22",
        targets=(PlannedTarget(portal, "liferay", dict(embedded.origins(portal)), "", StopLimits()),), rounds=tuple(rounds),
        timeout_s=5, drain_s=5, health=RESTLESS.model_dump(), simulator_control=embedded.control, lead_s=1.0,
    )  # fmt: skip


@pytest.mark.parametrize(("how", "verdict"), [("forbidden", Verdict.BLOCKED), ("none", Verdict.VALID)])
def test_blocked_is_what_a_lone_citizen_finds_too(tmp_path: Path, how: str, verdict: Verdict) -> None:
    portal = shipped_catalog(None).portals["fast"].model_copy(update={"embedded_platform": "liferay"})
    embedded = EmbeddedPortals.start([portal], seed=1)

    def refuse_from_the_second_round_on(folder: SweepFolder, _locust: int) -> None:
        while not folder.round("000-00").exists() or not folder.planned("001-00").exists():
            time.sleep(0.01)
        if how != "none":
            changed = {"portal": portal.id, "refuses": how}
            httpx.post(f"{embedded.control}/personality", json=changed, timeout=10).raise_for_status()

    try:
        folder = run_locust(
            plan_of(embedded, portal.id, tmp_path),
            workers=1,
            processor=None,
            catalog=None,
            progress=print,
            during=refuse_from_the_second_round_on,
        )
    finally:
        embedded.stop()
    (run,) = read_runs(folder)
    assert run.verdict is verdict
    again = [name for name in folder.sealed_rounds() if name.endswith("-50")]
    if verdict is Verdict.BLOCKED:
        assert again == ["001-50"]
        assert read_json(folder.round("001-50"))["refusals"] == {portal.id: "blocked"}
        assert [reason.code for reason in run.reasons] == ["lone_citizen_refused"]
        assert "002-00" not in folder.sealed_rounds()  # it is not loaded any more
    else:
        assert again == []
        assert folder.sealed_rounds() == ("000-00", "001-00", "002-00", "003-00")
