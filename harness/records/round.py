"""The record of a round: what was planned before it began, and what was known once it was sealed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.errors import EvidenceError, Problem
from harness.records.files import json_bytes, write_json, write_whole
from harness.records.health import WindowHealth
from harness.records.lone_walks import LoneWalk
from harness.records.plain import read_record, to_plain
from harness.records.plan import PlannedWindow, journeys_with_arrivals
from harness.records.step_failures import FailureCount

REFUSED_SHARE = 0.05
"""Share of a window's visits. A portal that refuses more may limit our address. Assumed: small, to notice a limit just below the load."""


STOPPED_FOR_SHARED_HOST = "shared host"
"""Why a worker began no more citizens at a portal: a host that portals share failed again and again."""


@dataclass(frozen=True, slots=True)
class RoundMember:
    """A worker that took part, and its clock minus the master's."""

    worker: str
    index: int = 0
    offset_us: int = 0
    bound_us: int = 0  # the largest error that the offset can have


@dataclass(frozen=True, slots=True)
class LoadCounts:
    """Citizens of one portal on one worker, over a round."""

    begun: int
    turned_away: int
    most_in_flight: int
    arrivals_off: str  # why no more citizens began; empty where all did
    left_over: int  # in flight when the worker gave up waiting


@dataclass(frozen=True, slots=True)
class WorkerOutcome:
    """How the round ended for one worker. ``rows`` and ``stretches`` come from its last message; None without one."""

    worker: str
    complete: bool  # everything that it sent is in the spool
    lost: bool
    longest_silence_s: float
    batches: int = 0
    rows: int | None = None
    stretches: Mapping[str, LoadCounts] | None = None  # load counts by portal; the word of the files
    left: bool | None = None  # True where its process ended in the middle of the round, in order
    lapsed: bool | None = None  # True where it heard nothing of the master for too long and ended its load


@dataclass(frozen=True, slots=True)
class RefusedBatches:
    """Batches of a worker that are not in the evidence, because they cannot be read or do not fit the round."""

    worker: str  # empty where nobody can say whose they are
    batches: int
    seq: int  # number of the first; -1 where nobody can say
    reason: str  # of the first


@dataclass(frozen=True, slots=True)
class SharedFailure:
    """Visits of one journey in a window that ended at a host which portals share."""

    journey: str
    host: str
    owner: str
    lost: int
    visits: int  # of the journey in the window, the lost ones included


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """What one of several workers did in a window, and how well it kept time."""

    worker: str
    visits: int  # that have an end row
    failed: int  # of them: neither ok nor ours
    ours: int  # of them: dropped or cut off by us
    late_p99_us: int = 0  # how late its arrivals were begun
    late_max_us: int = 0
    busy_percent: float = 0.0  # of one core
    seconds: int = 0  # with a line of health


@dataclass(frozen=True, slots=True)
class WindowRecord:
    """One window: the plan's, and once sealed its counts, failures and generator health."""

    window: int
    stage: str
    level: float
    begin_s: float  # from the round's start
    duration_s: float
    rates_per_s: Mapping[str, float]
    quota: Mapping[str, int]
    curve: tuple[tuple[float, float], ...]
    round: int
    planned: int | None  # arrivals; None in a closed run
    counts: Mapping[str, int] = field(
        default_factory=dict
    )  # requests_<outcome>, visits_<outcome>, turned_away, refused, refused_as_ours, server_timings_left_out
    failures: tuple[FailureCount, ...] = ()
    health: WindowHealth = field(default_factory=WindowHealth)
    make_up_of: int | None = None  # the window of the plan that it makes up for, at the end of the night
    first_serial: int | None = None  # of its first visit, if a later attempt measures it once more; otherwise by the plan
    shared_failures: tuple[SharedFailure, ...] = ()
    mean_us: int | None = None  # of a request at the portal's own hosts that ended well; None where none did, or in earlier evidence
    shares: tuple[WorkerShare, ...] = ()  # by worker; none where one worker did all

    @property
    def as_planned(self) -> PlannedWindow:
        """The window as it was planned, without what was measured in it."""
        return PlannedWindow(**{each.name: getattr(self, each.name) for each in fields(PlannedWindow)})

    @property
    def journeys(self) -> frozenset[str]:
        """The journeys that had arrivals in it."""
        return journeys_with_arrivals(self.rates_per_s, self.quota)

    @property
    def begun(self) -> int:
        """Visits that were begun; the others were turned away before their first request."""
        return sum(count for name, count in self.counts.items() if name.startswith("visits_")) - self.counts.get("turned_away", 0)

    @property
    def refuses_many(self) -> bool:
        """Whether so many visits met a wall or a status 429 that a lone citizen has to check the portal."""
        return self.counts.get("refused", 0) > REFUSED_SHARE * self.begun


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """One portal's part of a round."""

    portal: str
    run: str
    in_flight_ceiling: int
    windows: tuple[WindowRecord, ...]
    schedule_sha256: str = ""
    citizens_sha256: str = ""


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """One round; fields from ``stopped`` on are known once it is sealed."""

    round: int
    part: int
    name: str
    start_us: int  # by the master's monotonic clock
    began_utc: str  # ISO 8601
    closed: bool
    members: tuple[RoundMember, ...]
    slots: tuple[SlotRecord, ...]
    checks: str = ""  # the loaded round after which these lone citizens walk; empty for all other rounds
    source_address: str = ""  # of these lone citizens, where it is the second one of the place of measurement
    stopped: bool = False  # somebody asked to stop
    stopped_at_us: int = 0
    safety_stops: Mapping[str, str] = field(default_factory=dict)  # portal → the limit that was passed
    held_back: Mapping[str, str] = field(
        default_factory=dict
    )  # portal → why its arrivals stopped: beyond the authorised rate, or the authorisation ended
    outcome: tuple[WorkerOutcome, ...] = ()
    refusals: Mapping[str, str] = field(default_factory=dict)  # portal → blocked or unreachable, as the lone walks of this round found it
    lone_walks: tuple[LoneWalk, ...] = ()  # of a round of lone citizens
    addresses: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)  # portal → name → where it led on any worker
    refused_batches: tuple[RefusedBatches, ...] = ()
    utc_bound_us: int | None = None  # the largest error of ``began_utc``, by the kernel; None if nothing kept the machine's clock right
    night: str = ""  # if it is not the plan's, because the sweep was resumed on a later night
    incomplete: bool = False  # recovered after a crash: what came until then is kept, and never scored
    second_parser: str = ""  # what read answers that ours could not; empty in evidence of an earlier version, which asked the portal again

    def ends_us(self, window: WindowRecord) -> float:
        """When a window was to end, by the master's clock."""
        return self.start_us + (window.begin_s + window.duration_s) * 1e6

    def is_stopped_in(self, window: WindowRecord) -> bool:
        """Whether somebody stopped the round before this window had ended."""
        early = self.ends_us(window) > self.stopped_at_us or bool(window.counts.get("visits_aborted"))
        return self.stopped and not self.closed and early

    def is_half_done(self, window: WindowRecord) -> bool:
        """Whether the attempt at the sweep ended in this window: by a crash, because somebody stopped it, or with its last worker."""
        deserted = bool(self.outcome) and all(each.lost or each.left for each in self.outcome)
        return self.incomplete or deserted or self.is_stopped_in(window)

    def stopped_for_shared_host(self, portal: str) -> bool:
        """Whether a worker ended the load of a portal because a shared host failed."""
        loads = (each.stretches[portal] for each in self.outcome if each.stretches is not None and portal in each.stretches)
        return any(load.arrivals_off == STOPPED_FOR_SHARED_HOST for load in loads)

    def utc_of(self, worker: str, when_us: int) -> str:
        """A moment of a worker's monotonic clock as wall clock: ISO 8601, UTC, by the clock of the master."""
        moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=when_us + self.utc_of_zero_us(worker))
        return moment.isoformat(timespec="milliseconds")

    def utc_of_zero_us(self, worker: str) -> int:
        """UTC in µs since 1970, minus a worker's monotonic clock; by the clock of the master."""
        offset_us = next((member.offset_us for member in self.members if member.worker == worker), 0)
        began = datetime.fromisoformat(self.began_utc) - datetime.fromtimestamp(0, UTC)
        return began // timedelta(microseconds=1) - self.start_us - offset_us


