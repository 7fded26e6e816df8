"""A sweep has a folder of its own, also where two begin at one moment."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import EnvironmentFault
from harness.evidence import SweepFolder
from harness.operations.disk_room import make_room
from harness.operations.journeys import journeys_of_folder
from harness.operations.shipped import scenarios_folder, shipped_catalog
from harness.records import read_plan
from tests.recorded.conftest import RECORDED


def test_a_folder_that_another_sweep_has_begun_is_refused(tmp_path: Path) -> None:
    shutil.copyfile(RECORDED / "plan.json", tmp_path / "plan.json")
    given = SweepFolder(tmp_path / "results" / "2026-11-26T04-09Z-demo-3"), read_plan(tmp_path / "plan.json")
    make_room(*given, shipped_catalog(), journeys_of_folder(scenarios_folder()))
    with pytest.raises(EnvironmentFault, match="begun by another sweep at this moment"):
        make_room(*given, shipped_catalog(), journeys_of_folder(scenarios_folder()))
