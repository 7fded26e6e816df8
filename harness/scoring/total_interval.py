"""The interval of a card's total, from the windows that its criteria share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.catalog.criteria import Over
from harness.scoring.judge import mean_points_interval
from harness.scoring.scorecard import CriterionScore, CriterionState
from harness.scoring.windows import plain
from harness.statistics.interval import FEWEST_WINDOWS, Interval, sign_test_interval

Replicate = tuple[str, int, int]

_KINDS = {
    (True, False): "sign test over sums of the same windows",
    (False, True): "mean of sums of the same windows",
    (True, True): "sums of the same windows (sign test for medians, interval of the mean for means)",
}
"""By whether medians and means are in it."""


def total_interval(scores: Sequence[CriterionScore], points: float) -> tuple[Interval | None, str]:
    """The interval of the total, and how it was computed.

    Points of criteria with points in each window are added window by window (windows of two stages are paired by night, round
    and position in the round), because a slow hour lowers all criteria at once. The sums of criteria that take the median
    window get the sign test's interval, those of criteria that take the mean of windows the interval of a mean. Both, and the
    interval ends of criteria that are not judged per window (availability, sustained level), are added. Where fewer than six
    windows are common to all criteria, the ends of the criteria's own intervals are added instead, which is wider. The
    interval is widened to contain the points, which are a sum of medians and means.
    """
    assessed = [score for score in scores if score.state is CriterionState.ASSESSED]
    by_window = [score for score in assessed if score.points_per_window]
    others = [score for score in assessed if not score.points_per_window]
    if not assessed or any(score.interval is None for score in assessed):
        return None, ""
    common = _common_windows(by_window)
    if by_window and len(common) < FEWEST_WINDOWS:
        return _widened(_ends(assessed), points), "ends of the criteria's intervals added"
    medians = [score for score in by_window if score.over == "median_window"]
    means = [score for score in by_window if score.over == "mean_of_windows"]
    low, high = _ends(others)
    if medians:
        interval = sign_test_interval(_sums(medians, common))
        low, high = low + interval.low, high + interval.high
    if means:
        least, most = mean_points_interval(_sums(means, common), math.fsum(score.points_max for score in means))
        low, high = low + least, high + most
    return _widened((low, high), points), _KINDS[bool(medians) or not means, bool(means)]


def common_sums(scores: Sequence[CriterionScore]) -> dict[Over, list[float]]:
    """For each ``over``: the sum of its criteria's points in each window that all criteria have, in order of night and round.

    Empty if the interval of the total does not come from such sums.
    """
    by_window = [score for score in scores if score.state is CriterionState.ASSESSED and score.points_per_window]
    common = _common_windows(by_window)
    if len(common) < FEWEST_WINDOWS:
        return {}
    overs = sorted({score.over for score in by_window})
    return {over: _sums([score for score in by_window if score.over == over], common) for over in overs}


def _common_windows(scores: Sequence[CriterionScore]) -> list[Replicate]:
    """The windows in which all criteria have points, in order."""
    of_each = [{(night, round_, ordinal) for night, round_, ordinal, _ in score.points_per_window} for score in scores]
    return sorted(set.intersection(*of_each)) if of_each else []


def _sums(scores: Sequence[CriterionScore], windows: Sequence[Replicate]) -> list[float]:
    tables: list[dict[Replicate, float]] = [
        {(night, round_, ordinal): points for night, round_, ordinal, points in score.points_per_window} for score in scores
    ]
    return [math.fsum(table[window] for table in tables) for window in windows]


def _ends(scores: Sequence[CriterionScore]) -> Interval:
    intervals = [score.interval for score in scores if score.interval is not None]
    return math.fsum(low for low, _ in intervals), math.fsum(high for _, high in intervals)


def _widened(interval: Interval, points: float) -> Interval:
    return min(plain(interval[0], 4), points), max(plain(interval[1], 4), points)
