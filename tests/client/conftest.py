"""A citizen to ask with, closed when the test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

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
