"""Idle connections that the server closes: reopened where that is certain to be harmless, never a POST sent twice."""

from __future__ import annotations

import threading
import time

import gevent
import pytest

from harness.client import session as session_module
from harness.records import Outcome

from .raw_server import Peer, RawServer, answering, plain


def closing_after_one(closed: threading.Event) -> object:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(plain())
        peer.close()
        closed.set()

    return script


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_closed_while_idle_is_replaced_before_anything_is_sent(citizen, method):
    """The event loop has seen the end: the new connection is an ordinary one, nothing was sent twice."""
    closed = threading.Event()
    with RawServer([closing_after_one(closed), answering(plain(b"second"))]) as server:
        citizen.request("GET", server.url)
        closed.wait(5)
        gevent.sleep(0.02)
        exchange = citizen.request(method, server.url, body=b"x" if method == "POST" else b"")
    assert (exchange.outcome, exchange.body) == (Outcome.OK, b"second")
    assert not exchange.reused
    assert not exchange.reopened
    assert exchange.connect_us > 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_end_that_the_event_loop_has_not_seen_yet_is_found_too(citizen, method):
    closed = threading.Event()
    with RawServer([closing_after_one(closed), answering(plain(b"second"))]) as server:
        citizen.request("GET", server.url)
        closed.wait(5)
        time.sleep(0.02)  # blocks the event loop on purpose: the end is in the kernel, and nobody has looked
        exchange = citizen.request(method, server.url, body=b"x" if method == "POST" else b"")
    assert (exchange.outcome, exchange.body) == (Outcome.OK, b"second")
    assert not exchange.reused


def reading_but_never_answering(requests: list[bytes], end: str) -> object:
    def script(peer: Peer) -> None:
        requests.append(peer.read_request())
        peer.send(plain(b"first"))
        requests.append(peer.read_request())
        peer.reset() if end == "reset" else peer.close()

    return script


@pytest.mark.parametrize("end", ["reset", "close"])
def test_a_get_that_crossed_the_close_is_sent_again_once(citizen, end):
    requests: list[bytes] = []
    with RawServer([reading_but_never_answering(requests, end), answering(plain(b"second"))]) as server:
        citizen.request("GET", server.url)
        exchange = citizen.request("GET", server.url)
    assert (exchange.outcome, exchange.body) == (Outcome.OK, b"second")
    assert exchange.reopened
    assert not exchange.reused
    assert server.accepted == 2


@pytest.mark.parametrize("end", ["reset", "close"])
def test_a_post_that_was_sent_is_never_sent_again(citizen, end):
    requests: list[bytes] = []
    with RawServer([reading_but_never_answering(requests, end), answering(plain(b"second"))]) as server:
        citizen.request("GET", server.url)
        exchange = citizen.request("POST", server.url, body=b"pay")
    assert exchange.outcome is Outcome.RESET
    assert exchange.reused
    assert not exchange.reopened
    assert server.accepted == 1
    assert [request.endswith(b"pay") for request in requests] == [False, True]


def test_a_get_is_not_sent_a_third_time(citizen):
    requests: list[bytes] = []

    def dropping(peer: Peer) -> None:
        requests.append(peer.read_request())
        peer.close()

    with RawServer([reading_but_never_answering(requests, "close"), dropping]) as server:
        citizen.request("GET", server.url)
        exchange = citizen.request("GET", server.url)
    assert exchange.outcome is Outcome.RESET
    assert len(requests) == 3


def test_a_fresh_connection_that_is_dropped_is_a_reset(citizen):
    with RawServer([lambda peer: peer.read_request(), answering(plain())]) as server:
        assert citizen.request("GET", server.url).outcome is Outcome.RESET
    assert server.accepted == 1


def test_an_answer_that_had_begun_is_not_asked_for_again(citizen):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(plain())
        peer.read_request()
        peer.send(b"HTTP/1.1 2")

    with RawServer([script, answering(plain())]) as server:
        citizen.request("GET", server.url)
        assert citizen.request("GET", server.url).outcome is Outcome.RESET
    assert server.accepted == 1


def test_a_request_that_was_worked_on_and_then_dropped_is_a_reset(citizen, monkeypatch):
    """Longer than a round trip after it was sent, the end of a connection is no race: the server had accepted the request."""
    monkeypatch.setattr(session_module, "RACE_S", 0.05)

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(plain())
        peer.read_request()
        time.sleep(0.1)

    with RawServer([script, answering(plain())]) as server:
        citizen.request("GET", server.url)
        assert citizen.request("GET", server.url).outcome is Outcome.RESET
    assert server.accepted == 1


def test_what_arrives_while_idle_is_never_taken_for_an_answer(citizen):
    sent = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(plain())
        ready.wait(5)
        peer.send(plain(b"poison"))
        sent.set()
        peer.wait_for_close()

    ready = threading.Event()
    with RawServer([script, answering(plain(b"second"))]) as server:
        citizen.request("GET", server.url)
        ready.set()
        sent.wait(5)
        gevent.sleep(0.02)
        assert citizen.request("GET", server.url).body == b"second"
    assert server.accepted == 2


@pytest.mark.parametrize(("limit", "connections"), [(b"timeout=1", 2), (b"timeout=60, max=100", 1), (b"max=100", 1), (b"nonsense", 1)])
def test_an_announced_idle_limit_is_not_run_into(citizen, limit, connections):
    with RawServer([answering(plain(fields=b"Keep-Alive: %s\r\n" % limit))]) as server:
        for _ in range(2):
            assert citizen.request("POST", server.url, body=b"x").outcome is Outcome.OK
            time.sleep(0.51)  # more than half of the shortest limit
        assert server.accepted == connections
