"""Records as files and messages: what is written is read again, also where an earlier version wrote less."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest

from harness.errors import EvidenceError
from harness.records import (
    FailureCount,
    FailureKind,
    HealthLine,
    LoneWalk,
    RoundRecord,
    SlotRecord,
    StopLimits,
    ThinkTime,
    WindowHealth,
    WindowKey,
    WindowRecord,
    read_round,
)
from harness.records.files import read_lines
from harness.records.fleet_messages import (
    KINDS,
    Acknowledgement,
    Arrival,
    Batch,
    BatchContents,
    CitizenCounts,
    ClockPing,
    ClockPong,
    ClosedOrder,
    Done,
    Lease,
    Present,
    Refused,
    RollCall,
    RoundOrder,
    SlotOrder,
    StopArrivals,
    Tally,
    WorkerSetup,
    decode,
    encode,
    pack,
    unpack,
)  # fmt: skip
from harness.records.health import write_health
from harness.records.ledger import LedgerLine, append_to_ledger, read_ledger
from harness.records.plain import from_plain
from harness.records.plan import PlannedTarget, read_plan
from harness.records.round import LoadCounts, RoundMember, WorkerOutcome, write_planned, write_sealed
from harness.records.step_failures import FailedPage, PageIndex, read_pages, write_pages

RECORDED = Path(__file__).parents[1] / "recorded" / "demo"
KIND = FailureKind("submit", "file", "submit", "wrong_content", "rejected", "no text 'từ chối'")
RECORD = RoundRecord(
    1, 0, "001-00", 5, "2026-11-22T15:00:00.000+00:00", closed=False, members=(RoundMember("w", 0, -3, 9),),
    slots=(
        SlotRecord(
            "p", "p-seed1", 50,
            (
                WindowRecord(
                    1, "ramp", 2.0, 0.0, 60.0, {"search": 1.5}, {"pay": 3}, ((0.0, 1.0), (1.0, 2.0)), 1, 93, {"visits_ok": 93},
                    (FailureCount(*KIND, 2),), WindowHealth(cpu_percent=30.5, reference_error_us=None, workers=1, seconds=60), make_up_of=4,
                ),
            ), "ab", "cd",
        ),
    ),
    stopped=True, stopped_at_us=7, safety_stops={"p": "errors"},
    outcome=(
        WorkerOutcome("w", complete=True, lost=False, longest_silence_s=0.5, batches=4, rows=99, stretches={"p": LoadCounts(90, 3, 8, "", 0)}),
        WorkerOutcome("v", complete=False, lost=True, longest_silence_s=16.0, batches=1),
    ),
    refusals={"q": "blocked"}, lone_walks=(LoneWalk("q", "pay", "blocked", "find", "search", 403, rule="firewall", page="pages/q/x.html"),),
    checks="001-00",
)  # fmt: skip


def test_a_sealed_round_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "round.json"
    write_sealed(path, RECORD)
    assert read_round(path) == RECORD
    facts = json.loads(path.read_text(encoding="utf-8"))
    assert facts["slots"][0]["windows"][0]["health"]["reference_error_us"] is None
    assert facts["slots"][0]["windows"][0]["failures"] == [{**KIND._asdict(), "count": 2}]
    assert "rows" not in facts["outcome"][1]


def test_before_it_begins_a_round_says_nothing_of_its_end(tmp_path: Path) -> None:
    path = tmp_path / "round.planned.json"
    write_planned(path, RECORD)
    facts = json.loads(path.read_text(encoding="utf-8"))
    assert facts.keys().isdisjoint({"stopped", "stopped_at_us", "safety_stops", "held_back", "outcome", "refusals", "lone_walks"})
    assert facts["slots"][0]["windows"][0].keys().isdisjoint({"counts", "failures", "health"})
    assert facts["members"] == [{"worker": "w", "index": 0, "offset_us": -3, "bound_us": 9}]


def test_a_round_of_an_earlier_version_is_read_with_what_it_lacks_empty(tmp_path: Path) -> None:
    path = tmp_path / "round.json"
    write_sealed(path, RECORD)
    facts = json.loads(path.read_text(encoding="utf-8"))
    del facts["held_back"], facts["outcome"][0]["stretches"]
    (window,) = facts["slots"][0]["windows"]
    del window["failures"], window["health"]["busy_percent"], window["health"]["unread_max_us"]
    facts["what_a_later_version_adds"] = 1
    path.write_text(json.dumps(facts), encoding="utf-8")
    read = read_round(path)
    assert (read.held_back, read.slots[0].windows[0].failures, read.slots[0].windows[0].health.busy_percent) == ({}, (), 0.0)
    window["health"] = {}
    path.write_text(json.dumps(facts), encoding="utf-8")
    assert read_round(path).slots[0].windows[0].health == WindowHealth()
    assert WindowHealth().facts() == {}


def test_what_is_no_record_of_a_round_is_refused_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "round.json"
    path.write_text('{"round": "one"}', encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"round\.json.*round: Input should be a valid integer.*part: Field required"):
        read_round(path)


ORDER = RoundOrder(
    token="s#001-00", worker="w", seed=1, start_us=12, keys=(WindowKey("s", 1, "r", 1, "p", "typical", "w"),),
    slots=(SlotOrder("p", "r", PlannedTarget("p", "liferay", {"portal": "http://127.0.0.1:1"}, safety=StopLimits(p95_ms=5.0)), (0,), (Arrival(1, 2, 3, "pay"),), 60.0, 9),),
    think={"default": ThinkTime(1.0, 0.5, 5.0)}, assets=True, timeout_s=4.0, drain_s=5.0,
)  # fmt: skip
LEDGER = LedgerLine("p", "r", 1, "H08-1", "dossier", "submit", "submit", 44, {"url": "http://127.0.0.1:1/ệ"})
MESSAGES = (
    ORDER,
    ClosedOrder(**{name: getattr(ORDER, name) for name in ORDER.__dataclass_fields__}, index=0, workers=2, window_s=60.0),
    StopArrivals("s#001-00", "p", "safety", cut=False),
    Acknowledgement("s#001-00", 3),
    Lease(),
    ClockPing(1),
    ClockPong(1, 2, "boot"),
    RollCall((PlannedTarget("p", "liferay", {"portal": "http://127.0.0.1:1"}),)),
    Present(WorkerSetup("0.1.0", "2.43.4", "3.11", {"search.py": "a"}, "boot net"), 1.5, ("a secret",)),
    Refused("its time of day", for_good=True),
    Batch("s#001-00", 0, 1, b"\x00\xff", {"p": Tally(4, 3, 2, 1, 1)}, (LEDGER,), {"p": CitizenCounts(1, 2, 3, 4)}),
    Done("s#001-00", 4, 99, {"p": LoadCounts(90, 3, 8, "safety", 1)}, lapsed=True, addresses={"p": {"portal.example": ("192.0.2.1",)}}),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_survives_the_connection(message: object) -> None:
    kind, data = encode(message)
    assert kind == KINDS[type(message)]
    assert decode(type(message), msgpack.unpackb(msgpack.packb(data), strict_map_key=False)) == message
    assert decode(type(message), data) == message  # a standalone Locust hands it over as it is


def test_every_kind_of_message_is_tried() -> None:
    assert {type(message) for message in MESSAGES} == set(KINDS)
    assert len(set(KINDS.values())) == len(KINDS)


def test_the_contents_of_a_batch_survive_packing() -> None:
    line = HealthLine(
        at_us=1, cpu_percent=1.5, busy_percent=2.0, steal_percent=0.0, lag_max_us=9, lag_us=(1, 9), late_max_us=0, late_us=(), late_count=0,
        unread_max_us=0, gc_max_us=0, parsing_us=0, sockets=9, rss_bytes=1, in_flight=3, reference_us=None,
    )  # fmt: skip
    page = FailedPage(KIND, 7, "http://127.0.0.1:1/nop", 200, 9, markup=True, text="<p>ệ</p>", truncated=False)
    contents = BatchContents({3: ORDER.keys[0]}, [[3, "pay", 7]], (line,), ((3, FailureCount(*KIND, 2)),), ((3, page),))
    assert unpack(pack(contents)) == contents
    assert replace(contents, rows=[]) == unpack(pack(replace(contents, rows=[])))


@pytest.mark.parametrize("path", sorted((RECORDED / "rounds").glob("round-*.json")), ids=lambda path: path.stem)
def test_rounds_of_a_recorded_sweep_keep_their_bytes(tmp_path: Path, path: Path) -> None:
    write_sealed(tmp_path / "again.json", read_round(path))
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


def test_ledger_health_and_pages_of_a_recorded_sweep_keep_their_bytes(tmp_path: Path) -> None:
    append_to_ledger(tmp_path / "ledger.jsonl", read_ledger(RECORDED / "ledger.jsonl").lines)
    assert (tmp_path / "ledger.jsonl").read_bytes() == (RECORDED / "ledger.jsonl").read_bytes()
    for path in (RECORDED / "health").glob("*.jsonl"):
        write_health(tmp_path / path.name, [from_plain(HealthLine, value) for value in read_lines(path).values])
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    for path in (RECORDED / "pages").glob("*/index.json"):
        write_pages(tmp_path / "index.json", PageIndex(path.parent.name, read_pages(path)))
        assert (tmp_path / "index.json").read_bytes() == path.read_bytes()


def test_a_plan_of_an_earlier_version_is_read_without_what_nothing_needs() -> None:
    facts = json.loads((RECORDED / "plan.json").read_text(encoding="utf-8"))
    for target in facts["targets"]:
        target.pop("variables", None)
    assert json.loads(read_plan(RECORDED / "plan.json").to_json()) == facts


def test_a_plan_says_that_visits_name_a_trace_only_where_they_do(tmp_path: Path) -> None:
    plan = read_plan(RECORDED / "plan.json")
    assert "traceparent" not in plan.to_json()
    (tmp_path / "plan.json").write_text(replace(plan, traceparent=True).to_json(), encoding="utf-8")
    assert read_plan(tmp_path / "plan.json") == replace(plan, traceparent=True)


@pytest.mark.parametrize("time", ["xx", "", "2026-11-26T17:16:33"])
def test_a_round_that_began_at_no_time_is_refused(tmp_path: Path, time: str) -> None:
    path = tmp_path / "round-001-00.json"
    write_sealed(path, replace(RECORD, began_utc=time))
    with pytest.raises(EvidenceError, match=r"began_utc is .*; expected a time in ISO 8601 with time zone"):
        read_round(path)
