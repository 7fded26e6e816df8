"""Portals with known knees, searched for their capacity by the real command: does the interval contain the knee, and with how many levels.

    .venv/bin/python -m tests.acceptance.capacity --seeds 10        # prints the table of docs/capacity.md

Each portal is one server behind a queue; a visit is one request. Its knee is computed by simulating that queue, with the service times
that the portal's own log of truth has: drawn ones last up to a millisecond longer on a real event loop. What connecting adds, about a
millisecond of the limit, is left in. Searched in simulation, the intervals of both portals contain their knees in 97 % of searches, by 15 levels
where equal steps take 17 or 18. A search takes about nine minutes on a quiet machine; on a busy one the portal itself is slower.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from harness.catalog import Portal
from harness.operations.embedded import EmbeddedPortals
from tests.e2e.commands import HARNESS
from tests.e2e.small_catalog import OURS, WIDE_HEALTH, write_files
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

    def holds(self, knee: float) -> bool:
        """Whether the interval contains the knee."""
        return self.low is not None and self.high is not None and self.low <= knee <= self.high


def write_catalog(folder: Path, seed: int = 0) -> Path:
    """The portals, and a workload of short levels. A portal's draws follow from its id, so each seed has portals of its own."""
    portals = [
        {"id": f"knee-{name}-{seed}", "name_vi": f"Cổng thử {name}", "name_en": f"Test portal {name}", "level": "sample", "embedded_platform": "calibration", "personality": dict(traits)}
        for name, traits in TRAITS.items()
    ]  # fmt: skip
    workload = {
        "id": "short-levels", "name_vi": "Kịch bản thử", "name_en": "Test workload", "shortened": True,
        "usage": {"per_day": {"search": 86_400}, **OURS}, "in_flight_ceiling": 500, "timeout_s": 10, "patience_s": 20, "drain_s": 36,
        "stages": [{"stage": "warm-up", "windows": 1, "window_s": RUN_UP_S}, {"stage": "typical", "windows": 1, "window_s": HOLD_S}],
        "think": {"default": {"median_s": 0.05, "max_s": 0.2}}, "health": WIDE_HEALTH,
    }  # fmt: skip
    return write_files(folder, {"portals/knees.yaml": {"portals": portals}, "workloads/short-levels.yaml": workload})


def search(name: str, seed: int, folder: Path) -> Searched:
    """One search by the command."""
    catalog = write_catalog(folder / f"catalog-{name}-{seed}", seed)
    began = time.monotonic()
    done = subprocess.run(
        [
            HARNESS, "capacity", f"knee-{name}-{seed}", "--objective", f"p95 <= {LIMIT_S[name] * 1000:g} ms and error_rate <= 3 %",
            "--workload", "short-levels", "--start", str(start_of(seed)), "--resolution", str(100 * RESOLUTION), "--seed", str(seed),
            "--catalog", str(catalog), "--results", str(folder / "results"), "--json",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 10):
        raise AssertionError(done.stderr)
    said = json.loads(done.stdout)
    answer, levels = said["answer"], said["levels"]
    return Searched(
        name, seed, answer["state"], answer["passing_per_s"], answer["failing_per_s"], len(levels), sum(bool(each["void"]) for each in levels),
        time.monotonic() - began,
    )  # fmt: skip


def knee(name: str) -> float:
    """The rate at which the p95 of the portal's queue is the limit, with service times as its own log has them."""
    traits = TRAITS[name]
    queue = Queue(1, float(traits["median_ms"]) / 1000 + _longer_s(name), float(traits.get("sigma", 0.0)), LIMIT_S[name])
    return queue.knee()


def start_of(seed: int) -> float:
    """The first rate of a search: each seed begins elsewhere, so that its levels lie elsewhere around the knee."""
    return round(6 + 0.37 * (seed % 10), 2)


def linear_levels(of_knee: float, seed: int) -> int:
    """The levels of a search in equal steps that locates the edge as closely, with the same confirmations and check."""
    return int((of_knee - start_of(seed)) / (RESOLUTION / 2 * of_knee)) + 2 + 5


def table(found: Sequence[Searched], knees: Mapping[str, float]) -> Iterator[str]:
    """A row a portal."""
    yield "| portal | knee | seeds | interval contains it | drifting | levels, mean | equal steps | width of the interval, mean | void levels | minutes a search |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name in dict.fromkeys(each.portal for each in found):
        mine = [each for each in found if each.portal == name]
        at = knees.get(name)
        widths = [(each.high - each.low) / at for each in mine if at and each.low is not None and each.high is not None]
        yield " | ".join(
            [
                f"| {name}", f"{at:.1f}/s" if at else "none", str(len(mine)), str(sum(each.holds(at) for each in mine)) if at else "–",
                str(sum(each.state == "drifting" for each in mine)), f"{np.mean([each.levels for each in mine]):.1f}",
                f"{np.mean([linear_levels(at, each.seed) for each in mine]):.1f}" if at else "–", f"{100 * np.mean(widths):.0f} %" if widths else "–", str(sum(each.void for each in mine)),
                f"{np.mean([each.took_s for each in mine]) / 60:.1f} |",
            ]
        )  # fmt: skip


def _longer_s(name: str) -> float:
    """How much longer than drawn a service lasts on this machine, by the log of truth of some hundred lone requests, network included."""
    given = {"id": "truth", "name_vi": "t", "name_en": "t", "level": "sample", "embedded_platform": "calibration"}
    median_ms = float(TRAITS[name]["median_ms"])
    portal = Portal(**given, personality={"distribution": "constant", "median_ms": median_ms, "servers": 1})
    embedded = EmbeddedPortals.start([portal], seed=1)
    try:
        with httpx.Client(base_url=embedded.origins("truth")["portal"], trust_env=False) as client:
            for number in range(200):
                client.get(f"/truth/{number}")
        httpx.get(f"{embedded.control}/flush", trust_env=False)
        lines = httpx.get(f"{embedded.control}/truth", trust_env=False).text.splitlines()
    finally:
        embedded.stop()
    lasted_us = [line["end_us"] - line["start_us"] for line in map(json.loads, lines)]
    return float(np.median(lasted_us)) / 1e6 - median_ms / 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--portals", nargs="+", choices=list(TRAITS), default=["steady", "noisy"])
    parser.add_argument("--drifting", type=int, default=1, help="searches of the portal that gets worse")
    parser.add_argument("--at-once", type=int, default=1, help="searches at the same time; they make each other noisier")
    given = parser.parse_args()
    knees = {name: knee(name) for name in given.portals}
    print({name: round(value, 2) for name, value in knees.items()}, flush=True)
    counts = dict.fromkeys(given.portals, given.seeds) | {"drifting": given.drifting}
    found: list[Searched] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.at_once) as pool:
        searches = [pool.submit(search, name, seed, Path(folder)) for name, count in counts.items() for seed in range(1, count + 1)]
        for each in searches:
            found.append(each.result())
            print(found[-1], flush=True)
    print("\n".join(table(found, knees)))


if __name__ == "__main__":
    main()
