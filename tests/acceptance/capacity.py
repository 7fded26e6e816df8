"""Portals with known knees, searched for their capacity by the real command: does the interval contain the knee, and with how many levels.

    .venv/bin/python -m tests.acceptance.capacity --seeds 10        # prints the table of docs/capacity.md

Each portal is one server behind a queue; a visit is one request. Its knee is computed by simulating that queue, with the service times
that the portal's own log of truth has of this search: drawn ones last up to a millisecond longer on a real event loop, and longer still on a
busy machine. What connecting adds, about a millisecond of the limit, is left in. Searched in simulation, the intervals of both portals contain their
knees in 97 % of searches, by 15 levels where equal steps take 17 or 18. A search takes about nine minutes on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from harness.catalog import Portal
from harness.operations.embedded import EmbeddedPortals
from tests.e2e.commands import HARNESS
from tests.e2e.small_catalog import OURS, WIDE_HEALTH, permission, write_files
from tests.scoring.queues import Queue

LIMIT_S = {"steady": 0.06, "noisy": 0.08, "drifting": 0.06}
TRAITS: Mapping[str, Mapping[str, Any]] = {
    "steady": {"distribution": "constant", "median_ms": 15, "servers": 1},
    "noisy": {"distribution": "lognormal", "median_ms": 12, "sigma": 0.4, "servers": 1},
    "drifting": {"distribution": "constant", "median_ms": 15, "servers": 1, "growth_per_s": 0.003},
}
HOLD_S, RUN_UP_S = 20, 4
RESOLUTION = 0.15


@dataclass(frozen=True)
class Searched:
    """What one search said."""

    portal: str
    seed: int
    state: str
    low: float | None
    high: float | None
    levels: int
    void: int
    took_s: float
    knee: float  # of the portal as it served during the search

    @property
    def holds(self) -> bool:
        """Whether the interval contains the knee."""
        return self.low is not None and self.high is not None and self.low <= self.knee <= self.high


@contextmanager
def served(name: str, seed: int) -> Iterator[EmbeddedPortals]:
    """One of the portals until the end. Its draws follow from its id, so each seed has a portal of its own."""
    portal = Portal(
        id=f"knee-{name}-{seed}", name_vi=f"Cổng thử {name}", name_en=f"Test portal {name}", level="sample", embedded_platform="calibration", personality=dict(TRAITS[name])
    )  # fmt: skip
    embedded = EmbeddedPortals.start([portal], seed=seed)
    try:
        yield embedded
    finally:
        embedded.stop()


def write_catalog(folder: Path, portal: str, origin: str, **permitted: Any) -> Path:
    """A portal at an origin, the permission for it, and a workload of short levels."""
    listed = {"id": portal, "name_vi": "Cổng thử", "name_en": "Test portal", "level": "sample", "embedded_platform": "calibration"}
    workload = {
        "id": "short-levels", "name_vi": "Kịch bản thử", "name_en": "Test workload", "shortened": True,
        "usage": {"per_day": {"search": 86_400}, **OURS}, "in_flight_ceiling": 500, "timeout_s": 10, "patience_s": 20, "drain_s": 36,
        "stages": [{"stage": "warm-up", "windows": 1, "window_s": RUN_UP_S}, {"stage": "typical", "windows": 1, "window_s": HOLD_S}],
        "think": {"default": {"median_s": 0.05, "max_s": 0.2}}, "health": WIDE_HEALTH,
    }  # fmt: skip
    letter = permission("letter-11", portal, {"portal": origin}, platform="calibration", **permitted)
    files: dict[str, Any] = {
        "portals/knees.yaml": {"portals": [listed]},
        "workloads/short-levels.yaml": workload,
        "authorisations/own.yaml": letter,
    }
    return write_files(folder, files)


def search(name: str, seed: int, folder: Path) -> Searched:
    """One search by the command."""
    portal, began = f"knee-{name}-{seed}", time.monotonic()
    with served(name, seed) as embedded:
        catalog = write_catalog(folder / f"catalog-{name}-{seed}", portal, embedded.origins(portal)["portal"])
        done = subprocess.run(
            [
                HARNESS, "capacity", portal, "--objective", f"p95 <= {LIMIT_S[name] * 1000:g} ms and error_rate <= 3 %",
                "--workload", "short-levels", "--start", str(start_of(seed)), "--resolution", str(100 * RESOLUTION), "--seed", str(seed),
                "--catalog", str(catalog), "--results", str(folder / "results"), "--json",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 10):
            raise AssertionError(done.stderr)
        found = knee(name, embedded)
    said = json.loads(done.stdout)
    answer, levels = said["answer"], said["levels"]
    return Searched(
        name, seed, answer["state"], answer["passing_per_s"], answer["failing_per_s"], len(levels), sum(bool(each["void"]) for each in levels),
        time.monotonic() - began, found,
    )  # fmt: skip


def knee(name: str, embedded: EmbeddedPortals) -> float:
    """The rate at which the p95 of the portal's queue is the limit, with the service times that its log of truth has."""
    traits = TRAITS[name]
    httpx.get(f"{embedded.control}/flush", trust_env=False)
    lines = httpx.get(f"{embedded.control}/truth", trust_env=False, timeout=60).text.splitlines()
    service_s = float(np.median([line["end_us"] - line["start_us"] for line in map(json.loads, lines)])) / 1e6
    return Queue(1, service_s, float(traits.get("sigma", 0.0)), LIMIT_S[name]).knee()


