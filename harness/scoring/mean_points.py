"""Points that are the mean of the windows' points, and their interval, as a card prints them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from harness.scoring.windows import plain
from harness.statistics.interval import Interval
from harness.statistics.mean import mean_interval

MEAN_INTERVAL: Final = "mean of windows (widest of t, worst to best, one more window)"


def mean_of(points: Sequence[float]) -> float:
    """The mean, rounded as points are."""
    return plain(math.fsum(points) / len(points), 4)


def mean_points_interval(points: Sequence[float], most: float) -> Interval:
    """The interval of the mean of two or more windows' points, of which each could have been 0 to ``most``; it holds the mean."""
    low, high = mean_interval(points, 0.0, most)
    mean = mean_of(points)
    return min(plain(low, 4), mean), max(plain(high, 4), mean)
