"""The interval of a card's total, from the windows that its criteria share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.scoring.scorecard import CriterionScore, CriterionState
from harness.scoring.windows import plain
from harness.statistics.interval import FEWEST_WINDOWS, Interval, sign_test_interval

Replicate = tuple[str, int, int]


def total_interval(scores: Sequence[CriterionScore], points: float) -> tuple[Interval | None, str]:
    """The interval of the total, and how it was formed.

    Criteria that have points in each window are added up window by window (the windows of two stages are paired by night,
    round and position in the round), and the sign test is applied to these sums: a slow hour lowers all of them at once. To
    this are added the ends of the criteria that have no windows of their own (availability, sustained level). Where fewer
    than six windows are common to all, the ends of the criteria's own intervals are added instead, which is wider. The points,
    a sum of medians, always lie within.
    """
    assessed = [score for score in scores if score.state is CriterionState.ASSESSED]
    by_window = [score for score in assessed if score.points_per_window]
    others = [score for score in assessed if not score.points_per_window]
    if not assessed or any(score.interval is None for score in assessed):
        return None, ""
    sums = _sums(by_window)
    if by_window and len(sums) < FEWEST_WINDOWS:
        return _widened(_ends(assessed), points), "ends of the criteria's intervals added"
    low, high = _ends(others)
    if by_window:
        interval = sign_test_interval(sums)
        low, high = low + interval.low, high + interval.high
    return _widened((low, high), points), "sign test over sums of the same windows"


def _sums(scores: Sequence[CriterionScore]) -> list[float]:
    tables: list[dict[Replicate, float]] = [
        {(night, round_, ordinal): points for night, round_, ordinal, points in score.points_per_window} for score in scores
    ]
    common = set.intersection(*(set(table) for table in tables)) if tables else set()
    return [math.fsum(table[replicate] for table in tables) for replicate in sorted(common)]


def _ends(scores: Sequence[CriterionScore]) -> Interval:
    intervals = [score.interval for score in scores if score.interval is not None]
    return math.fsum(low for low, _ in intervals), math.fsum(high for _, high in intervals)


def _widened(interval: Interval, points: float) -> Interval:
    return min(plain(interval[0], 4), points), max(plain(interval[1], 4), points)
