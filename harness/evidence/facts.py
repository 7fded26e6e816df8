"""Verdicts of windows and runs, with their reasons: the part of the evidence that is not rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.records import AbsentGoal, NotPermitted, Outcome


class Verdict(StrEnum):
    """The verdict of a run or a window; only ``valid`` has points."""

    VALID = "valid"
    INSUFFICIENT = "insufficient"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of a verdict: a code and figures. ``reasons`` has its text in Vietnamese and English."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class UnprovenJourney:
    """A journey that was not loaded: no lone walk got through it, and no rule says whose fault that is."""

    journey: str
    goal: str  # goal and step at which the last lone walk stopped
    step: str
    outcome: str  # of the row that ended it
    rule: str  # the rule of the profile that was not met, in words
    page: str = ""  # the saved answer, relative to the sweep's folder; empty where none was saved
    tries: int = 1  # lone walks that stopped

    @property
    def at_a_wall(self) -> bool:
        """Whether a rule of ``blocked_when`` stopped the last lone walk: a wall on this journey, or a rule that takes a page for one."""
        return self.outcome == Outcome.BLOCKED


@dataclass(frozen=True, slots=True)
class SharedHostFailure:
    """Visits of one portal that a host which portals share failed, in one window or one round of lone walks."""

    host: str
    owner: str
    at_utc: str  # when the window or the round began
    visits: int


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """One window of one run."""

    run: str
    window: int
    round: int
    night: str  # ISO date, local to the vantage point, of the evening on which the sweep began
    stage: str
    level: float  # planned arrivals per second in this window; 0 for closed workloads
    began_utc: str  # ISO 8601
    duration_s: float
    verdict: Verdict  # valid, void, blocked by a limit on our address, or insufficient where a shared host took too many visits or the path is doubted
    reasons: tuple[Reason, ...] = ()
    make_up_of: int | None = None  # the window of the plan that it makes up for

    @property
    def make_up(self) -> bool:
        """Whether it was measured at the end of the night, for a window that was void, missed or lost to a shared host."""
        return self.make_up_of is not None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One portal's run in one sweep."""

    sweep: str
    run: str
    portal: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    windows: tuple[WindowFacts, ...]
    timeout_s: float  # longer durations are censored
    in_flight_ceiling: int = 0  # citizens at once that the authorisation allows; 0 where there is none
    unproven: tuple[UnprovenJourney, ...] = ()
    not_permitted: tuple[NotPermitted, ...] = ()  # load that was left out, because the authorisation does not cover it
    stopped_at_shared_host: tuple[str, ...] = ()  # journeys that were not loaded: no lone citizen got past a shared host
    shared_failures: tuple[SharedHostFailure, ...] = ()
    settled_as_portal: tuple[UnprovenJourney, ...] = ()  # two persons found that the portal is broken there; unproven before
    journeys_not_chosen: tuple[str, ...] = ()  # of the workload, left out by whoever started the test
    absent_goals: tuple[AbsentGoal, ...] = ()  # journeys that were left out, because the portal has nothing of what they are for
