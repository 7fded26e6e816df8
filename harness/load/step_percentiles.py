"""How long the steps of a test took so far, for Locust's page: exact percentiles in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from harness.load.ended_steps import NOT_BEGUN
from harness.records.fleet_messages import FAILED_STEP
from harness.statistics.percentile import nearest_rank, percentile_floor

PERCENTS = (50, 90, 95, 99)


class StepFigures(NamedTuple):
    """One step at one portal, in all windows of scored stages so far."""

    portal: str
    name: str
    n: int
    failed: int  # of these: failed, not reached after an earlier failure, or of visits that were turned away
    percentiles_ms: tuple[int | None, ...]  # of PERCENTS; None below the floor of the percentile, FAILED_STEP where it falls among failures


class StepPercentiles:
    """Counts steps by whole milliseconds.

    A percentile is the nearest rank over every step, failures as +∞, in whole milliseconds: as exact as it is shown, since rounding
    keeps the order. Memory does not grow with the number of steps, only with that of different milliseconds.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counter[int]] = {}  # by portal and name

    def add(self, steps: Mapping[str, Mapping[str, list[int]]]) -> None:
        """Count the steps of a batch."""
        for portal, names in steps.items():
            for name, took_ms in names.items():
                self._counts.setdefault((portal, name), Counter()).update(took_ms)

    def figures(self) -> Iterator[StepFigures]:
        """The steps by portal and name. A visit that did not begin is one failure of each step of its journey, as in the scores."""
        for (portal, name), counts in sorted(self._counts.items()):
            journey, _, step = name.partition(": ")
            if step != NOT_BEGUN:
                turned_away = self._counts.get((portal, f"{journey}: {NOT_BEGUN}"), Counter()).total()
                yield _figures(portal, name, counts, turned_away)


def _figures(portal: str, name: str, counts: Counter[int], turned_away: int) -> StepFigures:
    count, ordered = counts.total() + turned_away, sorted(counts.keys() - {FAILED_STEP})
    found: list[int | None] = []
    for percent in PERCENTS:
        rank, seen = nearest_rank(count, percent), 0
        value = FAILED_STEP
        for took_ms in ordered:
            seen += counts[took_ms]
            if seen >= rank:
                value = took_ms
                break
        found.append(value if count >= percentile_floor(percent) else None)
    return StepFigures(portal, name, count, counts[FAILED_STEP] + turned_away, tuple(found))
