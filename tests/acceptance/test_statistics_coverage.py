"""How often the intervals hold what they say: figures for docs/statistics.md.

python -m pytest tests/acceptance/test_statistics_coverage.py -m slow -s
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.statistics.interval import sign_test_interval, worse_median
from harness.statistics.percentile import percentile
from tests.acceptance.processes import GROUP, PROCESSES, Times

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NIGHTS = 1000
REFERENCE_WINDOWS = 6000
BATCH = 1200
BLOCKS = 10

METRICS: dict[str, Callable[[np.ndarray], float]] = {
    "p95": lambda times: float(percentile(times, 95) or 0.0),
    "mean": lambda times: float(times.mean()),
}


def _figures(process: Callable[[np.random.Generator, int], Times], seed: int, windows: int) -> tuple[dict[str, list[float]], list[Times]]:
    """Each metric in each window, and some whole windows to look within."""
    values: dict[str, list[float]] = {name: [] for name in METRICS}
    kept = []
    for batch in range(0, windows, BATCH):
        times = process(np.random.default_rng([seed, batch]), min(BATCH, windows - batch))
        kept.append(times[:200])
        for name, metric in METRICS.items():
            values[name] += [metric(row) for row in times]
    return values, kept


@pytest.mark.parametrize("name", PROCESSES)
def test_six_windows_cover_the_median_window(name):
    truth, reference = _figures(PROCESSES[name], 1, REFERENCE_WINDOWS)
    nights, kept = _figures(PROCESSES[name], 2, NIGHTS * GROUP)
    for metric, taken in METRICS.items():
        median = float(np.median(truth[metric]))
        groups = [nights[metric][first : first + GROUP] for first in range(0, NIGHTS * GROUP, GROUP)]
        intervals = [sign_test_interval(group) for group in groups]
        covered = 100 * np.mean([interval.low <= median <= interval.high for interval in intervals])
        half_width = 100 * np.median([(interval.high - interval.low) / 2 / median for interval in intervals])
        bias = 100 * (np.mean([group[worse_median(group)] for group in groups]) / median - 1)
        within = 100 * _block_coverage(kept, metric, median)
        pooled = taken(np.concatenate([times.ravel() for times in reference]))
        pooled_covered = 100 * np.mean([interval.low <= pooled <= interval.high for interval in intervals])
        print(f"| {name} | {metric} | {covered:.1f} % | {pooled_covered:.1f} % | ± {half_width:.1f} % | {bias:+.1f} % | {within:.1f} % |")
        assert 93 <= covered <= 99, (name, metric, covered)


def _block_coverage(kept: list[Times], metric: str, median: float) -> float:
    """The same for a single window, by ten blocks of consecutive requests: why it is labelled and not relied on."""
    hits = []
    for times in kept:
        for row in times:
            blocks = [METRICS[metric](block) for block in np.array_split(row, BLOCKS)]
            interval = sign_test_interval(blocks)
            hits.append(interval.low <= median <= interval.high)
    return float(np.mean(hits))
