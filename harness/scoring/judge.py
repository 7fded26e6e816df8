"""The points, interval and state of one criterion, from the values of its windows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from harness.catalog.criteria import Criterion
from harness.catalog.criteria_set import CriteriaSet
from harness.scoring.curves import share
from harness.scoring.figures import MICROSECONDS
from harness.scoring.scorecard import CriterionScore, CriterionState, WindowScore
from harness.scoring.single_window import SingleWindowInterval, single_window_interval
from harness.scoring.windows import TabulatedRun, WindowValue, criterion_windows, figures_beside, plain, printable, rule_of
from harness.statistics.interval import FEWEST_WINDOWS, Interval, sign_test_interval, worse_median
from harness.statistics.mean import mean_interval

MEAN_INTERVAL: Final = "mean of windows (widest of t, worst to best, one more window)"


@dataclass(frozen=True, slots=True)
class Judged:
    """A criterion's line on the card, and whether the card may have points without it."""

    score: CriterionScore
    lacks_data: bool = False  # it was not assessed although the set requires it


def judge(measured: Sequence[TabulatedRun], criterion: Criterion, criteria: CriteriaSet) -> Judged:
    """Judges a criterion whose value is computed per window."""
    found, quota = criterion_windows(measured, criterion, criteria), criteria.quota_of(criterion)
    if not found.seen:
        reason = "no_windows_of_stage" if not found.planned else "not_measured"
        return not_assessed(criterion, reason, lacks_data=criterion.required == "always")
    nights = {value.facts.night for value in found.values}
    if len(found.values) < quota.windows or len(nights) < quota.nights:
        reason = f"too_few_windows: {len(found.values)} of {quota.windows}, {found.thin} with fewer than {quota.n} steps"
        if len(found.values) >= quota.windows:
            reason = f"too_few_nights: {len(nights)} of {quota.nights}"
        return not_assessed(criterion, reason, lacks_data=criterion.required != "never", values=found.values)
    rule = rule_of(criterion, criteria)
    within = single_window_interval(measured, criterion, rule, found.values[0]) if len(found.values) == 1 else None
    judged = judge_values(criterion, found.values, within)
    pointed = found.values if criterion.over == "mean_of_windows" else (median_of(criterion, found.values),)
    beside = figures_beside(measured, criterion, rule, pointed)
    return Judged(
        replace(
            judged.score,
            value_of_successes=_printed(beside.of_successes),
            not_charged_s=plain(beside.not_charged_s),
            value_measured=_printed(beside.measured),
            zero_point_s=plain(rule.zero_us / MICROSECONDS) if rule.metric.figure == "mean" else None,
            failures=beside.failures,
            failures_of=beside.n,
        )
    )


def _printed(figure: float | None) -> float | None:
    return None if figure is None else printable(figure)


def median_of(criterion: Criterion, values: Sequence[WindowValue]) -> WindowValue:
    """The median window, which gives the points."""
    return values[worse_median([_larger_is_worse(criterion, value.value) for value in values])]


def not_assessed(criterion: Criterion, reason: str, *, lacks_data: bool, values: Sequence[WindowValue] = ()) -> Judged:
    """The line of a criterion without points; values that were measured stay visible window by window."""
    return Judged(replace(line_of(criterion, values), reason=reason), lacks_data)


def points_of(criterion: Criterion, value: float) -> float:
    """The points of a value, rounded to four decimals."""
    return plain(share(criterion.curve, criterion.parsed, value) * float(criterion.points.value), 4)


