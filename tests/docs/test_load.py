"""docs/load.md lists the keys and defaults of a workload as the model has them, and the shipped workloads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from harness.catalog.workload import HealthLimits, Stage, Workload

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "load.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[list[str]]:
    text = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]


def test_every_key_of_a_workload_and_a_stage_is_explained() -> None:
    named = {name.split(".")[0] for row in first_cells("Workloads") for name in re.findall(r"`([a-z_.]+)`", row[0])}
    assert set(Workload.model_fields) <= named
    assert set(Stage.model_fields) - {"basis"} <= named


def test_every_shipped_workload_is_named() -> None:
    shipped = {path.stem for path in (ROOT / "scenarios" / "workloads").glob("*.yaml")}
    assert shipped <= {row[0].strip("`") for row in first_cells("Workloads")}


def test_health_limits_are_those_of_the_model() -> None:
    found = {row[0].strip("`"): float(row[1]) for row in first_cells("Generator health")}
    assert found == HealthLimits().model_dump()


OPTIONS = """
import json
from argparse import ArgumentTypeError
from locust.argument_parser import get_parser
from harness.operations.locust_options import add_options
parser = get_parser([])
before = list(parser._actions)
add_options(parser)
def accepted(option):
    for text in ("nan", "inf", "-inf", "1e400", "-1e400", "9" * 30):
        try:
            yield text, option.type(text)
        except (ArgumentTypeError, ValueError, TypeError):
            pass
ours = [each for each in parser._actions if each not in before]
strange = [str(found) for each in ours if each.type not in (None, str) for found in accepted(each)]
numbers = [each.option_strings[0] for each in ours if each.type not in (None, str)]
print(json.dumps([[[each.option_strings[0], each.env_var, each.help] for each in ours], numbers, strange]))
"""


def test_our_options_of_locust_are_listed_with_their_help() -> None:
    """Locust prints ``--help`` before it loads a locustfile, so they are not in its text. Its import patches a process: this one is spared."""
    asked = subprocess.run([sys.executable, "-c", OPTIONS], capture_output=True, text=True, check=True)
    lines = PAGE.split("| option of ours |", 1)[1].split("\n\n", 1)[0].splitlines()
    listed = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    found = {option: (variable.strip("`"), text) for options, variable, text in listed for option in re.findall(r"`(--[a-z-]+)`", options)}
    ours, numbers, strange = json.loads(asked.stdout)
    assert {option for option, _, _ in ours} == found.keys()
    for option, variable, what in ours:
        if option not in {"--plan", "--fleet", "--fleet-within"}:
            assert found[option][0] == variable
            assert found[option][1].startswith(what)
    assert set(numbers) == {"--seed", "--fleet", "--fleet-within"}
    assert not strange  # a number that is not finite, or beyond every use
