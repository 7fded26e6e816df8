"""What a pipeline gets of a sweep: an exit code, a line for each thing that is not met, and JUnit's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.commands import invoke
from tests.publish.junit_rules import read_junit


def errors(said: str) -> list[str]:
    return [line.removeprefix("error: demo/scores.json: ") for line in said.splitlines() if line.startswith("error: ")]


def test_a_portal_below_what_was_asked_ends_with_11_and_everything_is_written(folder: Path) -> None:
    (folder / "scores.json").unlink()
    asked = ("--fail-under", "11", "--fail-under", "average-search=1.5", "--fail-under", "availability=0")
    done = invoke(folder.parent, "score", "demo", *asked, "--junit", "junit.xml", "--lang", "en")
    assert done.code == 11, done.said
    assert (folder / "scores.json").is_file()
    assert (folder / "report.html").is_file()
    lines = errors(done.err)
    assert len([line for line in lines if line.startswith("slow, ")]) == 3
    assert "slow, points in all, is 8.8789 of 20 points, below what was asked; expected at least 11 points." in lines[-3]
    assert not [line for line in lines if line.startswith(("fast, points", "fast, average-search"))]
    assert any(line.startswith("fast, availability, is fewer nights than the criteria set asks for (1 of 5, ") for line in lines)
    assert any(line.startswith("refusing, points in all, is the run's verdict: blocked; ") for line in lines)
    found = read_junit(folder.parent / "junit.xml")
    assert set(found) == {"fast", "ordinary", "slow", "collapsing", "failing-payments", "refusing"}
    ends = {name: end for name, (end, _) in found["slow"].items()}
    assert (ends["points"], ends["average-search"], ends["availability"]) == ("failure", "failure", "error")
    assert (ends["average-submit"], ends["server-cpu"]) == ("passed", "skipped")
    assert {end for end, _ in found["refusing"].values()} == {"error"}
    assert found["slow"]["average-search"][1].splitlines()[1:] == [
        "Average response time while searching: mean time of a step",
        "value: 0.598 s; scored as 0.557 s, each counted as at most 1.00 s; 6 windows",
        "thresholds: full points at ≤ 0.25 s; no points at ≥ 1 s",
        "points: 1.1822 of 2",
        "asked for: at least 1.5 points",
    ]


@pytest.mark.parametrize(("text", "said"), [("averge-search=1", "Did you mean `average-search`"), ("many", "points from 0 to 20")])
def test_a_question_that_the_set_does_not_have_is_refused_before_anything_is_written(folder: Path, text: str, said: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = invoke(folder.parent, "score", "demo", "--fail-under", text, "--junit", "junit.xml")
    assert done.code == 2
    assert said in done.err
    assert not (folder.parent / "junit.xml").exists()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_command_that_fails_leaves_no_older_result(folder: Path) -> None:
    junit = folder.parent / "junit.xml"
    junit.write_text("<testsuites/>", encoding="utf-8")
    sample = next((folder / "samples").rglob("*.parquet"))
    sample.write_bytes(sample.read_bytes() + b"x")
    done = invoke(folder.parent, "score", "demo", "--junit", "junit.xml")
    assert done.code == 5
    assert read_junit(junit)["harness"]["score"][0] == "error"


def test_a_junit_file_that_cannot_be_written_is_refused_first(folder: Path) -> None:
    done = invoke(folder.parent, "score", "demo", "--junit", "demo/plan.json/junit.xml")
    assert done.code == 6
    assert "not writable" in done.err