def judge_values(criterion: Criterion, values: Sequence[WindowValue], within: SingleWindowInterval | None = None) -> Judged:
    """Points from the median window or the mean of all, with an interval over the windows, or ``within`` where there is one window."""
    if criterion.over == "mean_of_windows" and len(values) > 1:
        return Judged(_mean_of_windows(criterion, values))
    median = median_of(criterion, values)
    line = replace(
        line_of(criterion, values),
        state=CriterionState.ASSESSED,
        points=points_of(criterion, median.value),
        value=printable(median.value),
        censored=math.isinf(median.value),
        points_per_window=_points_per_window(criterion, values),
    )
    if len(values) == 1:
        if within is None:
            return Judged(line)
        ends = (within.high, within.low) if criterion.parsed.higher_is_better else (within.low, within.high)
        return Judged(replace(with_interval(criterion, line, *ends, within.level), interval_kind=within.kind))
    interval = sign_test_interval([_larger_is_worse(criterion, value.value) for value in values])
    best, worst = _larger_is_worse(criterion, interval.low), _larger_is_worse(criterion, interval.high)
    return Judged(replace(with_interval(criterion, line, best, worst, interval.level), interval_kind=_kind(values)))


def _mean_of_windows(criterion: Criterion, values: Sequence[WindowValue]) -> CriterionScore:
    """The mean of the windows' points, and the mean of their values beside it. A share is never censored."""
    of_windows = _points_per_window(criterion, values)
    points = [points for *_, points in of_windows]
    shares = [value.value for value in values]
    low, high = mean_interval(shares, 0, 100 if criterion.parsed.unit == "%" else 1)
    return replace(
        line_of(criterion, values),
        state=CriterionState.ASSESSED,
        points=mean_of(points),
        interval=mean_points_interval(points, float(criterion.points.value)),
        interval_kind=MEAN_INTERVAL,
        value=plain(math.fsum(shares) / len(shares)),
        value_interval=(plain(low), plain(high)),
        points_per_window=of_windows,
    )


def mean_of(points: Sequence[float]) -> float:
    """The mean, rounded as points are."""
    return plain(math.fsum(points) / len(points), 4)


def mean_points_interval(points: Sequence[float], most: float) -> Interval:
    """The interval of the mean of two or more windows' points, of which each could have been 0 to ``most``; it holds the mean."""
    low, high = mean_interval(points, 0.0, most)
    mean = mean_of(points)
    return min(plain(low, 4), mean), max(plain(high, 4), mean)


def _kind(values: Sequence[WindowValue]) -> str:
    if len(values) < FEWEST_WINDOWS:
        return f"minimum to maximum of {len(values)} windows"
    apart = len({value.replicate for value in values}) == len(values)
    return "sign test over windows" if apart else "sign test over windows, not all of different rounds"


def with_interval(criterion: Criterion, line: CriterionScore, best: float, worst: float, level: float | None) -> CriterionScore:
    """The line with the interval of its value and, through the curve, of its points."""
    low, high = sorted((best, worst))
    return replace(
        line,
        interval=(points_of(criterion, worst), points_of(criterion, best)),
        value_interval=(printable(low), printable(high)),
        interval_level=None if level is None else plain(level),
    )


def line_of(criterion: Criterion, values: Sequence[WindowValue] = ()) -> CriterionScore:
    """A criterion's line before it is assessed."""
    return CriterionScore(
        id=criterion.id,
        name_vi=criterion.name_vi,
        name_en=criterion.name_en,
        heading=criterion.heading,
        state=CriterionState.NOT_ASSESSED,
        reason="",
        points=None,
        points_max=float(criterion.points.value),
        interval=None,
        interval_kind="",
        metric=criterion.metric,
        value=None,
        value_interval=None,
        censored=False,
        unit=criterion.parsed.unit,
        windows=len(values),
        n=sum(value.n for value in values),
        curve=str(criterion.curve),
        basis=criterion.basis,
        source=criterion.source,
        selection=str(criterion.select),
        per_window=tuple(WindowScore(value.facts.window, value.printed, value.n) for value in values),
        over=criterion.over,
    )


def _points_per_window(criterion: Criterion, values: Sequence[WindowValue]) -> tuple[tuple[str, int, int, float], ...]:
    counted: Counter[tuple[str, int]] = Counter()
    result = []
    for value in values:
        result.append((*value.replicate, counted[value.replicate], points_of(criterion, value.value)))
        counted[value.replicate] += 1
    return tuple(result)


def _larger_is_worse(criterion: Criterion, value: float) -> float:
    return -value if criterion.parsed.higher_is_better else value
