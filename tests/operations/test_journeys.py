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


def in_a_process(code: str, given: str = "") -> str:
    """What a program prints that imports Locust, which changes the process it is imported into."""
    done = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, text=True, check=True, timeout=120)
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


CHOICES = """
import json, sys
from types import SimpleNamespace
from locust import tag
from locust.env import Environment
from harness.errors import UsageError
from harness.load.arrivals import Arrivals, let_arrive
from harness.load.chosen_journeys import leave_out_by_tags, loaded_journeys, walked_journeys
from harness.scenario import Citizen, visit

class Search(Citizen):
    goals = ("find",)
    @visit
    def walk(self): ...

class Submit(Citizen):
    goals = ("find", "file", "track")
    @tag("nightly")
    @visit
    def walk(self): ...

class Hurried(Submit):
    goals = ("find", "file")

classes = {each: [*each.tasks] for each in (Search, Submit, Hurried)}

def left(workload="", **given):
    for each, tasks in classes.items():
        each.tasks = tasks
    options = SimpleNamespace(workload=workload, **given)
    environment = Environment(user_classes=[*classes], available_user_classes={each.__name__: each for each in classes}, parsed_options=options)
    assert loaded_journeys(environment) == {"search", "submit", "hurried"}
    try:
        leave_out_by_tags(environment)
    except UsageError as error:
        return str(error)
    environment._filter_tasks_by_tags()  # as Locust does when a test begins
    let_arrive(environment)
    assert [*environment.available_user_classes] == [each.__name__ for each in environment.user_classes if each is not Arrivals]
    assert all(each.tasks for each in environment.user_classes)
    return f"{' '.join(each.__name__ for each in environment.user_classes)}: {' '.join(walked_journeys(environment))}"

print(json.dumps([left(**given) for given in json.loads(sys.stdin.read())]))
"""


def test_tags_choose_journeys_and_leave_the_arrivals_as_they_are() -> None:
    refused = (
        "command line: tags is -T pay -E x; expected tags that leave a journey; there are file, find, hurried, nightly, search, submit, track."
        " A journey has its own name and those of its goals as tags."
    )
    cases: list[tuple[dict[str, object], str]] = [
        ({"tags": ["submit"]}, "Submit Hurried: submit hurried"),  # who inherits a journey has its tags
        ({"tags": ["hurried"]}, "Hurried: hurried"),
        ({"tags": ["file", "other"]}, "Submit Hurried: submit hurried"),
        ({"exclude_tags": ["file"]}, "Search: search"),
        ({"tags": ["find"], "exclude_tags": ["hurried"]}, "Search Submit: search submit"),
        ({"tags": ["nightly"]}, "Submit Hurried: submit hurried"),  # Locust's own @tag stays
        ({"tags": ["submit"], "workload": "w"}, "Submit Hurried Arrivals: submit hurried"),
        ({}, "Search Submit Hurried: search submit hurried"),
        ({"tags": ["pay"], "exclude_tags": ["x"]}, refused),
    ]
    assert json.loads(in_a_process(CHOICES, json.dumps([given for given, _ in cases])).splitlines()[-1]) == [
        expected for _, expected in cases
    ]
