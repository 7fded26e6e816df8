"""The wheel, alone in an empty folder: an environment that has the locked packages but neither the checkout nor its editable install."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.commands import Finished, run
from tests.e2e.evidence import assert_sealed, load, only_folder
from tests.e2e.wheel import installed_wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed_wheel(tmp_path_factory.mktemp("wheel"))


def harness(installed: Path, folder: Path, *arguments: str) -> Finished:
    return run([str(installed / "harness"), *arguments], folder)


def test_it_is_the_wheel_that_is_imported(installed: Path, tmp_path: Path) -> None:
    asked = "import harness, json; from harness.operations.shipped import *; print(json.dumps([harness.__file__, *map(str, [scenarios_folder(), locust_conf()])]))"
    finished = run([str(installed / "python"), "-c", asked], tmp_path)
    assert finished.code == 0, finished.said
    found = [Path(path) for path in json.loads(finished.out)]
    assert all(path.is_relative_to(installed.parent) and path.exists() for path in found)
    assert {path.name for path in found[1].iterdir()} >= {
        "search.py",
        "submit.py",
        "pay.py",
        "portals",
        "platforms",
        "workloads",
        "criteria",
    }


def test_it_knows_the_commands_and_a_sound_catalog(installed: Path, tmp_path: Path) -> None:
    said = harness(installed, tmp_path, "--help")
    assert said.code == 0, said.said
    assert {"demo", "run", "sweep", "score", "validate", "simulate"} <= {line.split()[0] for line in said.out.splitlines() if line.strip()}
    sound = harness(installed, tmp_path, "validate", "--json")
    assert sound.code == 0, sound.said
    assert json.loads(sound.out)["portals"] >= 84
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_it_measures_and_scores(installed: Path, tmp_path: Path, catalog: Path) -> None:
    options = ("--workload", "tiny", "--criteria", "speed-only", "--catalog", str(catalog))
    finished = harness(installed, tmp_path, "run", "swift", *options, "--json")
    assert finished.code == 0, finished.said
    folder = only_folder(tmp_path / "results")
    assert_sealed(folder, {"swift"})
    (entry,) = json.loads(finished.out)["scores"]
    assert entry["verdict"] == "valid"
    assert load(folder / "scores.json")["scores"] == [entry]
    assert (folder / "report.html").is_file()
