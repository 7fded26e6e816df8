"""How `run` and `sweep` end where portals were measured as planned and have no points."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from harness.cli import _Commands, main
from harness.errors import EnvironmentFault, NoPointsError, RequirementError
from harness.evidence import Reason, SweepFolder, Verdict
from harness.operations import sweep
from harness.operations.score_folder import read_sweep_scores
from harness.publish import export
from harness.scoring import Scorecard, SweepScores
from tests.e2e.commands import harness
from tests.e2e.evidence import only_folder
from tests.e2e.small_catalog import write_catalog
from tests.publish.junit_rules import read_junit
from tests.recorded.conftest import RECORDED

Measured = Callable[[dict[str, Verdict]], None]
WHY = {
    Verdict.VOID: Reason("all_windows_void", "scheduler_lag"),
    Verdict.INSUFFICIENT: Reason("not_enough_windows", "average-search: too_few_windows: 1 of 6"),
    Verdict.BLOCKED: Reason("lone_citizen_refused"),
    Verdict.UNREACHABLE: Reason("lone_citizen_cannot_connect"),
}


def with_verdict(card: Scorecard, verdict: Verdict) -> Scorecard:
    if verdict is Verdict.VALID:
        return card
    return replace(card, verdict=verdict, reasons=(WHY[verdict],), points=None, interval=None, points_assessed_max=0.0, criteria=())


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measured:
    """Plants the recorded sweep as the result of the next measurement, with some verdicts changed; the other portals are left out."""

    def plant(verdicts: dict[str, Verdict]) -> None:
        scores = read_sweep_scores(RECORDED)
        cards = tuple(with_verdict(card, verdicts[card.portal]) for card in scores.scorecards if card.portal in verdicts)
        scores = replace(scores, scorecards=cards)
        (tmp_path / "plan.json").write_bytes((RECORDED / "plan.json").read_bytes())
        export(scores, tmp_path)
        result = sweep.SweepResult(SweepFolder(tmp_path), scores)
        monkeypatch.setattr(sweep, "run_sweep", lambda *_, **__: result)

    return plant


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--workload", "smoke", "--criteria", "demo"])


@pytest.mark.parametrize("verdict", WHY)
def test_a_run_without_points_ends_with_10_and_says_why(measured: Measured, verdict: Verdict) -> None:
    measured({"slow": verdict})
    done = call("run", "slow", "--json")
    assert done.exit_code == NoPointsError.exit_code == 10
    (card,) = json.loads(done.stdout)["scores"]
    assert (card["verdict"], card["reasons"][0]["code"]) == (verdict, WHY[verdict].code)
    (error,) = done.stderr.splitlines()
    assert f"slow is {verdict}: " in error
    assert WHY[verdict].detail in error
    assert call("run", "slow").exit_code == 10


def test_a_run_in_which_nothing_could_be_assessed_has_no_points() -> None:
    scores = read_sweep_scores(RECORDED)
    card = next(card for card in scores.scorecards if card.verdict is Verdict.VALID)
    nothing: SweepScores = replace(scores, scorecards=(replace(card, points=0.0, interval=None, points_assessed_max=0.0, criteria=()),))
    with pytest.raises(NoPointsError, match="no criterion was assessed"):
        sweep.require_points(sweep.SweepResult(SweepFolder(Path("sweep")), nothing))


@pytest.mark.parametrize(
    ("other", "code"), [(Verdict.BLOCKED, 0), (Verdict.UNREACHABLE, 0), (Verdict.VALID, 0), (Verdict.VOID, 10), (Verdict.INSUFFICIENT, 10)]
)
def test_of_a_sweep_blocked_and_unreachable_are_results(measured: Measured, other: Verdict, code: int) -> None:
    measured({"fast": Verdict.VALID, "slow": other})
    done = call("sweep", "fast", "slow")
    assert done.exit_code == code, done.output
    assert [line.split(": ")[2].split()[0] for line in done.stderr.splitlines() if line.startswith("error: ")] == (["slow"] if code else [])


def test_a_run_with_points_ends_with_0(measured: Measured) -> None:
    measured({"fast": Verdict.VALID})
    assert call("run", "fast").exit_code == 0


@pytest.mark.parametrize("command", [("run", "fast"), ("sweep", "fast")])
def test_what_a_pipeline_asks_is_judged_after_everything_is_written(measured: Measured, tmp_path: Path, command: tuple[str, ...]) -> None:
    measured({"fast": Verdict.VALID})
    junit = tmp_path / "junit.xml"
    met = call(*command, "--fail-under", "11", "--fail-under", "average-search=1", "--junit", str(junit))
    assert met.exit_code == 0, met.output
    assert "passed: 2 asked for at each portal, 1 portals" in met.stderr
    assert {end for end, _ in read_junit(junit)["fast"].values()} == {"passed", "skipped"}
    unmet = call(*command, "--fail-under", "19", "--junit", str(junit), "--json")
    assert unmet.exit_code == RequirementError.exit_code == 11
    assert json.loads(unmet.stdout)["scores"][0]["portal"] == "fast"
    assert read_junit(junit)["fast"]["points"][0] == "failure"


@pytest.mark.parametrize("verdict", WHY)
def test_a_run_without_points_ends_with_10_also_where_points_were_asked_for(measured: Measured, tmp_path: Path, verdict: Verdict) -> None:
    measured({"slow": verdict})
    done = call("run", "slow", "--fail-under", "0", "--fail-under", "average-search=0", "--junit", str(tmp_path / "junit.xml"))
    assert done.exit_code == 10
    assert [line.split(" is ")[0].split(": ")[2] for line in done.stderr.splitlines() if line.startswith("error: ")] == [
        "slow", "slow, points in all,", "slow, average-search,",
    ]  # fmt: skip
    assert {end for end, _ in read_junit(tmp_path / "junit.xml")["slow"].values()} == {"error"}


@pytest.mark.parametrize("other", [Verdict.BLOCKED, Verdict.UNREACHABLE])
def test_of_a_sweep_blocked_and_unreachable_portals_do_not_pass_where_points_were_asked_for(measured: Measured, other: Verdict) -> None:
    measured({"fast": Verdict.VALID, "slow": other})
    done = call("sweep", "fast", "slow", "--fail-under", "0")
    assert done.exit_code == 11
    assert [
        line
        for line in done.stderr.splitlines()
        if line.startswith("error: ") and f"slow, points in all, is the run's verdict: {other}" in line
    ]


def test_a_wrong_question_is_refused_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "run_sweep", lambda *_, **__: pytest.fail("measured"))
    assert call("run", "fast", "--fail-under", "averge-search=1").exit_code == 2
    assert call("sweep", "fast", "--fail-under", "1000").exit_code == 2
    assert call("sweep", "fast", "--fail-under", "1000", "--dry-run").exit_code == 2


@pytest.mark.slow
def test_a_real_run_of_one_window_is_too_little_for_the_evaluation(tmp_path: Path) -> None:
    """Everything works, and the criteria set of the evaluation asks for more windows than were measured."""
    catalog = write_catalog(tmp_path / "catalog")
    options = ("--workload", "tiny", "--catalog", str(catalog))
    done = harness(tmp_path, "run", "swift", *options, "--json")
    assert done.code == NoPointsError.exit_code, done.said
    (card,) = json.loads(done.out)["scores"]
    assert card["verdict"] == "insufficient"
    assert {reason["code"] for reason in card["reasons"]} <= {"not_enough_windows", "not_enough_steps"}
    assert f"{only_folder(tmp_path / 'results').name}/scores.json: swift is insufficient: " in done.err


def test_what_the_system_does_not_permit_is_one_error_that_names_the_file() -> None:
    @click.command()
    def read() -> None:
        raise PermissionError(13, "Permission denied", "results/night/journal.jsonl")  # root is permitted everything

    done = CliRunner().invoke(_Commands("harness", commands={"read": read}), ["read"])
    assert done.exit_code == EnvironmentFault.exit_code
    assert done.stderr.startswith("error: results/night/journal.jsonl: file is not permitted (Permission denied); expected ")
