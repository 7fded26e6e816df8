"""From a night to published scores: two persons take each step on the record, and a final score changes only with a cause."""

from __future__ import annotations

import json
import shutil
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.catalog.agency import AGENCY_FILE
from harness.errors import CatalogError, EnvironmentFault, EvidenceError, Problem, UsageError
from harness.evidence import SweepFolder, read_runs
from harness.evidence.facts import RunFacts, UnprovenJourney
from harness.evidence.publication import PUBLICATION, PublicationStepName
from harness.operations import publication_steps, score_folder, settlements, signing
from harness.operations.addenda import read_addenda
from harness.operations.manifest import catalog_digest
from harness.operations.publication_record import publication_problems, require_no_steps
from harness.operations.publication_steps import IntendedStep, take_step
from harness.operations.register import enter_beginning, enter_end, read_register, register_problems
from harness.operations.retention import apply_retention
from harness.operations.rules import fix_rules
from harness.operations.sealed_evidence import check_seal, seal, seal_problems
from harness.operations.shipped import shipped_catalog
from harness.operations.verification import verify
from harness.publish import push
from harness.records import read_plan
from harness.records.files import digest, write_json
from tests.e2e.commands import Finished, invoke
from tests.e2e.evidence import load
from tests.publish.receiver import Receiver
from tests.recorded.conftest import RECORDED, chain_up

CATALOG = shipped_catalog()
NAME = read_plan(RECORDED / "plan.json").sweep
AN, BINH = "Nguyễn Văn Mẫu", "Trần Thị Thử"
AGENCY = f"""\
name_vi: Cơ quan đánh giá mẫu
people:
  - {{name: {AN}, roles: [evaluator]}}
  - {{name: {BINH}, roles: [confirmer, evaluator]}}
  - {{name: Lê Văn Ví Dụ, roles: [contact]}}
answer_within_days: 10
"""
SUBMIT = UnprovenJourney("submit", "file", "log_in", "extraction", "css #dang-nhap", "", 3)


@dataclass(frozen=True)
class Night:
    """A results folder with one scored sweep of two portals, its register, the agency's names file, and a key."""

    results: Path
    key: str

    @property
    def sweep(self) -> SweepFolder:
        return SweepFolder(self.results / NAME)

    def step(self, name: str, *options: str, by: str = AN, confirmed_by: str = BINH, reason: str = "đã rà soát") -> Finished:
        persons = ["--by", by, "--confirmed-by", confirmed_by, "--reason", reason]
        return invoke(self.results, "publication", NAME, name, *persons, *options)

    def later(self, name: PublicationStepName, days: float, **more: Any) -> None:
        """A step that is taken some days from now."""
        intended = IntendedStep(step=name, by=AN, confirmed_by=BINH, reason="đã rà soát", **more)
        take_step(self.sweep, CATALOG, intended, now=datetime.now(UTC) + timedelta(days=days))

    def make_final(self) -> None:
        """All portals, without an answer."""
        self.later("sent", 0)
        self.later("answered", 11, no_answer=True)
        self.later("final", 11)

    def states(self) -> dict[str, str]:
        return {portal: found["state"] for portal, found in self.publication().items()}

    def publication(self) -> dict[str, Any]:
        return {card["portal"]: card["publication"] for card in load(self.sweep.scores)["scores"]}

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in sorted(self.results.rglob("*")) if path.is_file()}

    def change_scores(self, portal: str = "slow") -> None:
        """Another digit in the points of a portal's first criterion, as somebody might write it by hand; the sum agrees."""
        found = load(self.sweep.scores)
        (card,) = [each for each in found["scores"] if each["portal"] == portal]
        scored = next(each for each in card["criteria"] if each["points"])
        scored["points"] -= 0.25
        scored["interval"] = None
        card["points"] -= 0.25
        card["interval"] = None
        self.sweep.scores.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Not to be changed: tests get copies."""
    above = tmp_path_factory.mktemp("published")
    sweep = SweepFolder(shutil.copytree(RECORDED, above / "results" / NAME))
    for name in ("scores.json", "revisions.json"):
        (sweep.path / name).unlink(missing_ok=True)
    signing.make_key(above / "key")
    fix_rules(sweep, read_plan(sweep.plan), CATALOG, CATALOG.criteria["demo@1"])
    write_json(sweep.rules, load(sweep.rules) | {"fixed_utc": "2026-11-01T00:00:00.000+00:00", "plan_sha256": digest(sweep.plan)})
    for path in sweep.manifests():
        write_json(path, load(path) | {"catalog_sha256": catalog_digest(CATALOG)})
    enter_beginning(sweep)
    chain_up(sweep)
    enter_end(sweep, "ended")
    (above / "results" / AGENCY_FILE).write_text(AGENCY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        _only_two(patch)
        score_folder.score_folder(sweep, CATALOG, CATALOG.criteria["demo@1"], check=True)
    return Night(above / "results", f"file:{above / 'key'}")


def _only_two(patch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Score two portals of the recorded sweep, so that a step costs little; ``changes``: of the facts of `fast`."""

    def runs(folder: SweepFolder) -> tuple[RunFacts, ...]:
        two = (run for run in read_runs(folder) if run.portal in {"fast", "slow"})
        return tuple(replace(run, **changes) if run.portal == "fast" else run for run in two)

    patch.setattr(score_folder, "read_runs", runs)
    patch.setattr(settlements, "read_runs", runs)


