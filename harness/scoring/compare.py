"""Changes from one sweep to another: paired windows, a permutation test, correction for many tests, a minimum effect.

Window i of a criterion before is paired with window i after (the same round of the night); steps are paired in the same way. A change is
named if its adjusted p is at most the false discovery rate *and* the median of the paired differences reaches the minimum effect.
What the other portals moved in common is taken out of the differences first (``common_movement``).
Criteria are adjusted among criteria, times and failures of steps among themselves, and spreads of steps among themselves.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from harness.errors import Problem, UsageError
from harness.evidence.facts import Verdict
from harness.scoring.adjusted_tests import AdjustedTest, MeasuredPairs, adjusted_tests
from harness.scoring.compared_steps import compare_steps, other_loads
from harness.scoring.effects import change_of
from harness.scoring.named_change import Change, ChangeLimits, Comparison, MeasureMovement, MissingValues, WhyMissing, WhyNoSteps
from harness.scoring.paired_windows import PairedWindows, WindowPair
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard, SweepScores
from harness.scoring.step_windows import StepWindows
from harness.statistics.metric import parse_metric
from harness.statistics.permutation import fewest_pairs

_Scores = tuple[CriterionScore, CriterionScore]  # before and after


def compare(
    before: SweepScores,
    after: SweepScores,
    limits: ChangeLimits | None = None,
    *,
    steps: tuple[Sequence[StepWindows], Sequence[StepWindows]] | None = None,
    why_no_steps: WhyNoSteps | None = None,
) -> Comparison:
    """Compares each criterion with windows in both sweeps, for each portal in both, and each step where the steps of both are given.

    Raises UsageError where the two were scored by different criteria sets, or by different versions of one.
    """
    _check_same_set(before, after)
    limits = limits or ChangeLimits()
    found: list[tuple[str, _Scores]] = []
    missing: list[MissingValues] = []
    for portal, one, other, why in _criteria(before, after):
        if why is not None:
            missing.append(_missing(portal, one, other, why))
            continue
        assert one is not None
        assert other is not None
        found.append((portal, (one, other)))
    order = list(dict.fromkeys(score.id for _, (_, score) in found))
    found.sort(key=lambda each: order.index(each[1][1].id))
    tests = adjusted_tests([_paired(*each) for each in found])
    changes, without, moved = compare_steps(*steps, limits) if steps is not None else ((), (), ())
    of_criteria = {after.id: _movement(after, test) for (_, (_, after)), test in zip(found, tests, strict=True)}
    most = max((test.tests for test in tests), default=0)
    return Comparison(
        tuple(_change(scores, test, limits) for (_, scores), test in zip(found, tests, strict=True)),
        most,
        min((len(test.differences) for test in tests), default=0),
        fewest_pairs(most, limits.false_discovery_rate) if most else 0,
        tuple((each.portal, each.criterion, each.why.value) for each in missing),
        changes,
        (*missing, *without),
        why_no_steps,
        (*of_criteria.values(), *moved),
        () if steps is None else other_loads(*steps),
    )


def _check_same_set(before: SweepScores, after: SweepScores) -> None:
    if before.criteria_set.is_same_as(after.criteria_set):
        return
    one, other = before.criteria_set.named, after.criteria_set.named
    found = f"{one} before, {other} after" if one != other else f"{one} in both, with different contents"
    remedy = "Add --rescore before or --rescore after to score one of the two again, by the set of the other."
    raise UsageError(Problem("compare", "criteria set", found, "one set in one version", remedy))


def _criteria(
    before: SweepScores, after: SweepScores
) -> Iterator[tuple[str, CriterionScore | None, CriterionScore | None, WhyMissing | None]]:
    """Each criterion of each portal: its portal, its two scores, and why they cannot be paired; None if they can."""
    earlier, later = (
        {card.portal: {each.id: each for each in _criteria_of(card)} for card in sweep.scorecards} for sweep in (before, after)
    )
    for portal in dict.fromkeys((*later, *earlier)):
        ones, others = earlier.get(portal, {}), later.get(portal, {})
        whole = WhyMissing.NOT_BEFORE if portal not in earlier else WhyMissing.NOT_AFTER if portal not in later else None
        for criterion in dict.fromkeys((*others, *ones)):
            one, other = ones.get(criterion), others.get(criterion)
            yield portal, one, other, whole or _why_missing(one, other)


def _criteria_of(card: Scorecard) -> tuple[CriterionScore, ...]:
    """The criteria of a card; of one without points none is assessed, whatever they say."""
    if card.points is not None:
        return card.criteria
    why = "no_points" if card.verdict is Verdict.VALID else f"verdict: {card.verdict.value}"
    assessed = CriterionState.ASSESSED
    return tuple(replace(each, state=CriterionState.NOT_ASSESSED, reason=why) if each.state is assessed else each for each in card.criteria)


def _why_missing(before: CriterionScore | None, after: CriterionScore | None) -> WhyMissing | None:
    if before is None or after is None or (before.metric, before.selection) != (after.metric, after.selection):
        return WhyMissing.OTHER_CRITERION
    paired = all(each.state is CriterionState.ASSESSED and each.per_window for each in (before, after))
    return None if paired else WhyMissing.NO_WINDOWS


def _missing(portal: str, before: CriterionScore | None, after: CriterionScore | None, why: WhyMissing) -> MissingValues:
    score = after or before
    assert score is not None
    lacking = [_lacking(each) if why is WhyMissing.NO_WINDOWS else "" for each in (before, after)]
    return MissingValues(
        portal=portal, criterion=score.id, why=why, before=lacking[0], after=lacking[1], name_vi=score.name_vi, name_en=score.name_en
    )


def _lacking(score: CriterionScore | None) -> str:
    if score is None or (score.state is CriterionState.ASSESSED and score.per_window):
        return ""
    return score.reason or "no_value_per_window"


def _paired(portal: str, scores: _Scores) -> MeasuredPairs:
    _, after = scores
    values = (zip(_places(each), (window.value for window in each.per_window), strict=True) for each in scores)
    pairs = tuple(WindowPair((*one, *other), old, new) for (one, old), (other, new) in zip(*values, strict=False))
    return MeasuredPairs(after.id, parse_metric(after.metric), PairedWindows(portal, pairs))


def _places(score: CriterionScore) -> list[tuple[Hashable, ...]]:
    """Night, round and which window of the round, of each window; its number where the scores do not tell them."""
    if len(score.points_per_window) == len(score.per_window):
        return [(night, round_, which) for night, round_, which, _ in score.points_per_window]
    return [(window.window,) for window in score.per_window]


def _movement(score: CriterionScore, test: AdjustedTest) -> MeasureMovement:
    return MeasureMovement(criterion=score.id, metric=score.metric, movement=test.movement, name_vi=score.name_vi, name_en=score.name_en)


def _change(scores: _Scores, test: AdjustedTest, limits: ChangeLimits) -> Change:
    before, after = scores
    return replace(change_of(test, limits, before.value, after.value), criterion=after.id, name_vi=after.name_vi, name_en=after.name_en)
