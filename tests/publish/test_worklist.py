"""The worklist of the morning: each kind with its evidence, who settles it and how, by when; nothing is written."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from harness.catalog.agency import Agency, AgencyPerson
from harness.cli import main
from harness.cli.results import _KINDS_OF_WORK
from harness.errors import EvidenceError, UsageError
from harness.evidence import Reason, SweepFolder, Verdict
from harness.evidence.facts import UnprovenJourney
from harness.operations.kept_process import write_process
from harness.operations.locust_run import PID
from harness.publish.import_file import read_scores
from harness.publish.printed_worklist import print_worklist
from harness.publish.review_page import list_page, review_page
from harness.publish.work_item import KINDS, LONGEST_SUBJECT, LONGEST_TEXT, WorkItem
from harness.publish.worklist import chosen, counts_of, worklist
from harness.records.sweep_journal import JournalLine, append_to_journal
from harness.scoring.scorecard import CriterionState, SweepScores
from tests.evidence.judged import LOGIN
from tests.publish import unhappy_night
from tests.publish.hostile_night import Says, harmless, hostile, scores_of
from tests.publish.live import live_state, write_state
from tests.publish.morning import MAINTENANCE, PAGE, PORTALS, REFUSAL, with_reasons, write_morning
from tests.publish.test_hostile_texts import Structure, odd_signs
from tests.publish.vietnamese import english_in

AGENCY = Agency(name_vi="Cơ quan mẫu", people=(AgencyPerson(name="An", roles=("evaluator",)),), settle_within_days=3)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The morning's folder. Not to be changed."""
    folder = tmp_path_factory.mktemp("results") / "morning"
    write_morning(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "results" / "morning")


def items_of(folder: Path, scores: SweepScores | None = None) -> tuple[WorkItem, ...]:
    return worklist(SweepFolder(folder), scores or read_scores(folder / "scores.json"), AGENCY)


def the(items: tuple[WorkItem, ...], kind: str, portal: str = "") -> WorkItem:
    (found,) = [item for item in items if item.kind == kind and portal in ("", item.portal)]
    return found


def shown(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["review", str(folder), *options])


def document(folder: Path, *options: str) -> dict[str, Any]:
    done = shown(folder, *options, "--json")
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def commands(item: WorkItem, folder: Path) -> list[str]:
    return [shlex.join(command).replace(str(folder), "FOLDER") for command in item.commands]


def test_every_kind_is_on_the_list_what_blocks_first_then_by_portal(written: Path) -> None:
    items = items_of(written)
    assert list(counts_of(items)) == list(KINDS) == list(_KINDS_OF_WORK)
    order = [(not item.blocks_final, not item.is_open, item.portal) for item in items]
    assert order == sorted(order)
    assert [(item.portal, item.kind) for item in items if item.blocks_final] == [("limited", "address_limit"), ("stopped", "unproven")]
    assert {item.until for item in items if item.is_open} == {date(2026, 11, 26)}, (
        "three days after the night ended, by the clock of Viet Nam"
    )
    assert {item.until for item in items if not item.is_open} == {None}


