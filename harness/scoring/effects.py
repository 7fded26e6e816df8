"""The size of a change from its paired differences, and whether it is large and sure enough to be named."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from harness.scoring.adjusted_tests import AdjustedTest
from harness.scoring.named_change import Change, ChangeLimits, ChangeWord, Ends, SpreadChange
from harness.scoring.paired_windows import is_ratio
from harness.scoring.windows import plain
from harness.statistics.interval import sign_test_interval
from harness.statistics.metric import Metric
from harness.statistics.permutation import fewest_pairs


@dataclass(frozen=True, slots=True)
class Effect:
    """The median over the pairs and its sign-test interval, as ``Change`` prints them."""

    size: float | None
    kind: str
    interval: Ends
    worse: bool
    significant: bool
    named: bool
    fewest_pairs: int


def effect_of(test: AdjustedTest, limits: ChangeLimits, least: float) -> Effect:
    """The effect of a test. ``least``: the minimum of the median difference that is named."""
    metric, differences = test.of.metric, test.differences
    middle = statistics.median_low(differences) if _mixed(differences) else statistics.median(differences)
    interval = sign_test_interval(differences)
    significant = test.adjusted_p_value <= limits.false_discovery_rate
    return Effect(
        size=shown_effect(metric, middle),
        kind="ratio" if is_ratio(metric) else "difference",
        interval=_ordered(shown_effect(metric, interval.low), shown_effect(metric, interval.high)),
        worse=middle > 0,
        significant=significant,
        named=significant and abs(middle) >= least,
        fewest_pairs=fewest_pairs(test.tests, limits.false_discovery_rate),
    )


def least_of(metric: Metric, limits: ChangeLimits) -> float:
    """The minimum effect of a metric, as differences are: a log ratio or a difference."""
    if is_ratio(metric):
        return math.log(limits.ratio)
    return limits.apdex if metric.figure == "apdex" else limits.percentage_points


def change_of(
    test: AdjustedTest, limits: ChangeLimits, before: float | None, after: float | None, spread: SpreadChange | None = None
) -> Change:
    """The change that a test shows, without the names of its criterion or step. ``before`` and ``after``: as ``Change`` has them."""
    effect, pairs = effect_of(test, limits, least_of(test.of.metric, limits)), len(test.differences)
    return Change(
        portal=test.of.windows.portal,
        metric=str(test.of.metric),
        effect=effect.size,
        effect_kind=effect.kind,
        interval=effect.interval,
        pairs=pairs,
        p_value=test.p_value,
        adjusted_p_value=test.adjusted_p_value,
        worse=effect.worse,
        named=effect.named,
        word=_word(effect, pairs, spread_named=spread is not None and spread.named),
        before=before,
        after=after,
        fewest_pairs=effect.fewest_pairs,
        spread=spread,
    )


def _word(effect: Effect, pairs: int, *, spread_named: bool) -> ChangeWord:
    if effect.named:
        return ChangeWord.WORSE if effect.worse else ChangeWord.BETTER
    if spread_named:
        return ChangeWord.SPREAD_CHANGED
    if effect.significant:
        return ChangeWord.TINY
    return ChangeWord.CANNOT_TELL if pairs < effect.fewest_pairs else ChangeWord.NOT_SIGNIFICANT


def _mixed(differences: Sequence[float]) -> bool:
    """Whether the mean of the two middle differences may be inf - inf."""
    return math.inf in differences and -math.inf in differences


def shown_effect(metric: Metric, difference: float) -> float | None:
    """A difference in the metric's own direction, None where it is infinite: a ratio above 1, or a difference above 0, is an increase."""
    increase = -difference if metric.higher_is_better else difference
    if math.isinf(increase):
        return None
    return plain(math.exp(increase) if is_ratio(metric) else increase)


def _ordered(low: float | None, high: float | None) -> Ends:
    return (high, low) if low is not None and high is not None and high < low else (low, high)
