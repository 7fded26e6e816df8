"""Whether citizens in flight add up while a load level is held, by Little's law.

Over the time that a level is held, citizens in flight are arrivals a second × their mean stay, thinks included.
The rows give the right side exactly, by the part of each stay that lies within the hold. The workers count the left side once a
second. If the two differ by more than chance explains, citizens were lost or counted twice, and the level is our fault.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.scoring.figures import MICROSECONDS
from harness.scoring.rows import Integers

STAYS = 5
"""The fewest mean stays for which a level is held (assumed: the first citizens have left long before its end)."""
_SHARE = 0.1
_STANDARD_ERRORS = 4
"""How far counted and computed citizens in flight may differ: this share of the computed ones, and so many standard errors of the count.

Both are assumed. The share leaves room because counts of neighbouring seconds are not independent; the standard errors allow for chance
where few citizens are in flight.
"""


@dataclass(frozen=True, slots=True)
class CitizensInFlight:
    """Citizens in flight while a level was held."""

    counted: float  # by the workers, mean of once a second
    computed: float  # from the stays in the rows
    tolerance: float
    stay_s: float  # mean whole stay of the visits that arrived
    arrivals: int

    @property
    def agrees(self) -> bool:
        """Whether the two differ by no more than the tolerance."""
        return abs(self.counted - self.computed) <= self.tolerance


@dataclass(frozen=True, slots=True)
class Stays:
    """The visits of one worker, from intended arrival to end, and its counts of citizens, by its own clock in microseconds."""

    begin_us: Integers
    end_us: Integers
    hold_us: tuple[int, int]
    counts: Mapping[int, int]  # moment → citizens


def in_flight(workers: Sequence[Stays]) -> CitizensInFlight:
    """Citizens in flight by both sides of Little's law, all workers together."""
    counted = computed = variance = stays_us = 0.0
    arrivals = 0
    for each in workers:
        begin_us, end_us = each.hold_us
        inside = np.minimum(each.end_us, end_us) - np.maximum(each.begin_us, begin_us)
        mean = float(np.maximum(inside, 0).sum()) / (end_us - begin_us)
        computed += mean
        arrived = (each.begin_us >= begin_us) & (each.begin_us < end_us)
        arrivals += int(arrived.sum())
        stays_us += float((each.end_us - each.begin_us)[arrived].sum())
        counts = np.array([count for moment, count in each.counts.items() if begin_us <= moment < end_us], dtype=np.float64)
        if len(counts):
            counted += float(counts.mean())
            variance += max(float(counts.var()), mean) / len(counts)  # of few citizens a count may see none: at least Poisson's
    stay_s = stays_us / arrivals / MICROSECONDS if arrivals else 0.0
    return CitizensInFlight(counted, computed, _SHARE * computed + _STANDARD_ERRORS * math.sqrt(variance), stay_s, arrivals)
