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

    identity: Integers  # distinct for each
    visit: Integers
    time_us: Integers
    ok: Flags
    elsewhere_us: Integers  # of whole time, what hosts of other owners took

    def __len__(self) -> int:
        return len(self.ok)

    def only(self, which: Flags) -> Unit:
        """The chosen ones."""
        return Unit(self.identity[which], self.visit[which], self.time_us[which], self.ok[which], self.elsewhere_us[which])


@dataclass(frozen=True, slots=True)
class Rule:
    """How a figure is taken: the metric, what a failure costs in a mean, how many ``slowest`` looks at, and its seed."""

    metric: Metric
    zero_us: int
    slowest_of: int
    least: int = 1  # fewer steps than this have no figure that counts
    fewer: bool = False  # ``slowest`` may look at fewer steps where there are fewer: in shortened windows


def figure(unit: Unit, rule: Rule, seed: int) -> float | None:
    """The figure in the metric's unit, +inf where it falls on a failure; None where there is too little for it.

    In a mean, a failure counts as the larger of its elapsed time and the curve's zero point, and a success as the smaller of
    the two: so a failure never counts as faster than any success. In percentiles and maxima a failure counts +inf.
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
    """The sum, in whole microseconds, that a mean divides: an integer, so that no order of adding can change it."""
    counted = np.where(unit.ok, np.minimum(unit.time_us, zero_us), np.maximum(unit.time_us, zero_us))
    return int(counted.sum())


def _seconds(unit: Unit) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.where(unit.ok, unit.time_us / MICROSECONDS, np.inf)
