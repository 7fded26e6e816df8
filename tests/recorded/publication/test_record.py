"""A crash between two writes of a step, two steps at the same time, and a record of steps that somebody changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import EnvironmentFault, EvidenceError
from harness.evidence.publication import PUBLICATION
from harness.operations import publication_steps, score_folder, signing
from harness.operations.publication_record import publication_problems
from harness.operations.register import register_problems
from harness.operations.sealed_evidence import check_seal, seal, seal_problems
from harness.operations.verification import verify
from harness.publish import push
from tests.e2e.commands import invoke
from tests.recorded.publication.night import AN, CATALOG, NAME, Night, done, problem_text, public_key, refused


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
    noticed = [*publication_problems(night.sweep, public_key(night)), *register_problems(night.sweep)]
    noticed += [*seal_problems(night.sweep)] if sealed else []
    assert "steps is 1 of 2" in "\n".join(map(str, noticed))
    assert (where == "enter_steps") == (night.states()["fast"] == "answered")
    done(invoke(night.results, "score", NAME))
    assert night.states() == {"fast": "answered", "slow": "draft"}
    if sealed:
        verify(night.sweep, CATALOG)
    else:
        assert not [*publication_problems(night.sweep, public_key(night)), *register_problems(night.sweep)]


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
    assert "tra-loi.txt: file is in no seal" in problem_text(lambda: seal_problems(night.sweep))
    done(night.step("answered", "--portal", "fast", "--answer", str(answer)))
    assert night.states() == {"fast": "answered", "slow": "draft"}
    assert not problem_text(lambda: seal_problems(night.sweep))


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
    assert said in problem_text(lambda: publication_problems(night.sweep, public_key(night)))
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
    assert "signature of the step sent is not of this line by this key" in problem_text(
        lambda: publication_problems(night.sweep, public_key(night))
    )
    assert "steps is 1 (sent) is another or missing" in problem_text(lambda: register_problems(night.sweep))
    with pytest.raises(EvidenceError, match=r"publication\.jsonl: SHA-256"):
        check_seal(night.sweep)
    (night.sweep.path / PUBLICATION).unlink()
    assert "steps is 1 (sent) is another or missing" in problem_text(lambda: register_problems(night.sweep))


def _rewrite(night: Night, change: Callable[[dict[str, Any]], None]) -> None:
    path = night.sweep.path / PUBLICATION
    line = json.loads(path.read_bytes().splitlines()[0])
    change(line)
    path.write_bytes(json.dumps(line, ensure_ascii=False, sort_keys=True).encode() + b"\n")
