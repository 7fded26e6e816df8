"""The order of the rooms holds, and turning one import round is noticed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.e2e.commands import BESIDE_PYTHON, Finished, run

BROKEN = r" BROKEN( \(\d+ ignored imports?\))?$"
PROJECT = Path(__file__).resolve().parents[2]
OVERTURNED = {
    "a room that stands before": ("statistics/percentile.py", "import harness.scoring.curves", "a room imports only rooms"),
    "the simulator, from inside": ("operations/embedded.py", "import harness.simulator.router", "nobody imports the simulator"),
    "a room, from the simulator": ("simulator/clock.py", "import harness.records.sample", "the simulator is reached only over HTTP"),
    "the network, from scoring": ("scoring/curves.py", "import httpx", "statistics, scoring and diagnosis touch no network"),
    "pandas, inside Locust": ("load/clock.py", "import pandas", "nothing inside a Locust process imports pandas"),
}


def lint(folder: Path) -> Finished:
    return run([str(BESIDE_PYTHON / "lint-imports"), "--no-cache"], folder, PYTHONPATH=str(folder))


def test_it_holds() -> None:
    finished = lint(PROJECT)
    assert finished.code == 0, finished.said


def test_one_import_turned_round_breaks_it(tmp_path: Path) -> None:
    copied(tmp_path)
    contract = overturn(tmp_path, "a room that stands before")
    finished = lint(tmp_path)
    assert finished.code == 1, finished.said
    (broken,) = [said for said in finished.out.splitlines() if re.search(BROKEN, said)]
    assert broken.startswith(contract)


def test_each_contract_can_break(tmp_path: Path) -> None:
    copied(tmp_path)
    contracts = [overturn(tmp_path, name) for name in OVERTURNED]
    finished = lint(tmp_path)
    assert finished.code == 1, finished.said
    broken = [said for said in finished.out.splitlines() if re.search(BROKEN, said)]
    for contract in contracts:
        assert any(said.startswith(contract) for said in broken), contract


def copied(folder: Path) -> None:
    """The package as it is, and the contract beside it."""
    shutil.copytree(PROJECT / "harness", folder / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)


def overturn(folder: Path, name: str) -> str:
    """Add one import to the copy; answers how the name of the contract that forbids it begins."""
    file, line, contract = OVERTURNED[name]
    path = folder / "harness" / file
    head, future, tail = path.read_text(encoding="utf-8").partition("from __future__ import annotations\n")
    assert future
    path.write_text(f"{head}{future}{line}\n{tail}", encoding="utf-8")
    return contract
