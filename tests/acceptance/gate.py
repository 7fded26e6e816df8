"""The recipe for pipelines against embedded portals: releases that did not change, and releases with one step that is 20 % slower.

    .venv/bin/python -m tests.acceptance.gate --runs 20        # prints the table of docs/gate.md

The recipe sees hosts and authorisations as any vendor's: two addresses of one portal, served by two simulators with draws of their own.
Its workload is the shipped ``gate`` with windows, waiting and thinks shortened; the number of windows and how they are compared stay.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from harness.catalog import Portal
from harness.operations.embedded import EmbeddedPortals
from harness.operations.shipped import scenarios_folder
from tests.e2e.commands import BESIDE_PYTHON, Finished
from tests.e2e.small_catalog import WIDE_HEALTH, permission, write_files

RECIPE: Final = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "gate.sh"
PORTAL: Final = "staging"
SLOWER: Final = 1.2
STEPS: Final = {"search": ("/thu-tuc",), "submit": ("/xac-nhan", "/bien-nhan"), "track": ("/tra-cuu",)}
"""Steps of Liferay portals, and the ends of the paths of all their requests."""
USUAL: Final = {"distribution": "lognormal", "median_ms": 400, "sigma": 0.3, "servers": 256, "page_bytes": 12_000}
WINDOW_S, PER_WINDOW = 10, 48
"""Windows of ten seconds with 48 visits of each journey, instead of 60 s with 60: 14 visits a second, and noisier windows."""


@dataclass(frozen=True)
class GateRun:
    """One run of the recipe: what was planted, how it ended, how long it took."""

    slower_step: str  # empty where nothing changed
    finished: Finished
    took_s: float


@contextmanager
def release(folder: Path, seed: int, *, slower_paths: Sequence[str] = ()) -> Iterator[Path]:
    """A version of the portal, served until the end, and the catalog that names its address."""
    personality = USUAL | {"slower_paths": dict.fromkeys(slower_paths, SLOWER)}
    served = Portal(
        id=PORTAL, name_vi="Cổng thử", name_en="Staging portal", level="sample", embedded_platform="liferay", personality=personality
    )  # fmt: skip
    embedded = EmbeddedPortals.start([served], seed=seed)
    try:
        yield write_catalog(folder, embedded.origins(PORTAL))
    finally:
        embedded.stop()


def write_catalog(folder: Path, origins: Mapping[str, str]) -> Path:
    """A vendor's catalog: the portal at these origins, the written permission for it, and the shortened workload."""
    portal = {"id": PORTAL, "name_vi": "Cổng thử", "name_en": "Staging portal", "level": "sample", "embedded_platform": "liferay"}
    platform = yaml.safe_load((scenarios_folder() / "platforms" / "liferay.yaml").read_text(encoding="utf-8"))
    del platform["goals"]["withdraw"]
    platform |= {
        "id": "staging",
        "absent": {"withdraw": "left out: withdrawing a thousand dossiers takes a minute that nothing here looks at"},
    }
    permitted = permission(
        "letter", PORTAL, origins, days=30, platform="staging", requests_per_s_max=5000, captcha_exemption={"reference": "made up for a test"},
        payment_sandbox={"origin": origins["payment"]},
    )  # fmt: skip
    files = {
        "platforms/staging.yaml": platform,
        "portals/staging.yaml": {"portals": [portal]},
        "authorisations/staging.yaml": permitted,
        "workloads/short-gate.yaml": short_gate(),
    }
    return write_files(folder, files)


def short_gate() -> dict[str, Any]:
    """The shipped workload with short windows; its number of windows stays."""
    shipped = yaml.safe_load((scenarios_folder() / "workloads" / "gate.yaml").read_text(encoding="utf-8"))
    stages = [{**stage, "window_s": 2 if stage["stage"] == "warm-up" else WINDOW_S} for stage in shipped["stages"]]
    return {
        **shipped, "id": "short-gate", "shortened": True, "stages": stages, "spare_windows": 0, "health": WIDE_HEALTH,
        "quota_per_window": dict.fromkeys(shipped["quota_per_window"], PER_WINDOW),
        "timeout_s": 10, "patience_s": 20, "drain_s": 40, "think": {"default": {"median_s": 0.05, "sigma": 0.5, "max_s": 0.2}},
    }  # fmt: skip


