"""The search for capacity on simulated queues whose knee is known, and step by step on given answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from harness.scoring.capacity_search import (
    CONFIRMED,
    CapacityAnswer,
    LevelToMeasure,
    MeasuredLevel,
    RateCeiling,
    SearchLimit,
    SearchSettings,
    answer_so_far,
    is_slower,
    next_level,
)
from tests.scoring.queues import NO_CEILING, Queue, linear_search, search

STEADY = Queue(servers=1, service_s=0.01, limit_s=0.05)
NOISY = Queue(servers=1, service_s=0.01, noise=0.5, limit_s=0.07)
SEVERAL = Queue(servers=4, service_s=0.04, noise=0.5, limit_s=0.15)
SETTINGS = SearchSettings(start_per_s=1.0, smallest_per_s=0.1)


def settings_of(seed: int, knee: float) -> SearchSettings:
    """Each seed begins elsewhere, at 1/20 to 1/39 of the knee, so that its levels lie elsewhere around it."""
    return SearchSettings(knee / (20 + seed % 20), knee / 100)


def answered(
    passes: Callable[[float], bool], settings: SearchSettings = SETTINGS, ceiling: RateCeiling = NO_CEILING
) -> tuple[CapacityAnswer, list[MeasuredLevel]]:
    """A search of a portal that always answers alike."""
    levels: list[MeasuredLevel] = []
    while isinstance(step := next_level(settings, levels, ceiling), LevelToMeasure):
        levels.append(MeasuredLevel(step.rate_per_s, step.purpose, () if passes(step.rate_per_s) else ("p95 <= 1 s",)))
    return step, levels


@pytest.mark.parametrize(
    ("queue", "seeds", "at_least"),
    [
        pytest.param(STEADY, 60, 59, id="steady"),
        pytest.param(NOISY, 60, 56, id="noisy"),
        pytest.param(SEVERAL, 4, 4, id="several"),
        pytest.param(STEADY, 200, 195, id="steady-200", marks=pytest.mark.slow),
        pytest.param(NOISY, 200, 185, id="noisy-200", marks=pytest.mark.slow),
        pytest.param(SEVERAL, 10, 9, id="several-10", marks=pytest.mark.slow),
    ],
)
def test_the_interval_contains_the_knee_with_fewer_levels_than_a_linear_search(queue: Queue, seeds: int, at_least: int) -> None:
    knee = queue.knee()
    held, levels, linear = 0, 0, 0
    for seed in range(seeds):
        settings = settings_of(seed, knee)
        found = search(queue, seed, settings, hold_s=30, run_up_s=10)
        low, high = found.answer.passing_per_s, found.answer.failing_per_s
        held += found.answer.state == "found" and low is not None and high is not None and low <= knee <= high
        levels += len(found.levels)
        linear += linear_search(queue, seed, settings, 30, 10, settings.resolution / 2 * knee)
    assert held >= at_least
    assert levels < linear


def test_the_knee_of_a_simulated_queue_is_that_of_theory() -> None:
    """M/M/1: times are exponential with rate μ − λ, so p95 is ln 20 / (μ − λ)."""
    queue = Queue(servers=1, service_s=0.01, limit_s=0.1, exponential=True)
    assert queue.knee() == pytest.approx(100 - 2.9957 / 0.1, rel=0.02)


@pytest.mark.parametrize("queue", [STEADY, NOISY], ids=["steady", "noisy"])
def test_a_queue_that_gets_worse_drifts_and_others_do_not(queue: Queue) -> None:
    knee = queue.knee()
    growing = Queue(queue.servers, queue.service_s, queue.noise, queue.limit_s, growth_per_s=0.001)  # about twice as slow at the end
    states = {
        each: Counter(search(each, seed, settings_of(seed, knee), 30, 10).answer.state for seed in range(20)) for each in (queue, growing)
    }
    assert states[queue]["drifting"] == 0
    assert states[growing]["drifting"] >= 19
    drifting = search(growing, 1, settings_of(1, knee), 30, 10).answer
    assert (drifting.passing_per_s, drifting.failing_per_s) == (None, None)


def test_the_order_of_levels_is_doubling_halving_both_bounds_and_a_check() -> None:
    answer, levels = answered(lambda rate: rate <= 10)
    assert [each.rate_per_s for each in levels if each.purpose == "search"] == [1, 2, 4, 8, 16, 16, 12, 10, 11, 10.5]
    assert [each.rate_per_s for each in levels if each.purpose == "confirm"] == [9.48, 9.48, 11]  # 11 was searched already
    assert [each.rate_per_s for each in levels[-1:]] == [4]
    assert levels[-1].purpose == "drift"
    assert answer == CapacityAnswer("found", 9.48, 11.0)


def test_both_bounds_rest_on_levels_that_agree() -> None:
    answer, levels = answered(lambda rate: rate <= 10)
    for bound, passes in ((answer.passing_per_s, True), (answer.failing_per_s, False)):
        mine = [each for each in levels if each.rate_per_s == bound and each.purpose != "drift"]
        assert len(mine) >= CONFIRMED
        assert {each.passes for each in mine} == {passes}


def test_a_first_failure_by_chance_does_not_lead_the_search_astray() -> None:
    levels = [MeasuredLevel(1.0, "search", ("p95 <= 1 s",))]
    while isinstance(step := next_level(SETTINGS, levels, NO_CEILING), LevelToMeasure):
        levels.append(MeasuredLevel(step.rate_per_s, step.purpose, () if step.rate_per_s <= 10 else ("p95 <= 1 s",)))
    assert [each.rate_per_s for each in levels[:4]] == [1, 1, 1, 2]
    assert step.passing_per_s is not None
    assert step.failing_per_s is not None
    assert step.passing_per_s <= 10 < step.failing_per_s


def test_a_bound_whose_levels_disagree_moves_outwards() -> None:
    _, levels = answered(lambda rate: rate <= 10)
    first = next(number for number, each in enumerate(levels) if each.purpose == "confirm")
    bound = levels[first].rate_per_s
    contradicted = [*levels[: first + 1], MeasuredLevel(bound, "confirm", ("p95 <= 1 s",))]
    step = next_level(SETTINGS, contradicted, NO_CEILING)
    assert isinstance(step, LevelToMeasure)
    assert step.purpose == "confirm"
    assert step.rate_per_s < bound


def test_a_portal_that_misses_at_the_start_is_halved_down() -> None:
    answer, levels = answered(lambda rate: rate <= 0.3)
    assert answer.state == "found"
    assert answer.passing_per_s is not None
    assert answer.passing_per_s <= 0.3
    assert [each.rate_per_s for each in levels[:3]] == [1, 1, 0.5]
    answer, levels = answered(lambda rate: False)
    assert (answer.state, answer.passing_per_s, answer.limit.code) == ("below", None, "smallest_rate")
    assert answer.failing_per_s == min(each.rate_per_s for each in levels) == 0.125


def test_a_ceiling_is_measured_and_named() -> None:
    ceiling = RateCeiling(6.0, SearchLimit("authorisation", "needs more"))
    answer, levels = answered(lambda rate: rate <= 10, ceiling=ceiling)
    assert (answer.state, answer.passing_per_s, answer.failing_per_s) == ("at_least", 6.0, None)
    assert answer.limit == ceiling.by
    assert max(each.rate_per_s for each in levels) == 6.0
    nothing = next_level(SETTINGS, [], RateCeiling(0.05, ceiling.by))
    assert nothing == CapacityAnswer("undecided", limit=ceiling.by)


def test_no_bound_is_looked_for_above_the_ceiling() -> None:
    answer, levels = answered(lambda rate: rate <= 9.9, ceiling=RateCeiling(10.0, SearchLimit("ceiling", "500")))
    assert max(each.rate_per_s for each in levels) <= 10
    assert (answer.state, answer.limit.code) == ("at_least", "ceiling")


def test_a_void_level_is_measured_again_and_then_limits_the_answer() -> None:
    void = MeasuredLevel(1.0, "search", void="cpu_stolen: 9 > 5 %")
    for count in (1, 2):
        assert next_level(SETTINGS, [void] * count, NO_CEILING) == LevelToMeasure(1.0, "search")
    assert next_level(SETTINGS, [void] * 3, NO_CEILING) == CapacityAnswer("undecided", limit=SearchLimit("generator", void.void))
    passed = MeasuredLevel(1.0)
    assert next_level(SETTINGS, [void, void, passed], NO_CEILING) == LevelToMeasure(2.0, "search")
    later = [passed, *[MeasuredLevel(2.0, "search", void="lag")] * 2, MeasuredLevel(2.0), MeasuredLevel(4.0, "search", void="lag")]
    assert next_level(SETTINGS, later, NO_CEILING) == LevelToMeasure(4.0, "search")


def test_what_passed_below_a_void_rate_is_confirmed() -> None:
    levels = [MeasuredLevel(1.0), MeasuredLevel(2.0), *[MeasuredLevel(4.0, "search", void="lag: 9 ms")] * 3]
    while isinstance(step := next_level(SETTINGS, levels, NO_CEILING), LevelToMeasure):
        levels.append(MeasuredLevel(step.rate_per_s, step.purpose))
    assert [(each.rate_per_s, each.purpose) for each in levels[5:]] == [(2, "confirm"), (1, "drift")]
    assert step == CapacityAnswer("at_least", 2.0, None, SearchLimit("generator", "lag: 9 ms"))


def test_a_search_ends_where_levels_stay_void_once_more() -> None:
    levels = [
        MeasuredLevel(1.0),
        MeasuredLevel(2.0),
        *[MeasuredLevel(4.0, "search", void="lag")] * 3,
        *[MeasuredLevel(2.0, "confirm", void="lag")] * 3,
    ]
    assert next_level(SETTINGS, levels, NO_CEILING) == CapacityAnswer("undecided", limit=SearchLimit("generator", "lag"))


def test_a_rate_that_stays_void_between_the_bounds_ends_the_search() -> None:
    _, levels = answered(lambda rate: rate <= 10)
    void = [MeasuredLevel(9.48, "confirm", void="lag")] * 3
    first = next(number for number, each in enumerate(levels) if each.purpose == "confirm")
    step = next_level(SETTINGS, [*levels[:first], *void], NO_CEILING)
    assert step == CapacityAnswer("undecided", limit=SearchLimit("generator", "lag"))


def test_a_safety_stop_ends_the_search() -> None:
    _, levels = answered(lambda rate: rate <= 10)
    stopped = MeasuredLevel(4.0, "search", stopped="error_share 0.3 > 0.2")
    assert next_level(SETTINGS, [*levels[:2], stopped], NO_CEILING) == CapacityAnswer(
        "stopped", None, None, SearchLimit("safety_stop", stopped.stopped)
    )
    confirmed = next_level(SETTINGS, [*levels, stopped], NO_CEILING)
    assert isinstance(confirmed, CapacityAnswer)
    assert confirmed.passing_per_s is not None


def test_no_more_levels_than_allowed() -> None:
    answer, levels = answered(lambda rate: rate <= 10, SearchSettings(1.0, 0.1, most_levels=7))
    assert len(levels) == 7
    assert (answer.state, answer.limit) == ("undecided", SearchLimit("levels", "7"))


def test_what_is_confirmed_stands_where_no_further_level_may_be_measured() -> None:
    _, levels = answered(lambda rate: rate <= 10)
    ended = SearchLimit("permission_ended")
    assert answer_so_far(SETTINGS, levels, NO_CEILING, ended) == CapacityAnswer("found", 9.48, 11.0, ended)
    assert answer_so_far(SETTINGS, levels[:3], NO_CEILING, ended) == CapacityAnswer("undecided", limit=ended)


def test_a_portal_of_which_two_checks_are_worse_drifts_and_one_is_chance() -> None:
    _, levels = answered(lambda rate: rate <= 10)
    assert levels[-1].purpose == "drift"
    bad = MeasuredLevel(levels[-1].rate_per_s, "drift", ("p95 <= 1 s",))
    assert next_level(SETTINGS, [*levels[:-1], bad], NO_CEILING) == LevelToMeasure(bad.rate_per_s, "drift")
    assert next_level(SETTINGS, [*levels[:-1], bad, bad], NO_CEILING) == CapacityAnswer("drifting")
    good: Sequence[MeasuredLevel] = [*levels[:-1], bad, levels[-1]]
    found = next_level(SETTINGS, good, NO_CEILING)
    assert isinstance(found, CapacityAnswer)
    assert found.state == "found"


def test_slower_is_beyond_both_intervals() -> None:
    before = {"search": (0.10, 0.11)}
    assert not is_slower(before, {"search": (0.11, 0.13)})
    assert not is_slower(before, {"search": (0.117, 0.13)})
    assert is_slower(before, {"search": (0.12, 0.13)})
    assert not is_slower(before, {"other": (1.0, 2.0)})
    assert not is_slower({"search": (0.001, 0.001)}, {"search": (0.0025, 0.003)})  # within the instrument's own error
