"""Shares of successes: Apdex, and rates with an interval for dependent trials (steps of one visit fail together)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from harness.statistics.mean import student_t_99


@dataclass(frozen=True, slots=True)
class ClusteredShare:
    """A share with its interval, and the equivalent number of independent trials."""

    share: float
    low: float
    high: float
    effective_trials: float


def apdex(values: npt.NDArray[np.float64], satisfied_at: float) -> float | None:
    """(satisfied + tolerating / 2) / all, by the Apdex rule: satisfied up to T, tolerating up to 4 T; failures are +inf."""
    count = len(values)
    if count == 0:
        return None
    satisfied = int(np.count_nonzero(values <= satisfied_at))
    tolerating = int(np.count_nonzero(values <= 4 * satisfied_at)) - satisfied
    return (2 * satisfied + tolerating) / (2 * count)


def clustered_share(hits: Sequence[int], trials: Sequence[int], level: float = 0.95) -> ClusteredShare:
    """The share of hits among all trials, when trials of one cluster (a visit, a night) are not independent.

    The variance is the linearised variance of a ratio over clusters. The interval is Wilson's with the number of independent
    trials that has this variance (at most the number of trials; the number of clusters where all clusters are equal).
    """
    hit, size = np.asarray(hits, dtype=np.int64), np.asarray(trials, dtype=np.int64)
    total, clusters = int(size.sum()), len(size)
    if total == 0:
        raise ValueError("a share needs at least one trial")
    share = int(hit.sum()) / total
    effective = float(clusters)
    if clusters > 1 and 0 < share < 1:
        # Residuals scaled by the total are integers: their sum does not depend on the order of clusters.
        residuals = hit * total - int(hit.sum()) * size
        variance = clusters / (clusters - 1) * (sum(int(r) * int(r) for r in residuals) / total**4)
        effective = min(float(total), share * (1 - share) / variance) if variance > 0 else float(clusters)
    low, high = wilson(share, effective, level)
    return ClusteredShare(share, low, high, effective)


def weighted_share(hits: Sequence[Sequence[float]], weights: Sequence[Sequence[float]]) -> ClusteredShare:
    """The share of hits by weight: ``weights`` of all trials of each cluster, and ``hits`` of those that are hits.

    Share and variance are as in ``clustered_share``. The interval is Wilson's with the 99 % quantile of Student's t, because the
    variance is of few clusters and skewed; where all trials are hits, or none, at 95 % with one trial for each cluster.
    docs/statistics.md has its coverage.
    """
    up, size = [math.fsum(cluster) for cluster in hits], [math.fsum(cluster) for cluster in weights]
    total, clusters, trials = math.fsum(size), len(size), sum(map(len, weights))
    if trials == 0:
        raise ValueError("a share needs at least one trial")
    missed = trials - sum(map(len, hits))
    share = 1.0 if not missed else math.fsum(up) / total
    effective, quantile = float(clusters), NormalDist().inv_cdf(0.975)
    if clusters > 1 and 0 < share < 1:
        quantile = student_t_99(clusters - 1)
        variance = clusters / (clusters - 1) * math.fsum((hit - share * all_) ** 2 for hit, all_ in zip(up, size, strict=True)) / total**2
        effective = min(float(trials), share * (1 - share) / variance) if variance > 0 else float(clusters)
    return ClusteredShare(share, *_wilson(share, effective, quantile), effective)


def wilson(share: float, trials: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval for a share of ``trials`` independent trials (which need not be whole)."""
    return _wilson(share, trials, NormalDist().inv_cdf((1 + level) / 2))


def _wilson(share: float, trials: float, z: float) -> tuple[float, float]:
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, centre - half), min(1.0, centre + half)
