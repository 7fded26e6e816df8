"""What `harness status` and `harness resume` read from a sweep's folder, and whom they refuse."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.catalog import Catalog
from harness.errors import EnvironmentFault, EvidenceError, UsageError
from harness.evidence import Reason, SweepFolder, read_runs
from harness.operations.addenda import SEAL
from harness.operations.attempts import begin_attempt, end_attempt, only_attempt
from harness.operations.embedded import ports_of
from harness.operations.register import REGISTER, read_register, register_problems
from harness.operations.resumption import resume_sweep
from harness.operations.rules import fix_rules, require_same_rules
from harness.operations.selection import select_criteria
from harness.operations.shipped import shipped_catalog
from harness.operations.status import status_of
from harness.records import read_plan
from harness.records.sweep_journal import journal_problems, read_journal
from tests.e2e.commands import invoke
from tests.recorded.conftest import RECORDED


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return shipped_catalog()


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> Path:
    """A results folder with the recorded demo, as of a sweep that has begun its first attempt."""
    results = tmp_path_factory.mktemp("begun")
    folder = SweepFolder(results / read_plan(RECORDED / "plan.json").sweep)
    shutil.copytree(RECORDED, folder.path)
    plan = replace(read_plan(folder.plan), criteria="demo")
    folder.plan.write_text(plan.to_json(), encoding="utf-8")
    fix_rules(folder, plan, catalog, select_criteria(catalog, plan.criteria))
    begin_attempt(folder, workers=2, catalog=None)
    return results


@pytest.fixture
def folder(begun: Path, tmp_path: Path) -> SweepFolder:
    shutil.copytree(begun, tmp_path / "results")
    return SweepFolder(tmp_path / "results" / read_plan(RECORDED / "plan.json").sweep)


def cut_off(folder: SweepFolder, name: str) -> None:
    """As a crash leaves a round: planned, and not sealed."""
    record = json.loads(folder.round(name).read_text(encoding="utf-8"))
    folder.planned(name).write_text(json.dumps(record), encoding="utf-8")
    folder.round(name).unlink()


def test_attempts_are_chained_in_the_journal_and_entered_in_the_register(folder: SweepFolder) -> None:
    end_attempt(folder, "aborted")
    end_attempt(folder, "ended")
    begin_attempt(folder, workers=2, catalog=None, recovered=("001-00",), left_out={"fast": "no permission"})
    begin_attempt(folder, workers=2, catalog=None)  # the second one crashed
    end_attempt(folder, "ended")
    lines = read_journal(folder.journal)
    assert [(line.attempt, line.event) for line in lines] == [(1, "begun"), (1, "aborted"), (2, "begun"), (3, "begun"), (3, "ended")]
    assert (lines[2].recovered, lines[2].left_out, lines[2].workers) == (("001-00",), {"fast": "no permission"}, 2)
    assert list(journal_problems(folder.journal)) == []
    events = [line.event for line in read_register(folder.path.parent / REGISTER)]
    assert events == ["begun", "aborted", "resumed", "resumed", "ended"]
    assert [problem for problem in register_problems(folder) if "never" in str(problem) or "neither" in str(problem)] == []


@pytest.mark.parametrize("change", ["change", "remove"])
def test_a_journal_that_was_changed_is_named(folder: SweepFolder, change: str) -> None:
    end_attempt(folder, "aborted")
    begin_attempt(folder, workers=2, catalog=None)
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    lines = [lines[0].replace(b'"workers": 2', b'"workers": 1'), *lines[1:]] if change == "change" else [lines[0], lines[2]]
    folder.journal.write_bytes(b"".join(lines))
    assert any(problem.key == "previous" for problem in journal_problems(folder.journal))


def test_half_a_line_of_a_crash_is_dropped_from_the_journal(folder: SweepFolder) -> None:
    with folder.journal.open("ab") as file:
        file.write(b'{"attempt": 1, "eve')
    assert [line.event for line in read_journal(folder.journal)] == ["begun"]
    end_attempt(folder, "aborted")
    assert [line.event for line in read_journal(folder.journal)] == ["begun", "aborted"]
    assert list(journal_problems(folder.journal)) == []


def test_a_second_attempt_at_the_same_time_is_refused_by_name(folder: SweepFolder) -> None:
    process = read_journal(folder.journal)[0].process
    with only_attempt(folder):
        assert status_of(folder).state == "under way"
        with pytest.raises(EnvironmentFault, match=f"under way in process {process}; expected a sweep that has ended"):
            resume_sweep(folder, print)
    assert status_of(folder).state == "cut off"


def test_the_status_counts_what_is_sealed_under_way_void_and_left(folder: SweepFolder) -> None:
    plan, names = read_plan(folder.plan), folder.sealed_rounds()
    loaded = len(folder.rounds()[-1].slots)
    end_attempt(folder, "ended")
    whole = status_of(folder)
    assert (whole.state, whole.parts_sealed, whole.parts_left) == ("complete", len(names), 0)
    begin_attempt(folder, workers=1, catalog=None, left_out={"slow": "its authorisation has ended"})
    cut_off(folder, names[-1])
    found = status_of(folder)
    assert (found.state, found.attempt, found.parts_sealed, found.parts_left) == ("cut off", 2, len(names) - 1, 1)
    (open_round,) = found.under_way
    assert (open_round.name, len(open_round.portals)) == (names[-1], loaded)
    assert {name: portal.left > 0 for name, portal in found.portals.items()} == {
        each.portal: each.portal != "slow" for each in plan.targets
    }
    assert found.portals["slow"].left_out == "its authorisation has ended"
    (run,) = (run for run in read_runs(folder) if run.portal == "slow")
    assert Reason("left_out", "attempt 2: its authorisation has ended") in run.reasons
    text = "\n".join(found.lines())
    assert "`harness resume` goes on with it" in text
    assert "slow is left out: its authorisation has ended" in text
    in_vietnamese = "\n".join(found.lines("vi"))
    assert ": bị ngắt giữa chừng (lần chạy 2)" in in_vietnamese
    assert "`harness resume` sẽ đo tiếp" in in_vietnamese


def test_the_status_of_evidence_without_a_journal_is_known_too(tmp_path: Path) -> None:
    found = status_of(SweepFolder(RECORDED))
    assert (found.state, found.attempt, found.process) == ("complete", 0, None)
    said = invoke(tmp_path, "status", str(RECORDED), "--follow", "--json")
    assert (said.code, json.loads(said.out)["parts_left"]) == (0, 0)
    assert invoke(tmp_path, "status", str(tmp_path)).code == EvidenceError.exit_code


def test_a_sweep_goes_on_by_the_rules_of_its_beginning_alone(folder: SweepFolder, tmp_path: Path, catalog: Catalog) -> None:
    plan = read_plan(folder.plan)
    criteria = select_criteria(catalog, plan.criteria)
    require_same_rules(folder, plan, catalog, criteria)
    (tmp_path / "own" / "workloads").mkdir(parents=True)
    other = (Path("scenarios") / "workloads" / "smoke.yaml").read_text(encoding="utf-8").replace("id: smoke", "id: own")
    (tmp_path / "own" / "workloads" / "own.yaml").write_text(other, encoding="utf-8")
    with pytest.raises(UsageError, match=r"catalog file workloads/own.yaml is [0-9a-f]{64}; expected none, as it was fixed"):
        require_same_rules(folder, plan, shipped_catalog(tmp_path / "own"), criteria)
    facts = json.loads(folder.rules.read_text(encoding="utf-8"))
    folder.rules.write_text(json.dumps(facts | {"harness": "0.0.9"}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"harness is .*; expected 0\.0\.9, as it was fixed"):
        require_same_rules(folder, plan, catalog, criteria)
    with pytest.raises(UsageError, match="criteria is"):
        require_same_rules(folder, plan, catalog, select_criteria(catalog, "473-QD-BTTTT-2024"))


def test_what_cannot_go_on_is_refused(folder: SweepFolder) -> None:
    (folder.path / SEAL).write_text("{}", encoding="utf-8")
    with pytest.raises(EvidenceError, match="a seal is final"):
        resume_sweep(folder, print)
    (folder.path / SEAL).unlink()
    with pytest.raises(EvidenceError, match="without the embedded portals' database"):
        resume_sweep(folder, print)
    folder.journal.unlink()
    with pytest.raises(EvidenceError, match="no journal"):
        resume_sweep(folder, print)
    folder.plan.write_text(replace(read_plan(folder.plan), rounds=()).to_json(), encoding="utf-8")
    with pytest.raises(EvidenceError, match="a closed run, which has no rounds"):
        resume_sweep(folder, print)


def test_the_ports_of_embedded_portals_stand_in_the_plan() -> None:
    plan = read_plan(RECORDED / "plan.json")
    ports = ports_of(replace(plan, simulator_control="http://127.0.0.1:4000"))
    assert ports["control"] == 4000
    assert {target.portal for target in plan.targets} <= ports.keys() <= {"control", "identity", "payment", *_names(plan)}
    assert ports_of(replace(plan, simulator_control="")) == {}


def _names(plan) -> set[str]:
    return {name for target in plan.targets for name in (target.portal, f"{target.portal}:form")}


def test_options_that_a_plan_has_settled_are_refused_beside_resume(tmp_path: Path) -> None:
    refused = invoke(tmp_path, "sweep", "--resume", "results/x", "--seed", "3", "--set", "demo")
    assert refused.code == UsageError.exit_code
    assert "leave out --set, --seed" in refused.err
    assert "Missing option '--workload'" in invoke(tmp_path, "sweep", "--set", "demo").err
