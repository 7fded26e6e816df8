"""Points with and without make-up windows: the points include them, and the others stand beside for comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence.facts import RunFacts, Verdict
from harness.scoring import RunEvidence, explain, score_portal
from tests.scoring.evening import PORTAL, facts, good_evening, window
from tests.scoring.sets import criteria_set, criterion

MEAN = criteria_set(criterion("average", quota={"windows": 6}))


def night(made_up: dict[int, int], void: tuple[int, ...] = ()) -> RunFacts:
    """Six windows and those that make up for some of them."""
    windows = [window(number, verdict=Verdict.VOID if number in void else Verdict.VALID) for number in (*range(6), *made_up)]
    return facts(replace(each, make_up_of=made_up.get(each.window)) for each in windows)


def rows(windows: int = 8):
    return good_evening(range(windows), visits=5, slower=10).frame()


def test_the_points_without_make_up_windows_are_those_of_the_other_windows():
    evidence = RunEvidence(PORTAL, night({6: 0, 7: 1}), rows())
    card, others = score_portal([evidence], MEAN), score_portal([replace(evidence, facts=night({}))], MEAN)
    without = card.without_make_up
    assert without is not None
    assert (without.points, without.interval, without.points_assessed_max) == (others.points, others.interval, 20.0)
    assert without.make_up_windows == 2
    assert without.points > card.points  # later windows are slower
    assert card.criteria[0].windows == 8
    assert others.without_make_up is None


def test_too_few_other_windows_give_no_points():
    runs = [RunEvidence(PORTAL, night({6: 2}, void=(2,)), rows())]
    card = score_portal(runs, MEAN)
    assert (card.verdict, card.criteria[0].windows) == (Verdict.VALID, 6)
    without = card.without_make_up
    assert without is not None
    assert (without.make_up_windows, without.points, without.interval, without.points_assessed_max) == (1, None, None, 0.0)
    assert list(explain(card, runs, MEAN))[-2:] == ["make-up windows: 6 for 2", "without them: no points, too few windows"]


def test_a_void_make_up_window_changes_nothing_and_is_not_counted():
    assert score_portal([RunEvidence(PORTAL, night({6: 0}, void=(6,)), rows())], MEAN).without_make_up is None


def test_explain_names_the_make_up_windows_and_the_points_without_them():
    runs = [RunEvidence(PORTAL, night({6: 0, 7: 1}), rows())]
    card = score_portal(runs, MEAN)
    *_, windows, points = explain(card, runs, MEAN)
    assert windows == "make-up windows: 6 for 0, 7 for 1"
    without = card.without_make_up
    assert points == f"without them: {without.points} of 20.0, 20.0 assessed, interval {list(without.interval)}"


@pytest.mark.parametrize("night_before", ["2026-11-20", "2026-11-22"])
def test_make_up_windows_of_all_nights_are_left_out_together(night_before):
    again = replace(night({6: 0}), windows=tuple(replace(each, night=night_before) for each in night({6: 0}).windows), run="other")
    card = score_portal([RunEvidence(PORTAL, night({6: 0}), rows()), RunEvidence(PORTAL, again, rows())], MEAN)
    assert card.without_make_up.make_up_windows == 2
    assert card.criteria[0].windows == 14
