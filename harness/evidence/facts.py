"""What is known of windows and runs besides their rows: the part of the evidence that is not a row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a run may be used for; only ``valid`` has points."""

    VALID = "valid"
    INSUFFICIENT = "insufficient"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is: a code with numbers; texts in Vietnamese and English are looked up by the code."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """One window of one run, as the manifest has it."""

    run: str
    window: int
    round: int
    night: str  # ISO date, local to the vantage point, of the evening on which the sweep began
    stage: str
    level: float  # planned arrivals per second in this window; 0 for closed workloads
    began_utc: str  # ISO 8601
    duration_s: float
    verdict: Verdict  # valid or void
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One portal's run in one sweep: its verdict and its windows."""

    sweep: str
    run: str
    portal: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    windows: tuple[WindowFacts, ...]
    timeout_s: float  # beyond this a duration is censored
    in_flight_ceiling: int = 0  # citizens at once that the authorisation allows; 0 where there is none
