"""A gain is what the same change of the rows gives: here rows are changed one by one, and scored as any others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean, median_low
from typing import Any

import pyarrow as pa
import pytest

from harness.catalog.criteria import Linear
from harness.evidence.facts import Verdict
from harness.records import VISIT_ROW
from harness.scoring import Gain, RunEvidence, Scorecard, gains, score_portal
from tests.scoring.evening import PORTAL, Evening, facts, window
from tests.scoring.recorded_night import DEMO, recorded_run
from tests.scoring.sets import SHARES, SOURCED, criteria_set, criterion

Row = dict[str, Any]
Key = tuple[str, str, str]


class _Rows:
    """The rows of the windows of stage typical, as steps; all other rows stay as they are."""

    def __init__(self, run: RunEvidence) -> None:
        self.stage = {window.window for window in run.facts.windows if window.stage == "typical"}
        self.rows: list[Row] = run.rows.to_pylist()
        self.steps: dict[tuple[int, Key], list[Row]] = {}
        self.closing: dict[int, Row] = {}
        for row in self.rows:
            if row["window"] not in self.stage:
                continue
            if row["request"] == VISIT_ROW:
                self.closing[row["visit"]] = row
            else:
                self.steps.setdefault((row["visit"], _key(row)), []).append(row)

    def successes(self, key: Key, window: int | None = None) -> list[list[Row]]:
        found = [rows for (_, of), rows in self.steps.items() if of == key and all(row["outcome"] == "ok" for row in rows)]
        return [rows for rows in found if window in (None, rows[0]["window"])]

    def stopped_by(self, key: Key) -> Iterator[int]:
        """The visits whose first failed step this is; without goal and step, those that failed without one."""
        for visit, closing in self.closing.items():
            if closing["outcome"] == "ok" or closing["journey"] != key[0]:
                continue
            failed = [rows for (of, _), rows in self.steps.items() if of == visit and {r["outcome"] for r in rows} - {"ok", "skipped"}]
            first = min(failed, key=lambda rows: min(row["intended_us"] for row in rows), default=None)
            if key == ((key[0], "", "") if first is None else _key(first[0])):
                yield visit

    def mend(self, key: Key) -> None:
        """Let the visits that a step stopped end well."""
        usual = {each: {w: self._usual(each, w) for w in self.stage} for each in {of for _, of in self.steps} if each[0] == key[0]}
        for visit in list(self.stopped_by(key)):
            closing = self.closing[visit]
            closing["outcome"] = "ok"
            for each, by_window in usual.items():
                if not any(of == visit for of, _ in self.steps):  # turned away: a row for each step of its journey
                    self.rows.append(
                        closing | {"goal": each[1], "step": each[2], "request": 0, "hop": 0, "attempt": 1, "host_owner": "portal"}
                    )
                    _lay([self.rows[-1]], by_window[closing["window"]])
                    continue
                rows = self.steps.get((visit, each), [])
                if any(row["outcome"] != "ok" for row in rows):
                    for row in rows:
                        row["outcome"] = "ok"
                    _lay(rows, by_window[closing["window"]])

    def _usual(self, key: Key, window: int) -> int:
        return median_low(map(_charged_us, self.successes(key, window) or self.successes(key)))

    def table(self) -> pa.Table:
        return pa.Table.from_pylist(self.rows)


def _key(row: Row) -> Key:
    return row["journey"], row["goal"], row["step"]


def _charged_us(rows: Sequence[Row]) -> int:
    """Requests of the recorded sweep follow one another, and none polls."""
    return sum(row["end_us"] - row["intended_us"] for row in rows if row["host_owner"] == "portal")


def _lay(rows: Sequence[Row], charged_us: int) -> None:
    """The first row of the portal takes all of its time, its others none; those of other hosts follow and keep theirs."""
    clock = max(1, min(row["intended_us"] for row in rows))
    for row in sorted(rows, key=lambda row: row["host_owner"] != "portal"):
        took = charged_us if row["host_owner"] == "portal" else row["end_us"] - row["intended_us"]
        row["intended_us"], row["end_us"] = clock, clock + took
        clock, charged_us = clock + took, 0


def _changed(run: RunEvidence, gain: Gain) -> RunEvidence:
    found = _Rows(run)
    if gain.change == "fewer_failures":
        found.mend(gain.part)
    else:
        most_us = int(_asked(gain) * 1_000_000)
        for window in found.stage:
            steps = found.successes(gain.part, window)
            times = [_charged_us(rows) for rows in steps]
            share = min(1.0, most_us * len(times) / max(1, sum(times))) if gain.metric == "mean" else 1.0
            for rows, time_us in zip(steps, times, strict=True):
                _lay(rows, round(time_us * share) if gain.metric == "mean" else min(time_us, most_us))
    return RunEvidence(run.portal, run.facts, found.table())


def _asked(gain: Gain) -> float:
    """The time in seconds that full points ask."""
    curve = next(each for each in DEMO.criteria if each.id == gain.criterion).curve
    assert isinstance(curve, Linear)
    return float(curve.full)


def _values(card: Scorecard, run: RunEvidence, gain: Gain) -> set[float | None]:
    """The part's figure: of failed visits, or in a window whose value gave the criterion its own."""
    found = _Rows(run)
    if gain.change == "fewer_failures":
        visits = sum(closing["journey"] == gain.part[0] for closing in found.closing.values())
        return {round(100 * len(list(found.stopped_by(gain.part))) / visits, 6)}
    score = next(score for score in card.criteria if score.id == gain.criterion)
    figure = mean if gain.metric == "mean" else max
    windows = [each.window for each in score.per_window if each.value == score.value]
    times = [[_charged_us(rows) for rows in found.successes(gain.part, window)] for window in windows]
    return {round(figure(each) / 1e6, 6) for each in times if each}


