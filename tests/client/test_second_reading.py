"""What a second parser makes of the bytes that ours could not read; nothing is sent again."""

from __future__ import annotations

import gzip
import re

import pytest

from harness.client.connection import KEPT_BYTES
from harness.records import Outcome

from .raw_server import Peer, RawServer, answering, plain

TWO_WAYS = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nSet-Cookie: a=1\r\n"  # h11 does not mind
GARBAGE = b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_only_ours_rejects_is_read_from_the_same_bytes(citizen, method):
    with RawServer([answering(TWO_WAYS + b"Content-Length: 5\r\n\r\nhello")]) as server:
        exchange = citizen.request(method, server.url, body=b"x=1" if method == "POST" else b"")
        assert citizen.cookies_for(server.url) == {"a": "1"}
    assert (exchange.outcome, exchange.error, exchange.read_again) == (Outcome.OK, "", True)
    assert (exchange.status, exchange.headers.get("location"), exchange.body) == (302, "/a", b"hello")
    assert exchange.start_us <= exchange.first_byte_us <= exchange.end_us
    assert server.accepted == 1


def test_the_rest_of_such_an_answer_is_waited_for_and_decoded(citizen):
    packed = gzip.compress(b"hello")

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(TWO_WAYS + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed))
        peer.send_bytewise(packed)
        peer.wait_for_close()

    with RawServer([script, answering(plain())]) as server:
        assert (found := citizen.request("GET", server.url)).body == b"hello"
        assert found.read_again
        assert not citizen.request("GET", server.url).read_again
    assert server.accepted == 2  # what follows such an answer on its connection is not trusted


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "answer",
    [
        GARBAGE,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        TWO_WAYS + b"Content-Length: many\r\n\r\n",
        TWO_WAYS + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_no_parser_reads_is_the_portals_and_its_bytes_are_kept(citizen, method, answer):
    with RawServer([answering(answer, close=True)]) as server:
        exchange = citizen.request(method, server.url)
    assert (exchange.outcome, exchange.received) == (Outcome.PROTOCOL, answer)
    assert "; h11: " in exchange.error
    assert server.accepted == 1


def test_the_bytes_of_a_body_that_does_not_decode_are_kept(citizen):
    with RawServer([answering(plain(b"none", b"Content-Encoding: gzip\r\n"))]) as server:
        exchange = citizen.request("GET", server.url)
    assert (exchange.outcome, exchange.received) == (Outcome.PROTOCOL, b"none")


@pytest.mark.parametrize(
    ("answer", "beyond"),
    [
        (TWO_WAYS + b"\r\n" + b"x" * KEPT_BYTES, "bytes are not read twice"),
        (TWO_WAYS + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 5000 + b"0\r\n\r\n", "pieces are not read twice"),
        (TWO_WAYS + b"Content-Length: 5\r\n\r\nhe", "Connection closed|peer closed connection"),
    ],
)
def test_beyond_its_bounds_an_answer_is_unreadable(citizen, answer, beyond):
    with RawServer([answering(answer, close=True)]) as server:
        exchange = citizen.request("GET", server.url)
    assert exchange.outcome is Outcome.PROTOCOL
    assert len(exchange.received) <= KEPT_BYTES
    assert re.search(beyond, exchange.error)


def test_garbage_without_an_end_is_not_waited_for(citizen):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        peer.wait_for_close()

    with RawServer([script]) as server:
        assert citizen.request("GET", server.url).error.endswith("h11: it wants more of the head")
