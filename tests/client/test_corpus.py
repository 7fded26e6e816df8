"""Answers that real servers sent, replayed byte for byte: what is read must be what httpx reads."""

from __future__ import annotations

import base64
import json
import lzma
from collections import Counter
from pathlib import Path

import httpx
import pytest

from harness.client import LeanSession, PhaseTimeouts, Resolver, loopback_only
from harness.records import Outcome

from .raw_server import Peer, RawServer

RECORDED = [json.loads(line) for line in lzma.decompress((Path(__file__).parent / "corpus" / "corpus.jsonl.xz").read_bytes()).splitlines()]
NOBODY_READS = {
    ("nginx", "bad request line"),
    ("wsgiref", "bad request line"),
    ("http.server", "bad request line"),
    ("http.server", "bad version"),
    ("http.server-1.1", "bad request line"),
    ("http.server-1.1", "bad version"),
    ("jetty", "GET /page.html Range: bytes=9999999-"),
}
PIECES = {"whole": 1 << 20, "in pieces": 61}


def text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def test_the_corpus_is_large_and_of_many_kinds():
    servers = Counter(line["server"] for line in RECORDED)
    assert len(RECORDED) >= 200
    assert {"nginx", "apache", "jetty", "node", "php", "gunicorn", "uvicorn-h11", "uvicorn-httptools", "wsgiref"} <= set(servers)
    assert min(servers.values()) >= 15


class Replay:
    """One server for the whole corpus: the test says what comes next."""

    def __init__(self) -> None:
        self.answer = b""
        self.closes = True
        self.piece = 1 << 20

    def __call__(self, peer: Peer) -> None:
        if not peer.read_request():
            return
        for at in range(0, len(self.answer), self.piece):
            peer.send(self.answer[at : at + self.piece])
        if not self.closes:
            peer.wait_for_close()


@pytest.fixture(scope="module")
def replay():
    script = Replay()
    with RawServer([script]) as server:
        yield script, server.url


@pytest.fixture(scope="module")
def second_client():
    with httpx.Client(timeout=5, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        yield client


@pytest.mark.parametrize("pieces", PIECES)
@pytest.mark.parametrize("line", RECORDED, ids=lambda line: f"{line['server']} {line['name']}".replace("/", ":"))
def test_it_reads_what_httpx_reads(replay, second_client, line, pieces):
    script, url = replay
    script.answer, script.closes, script.piece = base64.b64decode(line["answer"]), line["closed"], PIECES[pieces]
    ours = LeanSession(loopback_only, Resolver(), timeouts=PhaseTimeouts(first_byte_s=5, total_s=5))
    exchange = ours.request(line["method"], f"{url}/")
    ours.close()
    try:
        theirs = second_client.request(line["method"], f"{url}/")
    except httpx.RemoteProtocolError:
        # HTTP/0.9 in answer to broken requests, and a 416 of Jetty that announces a body and sends none
        assert exchange.outcome in {Outcome.PROTOCOL, Outcome.RESET}
        assert (line["server"], line["name"]) in NOBODY_READS
        return
    assert (exchange.outcome, exchange.error) == (Outcome.OK, "")
    assert exchange.status == theirs.status_code
    assert [(name.lower(), value) for name, value in exchange.headers.items] == [
        (text(name).lower(), text(value)) for name, value in theirs.headers.raw
    ]
    assert exchange.body == theirs.content