@pytest.fixture
def night(kept: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    monkeypatch.delenv(signing.KEY_VARIABLE, raising=False)
    _only_two(monkeypatch)
    with chdir(tmp_path):
        yield Night(shutil.copytree(kept.results, tmp_path / "results"), kept.key)


def refused(finished: Finished, code: int, *named: str) -> None:
    """One line or more, each an error, which name all of ``named``; no traceback."""
    assert finished.code == code, finished.said
    assert all(line.startswith("error: ") for line in finished.err.splitlines()), finished.said
    assert not [each for each in named if each not in finished.err], finished.said


def done(finished: Finished) -> Finished:
    assert finished.code == 0, finished.said
    return finished


# The whole path.


def test_from_draft_to_final_each_step_is_a_signed_revision_that_verify_the_register_and_push_know(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signing.KEY_VARIABLE, night.key)
    seal(night.sweep, CATALOG, signing.signing_key(night.key))
    letter = night.results / "tra-loi.pdf"
    letter.write_bytes(b"what the operator wrote")
    assert night.states() == {"fast": "draft", "slow": "draft"}
    with Receiver() as receiver:
        sent = invoke(night.results, "push", receiver.url, "--scores", str(night.sweep.scores))
        refused(sent, UsageError.exit_code, "publication", "of 2 portals: 2 draft", "--drafts")

        said = done(night.step("sent", "--answer-by", "2099-12-31")).out
        assert f"sent: {AN} and {BINH}, revision 1: đã rà soát" in said
        assert night.publication()["fast"]["answer_by"] == "2099-12-31"
        done(night.step("answered", "--portal", "fast", "--answer", str(letter)))
        assert night.states() == {"fast": "answered", "slow": "sent"}
        night.later("answered", 40_000, portals=("slow",), no_answer=True)
        done(night.step("final"))
        assert night.states() == {"fast": "final", "slow": "final"}
        assert load(night.sweep.scores)["revision"] == 5
        verify(night.sweep, CATALOG)

        receipt = push(receiver.url, night.sweep.scores)
        assert receipt.publication == {"final": 2}
        assert [row[2] for row in receiver.rows("imports")] == [5]
    events = [line.event for line in read_register(night.results / "register.jsonl")]
    assert events == ["begun", "ended", "sent", "answered", "answered", "final"]
    assert all(addendum.signature for addendum in read_addenda(night.sweep))
    (answer,) = (night.sweep.path / "publication" / "fast").iterdir()
    assert answer.read_bytes() == letter.read_bytes()
    shown = json.loads(done(invoke(night.results, "publication", NAME, "--portal", "fast", "--json")).out)["portals"]
    assert [step["step"] for step in shown[0]["steps"]] == ["sent", "answered", "final"]
    assert shown[0]["steps"][1]["answer"] == {"file": str(answer.relative_to(night.sweep.path)), "sha256": digest(answer)}
    _a_share_has_its_own_answers_alone(night)
    answer.write_bytes(b"something else")
    assert f"{answer.name}: SHA-256 is" in _said(lambda: publication_problems(night.sweep, _public(night)))


def _a_share_has_its_own_answers_alone(night: Night) -> None:
    done(invoke(night.results, "pack", NAME, "--portal", "slow", "--out", "slow.zip"))
    with zipfile.ZipFile(night.results / "slow.zip") as packed:
        names = [name for name in packed.namelist() if "/publication" in name]
        packed.extractall(night.results / "elsewhere")
    assert names == [f"{NAME}/{PUBLICATION}"]
    verify(SweepFolder(night.results / "elsewhere" / NAME), CATALOG)
    shutil.rmtree(night.results / "elsewhere")


def _public(night: Night) -> Any:
    return signing.signing_key(night.key).public_key()


def _said(problems: Callable[[], Iterator[Problem]]) -> str:
    return "\n".join(map(str, problems()))


# Refusals, by name. None of them computes a score.


@pytest.mark.parametrize(
    ("persons", "said"),
    [
        ({"confirmed_by": ""}, f"--confirmed-by is empty; expected a name of {AGENCY_FILE} (confirmer: {BINH})"),
        ({"by": " "}, "--by is empty"),
        ({"by": BINH}, f"--confirmed-by is {BINH}; expected the name of another person than {BINH}"),
        ({"by": unicodedata.normalize("NFD", BINH.upper())}, "expected the name of another person"),
        ({"by": "Nguyễn Văn Mậu"}, "--by is Nguyễn Văn Mậu; expected a name of"),
        ({"confirmed_by": "Lê Văn Ví Dụ"}, f"--confirmed-by is Lê Văn Ví Dụ, contact; expected confirmer: {BINH}"),
        ({"reason": " "}, "--reason is empty"),
        ({"reason": "x" * 2_001}, "--reason is 2001 characters"),
    ],
)
def test_a_step_takes_two_persons_of_the_names_file_and_a_reason(night: Night, persons: dict[str, str], said: str) -> None:
    before = night.files()
    refused(night.step("sent", **persons), UsageError.exit_code, said)
    assert night.files() == before


@pytest.mark.parametrize(
    ("step", "options", "said"),
    [
        ("answered", ["--no-answer"], "publication is fast is draft, slow is draft; expected portals that are sent"),
        ("final", [], "publication is fast is draft, slow is draft; expected portals that are answered"),
        ("reopened", ["--portal", "slow"], "publication is slow is draft; expected portals that are sent or answered or final"),
        ("sent", ["--portal", "slwo"], "Did you mean `slow`?"),
        ("sent", ["--answer-by", "2020-01-31"], "--answer-by is 2020-01-31; expected a day from"),
        ("sent", ["--no-answer"], "--answer, --answers, --no-answer is given with sent"),
        ("final", ["--answer-by", "2099-01-31"], "--answer-by is given with final"),
        ("answered", ["--portal", "slow"], "--answer, --answers, --no-answer is none; expected one of them"),
        ("answered", ["--portal", "slow", "--answer", "agency.yaml", "--no-answer"], "is several; expected one of them"),
        ("answered", ["--answer", "agency.yaml"], "--answer is given for several portals"),
        ("answered", ["--portal", "slow", "--answer", "none.pdf"], "--answer is none.pdf; expected a file that can be read"),
        ("sent", ["--agency", "other.yaml"], "other.yaml: file is not there"),
    ],
)
def test_a_step_that_does_not_fit_is_refused_and_nothing_is_written(night: Night, step: str, options: list[str], said: str) -> None:
    before = night.files()
    refused(night.step(step, *options), UsageError.exit_code, said)
    assert night.files() == before


def test_one_step_takes_the_answers_of_all_operators_from_a_folder(night: Night) -> None:
    answers = night.results.parent / "answers"
    answers.mkdir()
    (answers / "fast.pdf").write_bytes(b"yes")
    (answers / "slwo.txt").write_bytes(b"no")
    done(night.step("sent", "--answer-by", "2099-12-31"))
    before = night.files()
    unfit = night.step("answered", "--answers", str(answers))
    refused(unfit, UsageError.exit_code, "file is slwo.txt; expected the name of a portal of this step", "file is none of slow")
    assert night.files() == before
    (answers / "slwo.txt").rename(answers / "slow.txt")
    done(night.step("answered", "--answers", str(answers)))
    assert night.states() == {"fast": "answered", "slow": "answered"}
    (kept,) = (night.sweep.path / "publication" / "slow").iterdir()
    assert kept.read_bytes() == b"no"
    (answers / "slow.pdf").write_bytes(b"and another")
    done(night.step("reopened"))
    done(night.step("sent"))
    refused(
        night.step("answered", "--answers", str(answers)), UsageError.exit_code, "slow is slow.pdf, slow.txt; expected one file a portal"
    )


def test_options_of_a_step_without_a_step_are_refused(night: Night) -> None:
    refused(invoke(night.results, "publication", NAME, "--by", AN), UsageError.exit_code, "STEP is missing, with --by")


def test_the_agency_says_until_when_or_the_option_does(night: Night) -> None:
    path = night.results / AGENCY_FILE
    path.write_text(AGENCY.replace("answer_within_days: 10\n", ""), encoding="utf-8")
    refused(night.step("sent"), UsageError.exit_code, "answer_within_days is not there", "--answer-by")
    path.write_text(AGENCY + "colour: red\n", encoding="utf-8")
    refused(night.step("sent"), CatalogError.exit_code, "agency.yaml:7", "colour")
    path.unlink()
    refused(night.step("sent"), UsageError.exit_code, "agency.yaml: file is not there", "docs/publication.md")


def test_all_portals_or_none(night: Night) -> None:
    night.later("sent", 0, portals=("fast",))
    refused(night.step("sent"), UsageError.exit_code, "publication is fast is sent; expected portals that are draft", "--portal: slow")
    assert night.states() == {"fast": "sent", "slow": "draft"}
    with pytest.raises(UsageError, match=r"--no-answer is fast until .*; expected a day after these"):
        night.later("answered", 9.0, portals=("fast",), no_answer=True)


# What was sent is what becomes final.


def test_scores_that_were_changed_by_hand_take_no_step_and_are_not_pushed(night: Night) -> None:
    night.change_scores()
    before = night.files()
    refused(night.step("sent"), EvidenceError.exit_code, "content is other bytes than the evidence gives (slow)", "harness score")
    assert night.files() == before


def test_a_changed_byte_in_a_final_score_is_refused_by_name(night: Night) -> None:
    night.make_final()
    good = night.sweep.scores.read_bytes()
    night.change_scores()
    said = invoke(night.results, "push", "http://127.0.0.1:9/", "--scores", str(night.sweep.scores))
    refused(said, EvidenceError.exit_code, "scores.json: slow is final since", "points ", "expected the card that was made final")
    assert "slow is final since" in _said(lambda: publication_problems(night.sweep, _public(night)))
    refused(night.step("reopened"), EvidenceError.exit_code, "content is other bytes than were written last")
    done(invoke(night.results, "score", NAME))
    assert night.sweep.scores.read_bytes() == good


def test_a_state_that_no_step_made_is_refused_by_name(night: Night) -> None:
    found = load(night.sweep.scores)
    for card in found["scores"]:
        card["publication"] = {"state": "final", "since_utc": "2026-12-01T00:00:00+00:00"}
    night.sweep.scores.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"publication of fast is final .*; expected draft, as the record of steps"):
        push("http://127.0.0.1:9/", night.sweep.scores, drafts=True)


def test_a_final_score_changes_only_after_it_was_reopened_and_the_cause_stays(night: Night) -> None:
    night.make_final()
    with pytest.MonkeyPatch.context() as other_evidence:
        _only_two(other_evidence, unproven=(SUBMIT,))
        said = invoke(night.results, "score", NAME)
    refused(said, EvidenceError.exit_code, "fast is final since", "points 12 → 8", "other reasons", "other criteria", "other unproven")
    assert "slow is final" not in said.err
    before = night.files()
    said = invoke(night.results, "score", NAME, "--criteria", "demo")
    refused(said, EvidenceError.exit_code, "fast is final since", "slow is final since", "by another criteria set", "points", "reopened")
    assert night.files() == before
    done(night.step("reopened", "--portal", "slow", reason="=1+1 <b>một bản nhật ký</b>"))
    cause = {"revision": 4, "cause": "=1+1 <b>một bản nhật ký</b>"}
    assert night.publication()["slow"] == {"state": "draft", "causes": [cause]}
    assert night.states()["fast"] == "final"
    refused(invoke(night.results, "score", NAME, "--criteria", "demo"), EvidenceError.exit_code, "fast is final")
    done(night.step("reopened", "--portal", "fast", reason="bộ tiêu chí mới"))
    done(invoke(night.results, "score", NAME, "--criteria", "demo"))
    assert load(night.sweep.scores)["criteria_set"]["version"] != "1"
    night.make_final()
    assert night.publication()["slow"]["causes"] == [cause]
    refused(invoke(night.results, "score", NAME), EvidenceError.exit_code, "is final")


