"""Whether a portal's hosts may be sent requests now: the one question that every command asks, and every worker before each round."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address

from harness.catalog.authorisation import Authorisation
from harness.errors import AuthorisationError, Problem
from harness.origins import locate
from harness.records.permitted_hours import in_vietnam, next_opening_s, permitted_until_s

_ANYWHERE = ("192.0.2.1", "2001:db8::1")
"""Addresses of no machine (RFC 5737, RFC 3849). The route to them is the usual one, for a name that nobody can resolve just now."""


def refusal(permission: Authorisation, moment: datetime) -> Problem | None:
    """Why an authorisation does not permit requests at a moment (aware): its days or its hours. None where it does."""
    moment_s, hours = moment.timestamp(), permission.hours or ()
    if permission.draft:
        return still_a_draft(permission)
    if not permission.holds_at(moment):
        lasts = f"{permission.valid_from:%Y-%m-%d %H:%M %z} to {permission.valid_to:%Y-%m-%d %H:%M %z}"
        remedy = "Obtain the owner's written permission for that time."
        return Problem("authorisations/", f"{permission.id}.valid_to", lasts, f"days that cover {moment:%Y-%m-%d %H:%M %z}", remedy)
    if permitted_until_s(hours, moment_s) is None:
        remedy = f"Begin at {in_vietnam(next_opening_s(hours, moment_s))}, or have other hours permitted."
        expected = f"hours of the day in Viet Nam that cover {in_vietnam(moment_s)}"
        return Problem("authorisations/", f"{permission.id}.hours", ", ".join(hours), expected, remedy)
    return None


def still_a_draft(permission: Authorisation) -> Problem:
    """Why a draft of an authorisation permits nothing."""
    hosts = ", ".join(host.origin for host in permission.hosts)
    expected = f"a permission that the owners of {hosts} have given in writing"
    remedy = "Fill in what they have signed (reference, granted_by, valid_from, valid_to, limits), then remove the line `draft: true`."
    return Problem("authorisations/", f"{permission.id}.draft", "true", expected, remedy)


def require_permitted(permission: Authorisation, moment: datetime, *, second_address: str = "") -> None:
    """Raise AuthorisationError where this machine may not send requests to the hosts of an authorisation at a moment (aware).

    Days, hours, and the addresses that requests would come from: that of the route to each host, and ``second_address``.
    No packet goes to a host.
    """
    if found := refusal(permission, moment):
        raise AuthorisationError(found)
    permitted = permission.source_addresses or ()
    used = [*(_sources(permission) if permitted else ()), *([second_address] if second_address else ())]
    foreign = [address for address in dict.fromkeys(used) if permitted and not any(ip_address(address) in each for each in permitted)]
    if foreign:
        remedy = "Measure from a machine that the permission names, or have this address added to it."
        expected = f"requests from {', '.join(map(str, permitted))} only"
        raise AuthorisationError(
            Problem("authorisations/", f"{permission.id}.source_addresses", f"they would come from {', '.join(foreign)}", expected, remedy)
        )


def _sources(permission: Authorisation) -> Iterator[str]:
    """The addresses of this machine on its routes to the hosts."""
    for host in permission.hosts:
        for address in _addresses(host.origin):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:  # without a route nothing can be sent
                sock.connect((address, 9))  # UDP: this sends nothing
                yield str(sock.getsockname()[0]).partition("%")[0]


def _addresses(origin: str) -> Sequence[str]:
    found, _ = locate(origin)
    assert found is not None
    if found.address is not None:
        return (str(found.address),)
    try:
        return list(dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(found.name, None, type=socket.SOCK_STREAM)))
    except (OSError, UnicodeError):
        return _ANYWHERE
