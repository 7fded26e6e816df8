"""How long the page of one portal takes: ``python -m benches.portal_page [ROWS…]``.

The rows are those of one portal of the recorded demo, as often as it takes, with visits of their own. Each page is made five times, with
its templates read anew; the line gives the shortest time and the size of the page.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pandas as pd

from harness.evidence import read_runs, sweep_at
from harness.publish import ReportExtras, read_scores
from harness.publish.portal_page import portal_page
from harness.publish.scoreboard import standings

DEMO = Path(__file__).resolve().parents[1] / "tests" / "recorded" / "demo"
PORTAL = "slow"
TIMES = 5


def main() -> int:
    """Print a line for each number of rows."""
    sweep, scores = sweep_at(DEMO), read_scores(DEMO / "scores.json")
    runs, about = read_runs(sweep), ReportExtras(rounds=tuple(sweep.rounds()))
    once = pd.concat([pd.read_parquet(part, partitioning=None) for part in sweep.parts(PORTAL)]).assign(run="r", portal=PORTAL)
    standing = next(each for each in standings(scores) if each.card.portal == PORTAL)
    for wanted in map(int, sys.argv[1:] or ("2500", "50000")):
        rows = pd.concat([once.assign(visit=once["visit"] + 10**6 * number) for number in range(-(-wanted // len(once)))])
        took_s = []
        for _ in range(TIMES):
            began_s = time.perf_counter()
            page = portal_page(standing, 1, 6, runs, rows, scores=scores, about=about, languages=("vi", "en"))
            took_s.append(time.perf_counter() - began_s)
        print(f"{len(rows)} rows: {min(took_s):.2f} s, {len(page.encode()) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
