"""A portal that begins to refuse while it is loaded, and refuses a lone citizen too: that is its failure, and what follows is measured."""

from __future__ import annotations

import time
from pathlib import Path

import httpx

from harness.evidence import SweepFolder, Verdict, read_runs
from harness.operations.embedded import EmbeddedPortals
from harness.operations.locust_run import run_locust
from harness.operations.shipped import shipped_catalog
from harness.records import LONE, Plan, PlannedTarget, PlannedWindow, Round, Slot, StopLimits, run_id

from .small_servers import RESTLESS


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


def test_a_portal_that_begins_to_refuse_fills_its_windows_with_failures(tmp_path: Path) -> None:
    portal = shipped_catalog(None).portals["fast"].model_copy(update={"embedded_platform": "liferay"})
    embedded = EmbeddedPortals.start([portal], seed=1)

    def refuse_from_the_second_round_on(folder: SweepFolder, _locust: int) -> None:
        while not folder.round("000-00").exists() or not folder.planned("001-00").exists():
            time.sleep(0.01)
        changed = {"portal": portal.id, "refuses": "captcha"}
        httpx.post(f"{embedded.control}/personality", json=changed, timeout=10).raise_for_status()

    try:
        folder = run_locust(
            plan_of(embedded, portal.id, tmp_path), workers=1, processor=None, catalog=None, progress=print,
            during=refuse_from_the_second_round_on,
        )  # fmt: skip
    finally:
        embedded.stop()
    (run,) = read_runs(folder)
    assert run.verdict is Verdict.VALID
    assert folder.sealed_rounds() == ("000-00", "001-00", "001-50", "002-00", "002-50", "003-00", "003-50")
    checks = [round_ for round_ in folder.rounds() if round_.checks]
    assert [(check.checks, check.lone_walks[0].outcome) for check in checks] == [(f"00{n}-00", "blocked") for n in (1, 2, 3)]
    loaded = [window for window in run.windows if window.stage == "typical"]
    assert [window.verdict for window in loaded] == [Verdict.VALID] * 3
    assert folder.rounds()[-2].slots[0].windows[0].counts == {
        "refused": 10,
        "requests_blocked": 10,
        "requests_skipped": 10,
        "visits_blocked": 10,
    }
    assert [reason.code for reason in run.reasons] == ["refused_under_load"] * 3
