"""The plan is checked before the night: every journey of a workload has a class that walks it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.errors import CatalogError, UsageError
from harness.operations.journeys import journeys_of_folder, journeys_of_plan, require_walked
from harness.operations.shipped import scenarios_folder
from harness.records import read_plan
from tests.e2e.small_catalog import workload
from tests.recorded.conftest import RECORDED


def in_a_process(code: str) -> str:
    """What a program prints that imports Locust, which changes the process it is imported into."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A workload of the shipped journeys and of one that is misspelled."""
    (tmp_path / "workloads").mkdir()
    (tmp_path / "workloads" / "strange.yaml").write_text(json.dumps(workload("strange", 2, {"search": 2, "renw": 2})), encoding="utf-8")
    return tmp_path


def test_files_that_are_only_read_name_the_journeys_that_an_import_finds() -> None:
    imported = in_a_process("""
from harness.operations.shipped import scenarios_folder
from harness.operations.walk import load_journeys
print(*(f"{journey.journey()}:{'+'.join(journey.goals)}" for journey in load_journeys(scenarios_folder())))
""")
    assert {f"{journey}:{'+'.join(goals)}" for journey, goals in journeys_of_folder(scenarios_folder()).items()} == set(imported.split())


def test_classes_of_several_files_and_generations_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import harness.scenario as s\nclass File(s.Citizen):\n    goals = ('find', 'file')\nclass Helper: ...\n", encoding="utf-8"
    )
    (tmp_path / "b.py").write_text("from a import File\nclass Renew(File): ...\n", encoding="utf-8")
    assert journeys_of_folder(tmp_path) == {"file": ("find", "file"), "renew": ("find", "file")}


@pytest.mark.parametrize("command", [["run", "fast"], ["sweep", "fast"], ["sweep", "fast", "--dry-run"]])
def test_a_sweep_refuses_a_workload_with_a_journey_that_nobody_walks(catalog: Path, command: list[str]) -> None:
    done = CliRunner().invoke(main, [*command, "--workload", "strange", "--catalog", str(catalog), "--results", str(catalog / "results")])
    assert done.exit_code == UsageError.exit_code
    assert (
        "workload strange: journeys is renw, which nobody walks; expected journeys that a loaded class walks: pay, search, submit"
        in done.stderr
    )
    assert not (catalog / "results").exists()


def test_validate_finds_it_too(catalog: Path) -> None:
    done = CliRunner().invoke(main, ["validate", "--catalog", str(catalog)])
    assert done.exit_code == CatalogError.exit_code
    assert "workload strange: journeys is renw, which nobody walks" in done.stderr


def test_a_plan_needs_only_journeys_that_have_arrivals() -> None:
    assert journeys_of_plan(read_plan(RECORDED / "plan.json")) == {"search", "submit", "pay"}
    require_walked({"search"}, {"search", "pay"}, workload="w", remedy="")
    with pytest.raises(UsageError, match="there is none"):
        require_walked({"search"}, {}, workload="w", remedy="")


def test_tags_choose_journeys_and_leave_the_arrivals_as_they_are() -> None:
    said = in_a_process("""
from locust.user.task import filter_tasks_by_tags
from harness.load.arrivals import Arrivals
before = Arrivals.tasks
filter_tasks_by_tags(Arrivals, {"x"})
filtered = Arrivals.tasks
Arrivals.keep_its_task()
print(filtered, Arrivals.tasks == before)
""")
    assert said.split("\n")[-2] == "[] True"
