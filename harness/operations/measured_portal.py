"""A portal as it is measured: its hosts, and what its authorisation allows there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.catalog import Portal
from harness.records import AbsentGoal, NotPermitted, StopLimits, Terms

LOOPBACK = "this machine, loopback"
"""The vantage point of embedded portals."""


@dataclass(frozen=True, slots=True)
class MeasuredPortal:
    """A portal, its hosts, and what its authorisation allows there."""

    portal: Portal
    platform: str
    origins: Mapping[str, str]
    authorisation: str = ""
    in_flight_ceiling: int = 0  # 0: the workload's
    safety: StopLimits = field(default_factory=StopLimits)
    valid_to_s: float = 0.0  # of the authorisation, in seconds since 1970
    hosting_group: str = ""  # portals that share machines are never loaded at the same time
    vantage_point: str = LOOPBACK  # where it is measured from
    not_permitted: tuple[NotPermitted, ...] = ()  # what the authorisation does not cover
    shared_hosts: tuple[str, ...] | None = None  # origins that the criteria set lists as shared; None: it says nothing of such hosts
    terms: Terms = field(default_factory=Terms)
    absent_goals: tuple[AbsentGoal, ...] = ()  # journeys that the profile has no goal for

    @property
    def left_out(self) -> frozenset[str]:
        """The journeys that are not permitted there, and those that its profile has no goal for."""
        return frozenset({each.journey for each in self.not_permitted if each.journey} | {each.journey for each in self.absent_goals})
