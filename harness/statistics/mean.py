"""An interval for the mean of bounded values, one a window: for shares, where an outage of one window costs its share.

Values of a share are skewed: most windows are full, a few are not. No single rule covers their mean with six windows, so the
interval is the widest of three:

- Student's t at a nominal 99 %, cut off at the bounds;
- the ends of the sign test, which run from the worst window to the best with up to eight windows;
- the means that one more window could give, from one with the least value to one with the most.

It has no exact level. Simulation gives at least 93 % for data of the kinds in docs/statistics.md, which also says where it
fails: no rule for six windows knows of outages that six windows did not meet. ``availability`` is for those.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.statistics.interval import Interval, sign_test_interval

_T_99 = (
    63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055, 3.012, 2.977, 2.947,
    2.921, 2.898, 2.878, 2.861, 2.845, 2.831, 2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756, 2.750,
)  # fmt: skip
"""Two-sided 99 % quantiles of Student's t for 1 to 30 degrees of freedom; the last one stands for all higher ones, a little too wide."""


def mean_interval(values: Sequence[float], least: float, most: float) -> Interval:
    """The interval for the mean of two or more ``values``, each from ``least`` to ``most``."""
    if len(values) < 2:
        raise ValueError("an interval for a mean needs at least two values")
    count, total = len(values), math.fsum(values)
    mean = total / count
    half = student_t_99(count - 1) * math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1) / count)
    ends = sign_test_interval(values)
    low = min(mean - half, ends.low, (total + least) / (count + 1))
    high = max(mean + half, ends.high, (total + most) / (count + 1))
    return max(low, least), min(high, most)


def student_t_99(degrees: int) -> float:
    """The two-sided 99 % quantile of Student's t."""
    return _T_99[min(degrees, len(_T_99)) - 1]


def student_p_value(distance: float, degrees: float) -> float:
    """The two-sided p of Student's t, for the next lower even number of degrees of freedom (two or more).

    From 200 on that of the normal distribution, which is lower by 0.0001 at p = 0.0006.
    """
    if degrees >= 200:
        return math.erfc(abs(distance) / math.sqrt(2))
    even = int(degrees) // 2 * 2  # then the distribution is a finite series
    cosine = even / (even + distance**2)
    term = series = 1.0
    for number in range(2, even, 2):
        term *= cosine * (number - 1) / number
        series += term
    return max(0.0, 1 - math.sqrt(1 - cosine) * series)
