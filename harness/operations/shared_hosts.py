"""Which hosts of a sweep the criteria set lists as shared. All others are the portal's own, whatever an authorisation calls them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.catalog import Catalog
from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.target import owner_of_role
from harness.operations.measured_portal import MeasuredPortal
from harness.operations.portal_hosts import PortalHosts
from harness.origins import origin_of


def with_shared_hosts(hosts: PortalHosts, catalog: Catalog, criteria: CriteriaSet) -> PortalHosts:
    """The portals, each with the hosts that the set lists as shared. A note names every other host that an authorisation calls so."""
    shared = criteria.shared
    if shared is None:
        return hosts
    portals, notes = [], list(hosts.notes)
    for one in hosts.portals:
        given = list(_hosts(one, catalog))
        found = tuple(origin for role, owner, origin in given if shared.has(role, owner, origin))
        portals.append(replace(one, shared_hosts=found))
        notes += [
            f"{one.portal.id}: {origin} has the role {role} and the owner {owner}, and {criteria.named} does not list it as shared: it is charged to the portal"
            for role, owner, origin in given
            if owner != "portal" and origin not in found
        ]
    return replace(hosts, portals=tuple(portals), notes=tuple(notes))


def _hosts(one: MeasuredPortal, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """Role, owner and origin of each host."""
    permission = next((each for each in catalog.authorisations.values() if each.id == one.authorisation), None)
    if permission is not None:
        yield from ((host.role, host.owner, host.origin) for host in permission.hosts)
    else:
        yield from ((role, owner_of_role(role), origin_of(url)) for role, url in one.origins.items())
