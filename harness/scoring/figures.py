"""One figure of one step in one window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.scoring.rows import Flags, Integers
from harness.statistics.metric import Metric
from harness.statistics.percentile import percentile
from harness.statistics.share import apdex
from harness.statistics.slowest import chosen

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Unit:
    """The steps (or visits) of one part in one window."""

    identity: Integers  # unique for each step
    visit: Integers
    time_us: Integers
    ok: Flags
    elsewhere_us: Integers  # time at hosts of other owners

    def __len__(self) -> int:
        return len(self.ok)

    def only(self, which: Flags) -> Unit:
        """The chosen steps."""
        return Unit(self.identity[which], self.visit[which], self.time_us[which], self.ok[which], self.elsewhere_us[which])


@dataclass(frozen=True, slots=True)
class FigureRule:
    """How a figure is computed: the metric, what a failure counts in a mean, and how many steps ``slowest`` looks at."""

    metric: Metric
    zero_us: int
    slowest_of: int
    least: int = 1  # with fewer steps the figure does not count
    fewer: bool = False  # ``slowest`` may look at fewer steps where a shortened window has fewer


def figure(unit: Unit, rule: FigureRule, seed: int) -> float | None:
    """The figure in the metric's unit; +inf where it falls on a failure; None where there are too few steps.

    In a mean, a failure counts as the larger of its elapsed time and the curve's zero point, a success as the smaller of the
    two; so no failure counts as faster than a success. In percentiles and maxima a failure counts as +inf.
    """
    count = len(unit)
    if count == 0:
        return None
    match rule.metric.figure:
        case "mean":
            return mean_us(unit, rule.zero_us) / (count * MICROSECONDS)
        case "percentile":
            assert rule.metric.argument is not None
            return percentile(_seconds(unit), rule.metric.argument)
        case "slowest":
            looked_at = chosen(unit.identity, seed, min(rule.slowest_of, count) if rule.fewer else rule.slowest_of)
            return None if looked_at is None else float(_seconds(unit)[looked_at].max())
        case "apdex":
            assert rule.metric.argument is not None
            return apdex(_seconds(unit), float(rule.metric.argument))
        case "ok_rate":
            return 100 * int(np.count_nonzero(unit.ok)) / count
        case "error_rate":
            return 100 * int(np.count_nonzero(~unit.ok)) / count
        case _:
            raise ValueError(f"{rule.metric} has no value of its own in a window")


def mean_us(unit: Unit, zero_us: int) -> int:
    """The sum of a mean in whole microseconds: an integer does not depend on the order of addition."""
    counted = np.where(unit.ok, np.minimum(unit.time_us, zero_us), np.maximum(unit.time_us, zero_us))
    return int(counted.sum())


def measured_mean(unit: Unit) -> float | None:
    """The mean time of the successes in seconds, as it was measured: nothing is capped. None without a success."""
    times_us = unit.time_us[unit.ok]
    return int(times_us.sum()) / (len(times_us) * MICROSECONDS) if len(times_us) else None


def _seconds(unit: Unit) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.where(unit.ok, unit.time_us / MICROSECONDS, np.inf)
