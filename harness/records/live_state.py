"""How a sweep stands while it is measured: ``live.json`` in its folder, which the master writes about once a second.

The file is news, not evidence: it takes no part in scoring or sealing, and a sweep goes on if it cannot be written. It has no points and no
response times, so that nobody steers a sweep by them. A master that was killed leaves its last state behind, so readers compare ``at_utc``
with the clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from harness.records.news import read_news, write_news
from harness.records.outcome import Outcome
from harness.records.plain import to_plain

LIVE_JSON = "live.json"
NO_NEWS_AFTER_S = 10.0
"""A reader treats a sweep that has not ended as silent if its state is older than this (assumed: ten times the usual interval)."""
_LARGEST_BYTES = 4_000_000
"""The largest file that is read (assumed: a hundred times the 40 kB that 84 portals take)."""


ROW_COUNTS = frozenset(f"{kind}_{outcome}" for kind in ("visits", "requests") for outcome in Outcome)
"""The names of rows by kind and outcome in the counts of a window."""


class PortalState(StrEnum):
    """What happens at a portal now; a word, never a figure of its answers."""

    WAITING = "waiting"  # it has windows left, and none is under way
    ALONE = "alone"  # lone citizens walk
    MEASURING = "measuring"
    DRAINING = "draining"  # all citizens have arrived; some are still there
    STOPPED = "stopped"  # a safety stop: no more citizens arrive in this round
    HELD_BACK = "held_back"  # the authorisation permits no more now
    DONE = "done"  # no window of the plan is left
    BLOCKED = "blocked"  # lone citizens were refused by a wall
    UNREACHABLE = "unreachable"  # lone citizens could not connect
    NOT_LOADED = "not_loaded"  # no journey got a lone citizen through
    LEFT_OUT = "left_out"  # its permission had ended before this attempt


@dataclass(frozen=True, slots=True)
class LiveLoad:
    """One portal in a round under way. A worker's figures come two or three times a second."""

    portal: str
    planned: int | None  # visits of the round; None in a closed run
    due: int | None  # of these, to begin by now
    begun: int
    turned_away: int  # at the ceiling, or because arrivals are off
    in_flight: int  # citizens
    failed: int  # visits that ended otherwise than well, those turned away included
    requests: int
    requests_failed: int  # at every host, as in the counts of a sealed round
    why_stopped: str = ""  # why no more citizens arrive; empty while they do
    held_back: bool = False  # by the authorisation, not by a safety stop
    outcomes: Mapping[str, int] = field(
        default_factory=dict
    )  # rows by ``visits_ok``, ``requests_timeout`` …, as a sealed window counts them


@dataclass(frozen=True, slots=True)
class LiveRound:
    """A part of a round that has begun and is not sealed."""

    name: str
    round: int
    stage: str
    alone: bool  # of lone citizens
    began_utc: str  # ISO 8601, as all times here
    arrivals_end_utc: str
    loads: tuple[LiveLoad, ...]


@dataclass(frozen=True, slots=True)
class LiveGenerator:
    """Generator health of the worst worker; 0 until a worker has reported."""

    workers: int
    cpu_percent: float  # of one core, in the last second
    lag_us: int  # how late a greenlet that sleeps 10 ms was woken, in the last second
    late_us: int  # how late an arrival was begun, in the last second
    worst_lag_us: int  # since the rounds under way began
    worst_late_us: int
    late_seconds: int  # seconds, of all workers, in which an arrival was later than the workload's limit for p99
    steal_percent: float = 0.0  # of the machine, taken by its host in the last second


@dataclass(frozen=True, slots=True)
class LivePortal:
    """One portal of the sweep, the rounds that earlier attempts have sealed included."""

    portal: str
    name_vi: str
    name_en: str
    state: PortalState
    windows_planned: int  # windows of lone citizens are not counted, here and below
    windows_done: int  # sealed and not void
    windows_void: int
    begun: int  # visits, those of lone citizens included
    in_flight: int
    failed: int  # visits; see LiveLoad
    requests: int
    requests_failed: int
    outcomes: Mapping[str, int] = field(default_factory=dict)  # see LiveLoad


@dataclass(frozen=True, slots=True)
class LiveCriterion:
    """A criterion by which the sweep will be scored: its rule, never its value."""

    id: str
    metric: str
    unit: str  # of the metric and of both thresholds: "s", "%", "visits/s" or ""
    points_max: float
    full_at: float | None  # the value from which on there are full points; None where a curve only comes near them
    none_at: float  # the value from which on there are none


@dataclass(frozen=True, slots=True)
class LiveState:
    """A sweep at one moment."""

    sweep: str
    at_utc: str
    state: str  # "measuring"; "ended" or "aborted" in the last state of an attempt
    attempt: int
    began_utc: str  # of the attempt
    rounds_planned: int  # parts of rounds
    rounds_left: int  # of these, not sealed
    windows_planned: int
    windows_done: int
    windows_void: int
    arrivals_planned: int  # of the rounds that have begun, closed runs not counted
    arrivals_begun: int
    rate_per_s: float  # arrivals begun, over the last seconds
    in_flight: int
    visits_failed: int
    requests: int
    requests_failed: int
    generator: LiveGenerator
    rounds: tuple[LiveRound, ...]  # under way
    portals: tuple[LivePortal, ...]
    expected_end_utc: str = ""  # of the plan's rounds; empty where nobody knows
    latest_end_utc: str = ""  # with every drain at its longest, further lone walks and make-up windows
    health_limits: Mapping[str, float] = field(default_factory=dict)  # of the workload, by its keys
    criteria_set: str = ""  # id and version; empty where nobody knows
    criteria: tuple[LiveCriterion, ...] = ()

    def has_ended(self) -> bool:
        """Whether it is the last state of an attempt."""
        return self.state != "measuring"

    def silent_s(self, now: datetime | None = None) -> float:
        """Seconds since it was written; a reader says "no news" after NO_NEWS_AFTER_S, unless it has ended."""
        return max(0.0, ((now or datetime.now(UTC)) - datetime.fromisoformat(self.at_utc)).total_seconds())

    def is_stale(self, now: datetime | None = None) -> bool:
        """Whether the sweep has not ended and its state is too old: its master was killed, or its disk is full."""
        return not self.has_ended() and self.silent_s(now) > NO_NEWS_AFTER_S


def write_live(folder: Path, state: LiveState) -> None:
    """Write the state into a sweep's folder, as ``write_news`` writes. OSError."""
    write_news(folder / LIVE_JSON, json.dumps(to_plain(state), ensure_ascii=False))


def read_live(folder: Path) -> LiveState | None:
    """The newest state of a sweep; None where it has none, as before its first second or in evidence of an earlier version. EvidenceError."""
    return read_news(folder / LIVE_JSON, LiveState, _LARGEST_BYTES, _check_moments)


def _check_moments(state: LiveState) -> None:
    """ValueError where a moment is none, or has no zone: readers compare them with the clock."""
    may_lack = (state.expected_end_utc, state.latest_end_utc)
    of_rounds = (moment for each in state.rounds for moment in (each.began_utc, each.arrivals_end_utc))
    for moment in (state.at_utc, state.began_utc, *filter(None, may_lack), *of_rounds):
        if datetime.fromisoformat(moment).tzinfo is None:
            raise ValueError(f"{moment} has no zone")
