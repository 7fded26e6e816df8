"""Ranks of the portals on the criteria that are assessed for all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard, SweepScores
from harness.scoring.total_interval import total_interval
from harness.scoring.windows import plain
from harness.statistics.interval import Interval, RankInterval, rank_intervals


@dataclass(frozen=True, slots=True)
class Place:
    """One ranked portal; ``tied_with`` are the portals whose intervals overlap its own."""

    portal: str
    rank: RankInterval
    points: float  # on the common criteria only
    interval: Interval | None
    tied_with: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ranked portals from the most points to the fewest, the criteria of the ranking, and the portals without a rank."""

    ranked_on: tuple[str, ...]
    points_max: float
    places: tuple[Place, ...]
    unranked: tuple[str, ...]

    @property
    def ranks(self) -> dict[str, RankInterval]:
        """Best and worst rank by portal."""
        return {place.portal: place.rank for place in self.places}


def rank(scores: SweepScores) -> Ranking:
    """Ranks the portals with a valid verdict on the criteria assessed for all of them; points are not rescaled."""
    valid = [card for card in scores.scorecards if card.points is not None]
    common = _common(valid)
    found = {card.portal: _on(card, common) for card in valid} if common else {}
    intervals = {portal: interval or (-math.inf, math.inf) for portal, (_, interval) in found.items()}
    ranks = rank_intervals(intervals)
    places = [
        Place(portal, ranks[portal], points, interval, _overlapping(portal, intervals)) for portal, (points, interval) in found.items()
    ]
    places.sort(key=lambda place: (-place.points, place.rank, place.portal))
    unranked = tuple(card.portal for card in scores.scorecards if card.portal not in found)
    points_max = plain(math.fsum(score.points_max for score in valid[0].criteria if score.id in common), 4) if valid else 0.0
    return Ranking(common, points_max, tuple(places), unranked)


def _common(cards: Sequence[Scorecard]) -> tuple[str, ...]:
    """The criteria that are assessed on every card, in the set's order."""
    if not cards:
        return ()
    assessed = [{score.id for score in card.criteria if score.state is CriterionState.ASSESSED} for card in cards]
    shared = set.intersection(*assessed)
    return tuple(score.id for score in cards[0].criteria if score.id in shared)


def _on(card: Scorecard, criteria: Sequence[str]) -> tuple[float, Interval | None]:
    scores: list[CriterionScore] = [score for score in card.criteria if score.id in criteria]
    points = plain(math.fsum(score.points or 0.0 for score in scores), 4)
    return points, total_interval(scores, points)[0]


def _overlapping(portal: str, intervals: dict[str, Interval]) -> tuple[str, ...]:
    low, high = intervals[portal]
    return tuple(sorted(other for other, (left, right) in intervals.items() if other != portal and left <= high and right >= low))
