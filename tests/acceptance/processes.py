"""Response times as loaded servers give them: five kinds of dependence, many 60 s windows at 50 requests a second at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]
"""One row a window, one column a request in order of arrival; seconds."""

WINDOW_S, RATE_PER_S = 60.0, 50.0
REQUESTS = int(WINDOW_S * RATE_PER_S)
GROUP = 6
"""Consecutive rows are the windows of one night, half an hour apart."""


def independent(rng: np.random.Generator, windows: int) -> Times:
    """Log-normal, median 100 ms, each request by itself."""
    return 0.1 * rng.lognormal(0, 0.6, (windows, REQUESTS))


def queueing(rng: np.random.Generator, windows: int, servers: int = 4, utilisation: float = 0.8) -> Times:
    """M/M/4 at ρ = 0.8: waiting makes neighbours alike. The first 1,500 requests, from an empty system, are dropped."""
    warm_up = REQUESTS // 2
    free = np.zeros((windows, servers))
    arrival = np.zeros(windows)
    times = np.empty((windows, REQUESTS))
    mean_service = utilisation * servers / RATE_PER_S
    rows = np.arange(windows)
    for number in range(-warm_up, REQUESTS):
        arrival += rng.exponential(1 / RATE_PER_S, windows)
        first = free.argmin(axis=1)
        end = np.maximum(arrival, free[rows, first]) + rng.exponential(mean_service, windows)
        free[rows, first] = end
        if number >= 0:
            times[:, number] = end - arrival
    return times


def freezing(rng: np.random.Generator, windows: int) -> Times:
    """Independent times, but about twice a minute everything stands still for 2 s."""
    arrivals = np.sort(rng.uniform(0, WINDOW_S, (windows, REQUESTS)), axis=1)
    delay = np.zeros_like(arrivals)
    for row, count in enumerate(rng.poisson(2 * (WINDOW_S + 2) / 60, windows)):
        for begin in rng.uniform(-2, WINDOW_S, count):
            within = (arrivals[row] >= begin) & (arrivals[row] < begin + 2)
            delay[row, within] = np.maximum(delay[row, within], begin + 2 - arrivals[row, within])
    return independent(rng, windows) + delay


def drifting(rng: np.random.Generator, windows: int) -> Times:
    """A level that wanders by ± 20 % with a memory of ten minutes, within windows and from one to the next of a night."""
    step_s = 1.0
    steps = int(WINDOW_S / step_s)
    keep, between = np.exp(-step_s / 600), np.exp(-(1800 - WINDOW_S) / 600)
    level = np.empty((windows, steps))
    state = rng.normal(0, 1, windows)
    for row in range(windows):
        if row % GROUP:  # the window before, of the same night, half an hour ago
            state[row] = between * level[row - 1, -1] + np.sqrt(1 - between**2) * rng.normal()
        value = state[row]
        noise = rng.normal(0, np.sqrt(1 - keep**2), steps)
        for second in range(steps):
            value = keep * value + noise[second]
            level[row, second] = value
    return independent(rng, windows) * np.exp(0.2 * np.repeat(level, REQUESTS // steps, axis=1))


def visit_clustered(rng: np.random.Generator, windows: int, steps: int = 8) -> Times:
    """Visits of eight steps that share a factor: some citizens have large dossiers."""
    visit = np.repeat(rng.normal(0, 0.7, (windows, REQUESTS // steps)), steps, axis=1)
    return 0.1 * np.exp(visit + rng.normal(0, 0.3, (windows, REQUESTS)))


PROCESSES: dict[str, Callable[[np.random.Generator, int], Times]] = {
    "independent": independent,
    "queueing (M/M/4, ρ 0.8)": queueing,
    "freezing": freezing,
    "drifting": drifting,
    "visit-clustered": visit_clustered,
}
