"""Names: each once a window, for all citizens together; failures are outcomes."""

from __future__ import annotations

import socket

import gevent
import pytest

from harness.client import PhaseTimeouts, Resolver
from harness.records import Outcome

from .conftest import permitted
from .raw_server import RawServer, answering, plain


class Slow(Resolver):
    """Takes its time, and counts."""

    def __init__(self, answer: tuple[str, ...] | Exception, seconds: float = 0.0) -> None:
        super().__init__()
        self.asked = 0
        self._answer = answer
        self._seconds = seconds

    def look_up(self, host: str) -> tuple[str, ...]:
        self.asked += 1
        gevent.sleep(self._seconds)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_a_name_is_asked_for_once_by_all_citizens_and_recorded(new_citizen):
    resolver = Slow(("127.0.0.1",), 0.02)
    with RawServer([answering(plain())]) as server:
        walks = [gevent.spawn(new_citizen(resolver=resolver).request, "GET", f"http://localhost:{server.port}/") for _ in range(5)]
        exchanges = [walk.get() for walk in walks]
    assert [exchange.outcome for exchange in exchanges] == [Outcome.OK] * 5
    assert resolver.asked == 1
    assert resolver.addresses == {"localhost": ("127.0.0.1",)}
    assert max(exchange.dns_us for exchange in exchanges) >= 20_000


def test_a_window_asks_once_and_a_new_window_asks_again(new_citizen):
    resolvers = [Slow(("127.0.0.1",)) for _ in range(2)]
    with RawServer([answering(plain(fields=b"Connection: close\r\n"))]) as server:
        for resolver in resolvers:  # one for each window
            citizen = new_citizen(resolver=resolver)
            for _ in range(2):
                citizen.request("GET", f"http://localhost:{server.port}/")
    assert [resolver.asked for resolver in resolvers] == [1, 1]


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_NONAME, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_that_is_not_there_is_outcome_dns_and_asked_for_again(new_citizen, error):
    resolver = Slow(error)
    citizen = new_citizen(policy=permitted("http://missing.example"), resolver=resolver)
    exchanges = [citizen.request("GET", "http://missing.example/") for _ in range(2)]
    assert [exchange.outcome for exchange in exchanges] == [Outcome.DNS] * 2
    assert resolver.asked == 2
    assert resolver.addresses == {}


def test_a_name_server_that_is_silent_is_a_timeout(new_citizen):
    citizen = new_citizen(policy=permitted("http://slow.example"), resolver=Slow(("127.0.0.1",), 60), timeouts=PhaseTimeouts(dns_s=0.05))
    exchange = citizen.request("GET", "http://slow.example/")
    assert (exchange.outcome, exchange.dns_us) == (Outcome.TIMEOUT, 0)
    assert exchange.error.startswith("name of slow.example")


def test_the_system_knows_localhost():
    assert set(Resolver().look_up("localhost")) <= {"127.0.0.1", "::1"}


def test_an_address_is_not_resolved(new_citizen):
    resolver = Slow(OSError("must not be asked"))
    with RawServer([answering(plain())]) as server:
        exchange = new_citizen(resolver=resolver).request("GET", server.url)
    assert (exchange.outcome, exchange.dns_us, resolver.asked) == (Outcome.OK, 0, 0)


def test_the_next_address_is_tried_when_one_refuses(new_citizen):
    with RawServer([answering(plain())]) as server:
        resolver = Slow(("::1", "127.0.0.1"))
        exchange = new_citizen(resolver=resolver).request("GET", f"http://localhost:{server.port}/")
    assert exchange.outcome is Outcome.OK


def test_ipv6():
    from harness.client import LeanSession, loopback_only

    with RawServer([answering(plain())], host="::1") as server:
        citizen = LeanSession(loopback_only, Resolver())
        exchange = citizen.request("GET", server.url)
        citizen.close()
    assert (exchange.outcome, exchange.host) == (Outcome.OK, server.url)
