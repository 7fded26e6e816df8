"""One demo, measured once, for every test that looks at it; two small sweeps of the same seed; catalogs to be broken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Finished, harness
from tests.e2e.evidence import load, only_folder
from tests.e2e.small_catalog import FAST_MS, SLOW_MS, write_catalog


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep that a command has carried out."""

    finished: Finished
    folder: Path

    @property
    def scores(self) -> dict[str, Any]:
        """Each portal's entry of scores.json."""
        return {score["portal"]: score for score in load(self.folder / "scores.json")["scores"]}

    def manifest(self, portal: str) -> Any:
        """One run's manifest."""
        return load(self.folder / "manifests" / f"{portal}.json")


def sweep(folder: Path, *arguments: str, code: int = 0) -> Sweep:
    """``harness …`` in ``folder``, which is to leave one sweep behind and to end with ``code``."""
    finished = harness(folder, *arguments)
    assert finished.code == code, finished.said
    return Sweep(finished, only_folder(folder / "results"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return sweep(tmp_path_factory.mktemp("demo"), "demo", "--seed", "7")


@pytest.fixture(scope="session")
def small_sweeps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sweep, Sweep]:
    """The same portals and seed twice, at the same time; between the two sweeps the portals swap their speeds."""
    speeds = ({"swift_ms": FAST_MS, "sluggish_ms": SLOW_MS}, {"swift_ms": SLOW_MS, "sluggish_ms": FAST_MS})
    options = ("--set", "pair", "--workload", "tiny", "--criteria", "speed-only", "--catalog", "catalog", "--seed", "5")
    folders = [write_catalog(tmp_path_factory.mktemp("small") / "catalog", **given).parent for given in speeds]
    with ThreadPoolExecutor() as both:
        first, second = both.map(lambda folder: sweep(folder, "sweep", *options), folders)
    return first, second


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small catalog, whole; not to be changed."""
    return write_catalog(tmp_path_factory.mktemp("catalog"))
