"""What a criteria set does not charge to a portal: states without points until they are final, announced maintenance, shared hosts, a doubted path."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.catalog.criteria import Sourced
from harness.catalog.ids import spelled
from harness.catalog.reading import CatalogModel
from harness.origins import SharedOwner, locate
from harness.records.plan import PathLimits

StateWithoutPoints = Literal["blocked", "unreachable", "unproven", "address_limit", "announced_maintenance"]
_HostName = Annotated[
    str, spelled(r"[a-z0-9][a-z0-9.-]*(:[0-9]+)?", "a host's name in small letters, with a port behind a colon where it has one")
]


class FinalState(Sourced):
    """After how many nights in a row a state without points is final, and what follows then.

    ``no_points``: the state stands, without points. ``person``: a person decides, on the record.
    """

    nights: Annotated[int, Field(ge=1)]
    consequence: Literal["no_points", "person"]

    def __str__(self) -> str:
        follows = "there are no points" if self.consequence == "no_points" else "a person decides"
        return f"final after {self.nights} night{'s' * (self.nights > 1)} in a row; then {follows} ({self.basis})"


class MaintenanceNotice(Sourced):
    """How long before its beginning maintenance must be announced, so that windows that overlap it are not scored."""

    hours: Annotated[float, Field(gt=0)]

    def __str__(self) -> str:
        return f"announced at least {self.hours:g} h before it begins ({self.basis})"


class SharedRole(Sourced):
    """Hosts of one role that many portals share, such as a national login.

    ``hosts``: their names, with a port where only that one is meant. Without names it is every host to which an authorisation
    gives this role and this owner.
    """

    hosts: Annotated[tuple[_HostName, ...] | None, Field(min_length=1)] = None


class LostShare(Sourced):
    """A share of the visits of a journey in a window."""

    value: Annotated[float, Field(ge=0, lt=1)]


class SharedHosts(CatalogModel):
    """The hosts that no portal is charged for: neither their time nor their failures."""

    roles: Annotated[dict[SharedOwner, SharedRole], Field(min_length=1)]
    lost_max: LostShare  # a window that lost more of a journey's visits at such hosts is not scored

    def has(self, role: str, owner: str, origin: str) -> bool:
        """Whether a host is shared, by its role in the profile, its owner in the authorisation, and its name."""
        listed = next((each for name, each in self.roles.items() if name == role == owner), None)
        if listed is None:
            return False
        found, _ = locate(origin)
        return listed.hosts is None or (found is not None and bool({found.name, f"{found.name}:{found.port}"} & {*listed.hosts}))


class PathDoubt(Sourced):
    """When the path from us to the portals is doubted: nearly all portals measured at the same time are slower than usual, or out of reach."""

    portals: Annotated[int, Field(ge=3)]  # at least so many are needed, on hosts of their own
    share: Annotated[float, Field(gt=0.5, le=1)]  # of them, that are hit at the same time
    windows: Annotated[int, Field(ge=1)]  # other windows of the same stage that a window is compared with, at least
    slower: Annotated[float, Field(gt=1)]  # than the median of these windows, as a factor
    added_ms: Annotated[float, Field(ge=0)]  # and slower by at least so much
    unreached: Annotated[float, Field(gt=0, le=1)]  # share of a window's visits that got no answer

    @property
    def limits(self) -> PathLimits:
        """The numbers, as a plan has them."""
        return PathLimits(self.portals, self.share, self.windows, self.slower, self.added_ms, self.unreached)
