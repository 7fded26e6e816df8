"""The schedule of a slot: its arrivals follow from the seed alone, whatever the number of workers.

Arrivals are the sum of two streams: the portal's usage, whose count is random, and each journey's quota, whose count the
criteria set asks for. Given its count, the points of a Poisson process are independent and uniform (Kingman, Poisson
Processes, 1993, section 2.4), so both are exact. The inverse of the cumulated rate curve then moves the points.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, pairwise

from harness.records import PlannedWindow, Slot
from harness.records.fleet_messages import Arrival
from harness.statistics.keyed import keyed_random

VISITS_PER_WINDOW = 1_000_000
"""Visit numbers are ``window * VISITS_PER_WINDOW + k``: unique within a run. The window follows from the number."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """All arrivals of one slot, in order."""

    slot: Slot
    arrivals: tuple[Arrival, ...]

    def slice_of(self, index: int, workers: int) -> tuple[Arrival, ...]:
        """Every ``workers``-th arrival, from ``index``: arrival k goes to slice k mod W."""
        return self.arrivals[index::workers]

    def digest(self) -> str:
        """SHA-256 of the arrivals, whatever the number of workers."""
        text = "\n".join(f"{a.offset_us} {a.visit} {a.window} {a.journey}" for a in self.arrivals)
        return sha256(text.encode()).hexdigest()


def schedule(slot: Slot, *, seed: int, arrivals: str) -> Schedule:
    """The arrivals of a slot under a seed; ``arrivals`` is ``poisson`` or ``constant``."""
    found: list[Arrival] = []
    for window in slot.windows:
        times = sorted(
            (moment, journey)
            for journey, count, rng in _journeys(slot.run, window, seed, arrivals)
            for moment in _moments(window, count, rng, arrivals)
        )
        begin_us = round(window.begin_s * 1e6)
        for number, (moment, journey) in enumerate(times):
            visit = window.window * VISITS_PER_WINDOW + number
            found.append(Arrival(begin_us + int(moment * 1e6), visit, window.window, journey))
    return Schedule(slot, tuple(sorted(found)))


def arrivals_in(window: PlannedWindow, run: str, *, seed: int, arrivals: str) -> Counter[str]:
    """How many arrivals the schedule has in a window, by journey."""
    return Counter({journey: count for journey, count, _ in _journeys(run, window, seed, arrivals)})


def _journeys(run: str, window: PlannedWindow, seed: int, arrivals: str) -> Iterator[tuple[str, int, random.Random]]:
    """The journeys of a window, each with its number of arrivals and the random numbers for their times.

    A make-up window has as many arrivals as the window that it makes up for, at other times: the night's visits are known before.
    """
    planned = window.window if window.make_up_of is None else window.make_up_of
    for journey in sorted({*window.rates_per_s, *window.quota}):
        rng = keyed_random(seed, run, planned, journey, "arrivals")
        count = _count(window, journey, rng, arrivals)
        yield journey, count, rng if planned == window.window else keyed_random(seed, run, window.window, journey, "arrivals")


def _moments(window: PlannedWindow, count: int, rng: random.Random, arrivals: str) -> Iterator[float]:
    """Seconds from the window's begin; a constant process has the mean count of the Poisson one, evenly spaced."""
    shares = [(k + 0.5) / count for k in range(count)] if arrivals == "constant" else sorted(rng.random() for _ in range(count))
    inverse = _inverse_of(window.curve)
    for share in shares:
        yield min(inverse(share), 1 - 1e-9) * window.duration_s


def _count(window: PlannedWindow, journey: str, rng: random.Random, arrivals: str) -> int:
    usage = window.rates_per_s.get(journey, 0.0) * window.duration_s
    return (round(usage) if arrivals == "constant" else _poisson_count(usage, rng)) + window.quota.get(journey, 0)


def _poisson_count(mean: float, rng: random.Random) -> int:
    """A Poisson number, by counting unit-rate arrivals up to ``mean``: exact, and the same on every platform."""
    count, reached = 0, rng.expovariate(1.0)
    while reached <= mean:
        count += 1
        reached += rng.expovariate(1.0)
    return count


class _inverse_of:  # noqa: N801  (used as a function)
    """The inverse of the cumulated rate curve: the share of the window after which a given share of its arrivals has come."""

    def __init__(self, curve: Sequence[tuple[float, float]]) -> None:
        points = list(curve) or [(0.0, 1.0), (1.0, 1.0)]
        if points[0][0] > 0:
            points.insert(0, (0.0, points[0][1]))
        if points[-1][0] < 1:
            points.append((1.0, points[-1][1]))
        areas = [(b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points)]
        total = sum(areas)
        self._points = points
        self._cumulated = [0.0, *(area / total for area in accumulate(areas))]
        self._total = total

    def __call__(self, share: float) -> float:
        piece = min(bisect_right(self._cumulated, share), len(self._points) - 1) - 1
        (x0, y0), (x1, y1) = self._points[piece], self._points[piece + 1]
        wanted = (share - self._cumulated[piece]) * self._total
        slope = (y1 - y0) / (x1 - x0)
        if abs(slope) < 1e-12:
            return x0 + (wanted / y0 if y0 else 0.0)
        return float(x0 + (-y0 + (y0 * y0 + 2 * slope * wanted) ** 0.5) / slope)