def _points(card: Scorecard, criterion_id: str) -> float:
    return next(score.points for score in card.criteria if score.id == criterion_id) or 0.0


@pytest.mark.parametrize("portal", ["slow", "collapsing", "failing-payments"])
def test_a_gain_is_what_changed_rows_give(portal: str) -> None:
    run = recorded_run(portal)
    card = score_portal([run], DEMO)
    found = gains(card, [run], DEMO)
    assert found
    for change in {(gain.change, gain.part, gain.metric) for gain in found}:
        of_change = [gain for gain in found if (gain.change, gain.part, gain.metric) == change]
        after = score_portal([_changed(run, of_change[0])], DEMO)
        for gain in of_change:
            assert gain.value_from in _values(card, run, gain), gain
            assert gain.value_to in ({0.0} if gain.change == "fewer_failures" else {min(gain.value_from, _asked(gain))}), gain
            assert _points(after, gain.criterion) - _points(card, gain.criterion) == pytest.approx(gain.points, abs=2e-4), gain
            assert (after.points or 0.0) - (card.points or 0.0) == pytest.approx(gain.points_total, abs=5e-4), gain


def _night(search: float, procedure: float, failing: int = 0, *, stage: str = "typical", level: float = 5.0) -> RunEvidence:
    """Six windows of ten visits that search and open a procedure; the first ``failing`` of each window fail at the search."""
    evening = Evening()
    for number in range(6):
        for count in range(10):
            broken = count < failing
            steps = [("find", "search", search, "timeout" if broken else "ok")]
            steps.append(("find", "open_procedure", procedure, "skipped" if broken else "ok"))
            evening.visit(number, "search", steps)
    windows = [window(number, stage=stage, level=level) for number in range(6)]
    return RunEvidence(PORTAL, facts(windows), evening.frame())


BOTH = {"journey": ["search"], "stage": "typical"}
BANDS = {"kind": "bands", "version": 1, "bands": [{"limit": 0.5, "share": 1}, {"limit": 4, "share": 0.4}], **SOURCED}
LOG_NORMAL = {"kind": "log_normal", "version": 1, "p10": 0.5, "median": 1.5, **SOURCED}
FASTER = {
    "mean of visits": (criterion("it", "mean of visits", select=BOTH), ("search", "", ""), (6.0, 6.0), (1.25, 1.25)),
    "bands": (criterion("it", "slowest(10)", select=BOTH, combine="worst", curve=BANDS, quota={"n": 10}), ("search", "find", "search"), (2.0, 0.2), (0.5, 0.2)),
    "log-normal": (criterion("it", "slowest(10)", select=BOTH, curve=LOG_NORMAL, quota={"n": 10}), ("search", "find", "search"), (2.0, 0.2), (0.5, 0.2)),
    "apdex": (criterion("it", "apdex(0.7 s)", select=BOTH, curve={**SHARES, "full": 0.95, "none": 0.1}, over="mean_of_windows"), ("search", "find", "search"), (2.0, 0.2), (0.7, 0.2)),
}  # fmt: skip


@pytest.mark.parametrize("case", FASTER)
def test_a_faster_step_gains_what_a_night_with_such_a_step_has(case: str) -> None:
    made, part, before, after = FASTER[case]
    criteria = criteria_set(made)
    card, faster = (score_portal([_night(*times)], criteria) for times in (before, after))
    (gain,) = [gain for gain in gains(card, [_night(*before)], criteria) if gain.part == part]
    assert gain.change == "faster"
    assert gain.points == gain.points_total == pytest.approx(_points(faster, "it") - _points(card, "it"), abs=1e-4)
    assert gain.points > 0
    assert (gain.metric, gain.unit) == (criteria.criteria[0].metric, criteria.criteria[0].parsed.unit)


