"""Where a target may be connected to: the policy's two questions, asked in their order, before any packet."""

from __future__ import annotations

from harness.client.exchange import HostPolicy
from harness.client.faults import Fault
from harness.client.hosts import is_loopback_address
from harness.client.resolver import Resolver
from harness.client.target import Target
from harness.records import Outcome


def allowed_addresses(target: Target, policy: HostPolicy, resolver: Resolver, timeout_s: float) -> list[str]:
    """The addresses to try, in order; raises Fault (left_allowed_hosts, dns, timeout).

    A policy that knows no addresses is not trusted with one name: ``localhost`` must lead to loopback under any policy.
    """
    if not policy(target.origin):
        raise Fault(Outcome.LEFT_ALLOWED_HOSTS, f"{target.origin} is not among the allowed hosts")
    addresses = (str(target.address),) if target.address is not None else resolver.resolve(target.host, timeout_s)
    allows = getattr(policy, "allows_address", None)
    if allows is None and not target.loopback:
        return list(addresses)
    allowed = [address for address in addresses if (allows(target.origin, address) if allows else is_loopback_address(address))]
    if not allowed:
        raise Fault(Outcome.LEFT_ALLOWED_HOSTS, f"{target.origin} is at {', '.join(addresses)}, which it is not allowed to be")
    return allowed