def start_of(seed: int) -> float:
    """The first rate of a search: each seed begins elsewhere, so that its levels lie elsewhere around the knee."""
    return round(6 + 0.37 * (seed % 10), 2)


def linear_levels(of_knee: float, seed: int) -> int:
    """The levels of a search in equal steps that locates the edge as closely, with the same confirmations and check."""
    return int((of_knee - start_of(seed)) / (RESOLUTION / 2 * of_knee)) + 2 + 5


def table(found: Sequence[Searched]) -> Iterator[str]:
    """A row a portal."""
    yield "| portal | knees | seeds | interval contains it | drifting | levels, mean | equal steps | width of the interval, mean | void levels | minutes a search |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name in dict.fromkeys(each.portal for each in found):
        mine, has_knee = [each for each in found if each.portal == name], "growth_per_s" not in TRAITS[name]
        widths = [(each.high - each.low) / each.knee for each in mine if each.low is not None and each.high is not None]
        knees = [each.knee for each in mine]
        yield " | ".join(
            [
                f"| {name}", f"{min(knees):.1f} to {max(knees):.1f}/s" if has_knee else "none", str(len(mine)),
                str(sum(each.holds for each in mine)) if has_knee else "–", str(sum(each.state == "drifting" for each in mine)),
                f"{np.mean([each.levels for each in mine]):.1f}",
                f"{np.mean([linear_levels(each.knee, each.seed) for each in mine]):.1f}" if has_knee else "–",
                f"{100 * np.mean(widths):.0f} %" if widths else "–", str(sum(each.void for each in mine)),
                f"{np.mean([each.took_s for each in mine]) / 60:.1f} |",
            ]
        )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--portals", nargs="+", choices=list(TRAITS), default=["steady", "noisy"])
    parser.add_argument("--drifting", type=int, default=1, help="searches of the portal that gets worse")
    parser.add_argument("--at-once", type=int, default=1, help="searches at the same time; they make each other noisier")
    given = parser.parse_args()
    counts = dict.fromkeys(given.portals, given.seeds) | {"drifting": given.drifting}
    found: list[Searched] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.at_once) as pool:
        searches = [
            pool.submit(search, name, seed, Path(folder))
            for name, count in counts.items()
            for seed in range(given.first, given.first + count)
        ]
        for each in searches:
            found.append(each.result())
            print(found[-1], flush=True)
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
