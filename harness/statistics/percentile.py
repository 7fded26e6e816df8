"""Exact percentiles by nearest rank, and the smallest counts for them.

Rank rule: the p-th percentile of n values is the ``ceil(p · n / 100)``-th smallest. It is always a measured value, it needs no
interpolation (which has no meaning between a number and +∞), and at least p % of the values are no larger. A failure is
+∞ in the sample.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def nearest_rank(count: int, percent: float | Decimal) -> int:
    """The rank, from 1, of the percentile among ``count`` ordered values; exact for decimals such as 99.9."""
    if count < 1 or not 0 < percent < 100:
        raise ValueError(f"a percentile needs at least one value and 0 < percent < 100, not {count} and {percent}")
    exact = Fraction(Decimal(str(percent))) * count / 100
    return max(1, -(-exact.numerator // exact.denominator))


def percentile(values: Floats, percent: float | Decimal, *, floor: bool = True) -> float | None:
    """The percentile in the values' unit, +inf where it falls among failures, None below ``percentile_floor``."""
    count = len(values)
    if count < 1 or (floor and count < percentile_floor(percent)):
        return None
    rank = nearest_rank(count, percent)
    return float(np.partition(values, rank - 1)[rank - 1])


@lru_cache(maxsize=128)
def percentile_floor(percent: float | Decimal, confidence: float = 0.95, above: int = 1) -> int:
    """The smallest n whose order statistic with ``above`` values over it bounds the percentile from above.

    With n independent values, the probability that at least ``above + 1`` of them exceed the true percentile is at least
    ``confidence``: MLPerf LoadGen's rule; 46, 93 and 473 for p90, p95 and p99 with one value above, 29, 59 and 299 with none.
    Values of a loaded server are not independent, so this is a lower limit and no guarantee.
    """
    share = float(percent) / 100
    count = above + 1
    while _at_most(above, count, 1 - share) > 1 - confidence:
        count += 1
    return count


def _at_most(successes: int, trials: int, probability: float) -> float:
    """P(Binomial(trials, probability) ≤ successes), for few successes."""
    term = total = (1 - probability) ** trials
    for k in range(successes):
        term *= (trials - k) / (k + 1) * probability / (1 - probability)
        total += term
    return total
