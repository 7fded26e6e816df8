"""What every answer has, and what connections do between answers."""

from __future__ import annotations

import gevent
import pytest

from harness.client import LeanSession, PhaseTimeouts, Resolver, loopback_only
from harness.samples import Outcome

from .raw_server import Peer, RawServer, answering, plain


def session(**settings) -> LeanSession:
    return LeanSession(loopback_only, Resolver(), **settings)


def test_an_exchange_says_all_it_knows():
    with RawServer([answering(plain(b"xin chao", b"X-A: 1\r\nx-a: 2\r\n"))]) as server:
        citizen = session()
        first = citizen.request("GET", f"{server.url}/a?b=c")
        again = citizen.request("GET", f"{server.url}/a")
        citizen.close()
    assert (first.outcome, first.status, first.body, first.host) == (Outcome.OK, 200, b"xin chao", server.url)
    assert first.headers.get("X-a") == "1"
    assert first.headers.get_all("X-A") == ["1", "2"]
    assert first.wire_bytes == len(plain(b"xin chao", b"X-A: 1\r\nx-a: 2\r\n"))
    assert 0 < first.start_us <= first.first_byte_us <= first.end_us
    assert first.connect_us > 0
    assert not first.reused
    assert again.reused
    assert (again.connect_us, again.dns_us, again.tls_us) == (0, 0, 0)
    assert server.accepted == 1


def test_a_refused_connection_is_outcome_connect():
    with RawServer([answering(plain())]) as server:
        pass
    citizen = session()
    exchange = citizen.request("GET", server.url)
    assert exchange.outcome is Outcome.CONNECT
    assert exchange.end_us >= exchange.start_us > 0


def test_a_server_that_never_answers_is_a_timeout():
    with RawServer([Peer.wait_for_close]) as server:
        citizen = session(timeouts=PhaseTimeouts(first_byte_s=0.1))
        exchange = citizen.request("GET", server.url)
    assert exchange.outcome is Outcome.TIMEOUT
    assert exchange.end_us - exchange.start_us >= 100_000


@pytest.mark.parametrize("citizens", [20])
def test_many_citizens_at_once(citizens):
    with RawServer([answering(plain())]) as server:

        def walk() -> list[Outcome]:
            citizen = session()
            outcomes = [citizen.request("GET", f"{server.url}/{n}").outcome for n in range(5)]
            citizen.close()
            return outcomes

        walks = [gevent.spawn(walk) for _ in range(citizens)]
        assert [greenlet.get() for greenlet in walks] == [[Outcome.OK] * 5] * citizens
        assert server.accepted == citizens
