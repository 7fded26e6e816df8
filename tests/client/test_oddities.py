"""What sloppy and hostile servers send, byte for byte, and what it is taken for."""

from __future__ import annotations

import gzip
import random
import time
import zlib

import brotli
import pytest

from harness.client import PhaseTimeouts, SizeLimits
from harness.records import Outcome

from .raw_server import Peer, RawServer, Script, answering, plain

GZIPPED = gzip.compress(b"hello")
SQUEEZED = zlib.compressobj(wbits=-15)
BARE_DEFLATE = SQUEEZED.compress(b"hello") + SQUEEZED.flush()


def once(data: bytes) -> Script:
    """Answer one request and close."""
    return answering(data, close=True)


ACCEPTED = {
    "plain": (plain(), b"hello"),
    "no fields at all": (b"HTTP/1.1 200 OK\r\n\r\nhello", b"hello"),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "lower case": (b"http/1.1 200 ok\r\ncontent-length: 5\r\n\r\nhello", b"hello"),
    "until close": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", b"hello"),
    "until close, HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
    "HTTP/1.0 with a length": (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "chunked is not for HTTP/1.0": (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello", b"hello"),
    "100 first": (b"HTTP/1.1 100 Continue\r\n\r\n" + plain(), b"hello"),
    "103 first": (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + plain(), b"hello"),
    "100, 102 and 103 first": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + plain(), b"hello"),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", b"hello"),
    "bare line feeds, body with empty lines": (b"HTTP/1.1 200 OK\nContent-Length: 13\n\nhe\r\n\r\nllo\n\nhe", b"he\r\n\r\nllo\n\nhe"),
    "mixed line ends": (b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\n\r\nhello", b"hello"),
    "folded": (b"HTTP/1.1 200 OK\r\nX-Long: one\r\n two\r\n\tthree\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "folded length": (b"HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\n\r\nhello", b"hello"),
    "blank before the colon": (b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", b"hello"),
    "a line without a colon": (b"HTTP/1.1 200 OK\r\nrubbish\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "length twice, equal": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "length twice in one field": (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", b"hello"),
    "length that is no number": (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nhello", b"hello"),
    "length that is negative": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", b"hello"),
    "length beside chunked": (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "conflicting lengths beside chunked": (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
    "chunks with extensions and trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n5;a=b;c\r\nhello\r\n000;x\r\nDigest: 1\r\nX: y\r\n\r\n", b"hello"),
    "chunks with bare line feeds": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nhe\n3 \nllo\n0\n\n", b"hello"),
    "an empty chunked body": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b""),
    "rubbish before the status line": (b"\r\n\r\n" + plain(), b"hello"),
    "status without a number": (b"HTTP/1.1 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "newer version": (b"HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "gzip": (plain(GZIPPED, b"Content-Encoding: gzip\r\n"), b"hello"),
    "x-gzip in chunks": (b"HTTP/1.1 200 OK\r\nContent-Encoding: X-GZIP\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(GZIPPED), GZIPPED), b"hello"),
    "gzip with bytes behind it": (plain(GZIPPED + b"more", b"Content-Encoding: gzip\r\n"), b"hello"),
    "gzip without its footer": (plain(GZIPPED[:-8], b"Content-Encoding: gzip\r\n"), b"hello"),
    "gzip of nothing, not even gzip": (plain(b"", b"Content-Encoding: gzip\r\n"), b""),
    "deflate": (plain(zlib.compress(b"hello"), b"Content-Encoding: deflate\r\n"), b"hello"),
    "deflate without zlib's header": (plain(BARE_DEFLATE, b"Content-Encoding: deflate\r\n"), b"hello"),
    "brotli": (plain(brotli.compress(b"hello"), b"Content-Encoding: br\r\n"), b"hello"),
    "two encodings": (plain(gzip.compress(zlib.compress(b"hello")), b"Content-Encoding: deflate, gzip\r\n"), b"hello"),
    "two encodings in two fields": (plain(gzip.compress(zlib.compress(b"hello")), b"Content-Encoding: deflate\r\nContent-Encoding: gzip\r\n"), b"hello"),
    "an encoding nobody knows": (plain(b"hello", b"Content-Encoding: aws-chunked\r\n"), b"hello"),
    "identity": (plain(b"hello", b"Content-Encoding: identity\r\n"), b"hello"),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_a_browser_accepts_is_accepted(citizen, name):
    data, body = ACCEPTED[name]
    with RawServer([once(data)]) as server:
        exchange = citizen.request("GET", server.url)
    assert (exchange.outcome, exchange.error) == (Outcome.OK, "")
    assert (exchange.status, exchange.body) == (200, body)
    assert exchange.first_byte_us > 0


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_same_when_it_comes_byte_by_byte(citizen, name):
    data, body = ACCEPTED[name]

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send_bytewise(data)

    with RawServer([script]) as server:
        exchange = citizen.request("GET", server.url)
    assert (exchange.outcome, exchange.error) == (Outcome.OK, "")
    assert (exchange.status, exchange.body) == (200, body)
    assert exchange.wire_bytes == len(data)


REFUSED = {
    "conflicting lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", Outcome.PROTOCOL),
    "conflicting lengths in one field": (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello", Outcome.PROTOCOL),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2p1\r\n", Outcome.PROTOCOL),
    "HTTP/0.9": (b"<html>hello</html>", Outcome.PROTOCOL),
    "too much rubbish before the status line": (b"rubbish\r\n" + plain(), Outcome.PROTOCOL),
    "impossible status": (b"HTTP/1.1 20000 OK\r\nContent-Length: 0\r\n\r\n", Outcome.PROTOCOL),
    "an upgrade nobody asked for": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", Outcome.PROTOCOL),
    "interim answers without end": (b"HTTP/1.1 102 Processing\r\n\r\n" * 100, Outcome.PROTOCOL),
    "closed before anything": (b"", Outcome.RESET),
    "closed in the status line": (b"HTTP/1.1 2", Outcome.RESET),
    "closed in the head": (b"HTTP/1.1 200 OK\r\nContent-Le", Outcome.RESET),
    "closed in the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", Outcome.RESET),
    "closed in a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nhello", Outcome.RESET),
    "closed between chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Outcome.RESET),
    "closed after 100": (b"HTTP/1.1 100 Continue\r\n\r\n", Outcome.RESET),
    "a chunk size that is none": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n", Outcome.PROTOCOL),
    "a chunk size with a sign": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n", Outcome.PROTOCOL),
    "a chunk size in C": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", Outcome.PROTOCOL),
    "a chunk longer than it says": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n", Outcome.PROTOCOL),
    "gzip that is none": (plain(b"hello", b"Content-Encoding: gzip\r\n"), Outcome.PROTOCOL),
    "gzip with a broken middle": (plain(GZIPPED[:12] + b"\xff\xff" + GZIPPED[14:], b"Content-Encoding: gzip\r\n"), Outcome.PROTOCOL),
    "deflate that is none": (plain(b"\xff\xfe\xfd", b"Content-Encoding: deflate\r\n"), Outcome.PROTOCOL),
    "brotli that is none": (plain(b"\xff\xfe\xfd\xfc", b"Content-Encoding: br\r\n"), Outcome.PROTOCOL),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_browser_refuses_is_refused_and_the_connection_dropped(citizen, name):
    data, outcome = REFUSED[name]
    with RawServer([once(data), answering(plain())]) as server:
        exchange = citizen.request("GET", server.url)
        after = citizen.request("GET", server.url)
    assert exchange.outcome is outcome, exchange.error
    assert exchange.error
    assert exchange.end_us >= exchange.start_us
    assert (after.outcome, after.body) == (Outcome.OK, b"hello")


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\n\r\n"),
        ("POST", b"HTTP/1.1 205 Reset Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_answers_without_a_body_end_with_their_head(citizen, method, answer):
    with RawServer([answering(answer)]) as server:
        exchanges = [citizen.request(method, server.url) for _ in range(3)]
    assert [(exchange.outcome, exchange.body) for exchange in exchanges] == [(Outcome.OK, b"")] * 3
    assert server.accepted == 1


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (plain(), 1),
        (plain(fields=b"Connection: close\r\n"), 3),
        (plain(fields=b"Connection: Keep-Alive, Upgrade\r\n"), 1),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 3),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", 1),
        (plain() + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", 3),  # pipelined surplus must not become the next answer
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nsurplus", 3),
    ],
)
def test_a_connection_is_kept_only_where_that_is_safe(citizen, answer, connections):
    with RawServer([answering(answer)]) as server:
        exchanges = [citizen.request("GET", server.url) for _ in range(3)]
    assert [exchange.outcome for exchange in exchanges] == [Outcome.OK] * 3
    assert b"poison" not in b"".join(exchange.body for exchange in exchanges)
    assert server.accepted == connections


def test_a_giant_head_is_refused(citizen):
    with RawServer([once(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000)]) as server:
        exchange = citizen.request("GET", server.url)
    assert exchange.outcome is Outcome.PROTOCOL
    assert exchange.error.startswith("a head of more than 262144 bytes; h11: ")


def test_a_large_head_is_read(citizen):
    with RawServer([once(plain(fields=b"X: " + b"x" * 200_000 + b"\r\n"))]) as server:
        exchange = citizen.request("GET", server.url)
    assert (exchange.outcome, len(exchange.headers.get("x"))) == (Outcome.OK, 200_000)


ENDLESS = {
    "until close": b"HTTP/1.1 200 OK\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "announced": b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_body_without_end_is_cut_off(new_citizen, kind):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(ENDLESS[kind])
        piece = b"x" * 4096
        while True:
            peer.send(b"1000\r\n" + piece + b"\r\n" if kind == "chunked" else piece)

    with RawServer([script]) as server:
        exchange = new_citizen(sizes=SizeLimits(body=100_000)).request("GET", server.url)
    assert (exchange.outcome, exchange.error) == (Outcome.WRONG_CONTENT, "a body of more than 100000 bytes")
    assert exchange.status == 200
    assert exchange.wire_bytes < 2_000_000


BOMBS = {
    "gzip": gzip.compress(bytes(10_000_000)),
    "deflate": zlib.compress(bytes(10_000_000)),
    "br": brotli.compress(bytes(10_000_000)),
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_decompression_bomb_is_wrong_content(new_citizen, encoding):
    with RawServer([once(plain(BOMBS[encoding], f"Content-Encoding: {encoding}\r\n".encode()))]) as server:
        exchange = new_citizen(sizes=SizeLimits(body=1_000_000)).request("GET", server.url)
    assert (exchange.outcome, exchange.body) == (Outcome.WRONG_CONTENT, b"")
    assert exchange.first_byte_us <= exchange.end_us


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_bomb_is_given_up_long_before_its_end(citizen, encoding):
    with RawServer([once(plain(BOMBS[encoding], f"Content-Encoding: {encoding}\r\n".encode()))]) as server:
        exchange = citizen.request("GET", server.url)
    assert (exchange.outcome, exchange.error) == (Outcome.WRONG_CONTENT, "a body that grows to more than 200 times its size")


@pytest.mark.parametrize(("pack", "encoding"), [(gzip.compress, "gzip"), (zlib.compress, "deflate"), (brotli.compress, "br")])
@pytest.mark.parametrize(
    "body", [bytes(1_000_000), bytes(range(256)) * 12_000 + random.Random(1).randbytes(200_000)], ids=["blank", "large"]
)
def test_a_large_honest_body_is_decoded_whole(citizen, pack, encoding, body):
    with RawServer([once(plain(pack(body), f"Content-Encoding: {encoding}\r\n".encode()))]) as server:
        exchange = citizen.request("GET", server.url)
    assert exchange.outcome is Outcome.OK
    assert exchange.body == body


def test_a_trailer_without_end_is_refused(citizen):
    with RawServer([once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 10_000)]) as server:
        assert citizen.request("GET", server.url).outcome is Outcome.PROTOCOL


def test_a_size_line_without_end_is_refused(citizen):
    with RawServer([once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 40_000)]) as server:
        assert citizen.request("GET", server.url).outcome is Outcome.PROTOCOL


def test_a_reset_in_the_body_is_a_reset(citizen):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        peer.reset()

    with RawServer([script]) as server:
        exchange = citizen.request("GET", server.url)
    assert exchange.outcome is Outcome.RESET


def test_a_slow_head_counts_from_its_first_byte(new_citizen):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n")
        peer.wait_for_close()

    with RawServer([script]) as server:
        exchange = new_citizen(timeouts=PhaseTimeouts(first_byte_s=5, total_s=0.15)).request("GET", server.url)
    assert (exchange.outcome, exchange.error.partition(":")[0]) == (Outcome.TIMEOUT, "head")
    assert 0 < exchange.first_byte_us < exchange.end_us


def test_the_first_byte_is_the_answers_own_not_that_of_100_continue(citizen):
    gate_us = []

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)
        gate_us.append(time.monotonic_ns() // 1000)
        peer.send(plain())

    with RawServer([script]) as server:
        exchange = citizen.request("GET", server.url)
    assert exchange.first_byte_us >= gate_us[0]


def test_folded_and_repeated_fields_read_as_one_and_as_many(citizen):
    with RawServer([once(b"HTTP/1.1 200 OK\r\nX-Long: one\r\n  two\r\nVia: a\r\nVia: b\r\nX-Ten: h\xe1\xbb\x93 s\xc6\xa1\r\nX-Old: \xe9t\xe9\r\nContent-Length: 0\r\n\r\n")]) as server:  # fmt: skip
        headers = citizen.request("GET", server.url).headers
    assert headers.get("x-long") == "one two"
    assert headers.get_all("via") == ["a", "b"]
    assert headers.get("x-ten") == "hồ sơ"
    assert headers.get("x-old") == "été"
