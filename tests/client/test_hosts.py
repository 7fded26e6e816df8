"""Which hosts may be reached, by name and by address, and that a refusal sends no packet."""

from __future__ import annotations

import pytest

from harness.client import Resolver, loopback_only
from harness.origins import is_loopback, is_loopback_address, is_loopback_host
from harness.records import Outcome

from .conftest import permitted
from .raw_server import RawServer, answering, plain


@pytest.mark.parametrize("origin", ["http://localhost:80", "http://127.0.0.1:8080", "https://127.1.2.3:443", "http://[::1]:8080", "http://LOCALHOST"])  # fmt: skip
def test_loopback_is_loopback(origin):
    assert is_loopback(origin)
    assert loopback_only.allowed(origin)


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
    assert not loopback_only.allowed(origin)


def test_an_entry_allows_its_origin_and_nothing_beside_it():
    policy = permitted("https://Portal.Example", "http://10.0.0.1:8080")
    assert policy.allowed("https://portal.example:443")
    assert policy.allowed("http://10.0.0.1:8080")
    assert not policy.allowed("http://127.0.0.1:1234")
    assert not policy.allowed("http://portal.example:80")
    assert not policy.allowed("https://portal.example:8443")
    assert not policy.allowed("https://www.portal.example:443")


@pytest.mark.parametrize("entry", ["portal.example", "https://portal.example/path", "ftp://portal.example", "https://*.example.com:x"])
def test_an_entry_that_is_no_origin_is_an_error(entry):
    with pytest.raises(ValueError, match="scheme, name and port only"):
        permitted(entry)


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


def test_the_same_where_the_name_and_the_address_are_permitted(new_citizen):
    exchange = new_citizen(policy=permitted("http://localhost:9", ranges=("192.0.2.0/24",)), resolver=Lying("192.0.2.1")).request(
        "GET", "http://localhost:9/"
    )
    assert exchange.outcome is Outcome.LEFT_ALLOWED_HOSTS


def test_only_the_allowed_of_several_addresses_are_tried(new_citizen):
    with RawServer([answering(plain())]) as server:
        exchange = new_citizen(resolver=Lying("192.0.2.1", "127.0.0.1")).request("GET", f"http://localhost:{server.port}/")
    assert exchange.outcome is Outcome.OK


INSIDE = ["127.0.0.1", "10.0.0.8", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "2001:0:102:304::80ff:fffe", "64:ff9b::a00:1"]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_allowed_name_may_not_lead_inside(new_citizen, address):
    exchange = new_citizen(policy=permitted("http://portal.example:9"), resolver=Lying(address)).request("GET", "http://portal.example:9/")
    assert exchange.outcome is Outcome.LEFT_ALLOWED_HOSTS
    assert exchange.error == f"http://portal.example:9 is at {address}, which is not allowed for it"


@pytest.mark.parametrize("address", ["8.8.8.8", "203.162.0.1", "2405:4800::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_allowed_name_may_lead_to_a_public_address(address):
    assert permitted("http://portal.example").allows_address("http://portal.example:80", address)


def test_an_allowed_name_may_lead_into_a_range_that_is_named(new_citizen):
    with RawServer([answering(plain())]) as server:
        origin = f"http://portal.example:{server.port}"
        exchange = new_citizen(policy=permitted(origin, ranges=("127.0.0.0/30",)), resolver=Lying("127.0.0.9", "127.0.0.1")).request(
            "GET", origin
        )
    assert exchange.outcome is Outcome.OK


def test_an_address_that_is_named_permits_itself():
    policy = permitted("http://10.0.0.1:8080", "http://[fd00::1]")
    assert policy.allows_address("http://10.0.0.1:8080", "10.0.0.1")
    assert policy.allows_address("http://[fd00::1]:80", "fd00::1")
    assert not policy.allowed("http://10.0.0.2:8080")


class Once:
    """A policy that permits one connection."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def allowed(self, origin: str) -> bool:
        self.asked.append(origin)
        return len(self.asked) < 2

    def allows_address(self, origin: str, address: str) -> bool:
        return True


def test_the_policy_is_asked_at_every_connect(new_citizen):
    with RawServer([answering(plain(fields=b"Connection: close\r\n"))]) as server:
        citizen = new_citizen(policy=Once())
        outcomes = [citizen.request("GET", server.url).outcome for _ in range(2)]
    assert outcomes == [Outcome.OK, Outcome.LEFT_ALLOWED_HOSTS]
    assert server.accepted == 1


@pytest.mark.parametrize(("address", "answer"), [("127.0.0.1", True), ("::1", True), ("fe80::1%eth0", False), ("192.0.2.1", False)])
def test_loopback_addresses(address, answer):
    assert is_loopback_address(address) is answer


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost.example", False),
        ("0.0.0.0", False),
        ("::ffff:127.0.0.1", False),
        ("", False),
    ],
)
def test_hosts_that_are_loopback_without_asking_anybody(host, answer):
    assert is_loopback_host(host) is answer
