"""From a night of 84 embedded portals to final scores: what the night left is named, settled, sent, answered and pushed, by the real commands.

Each test takes up where the one before ends. What a test changes on purpose, it changes in a copy.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.errors import EvidenceError, UsageError
from harness.operations.signing import KEY_VARIABLE
from tests.acceptance.planted_night import (
    AT_ONCE,
    BLOCKED,
    INSUFFICIENT,
    LIMITED,
    MAINTAINED,
    NOT_PERMITTED,
    PLANTED,
    SET,
    SHARED,
    STANDING,
    UNPROVEN,
    UNREACHABLE,
    VOID,
    WINDOW_S,
    WINDOWS,
    Operators,
    Part,
    closed_port,
    operators,
    slow_path,
    write_catalog,
)
from tests.e2e.commands import HARNESS, Finished, started
from tests.e2e.evidence import ledger, load, only_folder
from tests.publish.browser import require_chromium
from tests.publish.receiver import Receiver

pytestmark = pytest.mark.slow

KEY = "seal.key"
LONGEST_S = 3000.0  # a hang is a failure; nothing is judged by its duration
PORTALS = 84
EVALUATOR, CONFIRMER = "Nguyễn Thử Nghiệm An", "Trần Thử Nghiệm Bình"
AGENCY = {
    "name_vi": "Cơ quan Thử Nghiệm", "name_en": "Test Agency", "place_vi": "Hà Nội", "settle_within_days": 5, "answer_within_days": 10,
    "people": [
        {"name": EVALUATOR, "roles": ["evaluator"], "title_vi": "Chuyên viên"},
        {"name": CONFIRMER, "roles": ["confirmer", "contact"], "title_vi": "Trưởng phòng", "email": "binh@thu-nghiem.invalid"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Night:
    """A sweep that has ended, and what the test knows of it."""

    folder: Path  # holds catalog and results
    sweep: Path
    slowed: Part
    operators: Operators

    def cards(self) -> dict[str, Any]:
        """The entries of scores.json by portal."""
        return {card["portal"]: card for card in load(self.sweep / "scores.json")["scores"]}

    def try_(self, command: str, *options: str) -> Finished:
        """``harness COMMAND``, about this sweep, to its end."""
        words = [HARNESS, command, str(self.sweep), *options]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False, timeout=LONGEST_S)
        return Finished(done.returncode, done.stdout, done.stderr)

    def do(self, command: str, *options: str) -> str:
        """The same, which has to end well; what it printed."""
        done = self.try_(command, *options)
        assert done.code == 0, f"{command} {options}: {done.said}"
        return done.out

    def worklist(self) -> list[dict[str, Any]]:
        """The items of ``harness review``."""
        return list(json.loads(self.do("review", "--json"))["items"])


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """The sweep; the sites of the planted portals stay up. Every command signs with one key."""
    folder = tmp_path_factory.mktemp("morning")
    make_key(folder)
    options = ("--workload", "planted", "--criteria", "planted", "--at-once", str(AT_ONCE), "--catalog", "catalog")
    with operators() as running, closed_port() as nobody, pytest.MonkeyPatch.context() as environment:
        environment.setenv(KEY_VARIABLE, f"file:{folder / KEY}")
        write_catalog(folder / "catalog", running.found, nobody)
        with started([HARNESS, "sweep", "--set", SET, *options], folder) as under_way:
            slowed = slow_path(under_way, folder / "results")
            code = under_way.process.wait(timeout=LONGEST_S)
            assert code == 10, under_way.said[-4000:]  # two verdicts are insufficient, one is void
        yield Night(folder, only_folder(folder / "results"), slowed, running)


def make_key(folder: Path) -> None:
    """The key pair of those who sign."""
    subprocess.run([HARNESS, "seal", "--new-key", str(folder / KEY)], check=True, capture_output=True, timeout=LONGEST_S)


def test_the_night_reached_every_state_that_was_planted(night: Night) -> None:
    """And nothing else happened: every portal that was not touched is valid, without a reason."""
    cards = night.cards()
    assert len(cards) == 84
    verdicts = {portal: card["verdict"] for portal, card in cards.items() if card["verdict"] != "valid"}
    assert verdicts == {
        VOID: "void", BLOCKED: "blocked", UNREACHABLE: "unreachable", LIMITED: "insufficient", INSUFFICIENT: "insufficient",
    }  # fmt: skip
    codes = {portal: {reason["code"] for reason in card["reasons"]} for portal, card in cards.items()}
    assert codes[UNPROVEN] == {"journey_unproven"}
    assert codes[VOID] == {"our_own_files"}
    assert codes[LIMITED] == {"address_limit"}
    assert codes[SHARED] == codes[INSUFFICIENT] == {"shared_failure"}
    assert codes[NOT_PERMITTED] == {"not_permitted"}
    assert {portal for portal, found in codes.items() if "path_doubt" in found} == night.slowed.portals
    assert {portal for portal, found in codes.items() if found} <= PLANTED | night.slowed.portals
    standing = (night.sweep / "not-withdrawn.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    assert {line.partition(",")[0] for line in standing} == {STANDING}


@pytest.fixture(scope="module")
def morning(night: Night) -> Night:
    """The night with the names of those who settle it, and with an announcement of maintenance that came too late."""
    (night.sweep.parent / "agency.yaml").write_text(json.dumps(AGENCY, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    begin, end = maintenance(night)
    document = night.folder / "12.txt"
    document.write_text("Thông báo bảo trì hệ thống", encoding="utf-8")
    announced = ("--announced-at", (begin - timedelta(hours=1)).isoformat(), "--document", "12/TB-THU", "--attach", str(document))
    night.do("supply", MAINTAINED, "--maintenance", begin.isoformat(), end.isoformat(), *announced, "--catalog", "catalog")
    night.do("score", "--catalog", "catalog")
    return night


def maintenance(night: Night) -> tuple[datetime, datetime]:
    """The time of the last window of the portal that showed a maintenance page in it."""
    windows = [each for each in load(night.sweep / "manifests" / f"{MAINTAINED}.json")["windows"] if each["stage"] == "typical"]
    begin = datetime.fromisoformat(windows[WINDOWS - 1]["began_utc"])
    return begin, begin + timedelta(seconds=WINDOW_S)


@pytest.fixture(scope="module")
def items(morning: Night) -> list[dict[str, Any]]:
    """The worklist, before anybody has settled anything."""
    return morning.worklist()


TO_DO = {
    (UNPROVEN, "unproven"): "open",
    (LIMITED, "address_limit"): "open",
    (LIMITED, "insufficient"): "open",
    (VOID, "void"): "open",
    (BLOCKED, "blocked"): "open",
    (UNREACHABLE, "unreachable"): "open",
    (INSUFFICIENT, "insufficient"): "open",
    (INSUFFICIENT, "shared_failure"): "open",
    (SHARED, "shared_failure"): "for_information",  # its window was made up for
    (MAINTAINED, "late_maintenance"): "for_information",  # its windows are scored all the same
    (STANDING, "not_withdrawn"): "open",
    (NOT_PERMITTED, "not_assessed"): "open",
}
"""What the list has to say besides the doubted path: a portal and a kind, and whether somebody has to act."""


def test_the_worklist_names_each_planted_state_at_its_portal_and_no_other(items: list[dict[str, Any]], night: Night) -> None:
    """Where an item concerns the whole sweep, it names all portals that it touches."""
    named = [(portal, item["kind"], item["state"]) for item in items for portal in item["portals"]]
    doubted = [(portal, "path_doubt", "for_information") for portal in night.slowed.portals]  # all were made up for
    assert Counter(named) == Counter([*((*who, state) for who, state in TO_DO.items()), *doubted])
    assert {item["portal"] for item in items if item["blocks_final"]} == {UNPROVEN, LIMITED}


def test_each_item_shows_its_evidence(items: list[dict[str, Any]], night: Night) -> None:
    """The page that was saved, a time of the night, and how often it was seen."""
    seen = {(portal, item["kind"]): item["seen"] for item in items for portal in item["portals"]}
    assert {who: shown["count"] for who, shown in seen.items()} == counted(night)
    with_page = {(UNPROVEN, "unproven"), (LIMITED, "address_limit"), (BLOCKED, "blocked")}
    for who, shown in seen.items():
        assert bool(shown["page"]) == (who in with_page), who
        assert not shown["page"] or (night.sweep / shown["page"]).is_file()
        if who[1] != "not_assessed":  # nothing happened: what was missing was the permission
            assert during(night, shown["first_utc"]), who
            assert during(night, shown["last_utc"]), who


def counted(night: Night) -> dict[tuple[str, str], int]:
    """How often each state was planted: walks, windows, visits, dossiers or criteria."""
    tries, journeys = 3, 2
    return {
        (UNPROVEN, "unproven"): tries,
        (LIMITED, "address_limit"): WINDOWS,
        (LIMITED, "insufficient"): 0,  # valid windows
        (VOID, "void"): tries,  # walks of each journey
        (BLOCKED, "blocked"): tries * journeys,
        (UNREACHABLE, "unreachable"): tries * journeys,
        (INSUFFICIENT, "insufficient"): 0,
        (INSUFFICIENT, "shared_failure"): WINDOWS + 1,  # one visit that logs in a window; one window is made up for
        (SHARED, "shared_failure"): 1,
        (MAINTAINED, "late_maintenance"): 1,
        (STANDING, "not_withdrawn"): ledger(night.sweep, STANDING)["dossier"],
        (NOT_PERMITTED, "not_assessed"): 1,
        **dict.fromkeys(((portal, "path_doubt") for portal in night.slowed.portals), len(night.slowed.portals)),
    }


def during(night: Night, moment: str) -> bool:
    """Whether a moment lies between the beginning of the sweep and the end of its withdrawals."""
    lines = [json.loads(line) for line in (night.sweep / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    first, last = (datetime.fromisoformat(lines[at]["at_utc"]) for at in (0, -1))
    return first <= datetime.fromisoformat(moment) <= last + timedelta(seconds=1)


def test_nobody_is_sent_a_draft_by_accident(morning: Night) -> None:
    with Receiver() as receiver:
        done = push(morning, receiver)
        assert receiver.requests == []
    assert done.code == UsageError.exit_code, done.said
    assert "draft" in done.err


def push(night: Night, receiver: Receiver) -> Finished:
    """``harness push`` of the scores."""
    words = [HARNESS, "push", receiver.url, "--scores", str(night.sweep / "scores.json")]
    done = subprocess.run(words, cwd=night.folder, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def settled(morning: Night, items: list[dict[str, Any]]) -> Night:
    """What two persons have to decide is decided, and the dossiers that still stood are withdrawn."""
    assert items  # the list was taken before
    for portal, subject, cause in ((UNPROVEN, "submit", "portal"), (LIMITED, "address_limit", "address")):
        proposal = ("--as", cause, "--by", EVALUATOR, "--reason", "đã xem trang đã lưu và hỏi đơn vị vận hành")
        morning.do("settle", portal, subject, *proposal, "--catalog", "catalog")
        morning.do("settle", portal, subject, "--confirm", "--by", CONFIRMER, "--catalog", "catalog")
    morning.operators.withdraws = True
    morning.do("withdraw", "--catalog", "catalog")
    return morning


def test_what_was_settled_stands_settled_in_the_worklist(settled: Night) -> None:
    """What only another measurement can give stays open; it keeps no score from being final."""
    items = settled.worklist()
    states = {(portal, item["kind"]): item["state"] for item in items for portal in item["portals"] if item["kind"] != "path_doubt"}
    done = {(UNPROVEN, "unproven"): "settled", (LIMITED, "address_limit"): "settled"}
    assert states == {who: done.get(who, state) for who, state in TO_DO.items() if who != (STANDING, "not_withdrawn")}
    assert not any(item["blocks_final"] for item in items)


@pytest.fixture(scope="module")
def final(settled: Night) -> Night:
    """The scores of all portals: sent with a letter each, answered by each operator, and final."""
    answers = settled.folder / "answers"
    answers.mkdir()
    for portal in settled.cards():
        (answers / f"{portal}.txt").write_text(f"{portal}: không có ý kiến", encoding="utf-8")
    two = ("--by", EVALUATOR, "--confirmed-by", CONFIRMER, "--catalog", "catalog")
    settled.do("publication", "sent", *two, "--reason", "đã soát danh sách việc cần xử lý")
    settled.do("letter")
    settled.do("publication", "answered", *two, "--reason", "các đơn vị đã trả lời", "--answers", str(answers))
    settled.do("publication", "final", *two, "--reason", "không còn ý kiến")
    return settled


def steps(night: Night) -> list[dict[str, Any]]:
    """The lines of the publication's record."""
    return [json.loads(line) for line in (night.sweep / "publication.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_score_is_final(final: Night) -> None:
    assert {card["publication"]["state"] for card in final.cards().values()} == {"final"}
    assert [(step["step"], step["by"], step["confirmed_by"], len(step["cards"])) for step in steps(final)] == [
        (name, EVALUATOR, CONFIRMER, PORTALS) for name in ("sent", "answered", "final")
    ]
    assert all(step["signature"] for step in steps(final))
    assert len(steps(final)[1]["answers"]) == PORTALS


def test_the_register_shows_every_step(final: Night) -> None:
    lines = [json.loads(line) for line in (final.sweep.parent / "register.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["sweep"], line["event"]) for line in lines] == [
        (final.sweep.name, event) for event in ("begun", "ended", "sent", "answered", "final")
    ]


def test_each_operator_got_a_letter_with_the_digest_of_the_card_that_is_final(final: Night) -> None:
    require_chromium()  # it prints the letters
    sent, last = steps(final)[0]["cards"], steps(final)[-1]["cards"]
    assert sent == last
    for portal, digest in last.items():
        letter = (final.sweep / "letters" / f"{portal}.html").read_text(encoding="utf-8")
        assert digest in letter
        assert "DỰ THẢO" not in letter
        assert (final.sweep / "letters" / f"{portal}.pdf").read_bytes().startswith(b"%PDF-")


@pytest.fixture(scope="module")
def sealed(final: Night) -> Night:
    """The sweep under a seal."""
    final.do("seal", "--catalog", "catalog")
    return final


def verify(night: Night) -> Finished:
    """``harness verify`` with the public key."""
    return night.try_("verify", "--key", f"{night.folder / KEY}.pub", "--catalog", "catalog")


def test_the_final_scores_hold_and_arrive_as_final(sealed: Night) -> None:
    done = verify(sealed)
    assert done.code == 0, done.said
    with Receiver() as receiver:
        pushed = push(sealed, receiver)
        assert pushed.code == 0, pushed.said
        assert len(receiver.rows("scores")) == PORTALS
    receipt = load(sealed.sweep / "scores.json.receipt.json")
    assert receipt["publication"] == {"final": PORTALS}


@pytest.fixture
def copied(sealed: Night, tmp_path: Path) -> Night:
    """A copy of the results, to be changed."""
    results = shutil.copytree(sealed.sweep.parent, tmp_path / "results")
    return replace(sealed, sweep=results / sealed.sweep.name)


def test_a_changed_byte_in_a_final_score_is_found_and_named(copied: Night) -> None:
    path = copied.sweep / "scores.json"
    data = path.read_bytes()
    points = re.search(rb'"portal": "%b".*?"points": [0-9.]*([0-9])' % MAINTAINED.encode(), data, re.DOTALL)
    assert points is not None
    at = points.start(1)
    path.write_bytes(data[:at] + (b"1" if data[at : at + 1] == b"0" else b"0") + data[at + 1 :])
    done = verify(copied)
    assert done.code == EvidenceError.exit_code, done.said
    assert MAINTAINED in done.err
    with Receiver() as receiver:
        assert push(copied, receiver).code == EvidenceError.exit_code
        assert receiver.requests == []


@pytest.mark.parametrize(
    ("step", "by", "confirmed_by", "named"),
    [
        ("reopened", EVALUATOR, EVALUATOR, EVALUATOR),
        ("sent", EVALUATOR, CONFIRMER, f"{MAINTAINED} is final"),
    ],
    ids=["one name only", "out of order"],
)
def test_a_step_that_is_not_to_be_taken_is_refused_by_name(copied: Night, step: str, by: str, confirmed_by: str, named: str) -> None:
    before = (copied.sweep / "publication.jsonl").read_bytes(), (copied.sweep / "scores.json").read_bytes()
    two = ("--by", by, "--confirmed-by", confirmed_by, "--reason", "thử", "--catalog", "catalog")
    done = copied.try_("publication", step, "--portal", MAINTAINED, *two)
    assert done.code == UsageError.exit_code, done.said
    assert named in done.err
    assert ((copied.sweep / "publication.jsonl").read_bytes(), (copied.sweep / "scores.json").read_bytes()) == before