def test_a_level_that_is_held_once_steps_are_fast_enough() -> None:
    ramp = {"journey": ["search"], "stage": "ramp"}
    curve = {"kind": "linear", "version": 1, "full": 20, "none": 0, **SOURCED}
    criteria = criteria_set(
        criterion("it", "sustained(slowest(10) <= 2 s and error_rate <= 10 %)", select=ramp, curve=curve, quota={"n": 10})
    )
    run = _night(3.0, 0.2, stage="ramp", level=20.0)
    card = score_portal([run], criteria)
    (gain,) = gains(card, [run], criteria)
    assert (card.points, gain.points, gain.value_from, gain.value_to) == (0.0, 20.0, 0.0, 20.0)
    failing = _night(0.3, 0.2, failing=3, stage="ramp", level=20.0)
    (mended,) = gains(score_portal([failing], criteria), [failing], criteria)
    assert (mended.change, mended.part, mended.points) == ("fewer_failures", ("search", "find", "search"), 20.0)
    assert (mended.metric, mended.unit, mended.value_from, mended.value_to) == ("failed visits", "%", 30.0, 0.0)


def test_gains_are_best_first_and_none_where_there_is_nothing_to_gain() -> None:
    criteria = criteria_set(criterion("mean", points=12, select=BOTH), criterion("rate", "ok_rate of visits", points=8, curve=SHARES))
    run = _night(9.0, 5.0, failing=2)
    found = gains(score_portal([run], criteria), [run], criteria)
    totals = [gain.points_total for gain in found]
    assert totals == sorted(totals, reverse=True)
    assert [gain.criterion for gain in found if gain.change == "fewer_failures"] == ["mean", "rate"]  # of one change, in the set's order
    full = _night(0.2, 0.2)
    assert gains(score_portal([full], criteria), [full], criteria) == ()
    blocked = RunEvidence(PORTAL, facts(verdict=Verdict.BLOCKED), None)
    assert gains(score_portal([blocked], criteria), [blocked], criteria) == ()


def test_a_step_that_nobody_ever_began_stays_failed() -> None:
    """Nothing says how long it would take; the visits end well all the same."""
    criteria = criteria_set(criterion("mean", points=12, select=BOTH), criterion("rate", "ok_rate of visits", points=8, curve=SHARES))
    run = _night(0.3, 0.2, failing=10)
    (gain,) = [gain for gain in gains(score_portal([run], criteria), [run], criteria) if gain.criterion == "mean"]
    assert gain.points == pytest.approx(
        12 * (10 - (0.3 + 10) / 2) / 7.5, abs=1e-4
    )  # the search as long as its failures, the procedure as none
    assert gain.points_total == pytest.approx(gain.points + 8)


def test_a_part_that_only_one_of_two_nights_has() -> None:
    """The median window is of the night without it: the gain tells the part's own median, of the night that has it."""
    select = {"journey": ["search", "submit"], "stage": "typical"}
    criteria = criteria_set(criterion("it", select=select, combine="worst", quota={"n": 10, "windows": 2}))

    def night(name: str, first: int, searches: Sequence[float], submits: Sequence[float]) -> RunEvidence:
        evening = Evening()
        for number, seconds in enumerate(searches, first):
            for _ in range(10):
                evening.visit(number, "search", [("find", "search", seconds, "ok")])
        for number, seconds in enumerate(submits, first):
            for _ in range(10):
                evening.visit(number, "submit", [("file", "submit", seconds, "ok")])
        windows = [window(first + at, night=name) for at in range(len(searches))]
        return RunEvidence(PORTAL, facts(windows), evening.frame())

    def runs(submits: Sequence[float]) -> list[RunEvidence]:
        return [night("2026-11-20", 0, (0.1, 0.1), submits), night("2026-11-21", 2, (6.0, 6.5), ())]

    measured, faster = runs((5.0, 9.0)), runs((2.5, 2.5))
    card = score_portal(measured, criteria)
    assert card.criteria[0].value == 6.5
    found = {gain.part: gain for gain in gains(card, measured, criteria)}
    gain = found["submit", "file", "submit"]
    assert (gain.value_from, gain.value_to) == (9.0, 2.5)
    assert gain.points == pytest.approx(_points(score_portal(faster, criteria), "it") - _points(card, "it"), abs=1e-4)
    assert found == {each.part: each for each in gains(card, measured[::-1], criteria)}
