"""Intervals for a median, by the sign test over windows or over blocks within one window, and the ranks that they allow.

The sign test assumes only that windows are independent of each other and have one median. With N windows the interval from
the k-th smallest to the k-th largest value covers the median with probability ``1 - 2 · P(Bin(N, ½) < k)`` for any
distribution. Six windows are the fewest that reach 95 % (1 - 2/64 = 96.9 %, minimum to maximum).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

Interval = tuple[float, float]
"""The lower and the upper end."""

RankInterval = tuple[int, int]
"""The best and the worst rank; 1 is the highest value."""

FEWEST_WINDOWS = 6
"""With fewer windows no interval of order statistics reaches 95 %."""


@dataclass(frozen=True, slots=True)
class MedianInterval:
    """From the k-th smallest to the k-th largest value, and the probability that it attains."""

    low: float
    high: float
    level: float


def sign_test_rank(count: int, level: float = 0.95) -> int:
    """The largest k whose interval attains ``level``; 1 where none does."""
    rank = 1
    while 2 * (rank + 1) <= count and attained_level(count, rank + 1) >= level:
        rank += 1
    return rank


def attained_level(count: int, rank: int) -> float:
    """The exact probability that [x(rank), x(count + 1 - rank)] covers the median."""
    if not 1 <= rank <= (count + 1) // 2:
        raise ValueError(f"rank {rank} of {count} values spans no interval")
    below = sum(math.comb(count, k) for k in range(rank))
    return float(1 - Fraction(2 * below, 2**count))


def sign_test_interval(values: Sequence[float], level: float = 0.95) -> MedianInterval:
    """The interval for the median of ``values`` (one a window; +inf allowed) that attains at least ``level``.

    With fewer than six values it runs from minimum to maximum, and its ``level`` is below 95 %.
    """
    if not values:
        raise ValueError("an interval needs at least one value")
    ordered = sorted(values)
    count = len(ordered)
    rank = sign_test_rank(count, level)
    return MedianInterval(ordered[rank - 1], ordered[count - rank], attained_level(count, rank))


def worse_median(values: Sequence[float]) -> int:
    """The position of the median window in ``values``, where larger is worse.

    It is a measured window, so that its rows can be shown. Of an even number it is the worse of the two in the middle (half
    of the windows were at least as bad); of equal values the first.
    """
    return values.index(sorted(values)[len(values) // 2])


def rank_intervals(intervals: Mapping[str, Interval]) -> dict[str, RankInterval]:
    """For each name its best and worst rank, 1 for the highest values.

    A name ranks above another only if its whole interval is above; where two overlap, either may be the better. Each interval
    has its own level, so the ranks have no joint level.
    """
    result = {}
    for name, (low, high) in intervals.items():
        above = sum(other_low > high for other, (other_low, _) in intervals.items() if other != name)
        below = sum(other_high < low for other, (_, other_high) in intervals.items() if other != name)
        result[name] = (1 + above, len(intervals) - below)
    return result
