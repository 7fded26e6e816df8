"""What a report says besides scores and rows: how it was measured, and how well the generator was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.publish.faults import PortalFaults
from harness.statistics.ranks import RankInterval


@dataclass(frozen=True, slots=True)
class HealthReading:
    """One figure of the generator's health in one window; beyond ``limit`` the window is void.

    ``name`` is a key of ``texts`` under "health." where it has a text of its own, and is shown as it is otherwise.
    """

    run: str
    window: int
    name: str
    value: float
    limit: float
    unit: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What citizens left at one portal: steps that ended well by our rows, and the portal's own count where it can be asked."""

    portal: str
    dossiers: int
    payments: int
    counted_dossiers: int | None
    counted_payments: int | None
    duplicates: tuple[str, ...]  # codes that were given to more than one citizen
    lost: tuple[str, ...]  # codes that were acknowledged and could not be tracked


@dataclass(frozen=True, slots=True)
class Background:
    """The parts of a report that may be missing."""

    manifest: Mapping[str, Any] = field(default_factory=dict)  # printed as it is, level by level; must hold no secret
    health: tuple[HealthReading, ...] = ()
    ranks: Mapping[str, RankInterval] | None = None  # best and worst by portal; scoring's own where None
    zero_round_trip: Mapping[str, float] = field(default_factory=dict)  # portal → points with the connect round trip taken as zero
    claims: tuple[Claim, ...] = ()
    faults: tuple[PortalFaults, ...] = ()
    shortened: bool = False  # windows were shorter than the rules ask for
