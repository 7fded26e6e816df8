"""The built wheel, installed alone, carries the whole demo out in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.commands import run
from tests.e2e.evidence import assert_sealed, load, only_folder
from tests.e2e.wheel import installed_wheel

PORTALS = {"fast", "ordinary", "slow", "collapsing", "failing-payments", "refusing"}


@pytest.mark.slow
def test_the_demo_completes_from_the_wheel_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    scripts: Path = installed_wheel(tmp_path_factory.mktemp("wheel"))
    empty = tmp_path_factory.mktemp("empty")
    finished = run([str(scripts / "harness"), "demo", "--seed", "7"], empty)
    assert finished.code == 0, finished.said
    folder = only_folder(empty / "results")
    assert_sealed(folder, PORTALS)
    scores = {entry["portal"]: entry for entry in load(folder / "scores.json")["scores"]}
    assert set(scores) == PORTALS
    assert max((entry["points"], portal) for portal, entry in scores.items() if entry["points"] is not None)[1] == "fast"
    assert (folder / "report.html").is_file()