@pytest.mark.parametrize(
    ("kind", "portal", "subject", "state", "who", "count", "when", "page", "command"),
    [
        ("unproven", "stopped", "submit", "open", "two_persons", 3, "22/11/2026 22:00", PAGE, "settle FOLDER stopped submit --as portal --by NAME --reason TEXT"),
        ("address_limit", "limited", "address_limit", "open", "two_persons", 1, "22/11/2026 22:01", REFUSAL, "settle FOLDER limited address_limit --as portal --by NAME --reason TEXT"),
        ("void", "void", "", "for_information", "evaluator", 1, "22/11/2026 22:02", "", ""),
        ("blocked", "walled", "", "open", "operator", 3, "22/11/2026 22:00", "pages/walled/search-blocked-1.html", "sweep walled --workload nightly --criteria own --results RESULTS"),
        ("unreachable", "away", "", "open", "network", 3, "22/11/2026 22:00", "", "walk away"),
        ("insufficient", "few", "", "open", "evaluator", 4, "22/11/2026 22:01 – 22:05", "", "sweep few --workload nightly --criteria own --results RESULTS"),
        ("shared_failure", "", LOGIN, "for_information", "shared_host_owner", 30, "22/11/2026 22:03", "", ""),
        ("path_doubt", "", "", "open", "network", 6, "22/11/2026 22:05", "", ""),
        ("late_maintenance", "fine", MAINTENANCE, "open", "operator", 3, "22/11/2026 22:01 – 22:30", "",
         "supply FOLDER fine --maintenance 2026-11-22T22:01:00+07:00 2026-11-22T22:30:00+07:00 --announced-at TIME --document TEXT --attach FILE"),
        ("not_withdrawn", "fine", "H-1 …", "open", "evaluator", 3, "", "", "withdraw FOLDER"),
        ("not_assessed", "", "efficiency", "open", "operator", 1, "", "", "supply FOLDER PORTAL --from FILE"),
    ],
)  # fmt: skip
def test_an_item_says_what_was_seen_and_who_settles_it_how(
    written: Path, kind: str, portal: str, subject: str, state: str, who: str, count: int, when: str, page: str, command: str
) -> None:
    item = the(items_of(written), kind)
    assert (item.portal, item.subject, item.state, item.who) == (portal, subject, state, who)
    assert (item.seen.count, item.seen.when.vi, item.seen.page) == (count, when, page)
    said = [each.replace(str(written.parent), "RESULTS") for each in commands(item, written)]
    assert said[:1] == ([command] if command else [])
    assert all((item.seen.told.vi, item.seen.told.en, item.how.vi, item.how.en))


def test_the_figures_are_those_of_the_evidence(written: Path) -> None:
    items = items_of(written)
    assert "40 of 180 visits" in the(items, "address_limit").seen.told.en
    assert "3 of 180" in the(items, "void").seen.told.en
    assert "(submit/file/submit, extraction, × 3)" in the(items, "unproven").seen.told.en
    assert the(items, "unproven").seen.rule == "name token"
    assert "hành trình Nộp hồ sơ dừng ở bước nộp: thiếu dữ liệu" in the(items, "unproven").seen.told.vi
    assert "Đã gặp: Bị tường lửa chặn." in the(items, "blocked").seen.told.vi
    assert "6 of 6 portals slower, at the median 9.0 times and 800 ms" in the(items, "path_doubt").seen.told.en
    assert "(H-1, H-2, H-3): never tried" in the(items, "not_withdrawn").seen.told.en


def test_files_of_ours_that_stopped_every_lone_walk_are_counted_in_walks(written: Path) -> None:
    scores = with_reasons(read_scores(written / "scores.json"), "away", Reason("our_own_files", "search: search, test_data_expired"))
    seen = the(items_of(written, scores), "void", "away").seen
    assert (seen.counted, seen.count, seen.when.vi) == ("walks", 3, "22/11/2026 22:00")


def test_settling_moves_an_item_from_open_to_proposed_to_settled(written: Path) -> None:
    scores = read_scores(written / "scores.json")
    proposed = with_reasons(scores, "stopped", Reason("settlement_proposed", "submit: portal, An"))
    item = the(items_of(written, proposed), "unproven")
    assert (item.state, item.blocks_final, item.decided.en) == ("proposed", True, "Proposed as the portal's fault by An")
    assert commands(item, written) == ["settle FOLDER stopped submit --confirm --by NAME"]
    settled = with_reasons(
        replace(scores, scorecards=tuple(replace(card, unproven=()) for card in scores.scorecards)),
        "stopped",
        Reason("settled_as_portal", "submit: An & Bình"),
    )
    item = the(items_of(written, settled), "unproven")
    assert (item.state, item.blocks_final, item.decided.en, item.until) == (
        "settled",
        False,
        "Settled as the portal's fault by An & Bình",
        None,
    )
    ours = the(items_of(written, with_reasons(scores, "stopped", Reason("settled_as_profile", "submit: An & Bình"))), "unproven")
    assert (ours.state, commands(ours, written)[0].split()[:2]) == ("settled", ["sweep", "stopped"])
    again = the(items_of(written, with_reasons(settled, "stopped", Reason("settlement_proposed", "submit: unproven, An"))), "unproven")
    assert (again.state, again.blocks_final) == ("proposed", True), "a proposal to take it back is open, too"
    limit = with_reasons(scores, "limited", Reason("refusals_settled_as_address", "An & Bình: round 1, window 1: 40 of 180 visits"))
    item = the(items_of(written, limit), "address_limit")
    assert (item.state, item.decided.en) == ("settled", "Settled as a limit on our address by An & Bình")


