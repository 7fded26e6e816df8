"""The share of the points that a value gets."""

from __future__ import annotations

import math
from statistics import NormalDist

from harness.catalog.criteria import Bands, Linear, LogNormal
from harness.statistics.metric import Metric

LIGHTHOUSE = 0.9061938024368232
"""erfc⁻¹(1/5), as Lighthouse prints it: it gives p10 the share 0.90."""

_WORTH_NOTHING = 0.01
"""A log-normal curve never reaches 0; below this share it counts as 0."""


def share(curve: Linear | Bands | LogNormal, metric: Metric, value: float) -> float:
    """The share of the points, from 0 to 1, of a value in the metric's unit; +inf (censored) gets 0."""
    if math.isinf(value):
        return 0.0 if (value > 0) != metric.higher_is_better else 1.0
    if isinstance(curve, Linear):
        full, none = float(curve.full), float(curve.none)
        return min(1.0, max(0.0, (none - value) / (none - full)))
    if isinstance(curve, Bands):
        reached = (band for band in curve.bands if (value >= band.limit if metric.higher_is_better else value <= band.limit))
        return next((float(band.share) for band in reached), 0.0)
    return log_normal(value, float(curve.p10), float(curve.median))


def log_normal(value: float, p10: float, median: float) -> float:
    """Lighthouse's curve: 0.5 · erfc(ln(value / median) · 0.9061938… / -ln(p10 / median)); 1 for values up to 0."""
    if value <= 0:
        return 1.0
    return 0.5 * math.erfc((math.log(value) - math.log(median)) * LIGHTHOUSE / (math.log(median) - math.log(p10)))


def full_point(curve: Linear | Bands | LogNormal) -> float | None:
    """The value from which on a curve gives all points; None for a log-normal curve, which only comes near them."""
    if isinstance(curve, LogNormal):
        return None
    return float(curve.full if isinstance(curve, Linear) else curve.bands[0].limit)


def zero_point(curve: Linear | Bands | LogNormal) -> float:
    """The value from which on a curve for times gives 0; for a log-normal curve, the value with a share of 0.01."""
    if isinstance(curve, Linear):
        return float(curve.none)
    if isinstance(curve, Bands):
        return float(curve.bands[-1].limit)
    inverse = -NormalDist().inv_cdf(_WORTH_NOTHING) / math.sqrt(2)  # erfc⁻¹(2 · 0.01)
    return float(curve.median) * math.exp(inverse * -math.log(float(curve.p10) / float(curve.median)) / LIGHTHOUSE)
