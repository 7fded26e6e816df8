"""Rank intervals: the best and the worst rank that the intervals of the values allow."""

from __future__ import annotations

from collections.abc import Mapping

from harness.statistics.interval import Interval

RankInterval = tuple[int, int]


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