def test_an_announcement_in_time_settles_maintenance_and_a_late_one_is_known(written: Path) -> None:
    scores = read_scores(written / "scores.json")
    in_time = Reason(
        "announced_maintenance",
        "2026-11-22T15:00:00+00:00 – 2026-11-22T15:30:00+00:00, announced at 2026-11-20T00:00:00+00:00, 63.0 h before; notice is 24 h",
    )
    item = the(items_of(written, with_reasons(scores, "fine", in_time)), "late_maintenance")
    assert (item.state, item.commands) == ("settled", ())
    late = Reason(
        "maintenance_announced_late",
        "2026-11-22T15:00:00+00:00 – 2026-11-22T16:00:00+00:00, announced at 2026-11-22T00:00:00+00:00, 15.0 h before; notice is 24 h; windows 1",
    )
    assert the(items_of(written, with_reasons(scores, "limited", late)), "late_maintenance", "limited").state == "for_information"


def test_withdrawing_takes_dossiers_off_the_list(folder: Path) -> None:
    outcomes = [
        {"portal": "fine", "code": f"H-{n}", "run": "fine-seed1", "visit": n, "reason": "", "at_utc": f"2026-11-22T19:0{n}:00+00:00"}
        for n in (1, 2, 3)
    ]

    def withdrawn(*reasons: str) -> tuple[WorkItem, ...]:
        facts = {
            "withdrawn_counted_by_portal": {},
            "outcomes": [{**each, "reason": why} for each, why in zip(outcomes, reasons, strict=True)],
        }
        (folder / "withdrawals.json").write_text(json.dumps(facts), encoding="utf-8")
        return items_of(folder)

    item = the(
        withdrawn("", "the platform has no withdrawal: by letter only", "the platform has no withdrawal: by letter only"), "not_withdrawn"
    )
    assert (item.seen.count, item.who, item.seen.when.vi) == (2, "operator", "23/11/2026 02:02 – 02:03")
    assert "2/3 hồ sơ thử nghiệm còn ở hệ thống (mã: H-2, H-3); lý do: nền tảng không có chức năng rút hồ sơ" in item.seen.told.vi
    assert commands(item, folder) == ["reconcile FOLDER --truth FILE"]
    assert the(withdrawn("", "", "withdraw: session_expired (wrong_content)"), "not_withdrawn").who == "evaluator"
    assert "not_withdrawn" not in counts_of(withdrawn("", "", ""))


def test_a_criterion_that_no_portal_has_is_one_item_and_others_are_grouped_by_portal(written: Path) -> None:
    scores = read_scores(written / "scores.json")
    first, *others = scores.scorecards[1].criteria
    gone = tuple(replace(each, state=CriterionState.NOT_ASSESSED, reason="too_few_windows: 4 of 6", points=None) for each in others[:2])
    cards = tuple(replace(card, criteria=(first, *gone, *others[2:])) if card.portal == "fine" else card for card in scores.scorecards)
    items = [item for item in items_of(written, replace(scores, scorecards=cards)) if item.kind == "not_assessed"]
    assert [(item.portal, item.subject, item.seen.count) for item in items] == [
        ("", "efficiency", 1),
        ("fine", "average-search, slowest-submit", 2),
    ]
    assert "4 of 6" in items[1].seen.told.en


def test_what_waits_for_two_persons_or_a_cut_off_night_is_not_measured_again_first(folder: Path) -> None:
    scores = read_scores(folder / "scores.json")
    cards = tuple(
        replace(card, verdict=Verdict.INSUFFICIENT, points=None) if card.portal in ("stopped", "few") else card
        for card in scores.scorecards
    )
    items = items_of(folder, replace(scores, scorecards=cards))
    waiting = the(items, "insufficient", "stopped")
    assert (waiting.commands, "name token" in waiting.seen.told.en) == ((), False), "another item says what stopped the journey"
    append_to_journal(folder / "journal.jsonl", JournalLine(2, "begun", "2026-11-22T19:00:00+00:00"))
    assert commands(the(items_of(folder), "insufficient", "few"), folder) == ["resume FOLDER"]


