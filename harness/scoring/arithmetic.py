"""The arithmetic behind a score, written out so that a reader can do it again with a pocket calculator.

Each function gives text in which every operand stands as it was used; times are in seconds with all their microseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness.catalog.criteria import Bands, Criterion, Linear
from harness.scoring.curves import LIGHTHOUSE, share
from harness.scoring.figures import MICROSECONDS, FigureRule, Unit, measured_mean
from harness.scoring.judge import points_of
from harness.scoring.windows import plain
from harness.statistics.interval import attained_level, sign_test_rank
from harness.statistics.mean import mean_interval, student_t_99
from harness.statistics.metric import Metric
from harness.statistics.percentile import nearest_rank

CENSORED = "censored"
"""A value that falls on a failure, or has no end within the timeout: it is larger than any time."""


def quantity(value: float | None, unit: str = "") -> str:
    """A value with its unit, as the card has it."""
    return CENSORED if value is None or math.isinf(value) else f"{number(value)} {unit}".rstrip()


def number(value: float) -> str:
    """A number with up to six decimals and without zeros at its end."""
    return f"{plain(value):f}".rstrip("0").rstrip(".")


def legend(rule: FigureRule) -> str:
    """How the figure of a step is computed in a window, in words."""
    metric, zero = rule.metric, f"{number(rule.zero_us / MICROSECONDS)} s"
    match metric.figure:
        case "mean":
            return f"(successes of at most {zero} + longer ones × {zero} + failures, each its time and at least {zero}) / n"
        case "percentile":
            return f"the time of rank ⌈{metric.argument} × n / 100⌉ in ascending order, failures last"
        case "slowest":
            return f"the largest of {metric.argument} steps, which a hash of visit and attempt draws; a failure is larger than any time"
        case "apdex":
            return (
                f"(satisfied, up to {metric.argument} s, + tolerating, up to {4 * (metric.argument or 0)} s, / 2) / n; failures are neither"
            )
        case _:
            return f"100 × {'failures' if metric.figure == 'error_rate' else 'successes'} / n"


def of_step(unit: Unit, rule: FigureRule, value: float | None) -> str:
    """The figure of one step in one window from its counts and sums; ``value`` is the figure."""
    n, failed = len(unit), int(np.count_nonzero(~unit.ok))
    head, shown = f"n {n}, {failed} failed: ", quantity(value, rule.metric.unit)
    match rule.metric.figure:
        case "mean":
            return head + _mean(unit, rule.zero_us, shown)
        case "percentile":
            percent = rule.metric.argument or 0
            return f"{head}rank ⌈{percent} × {n} / 100⌉ = {nearest_rank(n, percent)} → {shown}"
        case "slowest":
            return f"{head}the largest of {min(rule.slowest_of, n)} → {shown}"
        case "apdex":
            limit_us = float(rule.metric.argument or 0) * MICROSECONDS
            satisfied = int(np.count_nonzero(unit.ok & (unit.time_us <= limit_us)))
            tolerating = int(np.count_nonzero(unit.ok & (unit.time_us <= 4 * limit_us))) - satisfied
            return f"{head}({satisfied} + {tolerating} / 2) / {n} = {shown}"
        case _:
            return f"{head}100 × {failed if rule.metric.figure == 'error_rate' else n - failed} / {n} = {shown}"


def _mean(unit: Unit, zero_us: int, shown: str) -> str:
    short, long = unit.ok & (unit.time_us <= zero_us), unit.ok & (unit.time_us > zero_us)
    failures_us = int(np.maximum(unit.time_us[~unit.ok], zero_us).sum())
    parts = f"{_s(int(unit.time_us[short].sum()))} + {np.count_nonzero(long)} × {_s(zero_us)} + {_s(failures_us)}"
    measured = measured_mean(unit)
    alone = "none" if measured is None else f"{_s(int(unit.time_us[unit.ok].sum()))} / {np.count_nonzero(unit.ok)} = {number(measured)} s"
    return f"({parts}) / {len(unit)} = {shown}; successes alone, as measured: {alone}"


def _s(time_us: int) -> str:
    return number(time_us / MICROSECONDS)


def of_parts(criterion: Criterion, values: Sequence[float | None], value: float) -> str:
    """How the values of the steps become one."""
    shown, result = [quantity(each) for each in values], quantity(value, criterion.parsed.unit)
    if criterion.combine == "mean":
        return f"mean of the steps: ({' + '.join(shown)}) / {len(shown)} = {result}"
    return f"worst of the steps: {'smallest' if criterion.parsed.higher_is_better else 'largest'} of {', '.join(shown)} = {result}"


def on_curve(criterion: Criterion, value: float | None) -> str:
    """The points of a value by the criterion's curve."""
    curve, metric, most = criterion.curve, criterion.parsed, number(float(criterion.points.value))
    points = number(points_of(criterion, math.inf if value is None else value))
    if value is None:
        return f"censored = {points}"
    if isinstance(curve, Linear):
        return _on_line(curve, metric, value, most, points)
    if isinstance(curve, Bands):
        return f"{number(share(curve, metric, value))} × {most} = {points}, by the first band that {number(value)} reaches"
    ratio = f"ln({number(value)} / {curve.median}) × {LIGHTHOUSE} / −ln({curve.p10} / {curve.median})"
    return f"0.5 × erfc({ratio}) × {most} = {points}"


def _on_line(curve: Linear, metric: Metric, value: float, most: str, points: str) -> str:
    reached = share(curve, metric, value)
    if reached in (0.0, 1.0):
        return f"{number(value)} is {f'full, at {curve.full}' if reached else f'none, at {curve.none}'} or {'better' if reached else 'worse'} = {points}"
    high, low = (curve.full, curve.none) if metric.higher_is_better else (curve.none, curve.full)
    upper, lower = (number(value), low) if metric.higher_is_better else (high, number(value))
    return f"({upper} − {lower}) / ({high} − {low}) × {most} = {points}"


def of_ranks(count: int) -> str:
    """Which of so many ordered values are the ends of the sign test's interval, and the level."""
    rank = sign_test_rank(count)
    below = sum(math.comb(count, k) for k in range(rank))
    return f"numbers {rank} and {count + 1 - rank} of {count} in order, level 1 − 2 × {below} / {2**count} = {100 * attained_level(count, rank):.4g} %"


def of_mean_interval(values: Sequence[float], most: float) -> str:
    """The three intervals of a mean of values from 0 to ``most``, of which the widest counts."""
    count, total = len(values), math.fsum(values)
    deviation = math.sqrt(math.fsum((value - total / count) ** 2 for value in values) / (count - 1))
    low, high = mean_interval(values, 0.0, most)
    ranks = sign_test_rank(count)
    ordered = sorted(values)
    return (
        f"widest of {number(total / count)} ± {student_t_99(count - 1)} × {number(deviation)} / √{count}, "
        f"[{number(ordered[ranks - 1])}, {number(ordered[count - ranks])}] and "
        f"[({number(total)} + 0) / {count + 1}, ({number(total)} + {number(most)}) / {count + 1}], "
        f"within 0 and {number(most)} = [{number(low)}, {number(high)}]"
    )
