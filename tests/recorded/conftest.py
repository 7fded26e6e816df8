from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from tests.e2e.commands import invoke
from tests.e2e.conftest import Sweep

RECORDED = Path(__file__).parent / "demo"
PORTALS = {"fast", "ordinary", "slow", "collapsing", "failing-payments", "refusing"}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A copy of the recorded sweep, named ``demo`` and standing in the working directory."""
    with chdir(tmp_path):
        yield shutil.copytree(RECORDED, tmp_path / "demo")


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """A copy whose scores and faults `harness score` has made from the evidence alone. Not to be changed."""
    above = tmp_path_factory.mktemp("recorded")
    shutil.copytree(RECORDED, above / "demo", ignore=shutil.ignore_patterns("scores.json", "faults.json"))
    done = invoke(above, "score", "demo", "--json")
    assert done.code == 0, done.said
    return Sweep(done, above / "demo")
