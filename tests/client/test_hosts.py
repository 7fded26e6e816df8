"""Which hosts may be reached, by name and by address, and that a refusal sends no packet."""

from __future__ import annotations

import pytest

from harness.client import Resolver, allow, loopback_only
from harness.errors import UsageError
from harness.origins import is_loopback, is_loopback_address
from harness.records import Outcome

from .raw_server import RawServer, answering, plain


@pytest.mark.parametrize("origin", ["http://localhost:80", "http://127.0.0.1:8080", "https://127.1.2.3:443", "http://[::1]:8080", "http://LOCALHOST"])  # fmt: skip
def test_loopback_is_loopback(origin):
    assert is_loopback(origin)
    assert loopback_only(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://portal.example:80",
        "http://localhost.example:80",
        "http://127.0.0.1.example:80",
        "http://localhost@portal.example:80",
        "http://10.0.0.1:80",
        "http://0.0.0.0:80",
        "http://128.0.0.1:80",
        "http://[::]:80",
        "http://[::ffff:127.0.0.1]:80",
        "http://2130706433:80",
        "http://127.1:80",
        "ftp://127.0.0.1:80",
        "127.0.0.1",
        "",
    ],
)
def test_everything_else_is_not(origin):
    assert not is_loopback(origin)
    assert not loopback_only(origin)


def test_an_entry_allows_its_origin_and_nothing_beside_it():
    policy = allow(["https://Portal.Example", "http://10.0.0.1:8080"])
    assert policy("https://portal.example:443")
    assert policy("http://10.0.0.1:8080")
    assert policy("http://127.0.0.1:1234")
    assert not policy("http://portal.example:80")
    assert not policy("https://portal.example:8443")
    assert not policy("https://www.portal.example:443")


@pytest.mark.parametrize("entry", ["portal.example", "https://portal.example/path", "ftp://portal.example", "https://*.example.com:x"])
def test_an_entry_that_is_no_origin_is_an_error(entry):
    with pytest.raises(UsageError, match="scheme://name"):
        allow([entry])


class Lying(Resolver):
    """A resolver under somebody else's control."""

    def __init__(self, *addresses: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._lie = addresses

    def look_up(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        return self._lie


def test_a_host_that_is_not_allowed_is_not_even_resolved(new_citizen):
    resolver = Lying("127.0.0.1")
    with RawServer([answering(plain())]) as server:
        exchange = new_citizen(resolver=resolver).request("GET", f"http://portal.example:{server.port}/")
    assert exchange.outcome is Outcome.LEFT_ALLOWED_HOSTS
    assert "portal.example" in exchange.error
    assert (resolver.asked, server.accepted) == ([], 0)


def test_a_loopback_name_must_lead_to_loopback(new_citizen):
    # 192.0.2.0/24 is reserved for documentation (RFC 5737); the point is that nobody tries to connect to it
    exchange = new_citizen(resolver=Lying("192.0.2.1")).request("GET", "http://localhost:9/")
    assert exchange.outcome is Outcome.LEFT_ALLOWED_HOSTS
    assert "192.0.2.1" in exchange.error


def test_the_same_with_a_policy_that_knows_no_addresses(new_citizen):
    exchange = new_citizen(policy=lambda origin: True, resolver=Lying("192.0.2.1")).request("GET", "http://localhost:9/")
    assert exchange.outcome is Outcome.LEFT_ALLOWED_HOSTS


def test_only_the_allowed_of_several_addresses_are_tried(new_citizen):
    with RawServer([answering(plain())]) as server:
        exchange = new_citizen(resolver=Lying("192.0.2.1", "127.0.0.1")).request("GET", f"http://localhost:{server.port}/")
    assert exchange.outcome is Outcome.OK


def test_an_allowed_name_may_lead_anywhere(new_citizen):
    with RawServer([answering(plain())]) as server:
        policy = allow([f"http://portal.example:{server.port}"])
        exchange = new_citizen(policy=policy, resolver=Lying("127.0.0.1")).request("GET", f"http://portal.example:{server.port}/")
    assert exchange.outcome is Outcome.OK


def test_the_policy_is_asked_at_every_connect(new_citizen):
    asked = []

    def policy(origin: str) -> bool:
        asked.append(origin)
        return len(asked) < 2

    with RawServer([answering(plain(fields=b"Connection: close\r\n"))]) as server:
        citizen = new_citizen(policy=policy)
        outcomes = [citizen.request("GET", server.url).outcome for _ in range(2)]
    assert outcomes == [Outcome.OK, Outcome.LEFT_ALLOWED_HOSTS]
    assert server.accepted == 1


@pytest.mark.parametrize(("address", "answer"), [("127.0.0.1", True), ("::1", True), ("fe80::1%eth0", False), ("192.0.2.1", False)])
def test_loopback_addresses(address, answer):
    assert is_loopback_address(address) is answer
