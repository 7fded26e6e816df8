"""How long all pages of a sweep of many portals take: ``python -m benches.sweep_pages [PORTALS]``.

Portals, runs and rows are those of the recorded demo in turn, under names of their own. The line gives the shorter time of two, and the size
of the sweep's page.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import pandas as pd

from harness.evidence import read_runs, sweep_at
from harness.publish import ReportExtras, read_scores, report

DEMO = Path(__file__).resolve().parents[1] / "tests" / "recorded" / "demo"
PORTALS = 84
TIMES = 2


def main() -> int:
    """Print one line."""
    sweep, scores = sweep_at(DEMO), read_scores(DEMO / "scores.json")
    frames = {
        run.portal: pd.concat([pd.read_parquet(part, partitioning=None) for part in sweep.parts(run.portal)]) for run in read_runs(sweep)
    }
    recorded = {run.portal: run for run in read_runs(sweep)}
    cards, runs, rows = [], [], {}
    for number, card in enumerate(islice(cycle(scores.scorecards), int((sys.argv[1:] or [PORTALS])[0]))):
        name = f"{card.portal}-{number}"
        cards.append(replace(card, portal=name))
        runs.append(replace(recorded[card.portal], portal=name))
        rows[name] = frames[card.portal].assign(run=recorded[card.portal].run, portal=name)
    many, about = replace(scores, scorecards=tuple(cards)), ReportExtras(rounds=tuple(sweep.rounds()))
    took_s = []
    for _ in range(TIMES):
        with tempfile.TemporaryDirectory() as folder:
            began_s = time.perf_counter()
            page = report(many, runs, rows, Path(folder), extras=about)
            took_s.append(time.perf_counter() - began_s)
            size = page.stat().st_size
    print(f"{len(cards)} portals, {sum(map(len, rows.values()))} rows: {min(took_s):.1f} s, {size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
