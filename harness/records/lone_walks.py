"""What a citizen who is alone at a portal meets on each journey. It decides which journeys are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.records.outcome import Outcome

LONE_TRIES = 3
"""How often a journey is walked alone before it counts as stopped."""

LONE_TRIES_AT_SHARED_HOST = 6
"""The same of a journey that a shared host stops. Assumed: an outage of some rounds ends within them, and each try takes the night's time."""

_NO_CONNECTION = frozenset({Outcome.CONNECT, Outcome.DNS, Outcome.TLS})
_PORTAL_FAILED = frozenset({Outcome.TIMEOUT, Outcome.RESET, Outcome.PROTOCOL})


class Met(StrEnum):
    """What a lone walk met, in the terms of blame."""

    THROUGH = "through"
    PORTAL_FAILED = "portal_failed"  # a timeout, a broken answer or a status 5xx: the portal's failure, whoever asks
    BLOCKED = "blocked"  # a rule of ``blocked_when`` held
    NO_CONNECTION = "no_connection"
    SHARED_HOST = "shared_host"  # a host that portals share stopped it, whatever happened there
    OUR_FILES = "our_files"  # a pool, a secret, a name of ours: nothing was sent, and the portal is not blamed
    UNEXPLAINED = "unexplained"  # anything else: the portal is broken, or our profile is out of date


@dataclass(frozen=True, slots=True)
class LoneWalk:
    """How one journey of one citizen alone ended; ``goal`` to ``page`` say where, and are empty where it got through."""

    portal: str
    journey: str
    outcome: str  # of the visit
    goal: str = ""
    step: str = ""
    status: int = 0  # of the answer that ended it; 0 without one
    owner: str = "portal"  # of the host that it ended at
    rule: str = ""  # that was not met, in words; of ``blocked``, the rule that held
    page: str = ""  # the saved answer, relative to the sweep's folder; empty where none was saved
    host: str = ""  # the shared host that stopped it; empty where none did
    file: str = ""  # with all that was sent and received, relative to the sweep's folder; empty in evidence of an earlier version

    @property
    def met(self) -> Met:
        """What the walk met."""
        if self.outcome == Outcome.OK:
            return Met.THROUGH
        if self.host and self.outcome != Outcome.DROPPED:
            return Met.SHARED_HOST
        if self.outcome == Outcome.BLOCKED:
            return Met.BLOCKED
        if self.outcome in _NO_CONNECTION:
            return Met.NO_CONNECTION
        if self.outcome in _PORTAL_FAILED or self.status >= 500:
            return Met.PORTAL_FAILED
        return Met.OUR_FILES if self.outcome == Outcome.DROPPED else Met.UNEXPLAINED


@dataclass(frozen=True, slots=True)
class LoneVisit:
    """A lone walk outside a sweep, with its times."""

    walk: LoneWalk
    means: str  # the profile's or the wall's name for the failure, or empty
    requests: int
    duration_s: float  # of its requests, without our own work between them
    addresses: tuple[str, ...]  # that the names of hosts led to


@dataclass(frozen=True, slots=True)
class Admission:
    """Which journeys of one portal may be loaded, by its lone walks so far."""

    loaded: frozenset[str]
    through: frozenset[str]  # of these, the journeys that a lone citizen got through
    stopped: tuple[tuple[LoneWalk, ...], ...]  # the walks of each journey that may not be loaded, in order
    refused: str  # blocked or unreachable, where nothing may be loaded for that reason; else empty


def admit(walks: Sequence[LoneWalk]) -> Admission:
    """The decision on the lone walks of one portal.

    A journey is loaded once a walk of it got through, or while its last walk failed by the portal's own fault: one status 503
    says nothing about what a later walk meets behind it. A missing connection is such a fault where another journey is loaded.
    A portal is refused only where no journey is loaded.
    """
    by_journey: dict[str, list[LoneWalk]] = {}
    for walk in walks:
        by_journey.setdefault(walk.journey, []).append(walk)
    met = {journey: [walk.met for walk in found] for journey, found in by_journey.items()}
    through = frozenset(journey for journey, kinds in met.items() if Met.THROUGH in kinds)
    loaded = through | {journey for journey, kinds in met.items() if kinds[-1] is Met.PORTAL_FAILED}
    if loaded:
        loaded |= {journey for journey, kinds in met.items() if kinds[-1] is Met.NO_CONNECTION}
    stopped = tuple(tuple(by_journey[journey]) for journey in sorted(by_journey) if journey not in loaded)
    return Admission(loaded, through, stopped, "" if loaded else _refusal(map(set, met.values())))


def _refusal(met: Iterable[set[Met]]) -> str:
    """Blocked where a rule explains why some journey cannot be walked; unreachable where nothing could connect.

    A walk that we could not take says nothing of the portal, so it counts only where a journey has no other.
    """
    kinds = [each - {Met.OUR_FILES} or each for each in met]
    if kinds and all(each == {Met.NO_CONNECTION} for each in kinds):
        return "unreachable"
    if any(Met.BLOCKED in each and each <= {Met.BLOCKED, Met.NO_CONNECTION, Met.PORTAL_FAILED} for each in kinds):
        return "blocked"
    return ""
