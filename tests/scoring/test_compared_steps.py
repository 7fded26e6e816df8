"""Steps of two sweeps: what is read from rows, the words, and how often a word is right (simulated; the tables are in docs/statistics.md)."""

from __future__ import annotations

import dataclasses

import pytest

from harness.evidence.facts import Verdict
from harness.scoring import ChangeLimits, ChangeWord, Comparison, WhyMissing, compare, step_windows
from harness.scoring.compared_steps import compare_steps
from harness.scoring.windows import tabulate_run
from tests.scoring.evening import SUBMIT, Evening, facts, good_evening, window
from tests.scoring.sets import SHARES, criteria_set, criterion, sweep_scores
from tests.scoring.simulated_steps import simulated

SET = criteria_set(criterion("search"))
NOTHING = sweep_scores([])


def _steps(evening: Evening, windows=range(8), portal="tinh-mau", criteria=SET):
    run = dataclasses.replace(facts(windows), portal=portal)
    return [*step_windows(tabulate_run(evening.frame(), run), criteria)]


def _compare(before, after, limits=None) -> Comparison:
    return compare(NOTHING, NOTHING, limits, steps=(before, after))


def _words(found: Comparison) -> dict[tuple[str, str], ChangeWord]:
    return {(change.step, change.metric): change.word for change in found.steps}


def _by_hand(windows, seconds, outcome=lambda _count: "ok", visits=50):
    evening = Evening()
    for number in windows:
        for count in range(visits):
            evening.visit(number, "search", [("find", "search", seconds(number, count), outcome(count))])
    return evening


def test_each_step_has_its_median_its_failures_and_its_spread_in_each_window():
    evening = _by_hand(range(2), lambda number, count: (1 + number) * (1 + count / 50), lambda count: "timeout" if count >= 48 else "ok")
    (step,) = _steps(evening, range(2))
    assert (step.portal, step.stage, step.part) == ("tinh-mau", "typical", ("search", "find", "search"))
    first, second = step.windows
    assert (first.at, first.n, first.failed_percent) == (("2026-11-21", 0, 0), 50, 4.0)
    assert first.median_s == pytest.approx(1.48)  # the 25th of 50
    assert first.spread == pytest.approx(1.88 / 1.48)  # the 45th of 50
    assert (second.at[1], second.median_s) == (1, pytest.approx(2.96))


def test_a_failure_is_infinitely_slow_and_few_executions_are_no_figure():
    half = _steps(_by_hand(range(1), lambda *_: 1.0, lambda count: "ok" if count < 20 else "timeout"), range(1))[0].windows[0]
    assert (half.median_s, half.spread, half.has_spread, half.failed_percent) == (None, None, False, 60.0)
    tail = _steps(_by_hand(range(1), lambda *_: 1.0, lambda count: "ok" if count < 40 else "timeout"), range(1))[0].windows[0]
    assert (tail.median_s, tail.spread, tail.has_spread) == (1.0, None, True)
    assert not _steps(_by_hand(range(1), lambda *_: 1.0, visits=45), range(1))[0].windows[0].has_spread
    assert _steps(_by_hand(range(1), lambda *_: 1.0, visits=7), range(1))[0].windows == ()


def test_only_valid_windows_of_scored_stages_count_and_steps_stand_as_citizens_come_to_them():
    windows = [window(0), window(1, verdict=Verdict.VOID), window(2, stage="peak"), window(3)]
    criteria = criteria_set(criterion("a", points=10), criterion("ok", "ok_rate of visits", points=10, curve=SHARES))
    found = _steps(good_evening(range(4)), windows, criteria=criteria)
    assert {step.stage for step in found} == {"typical"}
    assert [place[1] for step in found[:1] for place, *_ in step.windows] == [0, 3]
    assert [step.part[1:] for step in found if step.part[0] == "submit"] == [(goal, step) for goal, step, _ in SUBMIT]


def test_a_slower_step_is_worse_and_the_others_are_not():
    before, after = good_evening(range(10)), good_evening(range(10))
    after.rows = [_slower(row) for row in after.rows]
    found = _compare(_steps(before, range(10)), _steps(after, range(10)))
    (slower,) = found.regressions
    assert (slower.criterion, slower.stage, slower.journey, slower.goal, slower.step) == ("", "typical", "submit", "file", "fill_in")
    assert (slower.effect, slower.effect_kind, slower.pairs) == (pytest.approx(1.2, abs=0.001), "ratio", 10)
    assert slower.before is not None
    assert slower.after == pytest.approx(1.2 * slower.before, rel=1e-3)
    others = [change for change in found.steps if change is not slower]
    assert others
    assert {change.word for change in others} == {ChangeWord.NOT_SIGNIFICANT}


