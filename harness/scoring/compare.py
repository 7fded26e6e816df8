"""Changes from one sweep to another: paired windows, a permutation test, correction for many portals, a minimum effect.

Window i of a criterion before is paired with window i after (the same round of the night). A change is named if its adjusted
p is at most the false discovery rate *and* the median of the paired differences reaches the minimum effect. The adjustment
(Benjamini-Hochberg) runs over all portals of one criterion.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.errors import Problem, UsageError
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard, SweepScores
from harness.scoring.windows import plain
from harness.statistics.interval import sign_test_interval
from harness.statistics.metric import Metric, parse_metric
from harness.statistics.permutation import benjamini_hochberg, fewest_pairs, paired_p_value


@dataclass(frozen=True, slots=True)
class ChangeLimits:
    """The limits that a change must reach to be named; all are assumed."""

    false_discovery_rate: float = 0.05
    ratio: float = 1.10  # of times and levels: 10 % slower, or the inverse
    percentage_points: float = 1.0  # of rates and server load
    apdex: float = 0.02


@dataclass(frozen=True, slots=True)
class Change:
    """One criterion of one portal, before and after.

    ``effect`` is the median over the pairs: a ratio after / before for times and levels, otherwise a difference; None where
    it is not finite because values are censored. ``interval`` is its sign-test interval.
    """

    portal: str
    criterion: str
    metric: str
    effect: float | None
    effect_kind: str  # ratio or difference
    interval: tuple[float | None, float | None]
    pairs: int
    p_value: float
    adjusted_p_value: float
    worse: bool  # the direction of the effect
    named: bool  # significant, and at least the minimum effect


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes, by criterion and portal, and whether the number of windows is large enough to name one."""

    changes: tuple[Change, ...]
    tests: int  # the largest number of portals that one criterion was tested on
    pairs: int  # the smallest number of pairs in a test; 0 without tests
    fewest_pairs: int  # with fewer pairs a change of a single portal cannot be named
    not_compared: tuple[tuple[str, str, str], ...]  # (portal, criterion, why)

    @property
    def regressions(self) -> tuple[Change, ...]:
        """The named changes for the worse."""
        return tuple(change for change in self.changes if change.named and change.worse)

    @property
    def improvements(self) -> tuple[Change, ...]:
        """The named changes for the better."""
        return tuple(change for change in self.changes if change.named and not change.worse)


@dataclass(frozen=True, slots=True)
class _Pairs:
    portal: str
    criterion: str
    metric: Metric
    differences: tuple[float, ...]  # positive is worse; of logarithms where the effect is a ratio


def compare(before: SweepScores, after: SweepScores, limits: ChangeLimits | None = None) -> Comparison:
    """Compares each criterion with windows in both sweeps, for each portal in both.

    Raises UsageError where the two were scored by different criteria sets, or by different versions of one.
    """
    _check_same_set(before, after)
    limits = limits or ChangeLimits()
    earlier = {card.portal: card for card in before.scorecards}
    found: list[_Pairs] = []
    missing: list[tuple[str, str, str]] = []
    for card in after.scorecards:
        for score in card.criteria:
            pairs = _pair(earlier.get(card.portal), card, score)
            if isinstance(pairs, str):
                missing.append((card.portal, score.id, pairs))
            else:
                found.append(pairs)
    by_criterion = [
        [each for each in found if each.criterion == criterion] for criterion in dict.fromkeys(each.criterion for each in found)
    ]
    tests = max((len(group) for group in by_criterion), default=0)
    return Comparison(
        tuple(change for group in by_criterion for change in _test(group, limits)),
        tests,
        min((len(each.differences) for each in found), default=0),
        fewest_pairs(tests, limits.false_discovery_rate) if tests else 0,
        tuple(missing),
    )


def _check_same_set(before: SweepScores, after: SweepScores) -> None:
    one, other = (each.named for each in (before.criteria_set, after.criteria_set))
    digests = {each.criteria_set.sha256 for each in (before, after)} - {""}
    if one == other and len(digests) <= 1:
        return
    found = f"{one} before, {other} after" if one != other else f"{one} in both, with different contents"
    remedy = "Add --rescore before or --rescore after to score one of the two again, by the set of the other."
    raise UsageError(Problem("compare", "criteria set", found, "one set in one version", remedy))


def _pair(earlier: Scorecard | None, card: Scorecard, score: CriterionScore) -> _Pairs | str:
    if earlier is None:
        return "not in the earlier sweep"
    match = next((each for each in earlier.criteria if each.id == score.id), None)
    if match is None or match.metric != score.metric or match.selection != score.selection:
        return "another criterion in the earlier sweep"
    if {match.state, score.state} != {CriterionState.ASSESSED} or not match.per_window or not score.per_window:
        return "not assessed by windows in both"
    metric = parse_metric(score.metric)
    pairs = zip(match.per_window, score.per_window, strict=False)
    return _Pairs(card.portal, score.id, metric, tuple(_difference(metric, old, new) for (_, old, _), (_, new, _) in pairs))


def _difference(metric: Metric, old: float | None, new: float | None) -> float:
    """Positive where the new value is worse. None is a censored value, worse than any other."""
    if old is None or new is None:
        return 0.0 if old == new else math.inf if new is None else -math.inf
    if not _is_ratio(metric):
        return old - new if metric.higher_is_better else new - old
    if old == new:
        return 0.0
    ratio = math.inf if old == 0 else -math.inf if new == 0 else math.log(new / old)
    return -ratio if metric.higher_is_better else ratio


def _test(group: Sequence[_Pairs], limits: ChangeLimits) -> Iterable[Change]:
    p_values = [paired_p_value(each.differences) for each in group]
    for each, p_value, adjusted in zip(group, p_values, benjamini_hochberg(p_values), strict=True):
        middle = statistics.median_low(each.differences) if _mixed(each.differences) else statistics.median(each.differences)
        interval = sign_test_interval(each.differences)
        yield Change(
            portal=each.portal,
            criterion=each.criterion,
            metric=str(each.metric),
            effect=_shown(each.metric, middle),
            effect_kind="ratio" if _is_ratio(each.metric) else "difference",
            interval=_ordered(_shown(each.metric, interval.low), _shown(each.metric, interval.high)),
            pairs=len(each.differences),
            p_value=p_value,
            adjusted_p_value=adjusted,
            worse=middle > 0,
            named=adjusted <= limits.false_discovery_rate and abs(middle) >= _least(each.metric, limits),
        )


def _is_ratio(metric: Metric) -> bool:
    return metric.unit in {"s", "visits/s"}


def _least(metric: Metric, limits: ChangeLimits) -> float:
    if _is_ratio(metric):
        return math.log(limits.ratio)
    return limits.apdex if metric.figure == "apdex" else limits.percentage_points


def _mixed(differences: Sequence[float]) -> bool:
    """Whether the mean of the two middle differences may be inf - inf."""
    return math.inf in differences and -math.inf in differences


def _shown(metric: Metric, difference: float) -> float | None:
    """The effect in the metric's own direction: a ratio above 1, or a difference above 0, is an increase."""
    increase = -difference if metric.higher_is_better else difference
    if math.isinf(increase):
        return None
    return plain(math.exp(increase) if _is_ratio(metric) else increase)


def _ordered(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    return (high, low) if low is not None and high is not None and high < low else (low, high)
