"""What a sweep found, in one sentence: how many portals have points, who leads, and what stands out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.publish.criterion_words import name_text
from harness.publish.score_matrix import ScoreMatrix
from harness.publish.scoreboard import Standing
from harness.publish.wording import Phrase, joined, numeral, phrase
from harness.scoring.scorecard import CriterionState, SweepScores

MOST_NAMED = 3  # leaders that the sentence names; the matrix has them all


def night_verdict(scores: SweepScores, matrix: ScoreMatrix, *, shortened: bool) -> Phrase:
    """The sentence; it begins with what makes the result provisional."""
    scored = [row.standing for row in matrix.with_points]
    parts = [phrase("night.measured").filled(str(len(matrix.rows)), str(len(scored)))]
    if scored:
        parts += [_span(scored, matrix), _leaders(scored), *_most_lost(scored)]
    if matrix.without_points:
        states = Counter(row.standing.card.verdict for row in matrix.without_points)
        counted = [phrase("night.state").filled(str(count), phrase(f"verdict.{verdict.value}")) for verdict, count in states.most_common()]
        parts.append(phrase("night.without").filled(joined(", ", counted)))
    found = joined("; ", parts)
    if shortened or scores.criteria_set.provisional:
        return phrase("night.shortened" if shortened else "night.provisional").filled(found)
    return phrase("night.final").filled(found)


def leaders(scored: Sequence[Standing]) -> list[Standing]:
    """The portals above which no other certainly ranks, in the largest ranked group; most points first."""
    return [standing for standing in scored if standing.rank and standing.rank[0] == 1 and standing.group in ("", "A")]


def _span(scored: Sequence[Standing], matrix: ScoreMatrix) -> Phrase:
    points = [standing.card.points or 0.0 for standing in scored]
    most = matrix.assessed_max if matrix.assessed_max is not None else scored[0].card.points_max
    key = "night.span" if matrix.assessed_max is not None else "night.span_of_all"
    return phrase(key).filled(numeral(min(points), 1), numeral(max(points), 1), numeral(most, 0 if most == round(most) else 1))


def _leaders(scored: Sequence[Standing]) -> Phrase:
    ahead = leaders(scored)
    if not ahead:
        return phrase("night.not_ranked")
    named = [
        phrase("night.named").filled(name_text(each.card.name_vi, each.card.name_en), numeral(each.card.points or 0.0, 1))
        for each in ahead[:MOST_NAMED]
    ]
    group = phrase("night.in_group") if ahead[0].group else Phrase("", "")
    if len(ahead) == 1:
        return phrase("night.leader").filled(named[0], group)
    more = phrase("night.more").filled(str(len(ahead) - MOST_NAMED)) if len(ahead) > MOST_NAMED else Phrase("", "")
    return phrase("night.leaders").filled(joined(", ", named), more, group)


def _most_lost(scored: Sequence[Standing]) -> list[Phrase]:
    """The criterion on which the portals lost the largest share of their points; of equal ones, that with the most points.

    Nothing if no portal lost any.
    """
    lost: dict[str, list[float]] = {}
    most: dict[str, float] = {}
    for standing in scored:
        for each in standing.card.criteria:
            if each.state is CriterionState.ASSESSED and each.points_max:
                lost.setdefault(each.id, []).append(1 - (each.points or 0.0) / each.points_max)
                most[each.id] = each.points_max
    means = {name: sum(shares) / len(scored) for name, shares in lost.items()}
    worst = max(means, key=lambda name: (round(means[name], 6), most[name], name), default="")
    if not worst or means[worst] < 0.005:
        return []
    criterion = next(each for standing in scored for each in standing.card.criteria if each.id == worst)
    return [
        phrase("night.most_lost").filled(
            name_text(criterion.name_vi, criterion.name_en), numeral(100 * sum(lost[worst]) / len(lost[worst]), 0)
        )
    ]
