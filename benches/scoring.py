"""Scoring against reading: ten million rows over 84 portals, once read by pandas, once scored.

    python -m benches.scoring [--rows 10_000_000] [--folder DIR]

Each side is a process of its own, and its CPU time and largest resident memory are printed. The rows are written once into
DIR (a temporary folder unless given) in the layout of the evidence, all columns.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PORTALS, WINDOWS = 84, 6
MOST_TIMES, MOST_MB = 3, 2048
JOURNEYS = {
    "search": [("find", "search", 1, "portal"), ("find", "open_procedure", 2, "portal")],
    "submit": [
        ("find", "search", 1, "portal"), ("find", "open_procedure", 2, "portal"), ("file", "log_in", 4, "identity"), ("file", "fill_in", 2, "portal"),
        ("file", "attach", 1, "portal"), ("file", "submit", 2, "portal"), ("track", "track", 1, "portal"),
    ],
    "pay": [("pay", "quote_fee", 1, "portal"), ("pay", "pay", 3, "payment"), ("pay", "confirm_payment", 2, "portal")],
}  # fmt: skip


def main() -> int:
    """Write the rows if need be, run both sides, print what each took; 1 where a limit is missed."""
    options = _options()
    if options.side:
        print(json.dumps(read(options.folder) if options.side == "read" else score(options.folder)))
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        if not any(folder.glob("portal=*")):
            write(folder, options.rows)
        results = {side: _run(side, folder) for side in ("read", "score", "read", "score")}
    for side, result in results.items():
        print(f"{side:6} {result['rows']:>11,} rows  {result['cpu_s']:6.1f} s CPU  {result['wall_s']:6.1f} s  {result['rss_mb']:6.0f} MB")
    ratio = results["score"]["cpu_s"] / results["read"]["cpu_s"]
    print(f"scoring takes {ratio:.2f} x the CPU time of pandas.read_parquet of the same files (limit {MOST_TIMES})")
    return int(ratio > MOST_TIMES or results["score"]["rss_mb"] > MOST_MB)


def write(folder: Path, rows: int) -> None:
    """Seeded rows of 84 portals, each in one file."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    from harness.evidence.parquet import SCHEMA  # noqa: PLC0415

    for number in range(PORTALS):
        columns = _columns(np.random.default_rng(number), rows // PORTALS)
        arrays = [
            pa.array(columns[field.name]).dictionary_encode().cast(field.type)
            if pa.types.is_dictionary(field.type)
            else pa.array(columns[field.name], field.type)
            for field in SCHEMA
        ]
        part = folder / f"portal=p-{number:02d}" / "run=r" / "part-0.parquet"
        part.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), part, compression="zstd")


def read(folder: Path) -> dict[str, float]:
    """Every file by pandas.read_parquet, all columns, one at a time."""
    import pandas as pd  # noqa: PLC0415

    pd.read_parquet(next(folder.glob("portal=*/run=*/*.parquet")), partitioning=None)  # what is imported late is imported now
    begin_cpu, begin = time.process_time(), time.perf_counter()
    rows = sum(len(pd.read_parquet(part, partitioning=None)) for part in sorted(folder.glob("portal=*/run=*/*.parquet")))
    return _taken(begin_cpu, begin, rows)


