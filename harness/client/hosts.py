"""Where requests may go. A policy is asked twice: about an origin before its name is looked up, and about each address that is found.

The second question stops DNS rebinding: a name that is allowed must not lead to this machine or into a private network, unless
that is what was permitted. ``harness.catalog.Target`` is the policy of a portal's hosts.
"""

from __future__ import annotations

from harness.client.exchange import ExchangeError, HostPolicy
from harness.client.resolver import Resolver
from harness.origins import Origin, is_loopback, is_loopback_address
from harness.records import Outcome


class _LoopbackOnly:
    def allowed(self, origin: str) -> bool:
        return is_loopback(origin)

    def allows_address(self, origin: str, address: str) -> bool:
        return is_loopback_address(address)


loopback_only: HostPolicy = _LoopbackOnly()
"""The policy of what belongs to no portal."""


def allowed_addresses(origin: Origin, policy: HostPolicy, resolver: Resolver, timeout_s: float) -> list[str]:
    """The addresses to try, in order; raises ExchangeError (left_allowed_hosts, dns, timeout).

    ``localhost`` must lead to loopback under any policy.
    """
    if not policy.allowed(origin.text):
        raise ExchangeError(Outcome.LEFT_ALLOWED_HOSTS, f"{origin.text} is not among the allowed hosts")
    addresses = (str(origin.address),) if origin.address is not None else resolver.resolve(origin.name, timeout_s)
    allowed = [
        address
        for address in addresses
        if (is_loopback_address(address) if origin.is_loopback else policy.allows_address(origin.text, address))
    ]
    if not allowed:
        found = ", ".join(addresses)
        raise ExchangeError(Outcome.LEFT_ALLOWED_HOSTS, f"{origin.text} is at {found}, which is not allowed for it")
    return allowed
