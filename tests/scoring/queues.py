"""Queues whose knee is known by construction, simulated arrival by arrival, and searched by the state machine."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from harness.scoring.capacity_search import CONFIRMED, CapacityAnswer, MeasuredLevel, RateCeiling, SearchLimit, SearchSettings, next_level
from harness.statistics.percentile import percentile, percentile_floor

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
NO_CEILING = RateCeiling(1e9, SearchLimit("largest_rate"))


@dataclass(frozen=True)
class Queue:
    """``servers`` servers behind one first-come-first-served queue; ``noise`` is the sigma of log-normal service times."""

    servers: int
    service_s: float
    noise: float = 0.0
    limit_s: float = 0.1  # the objective: p95 at most this
    growth_per_s: float = 0.0  # the service time grows by this share of itself each second
    exponential: bool = False

    def times(self, arrivals: Floats, rng: np.random.Generator, began_s: float = 0.0) -> Floats:
        """The response times of sorted arrivals."""
        drawn = rng.exponential(1, len(arrivals)) if self.exponential else np.exp(self.noise * rng.standard_normal(len(arrivals)))
        service = self.service_s * drawn * (1 + self.growth_per_s * (began_s + arrivals))
        return _departures(arrivals, service, self.servers) - arrivals

    def level(
        self, rate: float, rng: np.random.Generator, hold_s: float, run_up_s: float, began_s: float = 0.0
    ) -> tuple[bool, tuple[float, float], float]:
        """Whether a level that is held meets the objective, the interval of its median, and how long it took.

        Run-up and hold have exactly ``rate × length`` arrivals each, as the harness draws them.
        """
        hold_s = max(hold_s, percentile_floor(95) / rate)
        run_up = np.sort(rng.random(round(rate * run_up_s)) * run_up_s)
        arrivals = np.concatenate((run_up, run_up_s + np.sort(rng.random(round(rate * hold_s)) * hold_s)))
        times = self.times(arrivals, rng, began_s)[len(run_up) :]
        held = np.sort(times)
        p95 = percentile(held, 95)
        assert p95 is not None
        rank = max(1, int((len(held) - 2.576 * len(held) ** 0.5) / 2))
        return p95 <= self.limit_s, (held[rank - 1], held[len(held) - rank]), run_up_s + hold_s

    def knee(self) -> float:
        """The rate at which the p95 of the stationary queue is the limit: by a long run, bisected with one stream of random numbers."""
        low, high = 0.0, self.servers / self.service_s
        for _ in range(14):
            middle = (low + high) / 2
            rng = np.random.default_rng(7)
            times = self.times(np.cumsum(rng.exponential(1 / middle, 150_000)), rng)
            p95 = percentile(times[len(times) // 20 :], 95)
            assert p95 is not None
            low, high = (middle, high) if p95 <= self.limit_s else (low, middle)
        return (low + high) / 2


@dataclass(frozen=True)
class Searched:
    """One search: its answer, the levels that it took, and how long they took."""

    answer: CapacityAnswer
    levels: list[MeasuredLevel]
    took_s: float


def search(queue: Queue, seed: int, settings: SearchSettings, hold_s: float, run_up_s: float, between_s: float = 5.0) -> Searched:
    rng = np.random.default_rng(seed)
    levels: list[MeasuredLevel] = []
    now_s = 0.0
    while True:
        step = next_level(settings, levels, NO_CEILING)
        if isinstance(step, CapacityAnswer):
            return Searched(step, levels, now_s)
        passes, median_s, took_s = queue.level(step.rate_per_s, rng, hold_s, run_up_s, now_s)
        now_s += took_s + between_s
        levels.append(MeasuredLevel(step.rate_per_s, step.purpose, () if passes else ("p95",), medians_s={"search": median_s}))


def linear_search(queue: Queue, seed: int, settings: SearchSettings, hold_s: float, run_up_s: float, step_per_s: float) -> int:
    """The levels of a search in equal steps up to the first that fails, with its two confirmations and the check for drift."""
    rng = np.random.default_rng(seed)
    rate, count = settings.start_per_s, 1
    while queue.level(rate, rng, hold_s, run_up_s)[0]:
        rate += step_per_s
        count += 1
    return count + 2 * CONFIRMED + 1


def _departures(arrivals: Floats, service: Floats, servers: int) -> Floats:
    if servers == 1:
        served = np.cumsum(service)
        before = np.concatenate(([0.0], served[:-1]))
        result: Floats = served + np.maximum.accumulate(arrivals - before)
        return result
    free = [0.0] * servers
    departures = np.empty(len(arrivals))
    for number, (arrival, length) in enumerate(zip(arrivals.tolist(), service.tolist(), strict=True)):
        departures[number] = end = max(arrival, free[0]) + length
        heapq.heapreplace(free, end)
    return departures
