"""A course over time in bounded memory that keeps every peak."""

from __future__ import annotations

from collections.abc import Sequence

MOST_POINTS = 480
"""The most points of a course (assumed: a chart has room for one in each pixel or two)."""


class PeakHistory:
    """Points of the same columns, the first of them the time. With too many, two neighbours become one with the larger value of each column.

    So sums that only grow stay exact at the points that are left, and peaks are never lost.
    """

    def __init__(self, most: int = MOST_POINTS) -> None:
        self._most = most
        self._every = 1  # points that become one
        self._points: list[tuple[float, ...]] = []
        self._pending: list[tuple[float, ...]] = []

    def add(self, *point: float) -> None:
        """The next point."""
        self._pending.append(point)
        if len(self._pending) == self._every:
            self._points.append(_peaks(self._pending))
            self._pending = []
        if len(self._points) > self._most:
            self._points = [_peaks(self._points[at : at + 2]) for at in range(0, len(self._points), 2)]
            self._every *= 2

    @property
    def points(self) -> list[tuple[float, ...]]:
        """The points, and as the last one what came since."""
        return [*self._points, *([_peaks(self._pending)] if self._pending else [])]


def _peaks(points: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(map(max, zip(*points, strict=True)))
