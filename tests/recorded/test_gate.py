"""What a pipeline gets of a sweep: an exit code, a line for each thing that is not met, and JUnit's file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import RequirementError
from harness.operations.comparison_obstacles import obstacles, unlike_loads
from harness.operations.release_gate import conclude_comparison
from harness.operations.score_folder import read_sweep_scores
from harness.publish import export
from harness.records.files import write_json
from harness.scoring import Comparison, Scorecard, WhyNoSteps
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
    _another(folder)
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
    found = replace(found, changes=(replace(CRITERION, portal="slow"),), why_no_steps=WhyNoSteps.NOT_ASKED_FOR)
    scores = read_sweep_scores(folder), replace(read_sweep_scores(other), sweep="other")
    found = replace(found, obstacles=tuple(obstacles(found, (folder, other), scores)))
    with pytest.raises(RequirementError, match="slow is loaded otherwise than before") as caught:
        conclude_comparison(found, other, tmp_path / "junit.xml", "en", fails=True)
    assert len(caught.value.problems) == 1
    assert read_junit(tmp_path / "junit.xml")["slow"]["load"][0] == "error"


def _another(folder: Path, *, portal: str = "", **card: object) -> Path:
    """A copy with the name of another sweep, and with one portal's card changed."""
    after = shutil.copytree(folder, folder.parent / "after")
    scores = load(after / "scores.json") | {"sweep": "another"}
    for each in scores["scores"]:
        each.update(card if each["portal"] == portal else {})
    write_json(after / "scores.json", scores)
    return after


@pytest.mark.parametrize("copied", [False, True])
def test_a_sweep_is_not_judged_against_itself(folder: Path, copied: bool) -> None:
    after = shutil.copytree(folder, folder.parent / "after") if copied else (folder.parent / "after").symlink_to("demo") or folder
    done = compare(folder, "--portal", "fast", "--no-steps")
    assert done.code == 11, done.said
    sweep = load(after / "scores.json")["sweep"]
    assert f"Before and after are one sweep ({sweep}): portals were measured once, so no change can be theirs." in " ".join(
        done.out.split()
    )
    (line,) = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: after: sweep is both are one sweep; expected two measurements.")
    assert read_junit(folder.parent / "changes.xml")["comparison"]["sweep"][0] == "error"


def test_a_portal_whose_card_has_no_points_does_not_pass(folder: Path) -> None:
    _another(folder, portal="fast", verdict="insufficient", points=None, interval=None)
    done = compare(folder, "--portal", "fast", "--no-steps")
    assert done.code == 11, done.said
    assert "error: after: fast is after: the run's verdict: insufficient; " in done.err
    assert {end for end, _ in read_junit(folder.parent / "changes.xml")["fast"].values()} == {"error", "skipped"}


def test_a_portal_whose_rows_a_share_does_not_hold_does_not_pass(folder: Path) -> None:
    after = _another(folder)
    write_json(after / "pack.json", {"schema": "evidence-pack/1", "sweep": "another", "portal": "slow"})
    for path in after.rglob("portal=*"):
        if path.name != "portal=slow":
            shutil.rmtree(path)
    done = compare(folder, "--portal", "fast")
    assert done.code == 11, done.said
    assert (
        "error: after: fast is not compared: one of the sweeps holds no rows of this portal; expected the rows of both sweeps." in done.err
    )
    assert "fast: Steps were not compared, because one of the sweeps holds no rows of this portal." in " ".join(done.out.split())
    assert read_junit(folder.parent / "changes.xml")["fast"]["steps"][0] == "error"
    allowed = compare(folder, "--portal", "fast", "--allow-missing", "fast")
    assert allowed.code == 0, allowed.said
    assert read_junit(folder.parent / "changes.xml")["fast"]["steps"][0] == "skipped"


def test_nothing_compared_does_not_pass_even_where_it_may_be_missing(folder: Path) -> None:
    _another(folder)
    done = compare(folder, "--portal", "refusing", "--allow-missing", "refusing")
    assert done.code == 11, done.said
    assert "error: after: portals is nothing was compared; expected a criterion or a step that both sweeps measure." in done.err
    assert read_junit(folder.parent / "changes.xml")["comparison"]["comparison"][0] == "error"


def test_scores_alone_do_not_tell_the_load_and_pass_only_where_somebody_says_so(folder: Path) -> None:
    after = _another(folder)
    (after / "plan.json").unlink()
    done = compare(folder, "--portal", "fast", "--no-steps")
    assert done.code == 11, done.said
    assert "error: after: load is not known for a scores.json alone; expected the plans of both sweeps." in done.err
    assert read_junit(folder.parent / "changes.xml")["comparison"]["load"][0] == "error"
    allowed = compare(folder, "--portal", "fast", "--no-steps", "--allow-missing", "load")
    assert allowed.code == 0, allowed.said
    assert read_junit(folder.parent / "changes.xml")["comparison"]["load"][0] == "skipped"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda after: next((after / "samples").rglob("*.parquet")).unlink(), "SHA-256 is no file"),
        (lambda after: (after / "manifests" / "fast.json").write_text("", encoding="utf-8"), "content is not JSON"),
        (lambda after: (after / "manifests" / "fast.json").write_text("{}", encoding="utf-8"), "content is no manifest"),
        (lambda after: shutil.rmtree(after / "manifests"), "manifests: path is not there"),
    ],
    ids=["rows", "empty", "object", "manifests"],
)
def test_damaged_evidence_does_not_pass_without_its_steps_either(folder: Path, damage: Callable[[Path], object], said: str) -> None:
    damage(_another(folder))
    done = compare(folder, "--portal", "fast", "--no-steps")
    assert done.code == 5, done.said
    assert said in done.err


def test_void_windows_of_both_sweeps_are_counted_by_reason_and_the_gate_says_them(folder: Path) -> None:
    after = _another(folder, portal="fast", verdict="insufficient", points=None, interval=None)
    (after / "removed.json").write_text("{}", encoding="utf-8")
    path = next((after / "rounds").glob("round-001-*.json"))
    record = load(path)
    windows = [window for slot in record["slots"] if slot["portal"] == "fast" for window in slot["windows"] if window["stage"] == "typical"]
    windows[0]["health"]["late_max_us"] = 10**9
    write_json(path, record)
    done = compare(folder, "--portal", "fast", "--no-steps")
    assert done.code == 11, done.said
    void = "fast, after: 1 of 6 windows are void by a fault of the measurement, not of the portal (citizens were begun late 1)"
    assert void in " ".join(done.out.split())
    assert f"error: after: {void}; the same cause, for example a busy machine, may have slowed the other windows too" in done.err
    assert "fast, before:" not in done.said
    assert void in read_junit(folder.parent / "changes.xml")["fast"]["average-search"][1]


def _changed(card: Scorecard, factor: float, windows: int) -> Scorecard:
    """The card with all times multiplied, and with so many windows, of which the first ones come again where it has fewer."""
    lines = []
    for each in card.criteria:
        found = [window._replace(value=window.value and window.value * (factor if each.unit == "s" else 1)) for window in each.per_window]
        values = tuple(window._replace(window=number) for number, window in enumerate((found * 2)[:windows]))
        lines.append(replace(each, per_window=values, points_per_window=(each.points_per_window * 2)[:windows]))
    return replace(card, criteria=tuple(lines))
