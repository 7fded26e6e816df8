"""A portal of one's own as a person describes it, and the authorisation that follows from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from harness.catalog.scalars import yaml_text
from harness.origins import Owner, is_loopback
from harness.records.permitted_hours import VIETNAM


@dataclass(frozen=True, slots=True)
class OwnHost:
    """One host of the portal: the role that the profile gives it, where it is, and whose it is."""

    role: str
    origin: str
    owner: Owner = "portal"


@dataclass(frozen=True, slots=True)
class OwnPortal:
    """What a person says about their own portal."""

    id: str
    name_vi: str
    name_en: str
    level: str
    platform: str
    platform_basis: str
    hosts: tuple[OwnHost, ...]
    citizens: int  # 0: as many as the workload needs
    requests_per_s: float  # 0: as many as the workload needs
    hours: tuple[str, ...] = ()
    contact: str = ""
    dossiers: int = 0  # 0: no limit
    is_sandbox: bool = False  # no money moves there, and nobody works on what is filed
    workload: str = ""
    criteria: str = ""

    @property
    def is_local(self) -> bool:
        """Whether all hosts are on this machine, so that nobody else has to permit anything."""
        return is_local(self.hosts)


def is_local(hosts: Sequence[OwnHost]) -> bool:
    """Whether all hosts are on this machine."""
    return all(is_loopback(host.origin) for host in hosts)


def authorisation_text(portal: OwnPortal) -> str:
    """The authorisation: for this machine as it is needed, for any other host a draft that permits nothing."""
    pays = next((host for host in portal.hosts if host.owner == "payment"), None)
    hosts = [host for host in portal.hosts if host is not pays or portal.is_sandbox]
    listed = [{"origin": host.origin, "role": host.role, "owner": host.owner} for host in hosts]
    today = datetime.now(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
    begin, end = (today, today + timedelta(days=365)) if portal.is_local else (datetime(2000, 1, 1, tzinfo=VIETNAM), datetime(2000, 1, 2, tzinfo=VIETNAM))  # fmt: skip
    said: dict[str, Any] = {
        "id": portal.id,
        "portal": portal.id,
        **({} if portal.is_local else {"draft": True}),
        "reference": "this machine, no document needed" if portal.is_local else "to be filled in: number and date of the permission",
        "granted_by": "whoever runs this machine" if portal.is_local else "to be filled in: who has signed it",
        "valid_from": begin.isoformat(),
        "valid_to": end.isoformat(),
        "citizens_in_flight_max": portal.citizens,
        "requests_per_s_max": portal.requests_per_s,
        **({"dossiers_max": portal.dossiers} if portal.dossiers else {}),
        **({"hours": list(portal.hours)} if portal.hours else {}),
        **({"contact": portal.contact} if portal.contact else {}),
        "hosts": listed,
    }
    if portal.is_sandbox:
        said["payment_sandbox"] = {
            "origin": (pays or portal.hosts[0]).origin,
            "note": "no money moves there, and nobody works on what is filed",
        }
    heading = "" if portal.is_local else (
        "# A draft: it permits nothing. Fill in what the owner of each host has signed (reference, granted_by, valid_from, valid_to and the\n"
        "# limits as they stand in the document), then remove the line `draft: true`.\n"
    )  # fmt: skip
    return heading + yaml_text(said)
