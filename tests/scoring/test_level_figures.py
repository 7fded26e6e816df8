"""One level's figures, and what it missed of an objective."""

from __future__ import annotations

import dataclasses
import math

import pytest

from harness.scoring.level_figures import StepAtLevel, TooFewSteps, missed_limits, slowest_step, steps_at_level, too_few_steps
from harness.scoring.windows import TabulatedRun, tabulate_run
from harness.statistics.objective import parse_objective
from tests.scoring.evening import Evening, facts

WINDOW, OTHER = 2, 1


def measured(searches: int, slow: int = 0, failed: int = 0) -> TabulatedRun:
    """Searches of two steps: 0.1 s and 0.2 s; the last ``slow`` ones take 5 s, and ``failed`` more fail at the first step."""
    evening = Evening()
    evening.visit(OTHER, "search", [("find", "search", 60.0, "ok"), ("find", "open_procedure", 60.0, "ok")])  # of the run-up
    for number in range(searches):
        seconds = 5.0 if number >= searches - slow else 0.1
        evening.visit(WINDOW, "search", [("find", "search", seconds, "ok"), ("find", "open_procedure", 0.2, "ok")])
    for _ in range(failed):
        evening.visit(WINDOW, "search", [("find", "search", 0.05, "http_error")])
    return tabulate_run(evening.frame(), facts([OTHER, WINDOW]))


def missed(run: TabulatedRun, objective: str) -> list[tuple[str, str, float | None, int]]:
    return [(each.limit, each.step, each.value, each.too_few) for each in missed_limits(run, WINDOW, parse_objective(objective), 120.0, 1)]


def test_figures_are_those_of_the_hold_alone() -> None:
    found = steps_at_level(measured(100, slow=6), WINDOW)
    assert [(each.step, each.n, each.failed, each.p50_s, each.p95_s) for each in found] == [
        ("open_procedure", 100, 0, 0.2, 0.2),
        ("search", 100, 0, 0.1, 5.0),
    ]
    assert found[0].median_s == (0.2, 0.2)


def test_every_step_has_to_meet_a_limit_without_a_step() -> None:
    run = measured(100, slow=6)
    assert missed(run, "p95 <= 1 s and error_rate <= 3 %") == [("p95 <= 1 s", "search", 5.0, 0)]
    assert missed(run, "p95 <= 1 s at open_procedure") == []
    assert missed(run, "p95 <= 10 s and p50 <= 100 ms") == [("p50 <= 0.1 s", "open_procedure", 0.2, 0)]
    assert missed(run, "p95 of visits <= 5.2 s") == []
    assert missed(run, "p95 of visits <= 5.1 s") == [("p95 of visits <= 5.1 s", "", 5.2, 0)]


def test_failures_count_as_infinitely_slow_and_in_a_mean_as_the_patience() -> None:
    run = measured(94, failed=6)
    assert missed(run, "p95 <= 1 s") == [("p95 <= 1 s", "search", None, 0)]
    assert missed(run, "error_rate <= 5.9 %") == [("error_rate <= 5.9 %", "search", 6.0, 0)]
    assert missed(run, "mean <= 7 s") == [("mean <= 7 s", "search", pytest.approx((94 * 0.1 + 6 * 120) / 100), 0)]


def too_few(run: TabulatedRun, objective: str) -> TooFewSteps | None:
    return too_few_steps(run, WINDOW, parse_objective(objective))


def test_too_few_values_neither_meet_nor_miss_a_limit() -> None:
    assert missed(measured(92), "p95 <= 1 s") == []
    assert too_few(measured(92), "p95 <= 1 s") == TooFewSteps("search", "open_procedure", 92, 93)
    assert too_few(measured(93), "p95 <= 1 s") is None
    assert too_few(measured(60), "p95 of visits <= 1 s and p50 <= 1 s") == TooFewSteps("search", "", 60, 93)
    assert too_few(measured(60), "slowest(50) <= 1 s and error_rate <= 3 %") is None
    assert missed(measured(60, failed=10), "p95 <= 1 s and error_rate <= 3 %")  # what is surely missed is missed


def test_a_step_that_nobody_takes_neither_meets_nor_misses_a_limit() -> None:
    assert missed(measured(100), "p95 <= 1 s at submit") == []
    assert too_few(measured(100), "p95 <= 1 s at submit") == TooFewSteps("", "submit", 0, 93)
    assert too_few(measured(100), "error_rate <= 1 % at submit") == TooFewSteps("", "submit", 0, 1)


def test_a_limit_at_a_step_holds_also_where_few_visits_take_it() -> None:
    evening = Evening()
    for number in range(200):
        quote = [("find", "hand_over", 3.0, "ok")] if number % 20 == 0 else []
        evening.visit(WINDOW, "search", [("find", "search", 0.1, "ok"), *quote])
    run = tabulate_run(evening.frame(), facts([OTHER, WINDOW]))
    assert missed(run, "mean <= 1 s") == []
    assert missed(run, "mean <= 1 s at hand_over") == [("mean <= 1 s at hand_over", "hand_over", 3.0, 0)]
    assert too_few(run, "p95 <= 1 s at hand_over") == TooFewSteps("search", "hand_over", 10, 93)


def test_the_slowest_step_is_not_one_with_too_few_steps() -> None:
    known, few = (
        StepAtLevel("search", "find", "known", 100, 0, 0.2, 0.4, None),
        StepAtLevel("search", "find", "few", 90, 0, 0.3, None, None),
    )
    failing = StepAtLevel("search", "find", "failing", 100, 9, 0.1, None, None)
    assert slowest_step((few, known)) == known
    assert slowest_step((few, known, failing)) == failing
    assert slowest_step((few, dataclasses.replace(few, p50_s=0.1))) == few
    assert [each.p95_or_inf_s for each in (known, few, failing)] == [0.4, None, math.inf]
