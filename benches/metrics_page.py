"""What `/metrics` costs the master and `harness serve`: ``python -m benches.metrics_page [PORTALS …]``, 84 and 6 portals of 24 steps each by default.

Each figure is the shortest of five.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness.load.step_counts import StepCounts
from harness.publish.metrics_page import metrics_page
from harness.records.live_steps import LiveSteps, write_steps
from tests.publish.live import live_state, write_state

PORTALS, STEPS, TIMES = (84, 6), 24, 5
TOOK_MS = [3 * number for number in range(1000)]
OUTCOMES = {f"{what}_{outcome}": 90 for what in ("visits", "requests") for outcome in ("ok", "timeout", "http_error")}


def main() -> int:
    """Print one line for each number of portals."""
    for portals in map(int, sys.argv[1:] or PORTALS):
        print(line(portals))
    return 0


def line(portals: int) -> str:
    """Times of counting, writing and scraping, and the size of the answer."""
    names = [f"portal-{number}" for number in range(portals)]
    batch = {name: {f"submit: file/step-{step}": TOOK_MS for step in range(STEPS)} for name in names}
    failed = {name: {f"submit: file/step-{step}": {"timeout": 2, "skipped": 1} for step in range(STEPS)} for name in names}
    counts, now = StepCounts(), datetime.now(UTC)
    counting_s = _shortest_s(lambda: counts.add(batch, failed)) / (portals * STEPS * len(TOOK_MS))
    with tempfile.TemporaryDirectory() as results:
        folder = Path(results) / "night"
        found = live_state([(name, name, name) for name in names], at=now)
        write_state(folder, replace(found, portals=tuple(replace(each, outcomes=OUTCOMES) for each in found.portals)))
        listing_s = _shortest_s(counts.steps)
        steps = LiveSteps("night", now.isoformat(), counts.steps())
        writing_s = _shortest_s(lambda: write_steps(folder, steps))
        scrape_s = _shortest_s(lambda: metrics_page(Path(results), "", now))
        page, _ = metrics_page(Path(results), "", now)
    series = sum(not each.startswith(b"#") for each in page.splitlines())
    return (
        f"{portals} portals: counting {1e6 * counting_s:.2f} µs a step, list {1000 * listing_s:.1f} ms, file {1000 * writing_s:.1f} ms; "
        f"scrape {scrape_s:.2f} s, {len(page) / 1e6:.1f} MB, {series:,} series"
    )


def _shortest_s(call: Callable[[], object]) -> float:
    def took_s() -> float:
        began_s = time.perf_counter()
        call()
        return time.perf_counter() - began_s

    return min(took_s() for _ in itertools.repeat(None, TIMES))


if __name__ == "__main__":
    sys.exit(main())
