"""Who stands where: the order of a scoreboard, and what each portal lost most points on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.publish.phrase import Phrase
from harness.publish.texts import decimal, phrase
from harness.scoring.ranking import rank
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard, SweepScores
from harness.statistics.ranks import RankInterval


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of a scoreboard."""

    card: Scorecard
    worst: CriterionScore | None
    rank: RankInterval | None  # best and worst rank that the intervals leave open; 1 is the best


def standings(scores: SweepScores, ranks: Mapping[str, RankInterval] | None = None) -> list[Standing]:
    """Portals by points, highest first; then, by name, those that have none. Without ``ranks`` scoring's own are taken."""
    ranks = rank(scores).ranks if ranks is None else ranks
    cards = sorted(scores.scorecards, key=lambda card: (card.points is None, -(card.points or 0.0), card.portal))
    return [Standing(card, worst_criterion(card), ranks.get(card.portal)) for card in cards]


def ranked_on(scores: SweepScores) -> Phrase | None:
    """What the ranks rest on; None where nobody is ranked."""
    ranking = rank(scores)
    if not ranking.places:
        return None
    words, count, most = phrase("board.ranked_on"), len(ranking.ranked_on), ranking.points_max
    digits = 0 if most == round(most) else 1
    return Phrase(words.vi.format(count, decimal(most, digits, "vi")), words.en.format(count, decimal(most, digits, "en")))


def worst_criterion(card: Scorecard) -> CriterionScore | None:
    """The assessed criterion on which most points were lost; None where none was lost, or where there are no points."""
    if card.points is None:
        return None
    assessed = [criterion for criterion in card.criteria if criterion.state is CriterionState.ASSESSED]
    worst = max(assessed, key=points_lost, default=None)
    return worst if worst is not None and points_lost(worst) > 0 else None


def points_lost(criterion: CriterionScore) -> float:
    """What is missing to the criterion's full points."""
    return criterion.points_max - (criterion.points or 0.0)
