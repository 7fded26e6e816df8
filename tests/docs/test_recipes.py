"""The recipes for pipelines: what they hold is what the tested script knows. `tests/acceptance/test_gate.py` runs the script."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes"
SCRIPT = RECIPES / "gate.sh"
VARIABLES = set(re.findall(r"^#   ([A-Z]+) ", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))


def github() -> tuple[dict[str, str], list[str], list[str]]:
    job: Any = yaml.safe_load((RECIPES / "github.yml").read_text(encoding="utf-8"))["jobs"]["gate"]
    used = [each["with"] for each in job["steps"] if "with" in each]
    return job["env"], [each["run"] for each in job["steps"] if "run" in each], [each.get("path") or each["report_paths"] for each in used]


def gitlab() -> tuple[dict[str, str], list[str], list[str]]:
    job: Any = yaml.safe_load((RECIPES / "gitlab.yml").read_text(encoding="utf-8"))["gate"]
    return job["variables"], job["script"], [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]]


@pytest.mark.parametrize("pipeline", [github, gitlab])
def test_a_pipeline_runs_the_script_with_its_own_variables_and_keeps_what_it_writes(pipeline: Any) -> None:
    variables, lines, kept = pipeline()
    assert lines == ["sh gate.sh"]
    assert {"PORTAL", "CANDIDATE", "RELEASED"} <= set(variables) <= VARIABLES
    assert kept == ["gate", "gate/*.xml"]


def test_the_script_says_which_variables_it_reads() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    code = "\n".join(line.partition("#")[0] for line in text.splitlines())
    assert set(re.findall(r"\$\{?([A-Z]+)\b", code)) == VARIABLES


def run(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The script with a ``harness`` that writes down how it is called, and ends as HARNESS_ENDS says: `run` with one code, `compare` with another."""
    said = folder / "bin" / "harness"
    said.parent.mkdir(exist_ok=True)
    said.write_text(
        """#!/bin/sh
echo "$*" >> "$CALLS"
results=$(echo "$*" | sed -n 's/.*--results \\([^ ]*\\).*/\\1/p')
[ "$1" = compare ] && exit "$COMPARE_ENDS"
[ "$RUN_ENDS" = 7 ] || { mkdir -p "$results/a sweep" && : > "$results/a sweep/scores.json"; }
case "$results" in *candidate) exit "$RUN_ENDS" ;; esac
""",
        encoding="utf-8",
    )
    said.chmod(0o755)
    environment = {
        "PATH": f"{said.parent}:{os.environ['PATH']}",
        "CALLS": str(folder / "calls"),
        "RUN_ENDS": "0",
        "COMPARE_ENDS": "0",
        **variables,
    }
    return subprocess.run(["sh", str(SCRIPT)], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("run_ends", "compare_ends", "code"),
    [("0", "0", 0), ("11", "0", 11), ("0", "11", 11), ("10", "0", 10), ("10", "11", 10), ("0", "2", 2), ("7", "0", 7)],
)
def test_the_script_ends_as_the_first_command_that_failed(tmp_path: Path, run_ends: str, compare_ends: str, code: int) -> None:
    done = run(tmp_path, PORTAL="p", CANDIDATE="new", BASELINE="kept", RUN_ENDS=run_ends, COMPARE_ENDS=compare_ends)
    assert done.returncode == code, done.stderr
    assert [line.split()[0] for line in (tmp_path / "calls").read_text(encoding="utf-8").splitlines()] == ["run"] + ["compare"] * (
        run_ends != "7"
    )


def test_the_script_measures_both_versions_by_one_workload_and_asks_of_the_new_one(tmp_path: Path) -> None:
    done = run(tmp_path, PORTAL="p", CANDIDATE="new", RELEASED="old", ASKED="10 average-search=1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "calls").read_text(encoding="utf-8").splitlines() == [
        "run p --workload gate --catalog old --results gate/released",
        "run p --workload gate --catalog new --results gate/candidate --fail-under 10 --fail-under average-search=1 --junit gate/points.xml",
        "compare gate/released/a sweep gate/candidate/a sweep --catalog new --fail-on-worse --junit gate/changes.xml",
    ]
    (tmp_path / "calls").unlink()
    allowed = run(tmp_path, PORTAL="p", CANDIDATE="new", BASELINE="kept", OUT="other", ALLOW="visits-pay x/y/z/t")
    assert allowed.returncode == 0, allowed.stderr
    assert (tmp_path / "calls").read_text(encoding="utf-8").splitlines() == [
        "run p --workload gate --catalog new --results other/candidate --junit other/points.xml",
        "compare kept other/candidate/a sweep --catalog new --fail-on-worse --allow-missing visits-pay --allow-missing x/y/z/t --junit other/changes.xml",
    ]
    again = run(tmp_path, PORTAL="p", CANDIDATE="new", BASELINE="kept")
    assert again.returncode != 0  # an older result is never taken for a new one
    assert len((tmp_path / "calls").read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("given", [{}, {"PORTAL": "p"}, {"PORTAL": "p", "CANDIDATE": "new"}])
def test_the_script_does_not_pass_without_its_variables(tmp_path: Path, given: dict[str, str]) -> None:
    done = run(tmp_path, **given)
    assert done.returncode not in {0, 11}
    assert "is not set" in done.stderr
    assert not (tmp_path / "calls").exists()
