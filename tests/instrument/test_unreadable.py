"""Answers that our parser cannot read: a second one reads the same bytes; what it cannot read either is the portal's own failure."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from harness.evidence import Verdict
from harness.records import read_pages
from harness.records.files import read_json
from tests.client.raw_server import Peer, answering

from .small_servers import VISITS, Measured, measure

NOBODYS = b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"


def two_ways(peer: Peer) -> None:
    """The right content, under a head with two ways on: the second parser does not mind."""
    while request := peer.read_request():
        body = b'{"path": "%b"}' % request.split()[1]
        peer.send(b"HTTP/1.1 200 OK\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Measured]:
    portals = {"ours": [two_ways], "nobodys": [answering(NOBODYS, close=True)]}
    return measure(tmp_path_factory.mktemp("unreadable"), portals, rounds=1)


@pytest.mark.parametrize(("portal", "outcome", "again"), [("ours", "ok", True), ("nobodys", "protocol", False)])
def test_the_portal_is_blamed_only_for_what_no_parser_can_read(
    night: Mapping[str, Measured], portal: str, outcome: str, again: bool
) -> None:
    run, folder, asked = night[portal]
    (window,) = [window for window in run.windows if window.stage == "typical"]
    assert (window.verdict, window.reasons) == (Verdict.VALID, ())
    rows = pa.concat_tables([pq.read_table(part, partitioning=None) for part in folder.parts(portal)], promote_options="default")
    sent = rows.filter(pc.greater_equal(rows["request"], 0)).to_pylist()
    assert {(row["outcome"], row["read_again"]) for row in sent} == {(outcome, again)}
    walks = 1 if outcome == "ok" else 3
    assert len(sent) == asked == walks + VISITS, "nothing is sent twice"
    pages = read_pages(folder.pages(portal))
    assert bool(pages) is (outcome == "protocol")
    for page in pages:
        assert "SSH-2.0-OpenSSH_9.2p1" + html.escape("\\x0d") in (folder.path / page.file).read_text(encoding="utf-8")
    assert all(
        folder_record["second_parser"].startswith("h11 ") for folder_record in map(read_json, map(folder.round, folder.sealed_rounds()))
    )
