"""Which version of a criteria set old evidence is scored by, and what `compare` does where two differ."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.evidence import SweepFolder, read_runs
from harness.operations.manifest import write_manifests
from harness.operations.score_folder import measured_criteria
from harness.operations.shipped import shipped_catalog
from tests.e2e.commands import invoke
from tests.e2e.conftest import Sweep
from tests.e2e.test_bad_input import assert_refused
from tests.recorded.conftest import RECORDED, as_recorded


def _scores(folder: Path) -> dict:
    return json.loads((folder / "scores.json").read_text(encoding="utf-8"))


def _add_version(folder: Path, version: str) -> None:
    """As a manifest of today has it."""
    for path in (folder / "manifests").iterdir():
        manifest = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(manifest | {"criteria_version": version}), encoding="utf-8")


def test_a_manifest_without_a_version_means_version_1(folder: Path) -> None:
    assert invoke(folder.parent, "score", "demo").code == 0
    assert (folder / "scores.json").read_bytes() == (RECORDED / "scores.json").read_bytes()
    assert '"over":' not in (RECORDED / "scores.json").read_text(encoding="utf-8")


def test_the_newest_version_is_asked_for_by_name_and_another_by_its_number(newest: Sweep, folder: Path) -> None:
    scores = _scores(newest.folder)
    assert scores["criteria_set"]["version"].startswith("2+shortened")
    assert {c["over"] for c in scores["scores"][0]["criteria"] if "over" in c} == {"mean_of_windows"}
    assert invoke(newest.folder.parent, "explain", "demo", "fast").out.count("over mean_of_windows") == 4
    shutil.copytree(newest.folder, folder, dirs_exist_ok=True)
    assert invoke(folder.parent, "score", "demo", "--criteria", "demo@1").code == 0
    as_before = json.loads(as_recorded((folder / "scores.json").read_bytes()))
    assert as_before["scores"] == _scores(RECORDED)["scores"]


def test_a_manifest_with_a_version_is_scored_by_it(folder: Path) -> None:
    _add_version(folder, "2")
    assert invoke(folder.parent, "score", "demo").code == 0
    assert _scores(folder)["criteria_set"]["version"].startswith("2+shortened")
    _add_version(folder, "7")
    assert_refused(invoke(folder.parent, "score", "demo"), 2, "demo@7")


@pytest.mark.parametrize(
    ("criteria", "written", "meant"),
    [
        ("demo", ("demo", "2"), "demo@2"),
        ("demo@1", ("demo", "1"), "demo@1"),
        ("", ("", "3"), "473-QD-BTTTT-2024@3"),  # Locust without `harness`: the default set
        ("mine.yaml", ("mine.yaml", ""), "mine.yaml"),
    ],
)
def test_a_new_manifest_names_the_set_and_its_version(folder: Path, criteria: str, written: tuple[str, str], meant: str) -> None:
    sweep, catalog = SweepFolder(folder), shipped_catalog()
    runs = read_runs(sweep)
    points = dict.fromkeys([run.portal for run in runs], "loopback")
    write_manifests(sweep, runs, catalog, factors={}, vantage_points=points, criteria=criteria)
    manifest = json.loads(sweep.manifest("fast").read_text(encoding="utf-8"))
    assert (manifest["criteria"], manifest["criteria_version"]) == written
    assert measured_criteria(sweep, catalog) == meant


@pytest.mark.parametrize("rescore", [("--rescore", "before"), ("--rescore", "after"), ()])
def test_compare_scores_one_of_two_versions_again_or_refuses_them(newest: Sweep, folder: Path, rescore: tuple[str, ...]) -> None:
    newer = shutil.copytree(newest.folder, folder.with_name("newer"))
    before = {path.name: (path / "scores.json").read_bytes() for path in (folder, newer)}
    assert_refused(invoke(folder.parent, "compare", "demo/scores.json", "newer"), 2, "demo@1", "demo@2")
    done = invoke(folder.parent, "compare", "demo", "newer", *rescore, "--json")
    assert done.code == 0, done.said
    changes = json.loads(done.out)["changes"]
    assert changes
    assert not [change for change in changes if change["named"]]
    assert {path.name: (path / "scores.json").read_bytes() for path in (folder, newer)} == before
