"""The order of the rooms holds, and turning one import round is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.commands import BESIDE_PYTHON, Finished, run

PROJECT = Path(__file__).resolve().parents[2]
OVERTURNED = {
    "a room that stands before": ("statistics/percentile.py", "import harness.scoring.curves", "a room imports only rooms"),
    "the simulator, from inside": ("operations/embedded.py", "import harness.simulator.world", "nobody imports the simulator"),
    "a room, from the simulator": ("simulator/clock.py", "import harness.samples.sample", "the simulator is reached only over HTTP"),
    "the network, from scoring": ("scoring/curves.py", "import httpx", "statistics and scoring touch no network"),
    "pandas, inside Locust": ("load/clock.py", "import pandas", "nothing inside a Locust process imports pandas"),
}


def lint(folder: Path) -> Finished:
    return run([str(BESIDE_PYTHON / "lint-imports"), "--no-cache"], folder, PYTHONPATH=str(folder))


def test_it_holds() -> None:
    finished = lint(PROJECT)
    assert finished.code == 0, finished.said


@pytest.mark.parametrize("overturned", OVERTURNED)
def test_one_import_turned_round_breaks_it(tmp_path: Path, overturned: str) -> None:
    file, line, contract = OVERTURNED[overturned]
    shutil.copytree(PROJECT / "harness", tmp_path / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    path = tmp_path / "harness" / file
    head, future, tail = path.read_text(encoding="utf-8").partition("from __future__ import annotations\n")
    assert future
    path.write_text(f"{head}{future}{line}\n{tail}", encoding="utf-8")
    finished = lint(tmp_path)
    assert finished.code == 1, finished.said
    (broken,) = [said for said in finished.out.splitlines() if said.endswith("BROKEN")]
    assert broken.startswith(contract)
