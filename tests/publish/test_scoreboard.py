from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from harness import publish
from harness.publish.scoreboard import standings, worst_criterion
from harness.scoring.scorecard import CriterionState
from tests.publish.simulated_night import with_unproven


def printed(scores, width=120, **options) -> str:
    console = Console(file=io.StringIO(), width=width)
    publish.scoreboard(scores, console, **options)
    return console.file.getvalue()


def test_the_best_comes_first_and_who_has_no_points_last(scores):
    order = [standing.card for standing in standings(scores)]
    points = [card.points for card in order if card.points is not None]
    assert points == sorted(points, reverse=True)
    assert [card.points for card in order[len(points) :]] == [None] * (len(order) - len(points))


def test_the_worst_criterion_is_where_most_points_went(scores):
    for card in scores.scorecards:
        worst = worst_criterion(card)
        if card.points is None:
            assert worst is None
        else:
            losses = {c.id: c.points_max - c.points for c in card.criteria if c.points is not None}
            assert losses[worst.id] == max(losses.values())


@pytest.mark.parametrize("width", [80, 120])
def test_each_line_says_points_interval_verdict_and_rank(scores, width):
    text = printed(scores, width, ranks={"bo-noi-vu": (2, 3), "binh-dinh": (1, 1)}, shortened=True)
    assert "2–3" in text
    for words in ("hợp lệ", "blocked", "bị từ chối", "PROVISIONAL", "TẠM THỜI", "SHORTENED", "RÚT NGẮN"):
        assert words in text
    for card in scores.scorecards:
        if card.points is not None:
            assert f"{card.points:.1f}" in text
            assert f"[{card.interval[0]:.1f}–{card.interval[1]:.1f}]" in text


def test_nothing_is_said_that_does_not_hold(scores):
    text = printed(replace(scores, criteria_set=replace(scores.criteria_set, provisional=False)))
    assert "PROVISIONAL" not in text
    assert "SHORTENED" not in text


def test_markup_in_a_name_stays_text(scores):
    card = replace(scores.scorecards[0], portal="[red]x[/red]", name_vi="[bold]")
    text = printed(replace(scores, scorecards=(card,)))
    assert "[red]x[/red]" in text
    assert "[bold]" in text


def test_an_unproven_portal_says_so_and_the_others_keep_their_ranks(scores):
    ranks = {standing.card.portal: standing.rank for standing in standings(scores)}
    changed = with_unproven(scores)
    first = changed.scorecards[0].portal
    text = printed(changed, width=200)
    assert "1 tiêu chí chưa xác nhận được" in text
    assert "criteria unproven: 1" in text
    board = {standing.card.portal: standing.rank for standing in standings(changed)}
    assert board[first] is None
    left = [portal for portal in board if portal != first and ranks[portal] is not None]
    without = {standing.card.portal: standing.rank for standing in standings(replace(scores, scorecards=scores.scorecards[1:]))}
    assert left
    assert {portal: board[portal] for portal in left} == {portal: without[portal] for portal in left}


def test_groups_of_equal_criteria_are_named_and_explained(scores):
    card = scores.scorecards[0]
    lacking = replace(card.criteria[0], state=CriterionState.NOT_ASSESSED, reason="not_measured", points=None, interval=None)
    other = replace(card, portal="no-payments", criteria=(lacking, *card.criteria[1:]))
    both = replace(scores, scorecards=(*scores.scorecards, other))
    board = {standing.card.portal: standing for standing in standings(both)}
    before = {standing.card.portal: standing.rank for standing in standings(scores)}
    assert (board["no-payments"].group, board["no-payments"].rank) == ("B", (1, 1))
    assert {portal: board[portal].rank for portal in before} == before
    text = printed(both)
    assert "Nhóm A" in text
    assert "Group B (portals: 1)" in text
    assert "B 1" in text