def run_recipe(folder: Path, **variables: str | Path) -> Finished:
    """The recipe's script, as a pipeline runs it in ``folder``."""
    environment = {**os.environ, "PATH": f"{BESIDE_PYTHON}:{os.environ['PATH']}", "PORTAL": PORTAL, "WORKLOAD": "short-gate"}
    environment |= {name: str(value) for name, value in variables.items()}
    done = subprocess.run(["sh", str(RECIPE)], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return Finished(done.returncode, done.stdout, done.stderr)


def pair_of_runs(folder: Path, number: int, baseline: Path | None = None) -> tuple[GateRun, GateRun]:
    """The recipe for a release that did not change, then for one with a slower step.

    ``baseline`` is the sweep of the release before; None measures one first. The slower release is compared with the unchanged one.
    """
    (step, paths), began = list(STEPS.items())[number % len(STEPS)], time.monotonic()
    folder.mkdir(parents=True)
    with release(folder / "before", 3 * number) as before, release(folder / "same", 3 * number + 1) as same:
        against = {"RELEASED": before} if baseline is None else {"BASELINE": baseline}
        done = run_recipe(folder, **against, CANDIDATE=same, OUT="unchanged")
        unchanged = GateRun("", done, time.monotonic() - began)
    began = time.monotonic()
    with release(folder / "slower", 3 * number + 2, slower_paths=paths) as slower:
        done = run_recipe(folder, BASELINE=accepted(folder), CANDIDATE=slower, OUT="slowed")
    return unchanged, GateRun(step, done, time.monotonic() - began)


def accepted(folder: Path) -> Path:
    """The sweep of the unchanged release of a pair: the baseline of what comes next."""
    return next((folder / "unchanged" / "candidate").glob("*/scores.json")).parent


def pipeline(folder: Path, numbers: Sequence[int]) -> list[GateRun]:
    """Pairs one after the other, each against the unchanged release of the pair before, as a pipeline measures. Prints each run."""
    runs, baseline = list[GateRun](), None
    for number in numbers:
        pair = pair_of_runs(folder / str(number), number, baseline)
        baseline = accepted(folder / str(number))
        for each in pair:
            print("\n".join(lines_of(number, each)), flush=True)
        runs.extend(pair)
    return runs


def side_by_side(folder: Path, numbers: Sequence[int], at_once: int) -> list[GateRun]:
    """The numbers shared out over pipelines that run at the same time."""
    shares = [numbers[len(numbers) * at // at_once : len(numbers) * (at + 1) // at_once] for at in range(at_once)]
    with ThreadPoolExecutor(at_once) as pool:
        return [run for done in pool.map(lambda share: pipeline(folder, share), shares) for run in done]


def table(runs: list[GateRun]) -> Iterator[str]:
    """The result as a table of docs/gate.md: how many runs of each kind failed, and which step was slower where one passed."""
    yield "| release | runs | stopped (11) | passed (0) | otherwise |"
    yield "|---|---|---|---|---|"
    for kind, of in (
        ("unchanged", [each for each in runs if not each.slower_step]),
        ("one step 20 % slower", [each for each in runs if each.slower_step]),
    ):
        codes = [each.finished.code for each in of]
        other = ", ".join(f"{code}" for code in codes if code not in {0, 11}) or "–"
        yield f"| {kind} | {len(of)} | {codes.count(11)} | {codes.count(0)} | {other} |"


def main() -> None:
    """Run the recipe, print each run and the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20, help="Of each kind.")
    parser.add_argument("--first", type=int, default=1, help="The number of the first run; seeds follow from it.")
    parser.add_argument("--keep", type=Path, help="A folder that keeps the evidence.")
    parser.add_argument("--at-once", type=int, default=1, help="Pipelines at the same time; they make each other noisier.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        runs = side_by_side(asked.keep or Path(temporary), range(asked.first, asked.first + asked.runs), asked.at_once)
    print("\n".join(table(runs)))
    sys.exit(0 if fits(runs) else 1)


def lines_of(number: int, run: GateRun) -> Iterator[str]:
    """How a run ended, and what stopped it."""
    yield f"run {number}: {run.slower_step or 'unchanged'}, ended with {run.finished.code} after {run.took_s:.0f} s"
    yield from (
        f"    {line.split(': ', 2)[2].partition('; expected')[0]}" for line in run.finished.err.splitlines() if line.startswith("error: ")
    )


def fits(runs: list[GateRun]) -> bool:
    """Whether at least 19 of 20 slower releases were stopped, and at most 1 of 20 unchanged ones; of fewer runs the same shares."""
    slower, unchanged = ([each.finished.code for each in runs if bool(each.slower_step) is is_slower] for is_slower in (True, False))
    only_known = all(code in {0, 11} for code in (*slower, *unchanged))
    return only_known and slower.count(11) >= 0.95 * len(slower) and unchanged.count(11) <= 0.05 * len(unchanged)


if __name__ == "__main__":
    main()