def test_without_a_names_file_there_is_no_date_and_the_list_says_so(folder: Path) -> None:
    assert document(folder)["until"] is None
    assert "`agency.yaml` in the results folder names none" in shown(folder).stdout
    (folder.parent / "agency.yaml").write_text(
        "name_vi: Cơ quan mẫu\npeople:\n  - {name: An, roles: [evaluator]}\nsettle_within_days: 2\n", encoding="utf-8"
    )
    assert document(folder)["until"] == "2026-11-25"
    assert "thời hạn: 25/11/2026" in shown(folder, "--lang", "vi").stdout


def test_json_has_all_in_both_languages_and_the_options_choose(folder: Path) -> None:
    found = document(folder)
    assert (found["schema"], found["sweep"], found["revision"], found["blocks_final"]) == ("worklist/1", "2026-11-21T22-00Z-demo", 1, 2)
    assert found["counts"]["unproven"] == {"open": 1, "proposed": 0, "settled": 0, "for_information": 0}
    (item,) = document(folder, "--portal", "stopped", "--kind", "unproven")["items"]
    assert set(item) == {
        "portal",
        "portals",
        "kind",
        "subject",
        "state",
        "blocks_final",
        "seen",
        "who",
        "how",
        "commands",
        "decided",
        "until",
    }
    assert item["commands"][1][:5] == ["harness", "settle", str(folder), "stopped", "submit"]
    assert set(item["seen"]) == {"text", "counted", "count", "first_utc", "last_utc", "rule", "page"}
    assert {each["state"] for each in document(folder, "--open")["items"]} == {"open"}
    assert chosen(items_of(folder), kinds=["void"], only_open=True) == ()
    assert [item["portals"] for item in document(folder, "--portal", "login", "--kind", "shared_failure")["items"]] == [["login"]]
    assert document(folder, "--portal", "fine", "--kind", "shared_failure")["items"] == []
    assert shown(folder, "--kind", "void", "--open").stdout.splitlines()[-1] == "There is nothing on the list."


def test_it_is_refused_where_there_is_no_list_yet(folder: Path) -> None:
    done = shown(folder, "--portal", "fien")
    assert (done.exit_code, "Did you mean `fine`?" in done.stderr) == (UsageError.exit_code, True)
    write_process(folder / PID, os.getpid())
    done = shown(folder)
    assert (done.exit_code, "still measures it" in done.stderr) == (EvidenceError.exit_code, True)
    (folder / PID).unlink()
    (folder / "scores.json").unlink()
    done = shown(folder)
    assert (done.exit_code, f"Score it first: harness score {folder}" in done.stderr) == (EvidenceError.exit_code, True)


def test_nothing_is_written(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert shown(folder).exit_code == 0
    review_page(folder.parent, folder.name)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_of_a_portals_share_only_this_portal_is_listed(folder: Path) -> None:
    (folder / "pack.json").write_text(json.dumps({"schema": "evidence-pack/1", "sweep": "s", "portal": "stopped"}), encoding="utf-8")
    assert {item.portal for item in items_of(folder)} == {"", "stopped"}
    assert "shared_failure" not in counts_of(items_of(folder)), "it touched another portal"


def test_files_that_do_not_fit_are_named_and_texts_that_are_no_times_stay_texts(folder: Path) -> None:
    (folder / "withdrawals.json").write_text('{"outcomes": [{"portal": "fine"}]}', encoding="utf-8")
    done = shown(folder)
    assert (done.exit_code, "withdrawals.json: content is unreadable" in done.stderr) == (EvidenceError.exit_code, True)
    assert "withdrawals.json: content is unreadable" in review_page(folder.parent, folder.name)
    (folder / "withdrawals.json").unlink()
    index = folder / "pages" / "stopped" / "index.json"
    index.write_text(index.read_text(encoding="utf-8").replace("2026-11-22T15:00:05+00:00", "<i>soon</i>"), encoding="utf-8")
    assert the(items_of(folder), "unproven").seen.when.vi == "<i>soon</i>"
    assert "&lt;i&gt;soon&lt;/i&gt;" in review_page(folder.parent, folder.name)


def test_scores_alone_give_what_they_tell(tmp_path: Path) -> None:
    items = items_of(tmp_path, unhappy_night.scores())
    assert {"void", "insufficient", "unreachable", "blocked", "unproven", "shared_failure", "late_maintenance", "not_assessed"} <= {
        *counts_of(items)
    }
    assert all("sweep" not in command for item in items for command in item.commands), "nothing says by which workload"


def test_a_night_of_84_portals_on_which_all_failed_has_a_bounded_list(tmp_path: Path) -> None:
    made = unhappy_night.scores()
    worst = max(made.scorecards, key=lambda card: len(card.reasons))
    long = replace(worst, name_vi="N" * 5000, reasons=tuple(Reason(reason.code, reason.detail + "x" * 5000) for reason in worst.reasons))
    cards = tuple(replace(long, portal=f"p{number:02d}", unproven=made.scorecards[0].unproven) for number in range(84))
    scores = replace(made, scorecards=cards, shared_failures=())
    items = items_of(tmp_path, scores)
    assert len(items) < 84 * len(KINDS)
    assert max(len(text) for item in items for text in (*item.seen.text, *item.seen.figures, *item.decided, *item.name)) <= LONGEST_TEXT
    assert max(len(item.subject) for item in items) <= LONGEST_SUBJECT


def test_on_a_terminal_of_80_columns_only_commands_are_longer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in shown(folder, "--lang", "vi").stdout.splitlines()]
    assert [line for line in lines if len(line.rstrip()) > 80 and not line.startswith("   harness ")] == []
    assert len(lines) > len(shown(folder, "--lang", "vi").stdout.splitlines()) / 2


