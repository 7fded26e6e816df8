"""Which hosts may be reached: loopback always, everything else only by an entry of its own.

A policy is asked twice. Before a name is resolved it is asked about the origin; when the address is known it is asked
about the address, if it can answer that (``allows_address``). The second question is what DNS rebinding fails at: an
origin that is allowed because its *name* means this machine must not lead anywhere else.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from typing import Protocol, runtime_checkable

from harness.client.target import is_loopback, locate
from harness.errors import Problem, UsageError

_USUAL = frozenset({"127.0.0.1", "::1"})  # asked at every connect: no need to take them apart


@runtime_checkable
class AddressPolicy(Protocol):
    """A host policy that is also asked about the address an origin resolved to."""

    def __call__(self, origin: str, /) -> bool:
        """Whether the origin may be connected to."""
        ...

    def allows_address(self, origin: str, address: str) -> bool:
        """Whether this address may be connected to for that origin."""
        ...


class AllowedOrigins:
    """Loopback origins and a closed list of others."""

    __slots__ = ("_origins",)

    def __init__(self, origins: Collection[str] = ()) -> None:
        self._origins = frozenset(_normal(origin) for origin in origins)

    def __call__(self, origin: str, /) -> bool:
        """Whether the origin is on this machine by its name, or on the list."""
        return origin in self._origins or is_loopback_origin(origin)

    def allows_address(self, origin: str, address: str) -> bool:
        """Any address for a listed origin; a loopback one for an origin that is allowed because it is loopback."""
        return origin in self._origins or is_loopback_address(address)

    def __repr__(self) -> str:
        return f"AllowedOrigins({sorted(self._origins)})"


loopback_only = AllowedOrigins()
"""The policy of everything that runs without an authorisation."""


def allow(origins: Collection[str]) -> AllowedOrigins:
    """Loopback and these origins (``scheme://name[:port]``), and nothing else; raises UsageError for what is no origin."""
    return AllowedOrigins(origins)


def is_loopback_origin(origin: str) -> bool:
    """``localhost``, 127.0.0.0/8 and ``[::1]``, written so; names that merely resolve there are not."""
    target, _ = locate(origin)
    return target is not None and target.loopback


def is_loopback_address(address: str) -> bool:
    """Whether an address, as the resolver gives it, is on this machine."""
    return address in _USUAL or is_loopback(ip_address(address.partition("%")[0]))


def _normal(origin: str) -> str:
    target, path = locate(origin)
    if target is None or path != "/":
        raise UsageError(
            Problem(
                "allowed origins", "origin", repr(origin), "scheme://name or scheme://name:port, http or https", "Write the origin alone."
            )
        )
    return target.origin
