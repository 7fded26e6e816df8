"""The slowest visits of a run: of valid windows, by journey, the slowest first."""

from __future__ import annotations

from harness.evidence.facts import Verdict
from harness.scoring import SlowVisit, slowest_visits
from harness.scoring.windows import tabulate_run
from tests.scoring.evening import SECOND, Evening, facts, window


def test_the_slowest_of_each_journey_in_valid_windows() -> None:
    evening = Evening()
    for number, seconds in enumerate((1.0, 3.0, 2.0, 3.0)):
        evening.visit(0, "search", [("find", "search", seconds, "timeout" if number == 2 else "ok"), ("find", "open_procedure", 0.5, "ok")])
    evening.visit(1, "search", [("find", "search", 9.0, "ok")])  # of a void window
    evening.visit(2, "search", [("find", "search", 9.0, "ok")])  # of the warm-up
    evening.visit(0, "pay", [("pay", "pay", 4.0, "ok")])
    evening.visit(0, "pay", outcome="not_served")  # turned away
    windows = (window(0), window(1, verdict=Verdict.VOID), window(2, stage="warm-up"))
    run = tabulate_run(evening.frame(), facts(windows))
    found = slowest_visits(run, most=3, trace_id_of=lambda visit: f"trace {visit}")
    times = [("pay", 7, 4.0, True), ("search", 2, 3.5, True), ("search", 4, 3.5, True), ("search", 3, 2.5, False)]
    assert found == tuple(
        SlowVisit(journey, 0, visit, round(s * SECOND), round(s * SECOND), ok, f"trace {visit}") for journey, visit, s, ok in times
    )
    assert all(each.trace_id == "" for each in slowest_visits(run))


def test_a_run_without_visits_has_none() -> None:
    assert slowest_visits(tabulate_run(Evening().frame(), facts())) == ()