@pytest.mark.parametrize("made", ["morning", "unhappy"])
def test_the_vietnamese_view_holds_no_english_and_no_code(folder: Path, made: str) -> None:
    scores = read_scores(folder / "scores.json") if made == "morning" else unhappy_night.scores()
    page = list_page(SweepFolder(folder), scores, AGENCY)
    assert english_in(page, frozenset(PORTALS)) == []
    assert "Danh mục việc cần xử lý sau đợt đo" in page


def test_the_page_leads_to_saved_pages_that_are_there(folder: Path) -> None:
    page = review_page(folder.parent, folder.name)
    assert f'href="{PAGE}"' in page
    assert "pages/walled/search-blocked-1.html" not in page, "it was not kept"
    assert f"<code>harness settle {folder} stopped submit --as portal --by NAME --reason TEXT</code>" in page


def test_the_page_says_why_there_is_no_list(folder: Path) -> None:
    (folder / "scores.json").write_bytes((folder / "scores.json").read_bytes()[:99])
    assert "The evidence of this sweep cannot be read." in review_page(folder.parent, folder.name)
    (folder / "scores.json").unlink()
    assert f"Score it first: `harness score {folder}`" in review_page(folder.parent, folder.name)


def test_while_a_sweep_is_measured_its_page_has_no_list(folder: Path) -> None:
    write_state(folder, live_state([("fine", "Cổng fine", "Portal fine")], at=datetime(2100, 1, 1, tzinfo=UTC)))
    page = review_page(folder.parent, folder.name)
    assert "The sweep is still measured" in page
    assert "harness settle" not in page


def test_what_portals_write_stays_text(folder: Path) -> None:
    pages, lines = zip(*(written_by(words, folder) for words in (hostile, harmless)), strict=True)
    assert Structure(pages[0]).elements == Structure(pages[1]).elements
    assert odd_signs(pages[0]) == odd_signs(lines[0]) == set()
    assert "window.hit=1" in pages[0]
    assert lines[0].count("\n") == lines[1].count("\n")


def written_by(say: Says, folder: Path) -> tuple[str, str]:
    """The page and the lines of a night whose portals write such texts everywhere."""
    made = scores_of(unhappy_night.scores(), say)
    unproven = UnprovenJourney(say(1), "file", say(2), "wrong_content", say(3), say(0), 3)
    cards = tuple(
        replace(
            card, unproven=(unproven,),
            reasons=(*card.reasons, Reason("settlement_proposed", f"address_limit: portal, {say(4)}"), Reason("maintenance_not_announced", say(5))),
        )
        for card in made.scorecards
    )  # fmt: skip
    outages = tuple(replace(each, host=say(6), owner=say(7)) for each in made.shared_failures)
    scores = replace(made, scorecards=cards, shared_failures=outages)
    console = Console(file=io.StringIO(), width=200)
    print_worklist(scores, items_of(folder, scores), None, console, ("vi", "en"), "FOLDER")
    assert isinstance(console.file, io.StringIO)
    return list_page(SweepFolder(folder), scores, AGENCY), console.file.getvalue()
