"""Answers that our parser cannot read: a second one reads the same bytes; what it cannot read either is the portal's own failure."""

from __future__ import annotations

import html
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from harness.evidence import Verdict, read_runs
from harness.operations.locust_run import run_locust
from harness.records import LONE, Plan, PlannedTarget, PlannedWindow, Round, Slot, StopLimits, read_pages, run_id
from harness.records.files import read_json
from tests.client.raw_server import Peer, RawServer, Script, answering

from .test_blocked_under_load import RESTLESS

NOBODYS = b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"


def two_ways(peer: Peer) -> None:
    """The right content, under a head with two ways on: the second parser does not mind."""
    while request := peer.read_request():
        body = b'{"path": "%b"}' % request.split()[1]
        peer.send(b"HTTP/1.1 200 OK\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def plan_of(origin: str, results: Path) -> Plan:
    alone = PlannedWindow(0, LONE, 0.0, 0.0, 0.2, {}, {"search": 1})
    loaded = PlannedWindow(1, "typical", 1.0, 0.0, 2.0, {}, {"search": 10}, round=1)
    rounds = tuple(Round(window.round, (Slot("calibration", run_id("calibration", 1), (window,), 100),)) for window in (alone, loaded))
    return Plan(
        sweep="unreadable", seed=1, arrivals="poisson", workload="test", results=str(results / "unreadable"), night="2026-11-22",
        targets=(PlannedTarget("calibration", "calibration", {"portal": origin}, "", StopLimits()),), rounds=rounds,
        timeout_s=5, drain_s=5, health=RESTLESS.model_dump(), lead_s=1.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("script", "outcome", "again"), [(two_ways, "ok", True), (answering(NOBODYS, close=True), "protocol", False)], ids=["ours", "nobody's"]
)
def test_the_portal_is_blamed_only_for_what_no_parser_can_read(tmp_path: Path, script: Script, outcome: str, again: bool) -> None:
    with RawServer([script]) as server:
        folder = run_locust(plan_of(server.url, tmp_path), workers=1, processor=None, catalog=None, progress=print)
    (run,) = read_runs(folder)
    (window,) = [window for window in run.windows if window.stage == "typical"]
    assert (window.verdict, window.reasons) == (Verdict.VALID, ())
    rows = pa.concat_tables([pq.read_table(part, partitioning=None) for part in folder.parts("calibration")], promote_options="default")
    sent = rows.filter(pc.greater_equal(rows["request"], 0)).to_pylist()
    assert {(row["outcome"], row["read_again"]) for row in sent} == {(outcome, again)}
    walks = 1 if outcome == "ok" else 3
    assert len(sent) == server.accepted == walks + 10, "nothing is sent twice"
    pages = read_pages(folder.pages("calibration"))
    assert bool(pages) is (outcome == "protocol")
    for page in pages:
        assert "SSH-2.0-OpenSSH_9.2p1" + html.escape("\\x0d") in (folder.path / page.file).read_text(encoding="utf-8")
    assert all(
        folder_record["second_parser"].startswith("h11 ") for folder_record in map(read_json, map(folder.round, folder.sealed_rounds()))
    )
