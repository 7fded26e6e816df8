"""Ranks of the portals, in groups that were assessed on the same criteria: what one portal lacks changes no other's rank."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from harness.scoring.scorecard import CriterionState, Scorecard, SweepScores
from harness.scoring.windows import plain
from harness.statistics.interval import Interval, RankInterval, rank_intervals


@dataclass(frozen=True, slots=True)
class Place:
    """One ranked portal; ``tied_with`` are the portals whose intervals overlap its own."""

    portal: str
    rank: RankInterval
    points: float
    interval: Interval | None
    tied_with: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """Portals that were assessed on the same criteria, from the most points to the fewest."""

    ranked_on: tuple[str, ...]
    points_max: float
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The groups, the largest first, and the portals without a rank: those without points or with a criterion that is unproven."""

    groups: tuple[RankedGroup, ...]
    unranked: tuple[str, ...]

    @property
    def ranks(self) -> dict[str, RankInterval]:
        """Best and worst rank by portal, within its group."""
        return {place.portal: place.rank for group in self.groups for place in group.places}

    @property
    def group_names(self) -> dict[str, str]:
        """The letter of each ranked portal's group; empty where there is one group for all."""
        if len(self.groups) < 2:
            return {}
        return {place.portal: group_name(index) for index, group in enumerate(self.groups) for place in group.places}


def group_name(index: int) -> str:
    """A, B, … Z, A2, B2, … for the groups in order."""
    letter = ascii_uppercase[index % len(ascii_uppercase)]
    return letter if index < len(ascii_uppercase) else f"{letter}{index // len(ascii_uppercase) + 1}"


def rank(scores: SweepScores) -> Ranking:
    """Ranks the portals that have points and nothing unproven, each among those assessed on the same criteria; nothing is rescaled."""
    by_criteria: dict[tuple[str, ...], list[Scorecard]] = {}
    for card in scores.scorecards:
        assessed = tuple(score.id for score in card.criteria if score.state is CriterionState.ASSESSED)
        if card.is_ranked and assessed:
            by_criteria.setdefault(assessed, []).append(card)
    groups = sorted(map(_group, by_criteria.values()), key=lambda group: (-len(group.places), -group.points_max, group.ranked_on))
    ranked = {place.portal for group in groups for place in group.places}
    return Ranking(tuple(groups), tuple(card.portal for card in scores.scorecards if card.portal not in ranked))


def _group(cards: Sequence[Scorecard]) -> RankedGroup:
    intervals = {card.portal: card.interval or (-math.inf, math.inf) for card in cards}
    ranks = rank_intervals(intervals)
    places = [
        Place(card.portal, ranks[card.portal], card.points or 0.0, card.interval, _overlapping(card.portal, intervals)) for card in cards
    ]
    places.sort(key=lambda place: (-place.points, place.rank, place.portal))
    assessed = [score for score in cards[0].criteria if score.state is CriterionState.ASSESSED]
    points_max = plain(math.fsum(score.points_max for score in assessed), 4)
    return RankedGroup(tuple(score.id for score in assessed), points_max, tuple(places))


def _overlapping(portal: str, intervals: dict[str, Interval]) -> tuple[str, ...]:
    low, high = intervals[portal]
    return tuple(sorted(other for other, (left, right) in intervals.items() if other != portal and left <= high and right >= low))
