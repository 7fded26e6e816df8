"""Which hosts may be reached: loopback always, any other host only if it is listed.

A policy is asked twice. Before a name is resolved it is asked about the origin. When the address is known it is asked
about the address, if it can answer that (``allows_address``). The second question stops DNS rebinding: an origin that is
allowed because its name means this machine must not lead anywhere else.
"""

from __future__ import annotations

from collections.abc import Collection

from harness.client.exchange import ExchangeError, HostPolicy
from harness.client.resolver import Resolver
from harness.errors import Problem, UsageError
from harness.origins import Origin, is_bare_origin, is_loopback, is_loopback_address, origin_of
from harness.records import Outcome


class AllowedOrigins:
    """Loopback origins and a closed list of others."""

    __slots__ = ("_origins",)

    def __init__(self, origins: Collection[str] = ()) -> None:
        self._origins = frozenset(_checked(origin) for origin in origins)

    def __call__(self, origin: str, /) -> bool:
        """Whether the origin is on this machine by its name, or on the list."""
        return origin in self._origins or is_loopback(origin)

    def allows_address(self, origin: str, address: str) -> bool:
        """Any address for a listed origin; a loopback one for an origin that is allowed because it is loopback."""
        return origin in self._origins or is_loopback_address(address)

    def __repr__(self) -> str:
        return f"AllowedOrigins({sorted(self._origins)})"


loopback_only = AllowedOrigins()
"""The policy of everything that runs without an authorisation."""


def allow(origins: Collection[str]) -> AllowedOrigins:
    """Loopback and these origins (``scheme://name[:port]``), and nothing else; raises UsageError for an entry that is not an origin."""
    return AllowedOrigins(origins)


def allowed_addresses(origin: Origin, policy: HostPolicy, resolver: Resolver, timeout_s: float) -> list[str]:
    """The addresses to try, in order; raises ExchangeError (left_allowed_hosts, dns, timeout).

    ``localhost`` must lead to loopback under any policy, also under one that is not asked about addresses.
    """
    if not policy(origin.text):
        raise ExchangeError(Outcome.LEFT_ALLOWED_HOSTS, f"{origin.text} is not among the allowed hosts")
    addresses = (str(origin.address),) if origin.address is not None else resolver.resolve(origin.name, timeout_s)
    allows = getattr(policy, "allows_address", None)
    if allows is None and not origin.is_loopback:
        return list(addresses)
    allowed = [address for address in addresses if (allows(origin.text, address) if allows else is_loopback_address(address))]
    if not allowed:
        raise ExchangeError(Outcome.LEFT_ALLOWED_HOSTS, f"{origin.text} is at {', '.join(addresses)}, which is not allowed for it")
    return allowed


def _checked(origin: str) -> str:
    if not is_bare_origin(origin):
        expected = "scheme://name or scheme://name:port, http or https"
        raise UsageError(Problem("allowed origins", "origin", repr(origin), expected, "Write the origin alone."))
    return origin_of(origin)
