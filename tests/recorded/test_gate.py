"""What a pipeline gets of a sweep: an exit code, a line for each thing that is not met, and JUnit's file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import RequirementError
from harness.operations.release_gate import conclude_comparison, unlike_loads
from harness.operations.score_folder import read_sweep_scores
from harness.publish import export
from harness.records.files import write_json
from harness.scoring import Comparison, Scorecard
from tests.e2e.commands import Finished, invoke
from tests.e2e.evidence import load
from tests.publish.junit_rules import classes, read_junit
from tests.scoring.test_release_stops import CRITERION


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
    (folder.parent / "file").touch()
    done = invoke(folder.parent, "score", "demo", "--junit", "file/junit.xml")
    assert done.code == 6
    assert "not writable" in done.err


def compare(folder: Path, *options: str) -> Finished:
    return invoke(folder.parent, "compare", "demo", "after", "--fail-on-worse", "--junit", "changes.xml", "--lang", "en", *options)


def test_a_sweep_is_not_worse_than_itself_but_a_portal_without_points_passes_nothing(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "after")
    done = compare(folder)
    assert done.code == 11, done.said
    (line,) = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: after: refusing is both sweeps: the run's verdict: blocked; expected nothing worse than before")
    found = read_junit(folder.parent / "changes.xml")
    assert {name: {end for end, _ in cases.values()} for name, cases in found.items()} == {
        name: {"error"} if name == "refusing" else {"passed", "skipped"} for name in found
    }
    assert found["fast"]["typical/submit/file/fill_in"][0] == "passed"
    scored = invoke(folder.parent, "score", "demo", "--junit", "scores.xml")
    assert scored.code == 0, scored.said
    assert classes(folder.parent / "scores.xml").isdisjoint(classes(folder.parent / "changes.xml"))  # a pipeline shows both files as one
    assert found["fast"]["server-cpu"][0] == "skipped"  # neither sweep was to measure it
    allowed = compare(folder, "--allow-missing", "refusing")
    assert allowed.code == 0, allowed.said
    assert "passed: nothing is worse" in allowed.err


def test_too_few_windows_stop_and_say_how_many_would_do(folder: Path) -> None:
    scores = read_sweep_scores(folder)
    (folder.parent / "after").mkdir()
    export(
        replace(scores, scorecards=tuple(_changed(card, 1.2, windows=4) for card in scores.scorecards if card.points)),
        folder.parent / "after",
    )
    done = compare(folder, "--no-steps", "--portal", "fast")
    assert done.code == 11
    assert [line for line in done.err.splitlines() if "error: after: fast, average-search, is cannot tell: " in line and "4 pairs" in line]
    assert read_junit(folder.parent / "changes.xml")["fast"]["average-search"][0] == "error"


def test_portals_that_are_worse_or_missing_afterwards_stop(folder: Path) -> None:
    scores = read_sweep_scores(folder)
    (folder.parent / "after").mkdir()
    kept = [card for card in scores.scorecards if card.portal != "slow"]
    export(replace(scores, scorecards=tuple(_changed(card, 1.2, windows=12) for card in kept)), folder.parent / "after")
    export(replace(scores, scorecards=tuple(_changed(card, 1.0, windows=12) for card in scores.scorecards)), folder)
    refused = compare(folder)
    assert refused.code == 2, refused.said  # a scores.json has no steps, and nobody said that these need not be compared
    done = compare(folder, "--no-steps")
    assert done.code == 11, done.said
    assert [line for line in done.err.splitlines() if line.startswith("error: after: slow is not in the later sweep;")]
    assert [line for line in done.err.splitlines() if line.startswith("error: after: fast, average-search, is worse: ")]
    found = read_junit(folder.parent / "changes.xml")
    assert found["fast"]["average-search"][0] == "failure"
    assert "×1.20" in found["fast"]["average-search"][1]
    assert "named from a change of ×1.10 on, at an adjusted p of at most 0.050" in found["fast"]["average-search"][1]
    assert found["fast"]["visits-search"][0] == "passed"
    assert {end for end, _ in found["slow"].values()} == {"error"}
    assert compare(folder, "--no-steps", "--allow-missing=slo").code == 2


def test_sweeps_of_unlike_load_are_not_compared_in_silence(folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    assert unlike_loads(folder, other) == ()
    assert unlike_loads(folder / "scores.json", other) == ()
    plan = load(other / "plan.json")
    window = next(slot for round_ in plan["rounds"][1:] for slot in round_["slots"] if slot["portal"] == "slow")["windows"][0]
    window["quota"]["search"] += 1
    write_json(other / "plan.json", plan)
    assert unlike_loads(folder, other) == ("slow",)
    found = Comparison((CRITERION,), 1, 16, 9, ())
    with pytest.raises(RequirementError, match="slow is loaded otherwise than before") as caught:
        conclude_comparison(
            replace(found, changes=(replace(CRITERION, portal="slow"),)), folder, other, tmp_path / "junit.xml", "en", fails=True
        )
    assert len(caught.value.problems) == 1
    assert read_junit(tmp_path / "junit.xml")["slow"]["load"][0] == "error"


def _changed(card: Scorecard, factor: float, windows: int) -> Scorecard:
    """The card with all times multiplied, and with so many windows, of which the first ones come again where it has fewer."""
    lines = []
    for each in card.criteria:
        found = [window._replace(value=window.value and window.value * (factor if each.unit == "s" else 1)) for window in each.per_window]
        values = tuple(window._replace(window=number) for number, window in enumerate((found * 2)[:windows]))
        lines.append(replace(each, per_window=values, points_per_window=(each.points_per_window * 2)[:windows]))
    return replace(card, criteria=tuple(lines))
