"""The interval of a card's total, from the windows that its criteria share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.scoring.scorecard import CriterionScore, CriterionState
from harness.scoring.windows import plain
from harness.statistics.interval import FEWEST_WINDOWS, Interval, sign_test_interval

Replicate = tuple[str, int, int]


def total_interval(scores: Sequence[CriterionScore], points: float) -> tuple[Interval | None, str]:
    """The interval of the total, and how it was computed.

    Points of criteria with points in each window are added window by window (windows of two stages are paired by night, round
    and position in the round), because a slow hour lowers all criteria at once. The sign test is applied to these sums. The
    interval ends of criteria that are not judged per window (availability, sustained level) are added to the result. Where
    fewer than six windows are common to all criteria, the ends of the criteria's own intervals are added instead, which is
    wider. The interval is widened to contain the points, which are a sum of medians.
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
