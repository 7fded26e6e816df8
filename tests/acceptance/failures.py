"""Visits that fail as they do at loaded portals: four kinds of dependence, nights of six windows, and the points of their windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harness.statistics.mean import mean_interval

Counts = npt.NDArray[np.int64]
"""Failed visits: one row a night, one column a window."""

Points = npt.NDArray[np.float64]
"""Shares of the points: one row a night, one column a window."""

WINDOWS = 6
VISITS = 120  # of a window
SHARES = (0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.09)
"""Shares of failing visits; the shipped curve gives full points up to 1 % and none from 10 %."""


def independent(rng: np.random.Generator, share: float, nights: int) -> Counts:
    """Each visit fails by itself."""
    return rng.binomial(VISITS, share, (nights, WINDOWS))


def clustered(rng: np.random.Generator, share: float, nights: int, together: int = 2) -> Counts:
    """Visits fail in groups of two on average (geometric), at random times."""
    groups = rng.poisson(share * VISITS / together, (nights, WINDOWS))
    failed = np.zeros((nights, WINDOWS), dtype=np.int64)
    for number in range(int(groups.max(initial=0))):
        failed += (groups > number) * rng.geometric(1 / together, (nights, WINDOWS))
    return np.minimum(failed, VISITS)


def drifting(rng: np.random.Generator, share: float, nights: int, spread: float = 0.8) -> Counts:
    """The share wanders by a factor of two, up or down, with a memory of ten minutes; windows are half an hour apart."""
    keep = np.exp(-1800 / 600)
    level = np.empty((nights, WINDOWS))
    state = rng.normal(0, 1, nights)
    for window in range(WINDOWS):
        level[:, window] = state
        state = keep * state + np.sqrt(1 - keep**2) * rng.normal(0, 1, nights)
    return rng.binomial(VISITS, np.minimum(1, share * np.exp(spread * level - spread**2 / 2)))


def one_outage(rng: np.random.Generator, share: float, nights: int) -> Counts:
    """Each visit fails by itself, and in exactly one window of each night, a random one, all of them fail."""
    failed = independent(rng, share, nights)
    failed[np.arange(nights), rng.integers(0, WINDOWS, nights)] = VISITS
    return failed


def outages(rng: np.random.Generator, share: float, nights: int) -> Counts:
    """One visit in two hundred fails by itself, and in the named share of windows all of them fail."""
    failed = independent(rng, 0.005, nights)
    failed[rng.random((nights, WINDOWS)) < share] = VISITS
    return failed


FAILURES: dict[str, Callable[[np.random.Generator, float, int], Counts]] = {
    "independent": independent,
    "clustered": clustered,
    "drifting": drifting,
    "one outage": one_outage,
}


def points_of_nights(process: Callable[[np.random.Generator, float, int], Counts], share: float, nights: int, *, seed: int) -> Points:
    """The points of each window, as a share of the full points: full from 99 % of visits, none up to 90 %."""
    failed = process(np.random.default_rng([seed, round(share * 1000)]), share, nights)
    points: Points = np.clip((100 * (1 - failed / VISITS) - 90) / 9, 0, 1)
    return points


def ends_of_nights(points: Points) -> Points:
    """The interval of each night: one row a night, the lower and the upper end."""
    return np.array([mean_interval(row.tolist(), 0, 1) for row in points])


def covered_nights(points: Points, truth: float) -> npt.NDArray[np.bool_]:
    """Whether the interval of each night holds the long-run mean of the windows' points."""
    ends = ends_of_nights(points)
    held: npt.NDArray[np.bool_] = (ends[:, 0] <= truth + 1e-9) & (truth - 1e-9 <= ends[:, 1])
    return held
