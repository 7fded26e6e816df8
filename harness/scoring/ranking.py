"""Ranks of the portals, in groups that were assessed on the same criteria: what one portal lacks changes no other's rank."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from harness.scoring.scorecard import CriterionState, Scorecard, SweepScores
from harness.scoring.windows import plain
from harness.statistics.interval import RankInterval, rank_intervals


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """Portals that were assessed on the same criteria."""

    ranked_on: tuple[str, ...]
    points_max: float
    ranks: Mapping[str, RankInterval]  # best and worst by portal, from the most points to the fewest


@dataclass(frozen=True, slots=True)
class Ranking:
    """The groups, the largest first. Portals without points or with a criterion that is unproven are in none."""

    groups: tuple[RankedGroup, ...]

    @property
    def ranks(self) -> dict[str, RankInterval]:
        """Best and worst rank by portal, within its group."""
        return {portal: ranks for group in self.groups for portal, ranks in group.ranks.items()}

    @property
    def group_names(self) -> dict[str, str]:
        """The letter of each ranked portal's group; empty where there is one group for all."""
        if len(self.groups) < 2:
            return {}
        return {portal: group_name(index) for index, group in enumerate(self.groups) for portal in group.ranks}


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
    groups = map(_group, by_criteria.values())
    return Ranking(tuple(sorted(groups, key=lambda group: (-len(group.ranks), -group.points_max, group.ranked_on))))


def _group(cards: Sequence[Scorecard]) -> RankedGroup:
    ranks = rank_intervals({card.portal: card.interval or (-math.inf, math.inf) for card in cards})
    ordered = sorted(cards, key=lambda card: (-(card.points or 0.0), ranks[card.portal], card.portal))
    assessed = [score for score in cards[0].criteria if score.state is CriterionState.ASSESSED]
    points_max = plain(math.fsum(score.points_max for score in assessed), 4)
    return RankedGroup(tuple(score.id for score in assessed), points_max, {card.portal: ranks[card.portal] for card in ordered})
