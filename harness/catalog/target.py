"""The hosts of a portal, and the origins that requests may be sent to."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType

from harness.catalog.authorisation import Authorisation
from harness.catalog.csv_file import check_edges, read_csv_file
from harness.catalog.gate import require_permitted, still_a_draft
from harness.catalog.portal import Portal
from harness.catalog.secret_reference import parse_reference
from harness.catalog.text_file import decoded
from harness.errors import AuthorisationError, EnvironmentFault, Problem
from harness.origins import Owner, is_loopback, is_public_address, locate, origin_of

_OWNER_OF_ROLE: Mapping[str, Owner] = {"identity": "identity", "payment": "payment", "assets": "assets"}


@dataclass(frozen=True, slots=True)
class Target:
    """A portal's hosts. ``origins`` maps a role (portal, identity, payment, form_host …) to ``scheme://name:port``."""

    portal: str
    platform: str
    origins: Mapping[str, str]
    owners: Mapping[str, Owner]  # by origin; what is not here is not allowed
    authorisation: Authorisation | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # references: env:NAME or file:PATH
    identities: Sequence[Mapping[str, str]] = field(default=(), repr=False)  # test identities, one a visit in turn

    def allowed(self, origin: str) -> bool:
        """Whether a request may be sent to an origin."""
        return origin in self.owners

    def is_own(self, origin: str) -> bool:
        """Whether an origin is the portal's own by its authorisation or, where it is embedded, by its roles, whoever is charged for it."""
        if self.authorisation is not None:
            return any(host.origin == origin and host.owner == "portal" for host in self.authorisation.hosts)
        roles = [role for role, url in self.origins.items() if origin_of(url) == origin]
        return bool(roles) and all(owner_of_role(role) == "portal" for role in roles)

    def allows_address(self, origin: str, address: str) -> bool:
        """Whether the name of an origin may lead to an address: a public one, or one in a range that the authorisation names.

        An origin that is written as an address permits it. Embedded portals are on loopback, which a session checks by itself.
        """
        found, _ = locate(origin)
        if (found is not None and found.address is not None) or is_public_address(address):
            return True
        ranges = self.authorisation.address_ranges if self.authorisation is not None else ()
        return any(ip_address(address.partition("%")[0]) in each for each in ranges)

    def sharing(self, shared_hosts: Sequence[str]) -> Target:
        """The same hosts, of which only these origins are not the portal's own."""
        own = {origin: owner for origin, owner in self.owners.items() if owner == "portal" or origin in shared_hosts}
        charged: dict[str, Owner] = {origin: "portal" for origin in self.owners if origin not in own}
        return replace(self, owners=MappingProxyType({**own, **charged}))

    def secret(self, name: str) -> str:
        """The secret of a name, read where its reference points; never to be written anywhere.

        A byte order mark and the white space around the secret are no part of it: editors and secret stores add them.
        """
        written = self.secrets.get(name)
        reference = parse_reference(written or "")
        if reference is None:
            raise EnvironmentFault(_no_secret(name, self.portal, "not declared", "Add it to `secrets` of the authorisation."))
        try:
            secret = decoded(reference.read()).strip()
        except (KeyError, OSError):
            raise EnvironmentFault(_no_secret(name, self.portal, f"nothing at {written}", "Set the variable or write the file.")) from None
        except UnicodeDecodeError:
            raise EnvironmentFault(_no_secret(name, self.portal, f"not a text at {written}", "Save the file as UTF-8.")) from None
        if secret:
            return secret
        raise EnvironmentFault(_no_secret(name, self.portal, f"empty at {written}", "Write the secret there."))


def owner_of_role(role: str) -> Owner:
    """Who owns an embedded portal's host, by its role."""
    return _OWNER_OF_ROLE.get(role, "portal")