_ONLY_SEALED = (
    "stopped",
    "stopped_at_us",
    "safety_stops",
    "held_back",
    "outcome",
    "refusals",
    "lone_walks",
    "addresses",
    "refused_batches",
    "incomplete",
    "second_parser",
)
_LEFT_OUT_WHERE_EMPTY = ("lone_walks", "checks", "source_address", "addresses", "refused_batches", "night", "incomplete", "second_parser")
_ONLY_SEALED_OF_WINDOW = ("counts", "failures", "health")
_LEFT_OUT_OF_WINDOW = ("make_up_of", "first_serial", "shared_failures", "mean_us", "shares")


def write_planned(path: Path, record: RoundRecord) -> None:
    """Write what is known of a round before it begins."""
    facts = _without(_plain(record), *_ONLY_SEALED)
    for slot in facts["slots"]:
        slot["windows"] = [_without(window, *_ONLY_SEALED_OF_WINDOW) for window in slot["windows"]]
    write_json(path, facts)


def write_sealed(path: Path, record: RoundRecord) -> None:
    """Write the final facts of a round."""
    write_whole(path, sealed_bytes(record))


def sealed_bytes(record: RoundRecord) -> bytes:
    """The final facts of a round, as they are written."""
    facts = _plain(record)
    for slot, planned in zip(facts["slots"], record.slots, strict=True):
        slot["windows"] = [
            {**shown, "health": window.health.facts()} for shown, window in zip(slot["windows"], planned.windows, strict=True)
        ]
    facts["outcome"] = [{name: value for name, value in each.items() if value is not None} for each in facts["outcome"]]
    return json_bytes(facts)


def read_round(path: Path) -> RoundRecord:
    """A sealed round; EvidenceError where the file is missing or is no such record."""
    record = read_record(RoundRecord, path)
    with suppress(ValueError):
        if datetime.fromisoformat(record.began_utc).tzinfo is not None:
            return record
    raise EvidenceError(
        Problem(str(path), "began_utc", record.began_utc, "a time in ISO 8601 with time zone", "Restore it from the archive.")
    )


def _plain(record: RoundRecord) -> dict[str, Any]:
    """The facts as they are written. Keys that only some rounds have are left out where they are empty."""
    facts: dict[str, Any] = to_plain(record)
    for slot in facts["slots"]:
        slot["windows"] = [
            _without(window, *(name for name in _LEFT_OUT_OF_WINDOW if window[name] in (None, ()))) for window in slot["windows"]
        ]
    facts["lone_walks"] = [_without(walk, *(["file"] if not walk["file"] else [])) for walk in facts["lone_walks"]]
    unknown = ("utc_bound_us",) if record.utc_bound_us is None else ()
    return _without(facts, *(name for name in _LEFT_OUT_WHERE_EMPTY if not facts[name]), *unknown)


def _without(facts: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in names}