def score(folder: Path) -> dict[str, float]:
    """Every portal by the shipped set."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    from harness.catalog.criteria_set import read_criteria  # noqa: PLC0415
    from harness.evidence.facts import RunFacts, Verdict, WindowFacts  # noqa: PLC0415
    from harness.scoring import NEEDED_COLUMNS, PortalIdentity, RunEvidence, score_sweep  # noqa: PLC0415

    counted: list[int] = []

    def reader(part: Path) -> Callable[[], Any]:
        def read_one() -> Any:
            table = pq.read_table(part, columns=list(NEEDED_COLUMNS), partitioning=None)
            counted.append(len(table))
            return table

        return read_one

    criteria = read_criteria(Path(__file__).parents[1] / "scenarios" / "criteria" / "473-qd-btttt-2024.yaml")
    pq.read_table(next(folder.glob("portal=*/run=*/*.parquet")), partitioning=None).to_pandas()  # as above
    begin_cpu, begin = time.process_time(), time.perf_counter()
    windows = tuple(
        WindowFacts("r", n, n, "2026-11-21", "typical", 5.0, "2026-11-21T15:00:00Z", 60.0, Verdict.VALID) for n in range(WINDOWS)
    )
    runs = []
    for part in sorted(folder.glob("portal=*/run=*/*.parquet")):
        name = part.parent.parent.name.removeprefix("portal=")
        facts = RunFacts("s", "r", name, Verdict.VALID, (), windows, 60.0)
        runs.append(RunEvidence(PortalIdentity(name, name, name, "province"), facts, reader(part)))
    scores = score_sweep("s", runs, criteria, at_once=2)  # pandas reads with every core, too
    assert all(card.points is not None for card in scores.scorecards)
    return _taken(begin_cpu, begin, sum(counted))


def _columns(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:

    kinds, parts = list(JOURNEYS), {}
    for kind, steps in JOURNEYS.items():
        lines = [(goal, step, request, owner) for goal, step, requests, owner in steps for request in range(requests)]
        parts[kind] = [*lines, ("", "", -1, "")]
    visits = count // sum(len(parts[kind]) for kind in kinds)
    columns: dict[str, list[np.ndarray]] = {}
    for position, kind in enumerate(kinds):
        lines, size = parts[kind], len(parts[kind])
        visit = np.repeat(np.arange(visits) * len(kinds) + position, size)
        window = np.repeat(np.arange(visits) * WINDOWS // visits, size)
        duration = rng.lognormal(-1.5, 0.6, (visits, size)) * 1e6
        duration[:, -1] = 0
        end = (np.arange(visits) * 1000 + 0.0)[:, None] + duration.cumsum(axis=1)
        intended = end - duration
        ok = np.repeat(rng.random(visits) > 0.01, size)
        owner = np.tile([line[3] for line in lines], visits)
        start = intended.ravel() + rng.integers(20, 400, visits * size)
        reused = rng.random(visits * size) < 0.8
        values = {
            "sweep": "s", "round": window, "window": window, "stage": "typical", "worker": np.where(visit % 2, "w-1", "w-0"), "journey": kind,
            "visit": visit, "goal": np.tile([line[0] for line in lines], visits), "step": np.tile([line[1] for line in lines], visits),
            "request": np.tile([line[2] for line in lines], visits), "hop": (rng.random(visits * size) < 0.2).astype(int), "attempt": 1,
            "host": np.char.add("https://invalid/", owner), "host_owner": owner, "method": np.where(reused, "GET", "POST"),
            "intended_us": intended.ravel().astype(np.int64), "start_us": start.astype(np.int64),
            "first_byte_us": (end - 0.2 * duration).ravel().astype(np.int64), "end_us": end.ravel().astype(np.int64), "dns_us": 0,
            "connect_us": np.where(reused, 0, rng.integers(200, 900, visits * size)),
            "tls_us": np.where(reused, 0, rng.integers(1500, 4000, visits * size)), "reused": reused,
            "polling_wait_us": 0, "bytes": rng.integers(500, 90_000, visits * size), "status": 200, "outcome": np.where(ok, "ok", "timeout"),
        }  # fmt: skip
        for name, value in values.items():
            columns.setdefault(name, []).append(np.full(visits * size, value) if np.isscalar(value) else np.asarray(value))
    joined = {name: np.concatenate(pieces) for name, pieces in columns.items()}
    order = np.argsort(joined["end_us"], kind="stable")  # as the rows of many citizens arrive
    return {name: values[order] for name, values in joined.items()}


def _taken(begin_cpu: float, begin: float, rows: int) -> dict[str, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": rows,
        "cpu_s": time.process_time() - begin_cpu,
        "wall_s": time.perf_counter() - begin,
        "rss_mb": usage.ru_maxrss / 1024,
    }


def _run(side: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benches.scoring", "--side", side, "--folder", str(folder)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603  (ourselves)
    return dict(json.loads(output))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.scoring")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--side", choices=("read", "score"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