def embedded_target(portal: Portal, origins: Mapping[str, str]) -> Target:
    """A target on the simulator: ``origins`` by role, all of them loopback; AuthorisationError otherwise.

    An origin may carry a path where a portal lives below one: templates see it whole, the host policy only its origin.
    """
    strangers = [origin for origin in origins.values() if not is_loopback(origin)]
    if strangers:
        remedy = "Only loopback may be loaded without an authorisation."
        expected = "a loopback origin for an embedded portal"
        raise AuthorisationError(Problem("authorisations/", portal.id, ", ".join(strangers), expected, remedy))
    owned: dict[str, Owner] = {}
    for role, url in origins.items():
        owned.setdefault(origin_of(url), owner_of_role(role))
    return Target(
        portal.id,
        portal.embedded_platform,
        MappingProxyType({role: url.rstrip("/") for role, url in origins.items()}),
        MappingProxyType(owned),
    )


def authorised_target(portal: Portal, authorisations: Sequence[Authorisation], moment: datetime, *, second_address: str = "") -> Target:
    """A target of real hosts that may be sent requests at ``moment``; raises AuthorisationError where no authorisation permits that.

    ``second_address``: another address of this machine, from which requests are to come too.
    """
    chosen = authorisation_at(portal, authorisations, moment)
    require_permitted(chosen, moment, second_address=second_address)
    return target_of(portal, chosen)


def authorisation_at(portal: Portal, authorisations: Sequence[Authorisation], moment: datetime) -> Authorisation:
    """The authorisation for a portal that is valid on the day of ``moment``; hours are not looked at. Raises AuthorisationError if there is none."""
    of_portal = [item for item in authorisations if item.portal == portal.id]
    valid = [item for item in of_portal if item.holds_at(moment)]
    if not valid and (drafts := [item for item in of_portal if item.draft]):
        raise AuthorisationError(*map(still_a_draft, drafts))
    if not valid:
        found = ", ".join(f"{item.id} ({item.valid_from:%Y-%m-%d %H:%M %z} to {item.valid_to:%Y-%m-%d %H:%M %z})" for item in of_portal)
        raise AuthorisationError(
            Problem(
                "authorisations/", portal.id, found or "without an authorisation", f"one that covers {moment:%Y-%m-%d %H:%M %z}",
                "Obtain the owner's written permission and describe it in a file of your catalog.",
            )
        )  # fmt: skip
    return max(valid, key=lambda item: item.valid_from)


def target_of(portal: Portal, chosen: Authorisation) -> Target:
    """The hosts that an authorisation names. This permits nothing: ``authorised_target`` does."""
    return Target(
        portal.id,
        chosen.platform or portal.platform,
        MappingProxyType({host.role: host.origin for host in chosen.hosts}),
        MappingProxyType({host.origin: host.owner for host in chosen.hosts}),
        chosen,
        MappingProxyType(dict(chosen.secrets)),
        identities_of(chosen),
    )


def identities_of(authorisation: Authorisation) -> Sequence[Mapping[str, str]]:
    """The test identities that an authorisation refers to: a CSV whose columns are named like a person's values.

    Raises EnvironmentFault for a file that cannot be read, and for one that is no table.
    """
    if authorisation.test_identities is None:
        return ()
    kind, _, where = authorisation.test_identities.partition(":")
    named = os.environ.get(where, "").strip() if kind == "env" else where
    if not named:
        raise EnvironmentFault(
            Problem(
                f"authorisations/ ({authorisation.id})", "test_identities", f"nothing at {authorisation.test_identities}", "the path of a CSV file",
                f"Set the variable: export {where}=/path/to/accounts.csv.",
            )
        )  # fmt: skip
    path = Path(named)
    problems: list[Problem] = []
    try:
        table = read_csv_file(path, problems)
    except OSError as error:
        raise EnvironmentFault(
            Problem(
                f"authorisations/ ({authorisation.id})", "test_identities", authorisation.test_identities, "a readable UTF-8 CSV file",
                f"Write the file, or name the variable that holds its path ({type(error).__name__}).",
            )
        ) from error  # fmt: skip
    if table is not None:
        check_edges(table, str(path), problems)
    if table is None or problems:
        raise EnvironmentFault(*problems)
    return table.rows


def _no_secret(name: str, portal: str, value: str, remedy: str) -> Problem:
    return Problem("authorisations/", f"secrets.{name} of {portal}", value, "a secret by reference", remedy)
