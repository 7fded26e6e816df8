"""What was sent is what becomes final, and a final score changes only with a cause."""

from __future__ import annotations

import json

import pytest

from harness.errors import EvidenceError
from harness.operations.publication_record import publication_problems, require_no_steps
from harness.operations.retention import apply_retention
from harness.publish import push
from tests.e2e.commands import invoke
from tests.e2e.evidence import load
from tests.recorded.publication.night import AN, BINH, NAME, SUBMIT, Night, done, only_two, problem_text, public_key, refused


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
    assert "slow is final since" in problem_text(lambda: publication_problems(night.sweep, public_key(night)))
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
        only_two(other_evidence, unproven=(SUBMIT,))
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
    only_two(monkeypatch, unproven=(SUBMIT,))
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
    only_two(monkeypatch, unproven=(SUBMIT,))
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


def test_published_scores_keep_their_evidence_and_are_not_measured_on(night: Night) -> None:
    night.later("sent", 0, portals=("fast",))
    assert [each.kept_because for each in apply_retention(night.results, 0, dry_run=True)] == ["sent to operators"]
    with pytest.raises(EvidenceError, match="publication is fast is sent; expected drafts"):
        require_no_steps(night.sweep, "what is measured now would change them")


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
