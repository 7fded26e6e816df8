"""What a report shows besides scores and rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.catalog.authorisation import NamedPermission
from harness.catalog.not_charged import FinalState, StateWithoutPoints
from harness.diagnosis import Diagnosis
from harness.publish.portal_faults import PortalFaults
from harness.records import RoundRecord
from harness.records.differing import Differing
from harness.scoring import SlowVisit
from harness.scoring.gains import Gain
from harness.scoring.scorecard import SweepScores
from harness.statistics.interval import RankInterval


@dataclass(frozen=True, slots=True)
class HealthReading:
    """One figure of the generator's health in one window; the window is void where it exceeds ``limit``.

    ``name``: a key of the phrases under "health."; an unknown name is printed as it is.
    """

    run: str
    window: int
    name: str
    value: float
    limit: float
    unit: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What citizens left at one portal: steps that succeeded by our rows, and the portal's own count where it can be asked."""

    portal: str
    dossiers: int
    payments: int
    counted_dossiers: int | None
    counted_payments: int | None
    duplicates: tuple[str, ...]  # codes of dossiers that were given to more than one citizen
    lost: tuple[str, ...]  # codes that were acknowledged and could not be tracked
    paid_twice: tuple[str, ...] = ()  # codes of payments that were given to more than one citizen


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """What one of several workers did in a sweep: how many of its visits failed, and how well it kept time in its worst window."""

    worker: str
    rounds: int  # loaded rounds in which it took part
    lost: int  # of them: not all of its rows arrived
    windows: int
    visits: int
    failed: int  # by the portal's fault, as far as the rows show
    ours: int  # dropped or cut off by us
    late_p99_ms: float  # how late its arrivals were begun
    late_max_ms: float
    busy_percent: float  # of one core

    @property
    def failed_percent(self) -> float:
        """Failed visits, in % of all."""
        return 100 * self.failed / self.visits if self.visits else 0.0


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a sweep was measured: what the manifests of all its runs share. It is printed whole, so it must hold no secret."""

    harness: str
    versions: Mapping[str, str]
    host: Mapping[str, str | int]
    vantage_point: str
    workload: str
    seed: int
    shortened: bool
    factors: Mapping[str, Mapping[str, float]]  # by journey
    calibration: Mapping[str, object]
    catalog_sha256: str
    plan_sha256: str


@dataclass(frozen=True, slots=True)
class GivenPermissions:
    """The written permissions under which a sweep was measured, and when its rules were fixed."""

    by_portal: Mapping[str, NamedPermission]  # ; embedded portals need none
    contacts: tuple[str, ...] = ()  # of those who measure, as the permissions name them
    rules_fixed_utc: str = ""  # before the first packet; empty: there are no rules
    rules_signed: bool = False


@dataclass(frozen=True, slots=True)
class PortalGrade:
    """One system's total over all groups of the evaluation; None where it has none."""

    total: float | None
    grade: str | None
    grade_interval: tuple[str, str] | None  # at the ends of the interval, the worse first


@dataclass(frozen=True, slots=True)
class Grades:
    """The totals and grades of ``totals.json``."""

    sweep: str
    revision: int  # of the scores that they were computed from
    rule: str  # how a total between two printed bands is graded
    by_portal: Mapping[str, PortalGrade]

    def is_of(self, scores: SweepScores) -> bool:
        """Whether they were computed from these scores."""
        return (self.sweep, self.revision) == (scores.sweep, scores.revision)


@dataclass(frozen=True, slots=True)
class ReportExtras:
    """The parts of a report that may be missing."""

    provenance: Provenance | None = None
    permissions: GivenPermissions | None = None
    grades: Grades | None = None  # where there is a totals.json
    health: tuple[HealthReading, ...] = ()
    ranks: Mapping[str, RankInterval] | None = None  # best and worst by portal; None: scoring's own
    zero_round_trip: Mapping[str, float] = field(default_factory=dict)  # by portal, the points if the network took no time
    claims: tuple[Claim, ...] = ()
    faults: tuple[PortalFaults, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()  # one for each portal
    workers: tuple[WorkerFigures, ...] = ()  # where several took part
    slow_visits: Mapping[str, tuple[SlowVisit, ...]] = field(default_factory=dict)  # by portal: the slowest of each journey
    shortened: bool = False  # windows were shorter than the rules ask for
    states: Mapping[StateWithoutPoints, FinalState] = field(default_factory=dict)  # of the criteria set: when they are final
    gains: Mapping[str, tuple[Gain, ...]] = field(default_factory=dict)  # by portal, best first
    differences: tuple[Differing, ...] = ()  # from the evaluator's run, where the catalog came from a bundle
    rounds: tuple[RoundRecord, ...] = ()  # the clocks of windows and workers; without them no chart over time
