"""Unproven journeys and refusals under load are settled by two persons, after the sweep, on the record; each step is a revision."""

from __future__ import annotations

import json
import os
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.catalog import load_catalog
from harness.cli import main
from harness.errors import EvidenceError, UsageError
from harness.evidence import Reason, RunFacts, SweepFolder, Verdict, read_runs
from harness.evidence.facts import UnprovenJourney
from harness.operations import score_folder, settlements
from harness.operations.kept_process import write_process
from harness.operations.locust_run import PID
from harness.operations.settlements import SettlementRecord, apply_settlements, read_settlements
from harness.operations.shipped import scenarios_folder
from harness.records import SCORED_STAGES
from tests.publish.pages import all_pages
from tests.recorded.conftest import RECORDED

SUBMIT = UnprovenJourney("submit", "file", "log_in", "extraction", "css #dang-nhap", "", 3)
PAY = UnprovenJourney("pay", "pay", "quote_fee", "wrong_content", "no text 'Lệ phí'", "", 3)
Planted = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(RECORDED, tmp_path / "demo")


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Makes journeys of the recorded portal `fast` unproven, as the lone walks of a sweep do."""

    def plant(*journeys: UnprovenJourney, **changes: Any) -> None:
        def runs(folder: SweepFolder) -> tuple[RunFacts, ...]:
            return tuple(replace(run, unproven=journeys, **changes) if run.portal == "fast" else run for run in read_runs(folder))

        monkeypatch.setattr(settlements, "read_runs", runs)
        monkeypatch.setattr(score_folder, "read_runs", lambda folder: tuple(run for run in runs(folder) if run.portal == "fast"))

    plant(SUBMIT)
    return plant


def settle(folder: Path, *options: str, journey: str = "submit", portal: str = "fast") -> Result:
    return CliRunner().invoke(main, ["settle", str(folder), portal, journey, *options])


def propose(folder: Path, cause: str, by: str = "An", *more: str, journey: str = "submit") -> Result:
    return settle(folder, "--as", cause, "--by", by, "--reason", "Đăng nhập không mở được trong trình duyệt", *more, journey=journey)


def card(folder: Path, portal: str = "fast") -> dict[str, Any]:
    (found,) = [each for each in json.loads((folder / "scores.json").read_text(encoding="utf-8"))["scores"] if each["portal"] == portal]
    return dict(found)


def of_submit(folder: Path) -> set[tuple[str, float | None]]:
    return {(each["state"], each["points"]) for each in card(folder)["criteria"] if "submit" in each["id"]}


def codes(folder: Path) -> list[str]:
    return [reason["code"] for reason in card(folder)["reasons"]]


def revision(folder: Path) -> int:
    return int(json.loads((folder / "scores.json").read_text(encoding="utf-8"))["revision"])


def test_settled_as_the_portals_fault_its_criteria_get_zero_and_each_step_is_a_revision(folder: Path, planted: Planted) -> None:
    picture = folder.parent / "browser.png"
    picture.write_bytes(b"what a person saw")
    before = card(folder)
    done = propose(folder, "portal", "An", "--attach", str(picture))
    assert done.exit_code == 0, done.output
    assert f"harness settle {folder} fast submit --confirm --by NAME" in done.stdout
    first = revision(folder)
    assert of_submit(folder) == {("unproven", None)}, "a proposal changes no points"
    assert codes(folder) == ["settlement_proposed", "journey_unproven"]

    done = settle(folder, "--confirm", "--by", "Bình", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) | {"at_utc": ""} == {
        "revision": first + 1, "step": "confirmed", "portal": "fast", "journey": "submit", "cause": "portal", "by": "Bình", "at_utc": "",
        "reason": "", "attachment": None,
    }  # fmt: skip
    assert of_submit(folder) == {("assessed", 0.0)}
    after = card(folder)
    assert (after["verdict"], codes(folder)) == ("valid", ["settled_as_portal"])
    assert after["reasons"][0]["detail"] == "submit: An & Bình"
    assert "unproven" not in after
    assert after["points_assessed_max"] == before["points_assessed_max"]
    lost = sum(each["points"] for each in before["criteria"] if "submit" in each["id"] and each["points"])
    assert after["points"] == pytest.approx(before["points"] - lost)

    digest = sha256(b"what a person saw").hexdigest()
    (proposal, confirmation) = json.loads((folder / "settlements.json").read_text(encoding="utf-8"))["steps"]
    assert (proposal["by"], confirmation["by"]) == ("An", "Bình")
    assert proposal["reason"] == "Đăng nhập không mở được trong trình duyệt"
    assert proposal["attachment"]["sha256"] == digest
    assert (folder / proposal["attachment"]["file"]).read_bytes() == b"what a person saw"
    assert {"settlements.json", proposal["attachment"]["file"]} <= {each["file"] for each in after["evidence"]}
    assert [each["revision"] for each in json.loads((folder / "revisions.json").read_text(encoding="utf-8"))][-2:] == [first, first + 1]
    assert "An & Bình" in all_pages(folder).replace("&amp;", "&")


def test_settled_as_our_profiles_fault_it_has_no_points_and_is_measured_again(folder: Path, planted: Planted) -> None:
    propose(folder, "profile")
    assert settle(folder, "--confirm", "--by", "Bình").exit_code == 0
    assert of_submit(folder) == {("unproven", None)}
    assert codes(folder) == ["settled_as_profile", "journey_unproven"]
    assert len(read_settlements(SweepFolder(folder)).steps) == 2


def test_it_is_reversible_by_two_names_and_the_old_steps_are_kept(folder: Path, planted: Planted) -> None:
    for cause in ("portal", "profile", "unproven"):
        number = revision(folder)
        assert propose(folder, cause, "Bình").exit_code == 0
        assert settle(folder, "--confirm", "--by", "An").exit_code == 0
        assert revision(folder) == number + 2
    assert of_submit(folder) == {("unproven", None)}
    assert codes(folder) == ["journey_unproven"]
    assert len(read_settlements(SweepFolder(folder)).steps) == 6


def test_until_it_is_confirmed_a_later_proposal_leaves_the_settlement_as_it_is(folder: Path, planted: Planted) -> None:
    propose(folder, "portal")
    settle(folder, "--confirm", "--by", "Bình")
    propose(folder, "profile")
    assert of_submit(folder) == {("assessed", 0.0)}
    assert codes(folder) == ["settled_as_portal", "settlement_proposed"]


@pytest.mark.parametrize("name", ["An", " an ", "AN"])
def test_one_name_for_both_is_refused(folder: Path, planted: Planted, name: str) -> None:
    propose(folder, "portal", "An")
    done = settle(folder, "--confirm", "--by", name)
    assert done.exit_code == UsageError.exit_code
    assert "expected the name of another person than An, who proposed it" in done.stderr
    assert of_submit(folder) == {("unproven", None)}


def test_one_name_in_two_encodings_is_one_name(folder: Path, planted: Planted) -> None:
    """Vietnamese letters as macOS and as Windows write them."""
    propose(folder, "portal", unicodedata.normalize("NFC", "Bình"))
    done = settle(folder, "--confirm", "--by", unicodedata.normalize("NFD", "Bình"))
    assert done.exit_code == UsageError.exit_code


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--confirm", "--by", "Bình"], "nothing is proposed for fast submit"),
        (["--as", "portal", "--by", "An"], "--reason is empty"),
        (["--as", "portal", "--by", " ", "--reason", "x"], "--by is empty"),
        (["--as", "unproven", "--by", "An", "--reason", "x"], "which is that already"),
        (["--as", "portal", "--by", "An", "--reason", "x", "--attach", "none.png"], "none.png"),
        (["--as", "portal", "--confirm", "--by", "An"], "--as, --confirm is both or neither"),
        (["--by", "An"], "--as, --confirm is both or neither"),
    ],
)
def test_what_cannot_be_recorded_is_refused(folder: Path, planted: Planted, options: list[str], said: str) -> None:
    done = settle(folder, *options)
    assert done.exit_code == UsageError.exit_code, done.output
    assert said in done.stderr
    assert not (folder / "settlements.json").exists()


def test_only_what_is_unproven_is_settled(folder: Path, planted: Planted) -> None:
    done = propose(folder, "portal", journey="pay")
    assert done.exit_code == UsageError.exit_code
    assert "PORTAL JOURNEY is fast pay; expected an unproven journey (fast: submit)" in done.stderr


def test_a_sweep_that_is_measured_now_is_refused(folder: Path, planted: Planted) -> None:
    write_process(folder / PID, os.getpid())
    done = propose(folder, "portal")
    assert done.exit_code == EvidenceError.exit_code
    assert f"process {os.getpid()} still measures it" in done.stderr
    (folder / PID).unlink()
    assert propose(folder, "portal").exit_code == 0


def test_a_sweep_that_was_cut_off_is_refused(folder: Path, planted: Planted) -> None:
    """Later rounds might have proven the journey."""
    (folder / "rounds" / "round-001-00.json").unlink()
    done = propose(folder, "portal")
    assert done.exit_code == EvidenceError.exit_code
    assert "rounds is 001-00 not sealed" in done.stderr


def test_an_attachment_that_was_changed_is_refused(folder: Path, planted: Planted) -> None:
    (folder / "picture.png").write_bytes(b"1")
    assert propose(folder, "portal", "An", "--attach", str(folder / "picture.png")).exit_code == 0
    (kept,) = (folder / "settlements").iterdir()
    kept.write_bytes(b"2")
    assert settle(folder, "--confirm", "--by", "Bình").exit_code == EvidenceError.exit_code
    assert CliRunner().invoke(main, ["score", str(folder)]).exit_code == EvidenceError.exit_code


def test_nothing_is_settled_where_nobody_did(folder: Path) -> None:
    (run, *_) = read_runs(SweepFolder(folder))
    assert apply_settlements(run, SettlementRecord()) is run
    planted_run = replace(run, unproven=(SUBMIT,))
    assert apply_settlements(planted_run, SettlementRecord()) is planted_run


def test_a_criterion_of_two_journeys_waits_for_both(folder: Path, planted: Planted) -> None:
    """`pay` is unproven still: no criterion that needs it has points, and the portal is not ranked."""
    planted(SUBMIT, PAY)
    propose(folder, "portal")
    settle(folder, "--confirm", "--by", "Bình")
    states = {each["id"]: each["state"] for each in card(folder)["criteria"]}
    select = {each.id: each.select.journey for each in load_catalog(scenarios_folder()).criteria["demo"].criteria}
    assert "unproven" in states.values()
    for name, state in states.items():
        if state != "not_assessed":
            assert state == ("unproven" if "pay" in select[name] else "assessed")
    assert [each["journey"] for each in card(folder)["unproven"]] == ["pay"]


def test_a_portal_on_which_nothing_could_be_loaded_has_zero_points_once_all_is_settled_against_it(folder: Path, planted: Planted) -> None:
    (run,) = [each for each in read_runs(SweepFolder(folder)) if each.portal == "fast"]
    walked = tuple(window for window in run.windows if window.stage not in SCORED_STAGES)
    search = replace(SUBMIT, journey="search")
    planted(search, SUBMIT, PAY, windows=walked, verdict=Verdict.INSUFFICIENT)
    for journey in ("search", "submit", "pay"):
        assert card(folder)["points"] is None or journey == "search"
        assert propose(folder, "portal", journey=journey).exit_code == 0
        assert settle(folder, "--confirm", "--by", "Bình", journey=journey).exit_code == 0
    found = card(folder)
    assert (found["verdict"], found["points"]) == ("valid", 0.0)
    assert found["points_assessed_max"] > 0


def limited(run: RunFacts, *, verdict: Verdict | None = None) -> dict[str, Any]:
    """A run in whose last scored window, or in all of them, the portal refused many and then served a lone citizen."""
    scored = [window.window for window in run.windows if window.stage in SCORED_STAGES]
    spoiled = scored if verdict is not None else scored[-1:]
    reason = Reason("address_limit", "8 of 8 visits")
    windows = tuple(replace(each, verdict=Verdict.BLOCKED, reasons=(reason,)) if each.window in spoiled else each for each in run.windows)
    return {"windows": windows, "reasons": (reason,), "verdict": verdict or run.verdict}


@pytest.fixture
def fast(folder: Path) -> RunFacts:
    (run,) = [each for each in read_runs(SweepFolder(folder)) if each.portal == "fast"]
    return run


def windows_of(folder: Path, criterion: str = "visits-search") -> int:
    (found,) = [each for each in card(folder)["criteria"] if each["id"] == criterion]
    return int(found["windows"])


def test_refusals_are_settled_as_the_portals_or_as_a_limit_on_our_address_and_taken_back(
    folder: Path, planted: Planted, fast: RunFacts
) -> None:
    whole = card(folder)
    planted(**limited(fast))
    found = {}
    for cause in ("address", "portal", "address_limit"):
        number = revision(folder)
        assert propose(folder, cause, journey="address_limit").exit_code == 0
        assert "settlement_proposed" in codes(folder)
        assert settle(folder, "--confirm", "--by", "An", journey="address_limit").exit_code == UsageError.exit_code, "one name"
        assert settle(folder, "--confirm", "--by", "Bình", journey="address_limit").exit_code == 0
        assert revision(folder) == number + 2
        found[cause] = (windows_of(folder), card(folder)["reasons"])
    settled = [("refusals_settled_as_address", "An & Bình: 8 of 8 visits"), ("refusals_settled_as_portal", "An & Bình: 8 of 8 visits")]
    told = {
        cause: [(each["code"], each["detail"]) for each in reasons if each["code"] != "not_enough_windows"]
        for cause, (_, reasons) in found.items()
    }
    assert told == {"address": settled[:1], "portal": settled[1:], "address_limit": [("address_limit", "8 of 8 visits")]}
    assert {cause: windows for cause, (windows, _) in found.items()} == {"address": 5, "portal": 6, "address_limit": 5}
    assert len(read_settlements(SweepFolder(folder)).steps) == 6
    propose(folder, "portal", journey="address_limit")
    settle(folder, "--confirm", "--by", "Bình", journey="address_limit")
    assert card(folder)["points"] == whole["points"], "the rows are those of a portal that did well"


def test_a_run_of_limited_windows_alone_is_scored_once_it_is_settled_as_the_portals(folder: Path, planted: Planted, fast: RunFacts) -> None:
    planted(**limited(fast, verdict=Verdict.INSUFFICIENT))
    propose(folder, "portal", journey="address_limit")
    assert (card(folder)["verdict"], card(folder)["points"]) == ("insufficient", None)
    settle(folder, "--confirm", "--by", "Bình", journey="address_limit")
    assert card(folder)["verdict"] == "valid"
    assert card(folder)["points"] > 0


@pytest.mark.parametrize(("journey", "cause"), [("address_limit", "profile"), ("address_limit", "unproven"), ("submit", "address")])
def test_a_cause_of_something_else_is_refused(folder: Path, planted: Planted, fast: RunFacts, journey: str, cause: str) -> None:
    planted(SUBMIT, **limited(fast))
    done = propose(folder, cause, journey=journey)
    assert done.exit_code == UsageError.exit_code
    assert f"--as is {cause}; expected one of portal, " in done.stderr
    assert f"for {journey}" in done.stderr


def test_refusals_of_a_sweep_that_is_measured_now_are_not_settled(folder: Path, planted: Planted, fast: RunFacts) -> None:
    planted(**limited(fast))
    write_process(folder / PID, os.getpid())
    assert propose(folder, "portal", journey="address_limit").exit_code == EvidenceError.exit_code
    (folder / PID).unlink()
    (folder / "rounds" / "round-001-00.json").unlink()
    assert propose(folder, "portal", journey="address_limit").exit_code == EvidenceError.exit_code
