"""Changes between nights: a paired permutation test of signs, one of rank sums, and a correction for many tests.

If nothing changed, each pair's difference is as likely to be positive as negative. The statistic is the signed sum of the ranks
of the absolute differences, so that one frozen window, or one without a finite value, cannot decide alone. Its distribution
over all sign changes is counted exactly for any number of pairs. With N pairs the smallest two-sided p is 2^(1-N): 0.031 for
six, 0.00049 for twelve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt


def paired_p_value(differences: Sequence[float]) -> float:
    """The two-sided p of the paired sign-change test; ±inf are the largest differences; pairs without a difference are left out.

    Returns 1.0 where no pair differs.
    """
    differing = [difference for difference in differences if difference != 0]
    if not differing:
        return 1.0
    doubled = _doubled_ranks([abs(difference) for difference in differing])
    observed = sum(rank if difference > 0 else -rank for rank, difference in zip(doubled, differing, strict=True))
    ways = _ways(tuple(sorted(doubled)))
    total = sum(doubled)
    # A subset of positive ranks with sum s gives the statistic 2 s - total.
    extreme = sum(count for positive, count in enumerate(ways) if abs(2 * positive - total) >= abs(observed))
    return float(Fraction(extreme, 2 ** len(doubled)))


def rank_sum_p_value(first: Sequence[float], second: Sequence[float]) -> float:
    """The two-sided p of the rank-sum permutation test of two groups of values; ±inf are the largest and smallest.

    If nothing changed, every choice of ``len(first)`` of all values is as likely. The distribution of their rank sum over all
    choices is counted, ties included. Returns 1.0 where a group is empty.
    """
    if not first or not second:
        return 1.0
    doubled = _doubled_ranks([*first, *second])
    shares = _rank_sum_shares(tuple(sorted(doubled)), len(first))
    twice_mean = len(first) * sum(doubled) / len(doubled)
    observed = abs(sum(doubled[: len(first)]) - twice_mean)
    sums = np.arange(len(shares))
    return float(min(1.0, shares[np.abs(sums - twice_mean) >= observed - 1e-9].sum()))


def least_rank_sum_p_value(first: int, second: int) -> float:
    """The smallest p that groups of these sizes can have."""
    return min(1.0, 2 / math.comb(first + second, first))


def fewest_pairs(tests: int, level: float = 0.05) -> int:
    """The fewest pairs with which one true change among ``tests`` can be named, at a false discovery rate ``level``."""
    return math.ceil(1 + math.log2(tests / level))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: if all tests with at most q are named, at most a share q of the named is expected to be false.

    Benjamini and Hochberg's step-up procedure, valid for independent or positively dependent tests.
    """
    ordered = np.sort(p_values)
    scaled = ordered * (len(ordered) / np.arange(1, len(ordered) + 1))
    smallest: npt.NDArray[np.float64] = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1.0)
    return [float(value) for value in smallest[np.searchsorted(ordered, p_values)]]


def _doubled_ranks(sizes: Sequence[float]) -> list[int]:
    """Twice the average rank of each size, so that ties stay whole numbers."""
    _, group, counts = np.unique(np.asarray(sizes, dtype=np.float64), return_inverse=True, return_counts=True)
    doubled: list[int] = (2 * np.cumsum(counts) - counts + 1)[group].tolist()
    return doubled


@lru_cache(maxsize=64)
def _rank_sum_shares(ranks: tuple[int, ...], size: int) -> npt.NDArray[np.float64]:
    """For each whole number from 0 on, the share of the choices of ``size`` ranks that add up to it."""
    most = sum(ranks[-size:])
    ways = np.zeros((size + 1, most + 1))  # as floats: the numbers of choices go beyond 64 bits
    ways[0, 0] = 1
    for rank in ranks:
        if rank <= most:
            ways[1:, rank:] += ways[:-1, : most + 1 - rank]
    shares: npt.NDArray[np.float64] = ways[size] / ways[size].sum()
    return shares


@lru_cache(maxsize=64)
def _ways(ranks: tuple[int, ...]) -> list[int]:
    """For each whole number from 0 on, how many of the 2^N subsets of the ranks add up to it.

    It is kept, because without ties all portals have the same ranks (84 portals with 24 pairs: 18 ms instead of 73).
    """
    ways = [1] + [0] * sum(ranks)
    reached = 0
    for rank in ranks:
        reached += rank
        for total in range(reached, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways
