"""From a night to published scores: two persons take each step on the record, and a step that does not fit is refused by name."""

from __future__ import annotations

import json
import shutil
import unicodedata
import zipfile

import pytest

from harness.catalog.agency import AGENCY_FILE
from harness.errors import CatalogError, UsageError
from harness.evidence import SweepFolder
from harness.evidence.publication import PUBLICATION
from harness.operations import signing
from harness.operations.addenda import read_addenda
from harness.operations.publication_record import publication_problems
from harness.operations.register import read_register
from harness.operations.sealed_evidence import seal
from harness.operations.verification import verify
from harness.publish import push
from harness.records.files import digest
from tests.e2e.commands import invoke
from tests.e2e.evidence import load
from tests.publish.receiver import Receiver
from tests.recorded.publication.night import (
    AGENCY,
    AN,
    BINH,
    CATALOG,
    NAME,
    SUBMIT,
    Night,
    done,
    only_two,
    problem_text,
    public_key,
    refused,
)


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
        rows = json.loads(done(invoke(night.results, "nights", ".", "--json")).out)
        assert {row["portal"]: row["publication"] for row in rows} == {"fast": "answered", "slow": "sent"}
        assert [line.rsplit("  ", 1)[1] for line in done(invoke(night.results, "nights", ".")).out.splitlines()[1:3]] == [
            "the operator was heard", "sent to the operator",
        ]  # fmt: skip
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
    assert f"{answer.name}: SHA-256 is" in problem_text(lambda: publication_problems(night.sweep, public_key(night)))


def _a_share_has_its_own_answers_alone(night: Night) -> None:
    done(invoke(night.results, "pack", NAME, "--portal", "slow", "--out", "slow.zip"))
    with zipfile.ZipFile(night.results / "slow.zip") as packed:
        names = [name for name in packed.namelist() if "/publication" in name]
        packed.extractall(night.results / "elsewhere")
    assert names == [f"{NAME}/{PUBLICATION}"]
    verify(SweepFolder(night.results / "elsewhere" / NAME), CATALOG)
    shutil.rmtree(night.results / "elsewhere")


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


def test_settlements_take_names_of_the_file_in_their_roles(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    only_two(monkeypatch, unproven=(SUBMIT,))
    propose = ("settle", NAME, "fast", "submit", "--as", "portal", "--reason", "x", "--by")
    refused(invoke(night.results, *propose, "Ai Đó"), UsageError.exit_code, "--by is Ai Đó; expected a name of", "evaluator")
    refused(invoke(night.results, *propose, "Lê Văn Ví Dụ"), UsageError.exit_code, "--by is Lê Văn Ví Dụ, contact; expected evaluator")
    done(invoke(night.results, *propose, unicodedata.normalize("NFD", AN.lower())))
    assert load(night.sweep.path / "settlements.json")["steps"][0]["by"] == AN
    confirm = ("settle", NAME, "fast", "submit", "--confirm", "--by")
    refused(invoke(night.results, *confirm, AN), UsageError.exit_code, "expected the name of another person")
    done(invoke(night.results, *confirm, BINH))


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