def test_scores_that_changed_since_they_were_sent_are_sent_again(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator answered on other numbers."""
    _only_two(monkeypatch, unproven=(SUBMIT,))
    done(invoke(night.results, "score", NAME))
    night.later("sent", 0)
    night.later("answered", 11, no_answer=True)
    _settle(night, "--as", "portal", "--by", AN, "--reason", "trình duyệt cũng không mở được")
    with pytest.raises(
        EvidenceError,
        match=r"fast is another card than was answered on .* \(revision 3\): the same points \(8\), other .* reopened --portal fast",
    ):
        night.later("final", 11)
    with pytest.raises(EvidenceError, match="fast is another card"):
        night.later("final", 11, portals=("fast",))
    night.later("final", 11, portals=("slow",))
    assert night.states() == {"fast": "answered", "slow": "final"}
    _settle(night, "--confirm", "--by", BINH)
    done(night.step("reopened", "--portal", "fast", reason="hai người đã kết luận"))
    night.later("sent", 0, portals=("fast",))
    night.later("answered", 11, portals=("fast",), no_answer=True)
    night.later("final", 11, portals=("fast",))
    said = invoke(night.results, "settle", NAME, "fast", "submit", "--as", "unproven", "--by", AN, "--reason", "x")
    refused(said, EvidenceError.exit_code, "fast is final since", "reopened --portal fast")


def _settle(night: Night, *options: str) -> None:
    done(invoke(night.results, "settle", NAME, "fast", "submit", *options))


def test_what_two_persons_still_decide_is_not_final(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    _only_two(monkeypatch, unproven=(SUBMIT,))
    done(invoke(night.results, "score", NAME))
    night.later("sent", 0, portals=("fast",))
    night.later("answered", 11, portals=("fast",), no_answer=True)
    with pytest.raises(EvidenceError, match=r"fast is unproven submit \(open\); expected nothing left to decide in a final score"):
        night.later("final", 11, portals=("fast",))
    _settle(night, "--as", "profile", "--by", AN, "--reason", "biểu mẫu đã đổi sau khi mô tả")
    _settle(night, "--confirm", "--by", BINH)
    done(night.step("reopened", "--portal", "fast", reason="hai người đã kết luận"))
    night.later("sent", 0, portals=("fast",))
    night.later("answered", 11, portals=("fast",), no_answer=True)
    night.later("final", 11, portals=("fast",))
    assert night.states()["fast"] == "final", "settled, although its criteria have no points"


def test_settlements_take_names_of_the_file_in_their_roles(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    _only_two(monkeypatch, unproven=(SUBMIT,))
    propose = ("settle", NAME, "fast", "submit", "--as", "portal", "--reason", "x", "--by")
    refused(invoke(night.results, *propose, "Ai Đó"), UsageError.exit_code, "--by is Ai Đó; expected a name of", "evaluator")
    refused(invoke(night.results, *propose, "Lê Văn Ví Dụ"), UsageError.exit_code, "--by is Lê Văn Ví Dụ, contact; expected evaluator")
    done(invoke(night.results, *propose, unicodedata.normalize("NFD", AN.lower())))
    assert load(night.sweep.path / "settlements.json")["steps"][0]["by"] == AN
    confirm = ("settle", NAME, "fast", "submit", "--confirm", "--by")
    refused(invoke(night.results, *confirm, AN), UsageError.exit_code, "expected the name of another person")
    done(invoke(night.results, *confirm, BINH))


# A crash between two writes, and a record that somebody changed.


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("where", ["export", "enter_steps"])
def test_a_step_that_a_crash_cut_off_is_noticed_and_finished_by_scoring(
    night: Night, monkeypatch: pytest.MonkeyPatch, where: str, sealed: bool
) -> None:
    monkeypatch.setenv(signing.KEY_VARIABLE, night.key)
    if sealed:
        seal(night.sweep, CATALOG, signing.signing_key(night.key))
    answer = night.results / "tra-loi.txt"
    answer.write_text("Chúng tôi đồng ý.", encoding="utf-8")
    done(night.step("sent", "--portal", "fast"))

    def killed(*_arguments: Any, **_options: Any) -> None:
        raise EnvironmentFault("killed here")

    with pytest.MonkeyPatch.context() as crash:
        crash.setattr(score_folder, where, killed)
        assert night.step("answered", "--portal", "fast", "--answer", str(answer)).code == EnvironmentFault.exit_code
    noticed = [*publication_problems(night.sweep, _public(night)), *register_problems(night.sweep)]
    noticed += [*seal_problems(night.sweep)] if sealed else []
    assert "steps is 1 of 2" in "\n".join(map(str, noticed))
    assert (where == "enter_steps") == (night.states()["fast"] == "answered")
    done(invoke(night.results, "score", NAME))
    assert night.states() == {"fast": "answered", "slow": "draft"}
    if sealed:
        verify(night.sweep, CATALOG)
    else:
        assert not [*publication_problems(night.sweep, _public(night)), *register_problems(night.sweep)]


def test_an_answer_that_was_kept_before_a_crash_belongs_to_the_step_once_it_is_repeated(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signing.KEY_VARIABLE, night.key)
    seal(night.sweep, CATALOG, signing.signing_key(night.key))
    answer = night.results / "tra-loi.txt"
    answer.write_text("Chúng tôi đồng ý.", encoding="utf-8")
    done(night.step("sent", "--portal", "fast"))

    def killed(*_arguments: Any) -> None:
        raise EnvironmentFault("killed here")

    with pytest.MonkeyPatch.context() as crash:
        crash.setattr(publication_steps, "append_step", killed)
        assert night.step("answered", "--portal", "fast", "--answer", str(answer)).code == EnvironmentFault.exit_code
    assert "tra-loi.txt: file is in no seal" in _said(lambda: seal_problems(night.sweep))
    done(night.step("answered", "--portal", "fast", "--answer", str(answer)))
    assert night.states() == {"fast": "answered", "slow": "draft"}
    assert not _said(lambda: seal_problems(night.sweep))


def _one_name(line: dict[str, Any]) -> None:
    line["confirmed_by"] = line["by"].upper()


def _no_reason(line: dict[str, Any]) -> None:
    line["reason"] = ""


def _out_of_order(line: dict[str, Any]) -> None:
    line["step"] = "final"


def _another_name(line: dict[str, Any]) -> None:
    line["by"] = "Somebody Else"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_one_name, f"publication.jsonl:1: persons of the step sent is {AN} and {AN.upper()}; expected two persons"),
        (_no_reason, "publication.jsonl:1: reason of the step sent is empty"),
        (_out_of_order, "publication.jsonl:1: fast is final while it was draft; expected a step that may follow"),
    ],
)
def test_a_record_that_is_none_is_refused_by_name(night: Night, change: Callable[[dict[str, Any]], None], said: str) -> None:
    night.later("sent", 0, portals=("fast",))
    _rewrite(night, change)
    assert said in _said(lambda: publication_problems(night.sweep, _public(night)))
    refused(invoke(night.results, "publication", NAME), EvidenceError.exit_code, said)
    refused(night.step("answered"), EvidenceError.exit_code, said)
    with pytest.raises(EvidenceError, match=r"publication\.jsonl"):
        push("http://127.0.0.1:9/", night.sweep.scores, drafts=True)
    with pytest.raises(EvidenceError, match=r"publication\.jsonl"):
        score_folder.score_folder(night.sweep, CATALOG, CATALOG.criteria["demo@1"])


def test_a_name_that_was_changed_later_is_seen_by_signature_register_and_seal(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signing.KEY_VARIABLE, night.key)
    seal(night.sweep, CATALOG, signing.signing_key(night.key))
    night.later("sent", 0, portals=("fast",))
    _rewrite(night, _another_name)
    assert "signature of the step sent is not of this line by this key" in _said(lambda: publication_problems(night.sweep, _public(night)))
    assert "steps is 1 (sent) is another or missing" in _said(lambda: register_problems(night.sweep))
    with pytest.raises(EvidenceError, match=r"publication\.jsonl: SHA-256"):
        check_seal(night.sweep)
    (night.sweep.path / PUBLICATION).unlink()
    assert "steps is 1 (sent) is another or missing" in _said(lambda: register_problems(night.sweep))


def _rewrite(night: Night, change: Callable[[dict[str, Any]], None]) -> None:
    path = night.sweep.path / PUBLICATION
    line = json.loads(path.read_bytes().splitlines()[0])
    change(line)
    path.write_bytes(json.dumps(line, ensure_ascii=False, sort_keys=True).encode() + b"\n")


# Around it.


def test_published_scores_keep_their_evidence_and_are_not_measured_on(night: Night) -> None:
    night.later("sent", 0, portals=("fast",))
    assert [each.kept_because for each in apply_retention(night.results, 0, dry_run=True)] == ["sent to operators"]
    with pytest.raises(EvidenceError, match="publication is fast is sent; expected drafts"):
        require_no_steps(night.sweep, "what is measured now would change them")


def test_a_shell_may_name_everything_in_the_results_folder(night: Night) -> None:
    finished = done(invoke(night.results, "score", NAME, "agency.yaml", "register.jsonl"))
    assert "agency.yaml: left out; it is the agency's names file, not a sweep" in finished.err
    assert "register.jsonl: left out; it is the register of all sweeps, not a sweep" in finished.err


def test_names_and_reasons_are_text_everywhere(night: Night) -> None:
    odd = "=HYPERLINK(1)<script>alert(1)</script>"
    (night.results / AGENCY_FILE).write_text(AGENCY.replace(AN, f'"{odd}"'), encoding="utf-8")
    finished = done(night.step("sent", "--portal", "fast", by=odd, reason="\x1b[31mđỏ <b>"))
    assert f"sent: {odd} and {BINH}, revision 1: \\u001b[31mđỏ <b>" in finished.out
    page = (night.sweep.path / "report.html").read_text(encoding="utf-8")
    assert '<b><span lang="vi">1 hệ thống: dự thảo, chưa công bố; 1 hệ thống: đã gửi đơn vị vận hành</span>' in page
    assert odd not in page


def test_older_scores_are_drafts_and_keep_their_bytes(night: Night) -> None:
    found = load(night.sweep.scores)
    for card in found["scores"]:
        del card["publication"]
    night.sweep.scores.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    before = night.sweep.scores.read_bytes()
    done(invoke(night.results, "score", NAME))
    assert night.sweep.scores.read_bytes() == before
    night.later("sent", 0, portals=("fast",))
    assert night.states() == {"fast": "sent", "slow": "draft"}


def test_of_two_steps_at_the_same_time_one_is_refused(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is recorded while the scores of this one are computed."""
    scored = score_folder.score_sweep

    def killed(*_arguments: Any, **_options: Any) -> None:
        raise EnvironmentFault("its scores are not written yet")

    def another_step_first(*of: Any, **options: Any) -> Any:
        monkeypatch.setattr(score_folder, "score_sweep", scored)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(score_folder, "export", killed)
            with pytest.raises(EnvironmentFault):
                night.later("sent", 0, portals=("fast",))
        return scored(*of, **options)

    monkeypatch.setattr(score_folder, "score_sweep", another_step_first)
    refused(night.step("sent", "--portal", "slow"), EvidenceError.exit_code, "last line is another one than a moment ago")
    done(invoke(night.results, "score", NAME))
    assert night.states() == {"fast": "sent", "slow": "draft"}
