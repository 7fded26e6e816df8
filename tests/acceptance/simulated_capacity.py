"""How often a search for capacity finds the knee of a simulated queue, and notices one that gets slower.

.venv/bin/python -m tests.acceptance.simulated_capacity        # prints the tables of docs/capacity.md
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tests.scoring.queues import Queue, Searched, linear_search, search
from tests.scoring.test_capacity_search import NOISY, SEVERAL, STEADY, settings_of

HOLD_S, RUN_UP_S = 30, 10


def of_knees() -> Iterator[str]:
    """Searches of queues that stay as they are."""
    yield "| queue | searches | interval contains the knee | width of the interval, mean | levels, mean | equal steps, mean |"
    yield "|---|---|---|---|---|---|"
    for name, queue, seeds in (
        ("one server, constant", STEADY, 1000),
        ("one server, σ 0.5", NOISY, 1000),
        ("four servers, σ 0.5", SEVERAL, 100),
    ):
        knee = queue.knee()
        found = [_search(queue, seed, knee) for seed in range(seeds)]
        answers = [each.answer for each in found if each.answer.state == "found"]
        ends = [(low, high) for each in answers if (low := each.passing_per_s) is not None and (high := each.failing_per_s) is not None]
        steps = [
            linear_search(queue, seed, given := settings_of(seed, knee), HOLD_S, RUN_UP_S, given.resolution / 2 * knee)
            for seed in range(seeds)
        ]
        yield (
            f"| {name} | {seeds:,} | {sum(low <= knee <= high for low, high in ends)} | {100 * np.mean([high - low for low, high in ends]) / knee:.0f} % "
            f"| {np.mean([len(each.levels) for each in found]):.1f} | {np.mean(steps):.1f} |"
        )


def of_drift(seeds: int = 200) -> Iterator[str]:
    """Searches of queues that get slower."""
    yield "| slower each second, by | over a search, by about | reported as drifting, constant | σ 0.5 |"
    yield "|---|---|---|---|"
    for growth in (0.0, 0.0003, 0.0006, 0.001):
        drifting, lengths_s = [], []
        for queue in (STEADY, NOISY):
            knee, slower = queue.knee(), replace(queue, growth_per_s=growth)
            found = [_search(slower, seed, knee) for seed in range(seeds)]
            drifting.append(sum(each.answer.state == "drifting" for each in found))
            lengths_s += [each.took_s for each in found]
        yield f"| {100 * growth:g} % | {100 * growth * np.mean(lengths_s):.0f} % | {drifting[0]} | {drifting[1]} |"


def _search(queue: Queue, seed: int, knee: float) -> Searched:
    return search(queue, seed, settings_of(seed, knee), HOLD_S, RUN_UP_S)


if __name__ == "__main__":
    for line in (*of_knees(), "", *of_drift()):
        print(line, flush=True)
