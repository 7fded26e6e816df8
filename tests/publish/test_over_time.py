"""Exact series of made visits, and of the recorded demo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.evidence import read_runs, sweep_at
from harness.evidence.facts import Verdict, WindowFacts
from harness.publish.over_time import OverTime, clock_of, over_time
from harness.publish.reduction import measured
from harness.records import COLUMNS, VISIT_ROW, Sample, WindowKey
from harness.scoring.rows import read_rows
from harness.scoring.scored_units import tabulate
from tests.publish import simulated_night as night

DEMO = Path(__file__).resolve().parents[1] / "recorded" / "demo"

SECOND = 1_000_000
BEGAN = 1_795_000_000  # seconds since 1970
ZERO_US = (BEGAN - 1000) * SECOND


def visit(number: int, at: float, took: float, *, outcome: str = "ok", journey: str = "search", begun: bool = True) -> list[Sample]:
    """A visit of one step, at a moment after 1,000 s of its worker's clock; one that was not begun has its closing row alone."""
    due, end = int((1000 + at) * SECOND), int((1000 + at + took) * SECOND)
    step = Sample(journey, number, "find", "search", 0, 0, 1, "http://127.0.0.1:1", "portal", "GET", due, due, due, end, 0, 0, 0, True,
                  0, 0, 200, outcome)  # fmt: skip
    start = due if begun else 0
    closing = Sample(journey, number, "", "", VISIT_ROW, 0, 1, "", "", "", due, start, 0, end, 0, 0, 0, False, 0, 0, 0, outcome)
    return [step, closing] if begun else [closing]


def rows(*visits: list[Sample], window: int = 0, worker: str = "w0", stage: str = "typical") -> pd.DataFrame:
    key = WindowKey("s", 0, "r", window, "p", stage, worker)
    samples = [(*key, *sample) for each in visits for sample in each]
    table = pd.DataFrame.from_records(samples, columns=[column.name for column in COLUMNS])
    return table.astype({column.name: column.kind for column in COLUMNS})


def facts(window: int, at_s: float, duration_s: float = 10.0) -> WindowFacts:
    began = pd.Timestamp(BEGAN + at_s, unit="s", tz="UTC").isoformat()
    return WindowFacts("r", window, 0, "2026-11-21", "typical", 1.0, began, duration_s, Verdict.VALID)


def seen(table: pd.DataFrame, windows: list[WindowFacts], clock: dict[tuple[int, str], int]) -> OverTime | None:
    _, visits = tabulate(read_rows(measured(table)))
    return over_time(table, visits, windows, clock)


def test_a_window_counts_its_visits_by_planned_arrival_and_how_they_ended():
    table = rows(
        visit(1, 100, 2), visit(2, 101, 4), visit(3, 102, 3, journey="submit"), visit(4, 103, 1, outcome="http_error"),
        visit(5, 104, 0, outcome="not_served", begun=False),
    )  # fmt: skip
    found = seen(table, [facts(0, 0)], {(0, "w0"): ZERO_US - 100 * SECOND})
    assert found is not None
    (only,) = found.sections
    assert (only.begin_s - BEGAN, only.end_s - BEGAN, only.planned, only.begun, only.failed) == (0, 10, 5, 4, 2)
    assert only.ended == {"ok": 3, "http_error": 1, "not_served": 1}
    assert only.waiting_s == {"search": 2.0, "submit": 3.0}  # nearest rank: the smaller of two
    assert found.spans == ((BEGAN, BEGAN + 10),)


def test_citizens_in_flight_are_those_begun_and_not_ended():
    table = rows(visit(1, 0, 4), visit(2, 1, 4), visit(3, 2, 1), visit(4, 5, 3), visit(5, 6, 0, outcome="not_served", begun=False))
    found = seen(table, [facts(0, 0)], {(0, "w0"): ZERO_US})
    assert found is not None
    at = {second: found.in_flight[np.searchsorted(found.in_flight_s, BEGAN + second + 0.5, side="right") - 1] for second in range(10)}
    assert list(at.values()) == [1, 2, 3, 2, 1, 1, 1, 1, 0, 0]
    assert found.in_flight.max() == 3, "who leaves as another comes is not counted with it"


def test_the_axis_goes_on_while_visits_drain_and_stops_in_a_long_pause():
    table = pd.concat([rows(visit(1, 0, 25)), rows(visit(2, 12, 1), window=1), rows(visit(3, 100, 1), window=2)])
    windows = [facts(0, 0), facts(1, 12), facts(2, 100)]
    found = seen(table, windows, dict.fromkeys(((0, "w0"), (1, "w0"), (2, "w0")), ZERO_US))
    assert found is not None
    assert found.spans == ((BEGAN, BEGAN + 25), (BEGAN + 100, BEGAN + 110))


def test_workers_with_clocks_of_their_own_share_an_axis():
    late = 1_000_000
    table = pd.concat([rows(*(visit(i, i, 1) for i in range(9))), rows(*(visit(20 + i, late + i, 1) for i in range(9)), worker="w1")])
    found = seen(table, [facts(0, 0)], {(0, "w0"): ZERO_US, (0, "w1"): ZERO_US - late * SECOND})
    assert found is not None
    assert found.spans == ((BEGAN, BEGAN + 10),)
    assert found.in_flight.max() == 2


@pytest.mark.parametrize("windows", [[], [facts(0, 0)]])
def test_without_a_clock_or_the_facts_of_a_window_there_is_no_series(windows):
    table = rows(visit(1, 0, 1))
    assert seen(table, windows, {} if windows else {(0, "w0"): 0}) is None


def test_warm_up_is_left_out():
    assert seen(rows(visit(1, 0, 1), stage="warm-up"), [facts(0, 0)], {(0, "w0"): 0}) is None


def test_counts_over_time_lose_nothing():
    person = night.PORTALS[4]
    table = night.frame(person, windows=3)
    visits = table[table["request"] == VISIT_ROW]
    found = seen(table, list(night.run_facts(person).windows), dict(clock_of(person.portal, night.rounds())))
    assert found is not None
    assert len(found.spans) == 3
    assert sum(each.planned for each in found.sections) == len(visits)
    assert sum(each.begun for each in found.sections) == (visits["start_us"] > 0).sum()
    ended = visits["outcome"].astype(str).value_counts()
    assert {name: sum(each.ended.get(name, 0) for each in found.sections) for name in ended.index} == ended.to_dict()


def test_the_recorded_demo_on_the_clock():
    """The portal that collapses: 188 arrivals in 33 s, of which a third was served and never more than 32 at once."""
    sweep = sweep_at(DEMO)
    table = pd.concat([pd.read_parquet(part, partitioning=None) for part in sweep.parts("collapsing")])
    run = next(run for run in read_runs(sweep) if run.portal == "collapsing")
    found = seen(table, list(run.windows), dict(clock_of("collapsing", sweep.rounds())))
    assert found is not None
    assert (sum(each.planned for each in found.sections), sum(each.begun for each in found.sections)) == (188, 56)
    assert sum(each.ended.get("ok", 0) for each in found.sections) == 48
    assert int(found.in_flight.max()) == 32
    assert [round(end - begin, 1) for begin, end in found.spans] == [46.2]
