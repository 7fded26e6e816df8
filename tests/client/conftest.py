"""A citizen to ask with, closed when the test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from harness.catalog import Target
from harness.catalog.authorisation import Authorisation
from harness.client import HostPolicy, LeanSession, PhaseTimeouts, Resolver, loopback_only

NewCitizen = Callable[..., LeanSession]


@pytest.fixture
def new_citizen() -> Iterator[NewCitizen]:
    citizens: list[LeanSession] = []

    def make(policy: HostPolicy = loopback_only, resolver: Resolver | None = None, **settings) -> LeanSession:
        settings.setdefault("timeouts", PhaseTimeouts(first_byte_s=5, total_s=10))
        citizen = LeanSession(policy, resolver or Resolver(), **settings)
        citizens.append(citizen)
        return citizen

    yield make
    for citizen in citizens:
        citizen.close()


@pytest.fixture
def citizen(new_citizen: NewCitizen) -> LeanSession:
    return new_citizen()


def knowing(name: str, *addresses: str) -> Resolver:
    """A resolver that has asked for this name already."""
    resolver = Resolver()
    resolver.addresses[name] = addresses
    return resolver


def permitted(*origins: str, ranges: tuple[str, ...] = ()) -> Target:
    """The hosts of a portal whose owner has permitted these origins, and names in them to lead into these ranges."""
    permission = Authorisation(
        id="letter", portal="p", reference="a test", granted_by="a test", valid_from="2026-01-01T00:00:00+07:00",
        valid_to="2027-01-01T00:00:00+07:00", hosts=[{"origin": origin} for origin in origins], citizens_in_flight_max=1,
        requests_per_s_max=1, address_ranges=ranges,
    )  # fmt: skip
    return Target("p", "any", {}, {host.origin: host.owner for host in permission.hosts}, permission)