def _slower(row):
    window_, journey, visit, goal, step, request, attempt, owner, begin, end, *rest = row
    later = end + (end - begin) // 5 if (journey, step) == ("submit", "fill_in") else end
    return (window_, journey, visit, goal, step, request, attempt, owner, begin, later, *rest)


def test_a_step_that_fails_more_often_is_worse_by_its_failures_although_its_median_holds():
    steady = lambda number, count: 1 + (7 * count + number) % 10 / 100  # noqa: E731
    before = _steps(_by_hand(range(8), steady))
    after = _steps(_by_hand(range(8), steady, lambda count: "http_error" if count % 10 == 0 else "ok"))
    found = _compare(before, after)
    assert _words(found) == {("search", "p50"): ChangeWord.NOT_SIGNIFICANT, ("search", "error_rate"): ChangeWord.WORSE}
    (failures,) = found.regressions
    assert (failures.before, failures.after, failures.effect, failures.effect_kind) == (0.0, 10.0, 10.0, "difference")


def test_a_step_that_fails_mostly_has_no_finite_effect():
    steady = lambda number, count: 1 + (7 * count + number) % 10 / 100  # noqa: E731
    found = _compare(_steps(_by_hand(range(8), steady)), _steps(_by_hand(range(8), steady, lambda _: "timeout")))
    time, failures = found.regressions
    assert (time.after, time.effect, time.interval) == (None, None, (None, None))
    assert failures.effect == 100.0


def test_each_word_has_its_case():
    before = simulated(1, {"plain": 1.0, "slow": 1.0, "fast": 1.0, "bit": 1.0, "wide": 1.0}, windows=14, visits=200, between=0.002)
    factors = {"plain": 1.0, "slow": 1.3, "fast": 0.7, "bit": 1.06, "wide": 1.0}
    after = simulated(2, factors, windows=14, visits=200, between=0.002, widen={"wide": 2.0})
    found = _compare(before, after)
    assert {change.step: change.word.value for change in found.steps} == {
        "plain": "not_significant", "slow": "worse", "fast": "better", "bit": "detectable_but_tiny", "wide": "spread_changed",
    }  # fmt: skip
    spread = next(change.spread for change in found.steps if change.step == "wide")
    assert spread is not None
    assert spread.wider
    assert spread.before is not None
    assert spread.after is not None
    assert spread.after > spread.before
    few = _compare([_first(step, 6) for step in before], [_first(step, 6) for step in after])
    assert {change.word for change in few.steps} == {ChangeWord.CANNOT_TELL}
    assert {change.fewest_pairs for change in few.steps} == {8}  # five steps: 2^(1 - 8) is at most 5 % / 5
    assert len(few.undecided) == 5
    assert found.undecided == ()


def _first(step, count):
    return dataclasses.replace(step, windows=step.windows[:count])


def test_steps_of_one_sweep_only_say_which():
    before, after = good_evening(range(8)), good_evening(range(8))
    before.rows = [row for row in before.rows if row[4] != "track"]
    after.rows = [row for row in after.rows if row[4] != "log_in" and (row[4] != "search" or row[2] % 60 < 6)]
    found = _compare(_steps(before), _steps(after))
    assert {(each.step, each.why) for each in found.missing} == {
        ("track", WhyMissing.NOT_BEFORE), ("log_in", WhyMissing.NOT_AFTER), ("search", WhyMissing.TOO_FEW_EXECUTIONS),
    }  # fmt: skip
    assert {(each.before, each.after) for each in found.missing if each.step == "search"} == {("", "too_few_executions: 8")}
    assert found.not_compared == ()
    assert not _compare(_steps(before), _steps(after, portal="another")).missing  # the criteria say that portals differ


def test_another_planned_load_is_told():
    before, after = (_steps(good_evening(range(2)), [window(number, level=level) for number in range(2)]) for level in (5.0, 10.0))
    assert _compare(before, after).other_loads == (("tinh-mau", "typical", 5.0, 10.0),)
    assert _compare(before, before).other_loads == ()


def test_unchanged_steps_stop_almost_nobody_and_a_fifth_more_time_is_found():
    names = dict.fromkeys(("a", "b", "c", "d"), 1.0)
    nights = 20
    stops = hits = wide = 0
    for night in range(nights):
        before, same = (simulated((night, which), names, windows=10) for which in (0, 1))
        slower = simulated((night, 2), names | {"b": 1.2}, windows=10, widen={"d": 2.0})
        limits = ChangeLimits()
        stops += any(change.word is not ChangeWord.NOT_SIGNIFICANT for change in compare_steps(before, same, limits)[0])
        words = {change.step: change.word for change in compare_steps(before, slower, limits)[0]}
        hits += words["b"] is ChangeWord.WORSE
        wide += words["d"] is ChangeWord.SPREAD_CHANGED
    assert stops <= 1
    assert hits >= 18
    assert wide >= 18
