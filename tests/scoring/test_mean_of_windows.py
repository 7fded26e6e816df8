"""An outage costs its share: points of shares are the mean of the windows' points, times keep the median window."""

from __future__ import annotations

import math

import pytest

from harness.evidence.facts import Verdict
from harness.scoring import CriterionState
from harness.scoring.judge import MEAN_INTERVAL
from tests.scoring.evening import JOURNEYS as WALKS
from tests.scoring.evening import PORTAL, Evening, facts, good_evening, score_run, walked, window
from tests.scoring.sets import SHARES, criteria_set, criterion, the_2024_set

RATES = {"visits-search", "visits-submit", "visits-pay", "payments-confirmed"}
NEW, OLD = the_2024_set(), the_2024_set("1")


def _with_outages(down: set[int], windows: int = 6) -> Evening:
    """Every visit of the windows ``down`` fails at its first step."""
    evening = Evening()
    for number in range(windows):
        for journey, steps in WALKS.items():
            for count in range(60):
                evening.visit(number, journey, walked(steps, count / 60, 1.0, {"search": 1.0} if number in down else {}))
    return evening


def _points(evening: Evening, criteria, names, **more) -> float:
    card = score_run(evening.frame(), facts(**more), criteria, PORTAL)
    return math.fsum(score.points for score in card.criteria if score.id in names)


@pytest.mark.parametrize("down", range(6))
def test_one_window_of_six_down_costs_one_sixth_of_the_points_of_rates(down):
    """Neither nothing, as under version 1, nor all."""
    assert _points(_with_outages({down}), NEW, RATES) == pytest.approx(4 * 5 / 6, abs=2e-4)
    assert _points(_with_outages({down}), OLD, RATES) == 4.0


def test_each_further_window_costs_another_sixth_and_times_keep_the_median():
    for count in range(7):
        card = score_run(_with_outages(set(range(count))).frame(), facts(), NEW, PORTAL)
        rates = math.fsum(score.points for score in card.criteria if score.id in RATES)
        assert rates == pytest.approx(4 * (6 - count) / 6, abs=4e-4), count
        slow = {score.id: score.points for score in card.criteria if score.id.startswith(("average", "slowest"))}
        assert math.fsum(slow.values()) == (8 if count < 3 else 0), count


def test_the_line_says_how_its_points_were_made():
    card = score_run(_with_outages({2}).frame(), facts(), NEW, PORTAL)
    by_id = {score.id: score for score in card.criteria}
    line = by_id["visits-search"]
    assert (line.over, line.interval_kind, line.interval_level) == ("mean_of_windows", MEAN_INTERVAL, None)
    assert line.value == pytest.approx(100 * 5 / 6, abs=1e-4)
    assert [points for *_, points in line.points_per_window] == [1, 1, 0, 1, 1, 1]
    assert line.interval[0] <= line.points <= line.interval[1] <= line.points_max
    assert by_id["average-search"].over == "median_window"
    assert card.interval_kind == "sums of the same windows (sign test for medians, interval of the mean for means)"
    assert card.interval[0] <= card.points <= card.interval[1]


def test_the_points_stay_a_mean_of_the_windows_that_are_valid():
    windows = [window(number, verdict=Verdict.VOID if number == 0 else Verdict.VALID) for number in range(7)]
    assert _points(_with_outages({0}, windows=7), NEW, RATES, windows=windows) == 4.0
    assert _points(_with_outages({1}, windows=7), NEW, RATES, windows=windows) == pytest.approx(4 * 5 / 6, abs=2e-4)


def test_a_single_window_keeps_its_own_interval():
    short = NEW.shortened(min_windows=1)
    line = next(
        score for score in score_run(good_evening(range(1)).frame(), facts([0]), short, PORTAL).criteria if score.id == "visits-search"
    )
    assert (line.over, line.interval_kind) == ("mean_of_windows", "one window, clustered by visit")


def test_an_error_rate_and_an_apdex_may_be_means_too():
    errors = {"kind": "linear", "version": 1, "full": 0, "none": 50, "basis": "assumed", "source": "a test"}
    apdex = {"kind": "linear", "version": 1, "full": 1, "none": 0, "basis": "assumed", "source": "a test"}
    criteria = criteria_set(
        criterion("errors", "error_rate of visits", points=10, curve=errors, over="mean_of_windows"),
        criterion("apdex", "apdex(2.5 s)", points=6, curve=apdex, over="mean_of_windows"),
        criterion("ok", "ok_rate of visits", points=4, curve=SHARES, over="median_window"),
    )
    card = score_run(_with_outages({5}).frame(), facts(), criteria, PORTAL)
    errors_line, apdex_line, ok_line = card.criteria
    assert {score.state for score in card.criteria} == {CriterionState.ASSESSED}
    assert (errors_line.value, errors_line.points) == (pytest.approx(100 / 6, abs=1e-4), pytest.approx(10 * 5 / 6, abs=1e-4))
    assert (apdex_line.value, apdex_line.points) == (pytest.approx(5 / 6, abs=1e-4), pytest.approx(5, abs=1e-4))
    assert ok_line.points == 4
