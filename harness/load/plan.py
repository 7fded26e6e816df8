"""What a sweep will do, before it begins: rounds of slots, each one portal's consecutive windows at the same time as the others'."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import EvidenceError, Problem


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """One window of a slot; ``begin_s`` counts from the slot's start."""

    window: int  # unique within the run
    stage: str
    level: float
    begin_s: float
    duration_s: float
    rates_per_s: Mapping[str, float]  # usage, by journey
    quota: Mapping[str, int]  # arrivals that come besides, exactly so many, by journey
    curve: Sequence[tuple[float, float]] = ()  # (share of the window, factor); constant where empty
    round: int = 0  # the round it belongs to; consecutive windows of one slot may belong to different ones


@dataclass(frozen=True, slots=True)
class Slot:
    """One portal's part of a round."""

    portal: str
    run: str
    windows: tuple[PlannedWindow, ...]
    in_flight_ceiling: int

    @property
    def duration_s(self) -> float:
        """From the slot's start to its last window's end."""
        return max(window.begin_s + window.duration_s for window in self.windows)


@dataclass(frozen=True, slots=True)
class Round:
    """A part of a round: slots that begin together, no two on one origin or shared platform beyond its ceiling."""

    round: int
    slots: tuple[Slot, ...]
    part: int = 0

    @property
    def name(self) -> str:
        """As files and tokens name it."""
        return f"{self.round:03d}-{self.part:02d}"


@dataclass(frozen=True, slots=True)
class SafetyLimits:
    """Beyond these, counted over the last ``span_s`` seconds of one portal, arrivals stop within one second.

    The defaults limit nothing: they are the embedded portals'.
    """

    error_share: float = 1.0
    p95_ms: float = 1e9  # of a request: no more than one in twenty may take longer
    refused_share: float = 1.0  # 429 and 503
    span_s: float = 5.0
    min_requests: int = 50  # fewer say nothing of shares
    requests_per_s: float = 1e9  # mean over the span; beyond it the load is ours to answer for, not the portal's


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """Where one portal is to be found in this sweep, and what may be done there."""

    portal: str
    platform: str  # the profile to walk by
    origins: Mapping[str, str]  # role → origin
    authorisation: str  # reference of the written permission; empty for the embedded portals
    safety: SafetyLimits
    variables: Mapping[str, str]  # what the profile asks of a portal: client ids, test procedures, names of secrets
    in_flight_ceiling: int = 0  # citizens at once that the authorisation allows; 0: there is none
    valid_to_s: float = 0.0  # when the authorisation ends, in seconds since 1970; 0: there is none


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole sweep, as the master process is given it."""

    sweep: str
    seed: int
    arrivals: str  # poisson or constant
    workload: str
    targets: tuple[TargetFacts, ...]
    rounds: tuple[Round, ...]
    timeout_s: float
    drain_s: float
    health: Mapping[str, float]
    results: str  # the sweep's folder
    night: str
    think: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lead_s: float = 2.0  # between the message that carries the slices and their common start
    calibration: Mapping[str, Any] = field(default_factory=dict)  # what the instrument's certificate says; empty where none was looked for
    shortened: bool = False
    per_portal: bool = False  # each portal has a load of its own: nobody is ranked
    simulator_control: str = ""  # where the embedded portals say what they counted; empty for real ones

    def target(self, portal: str) -> TargetFacts:
        """The target of one portal."""
        return next(target for target in self.targets if target.portal == portal)

    def to_json(self) -> str:
        """The plan as JSON, the same bytes for the same plan."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True)


def run_id(portal: str, seed: int) -> str:
    """A run's name within its sweep: without the date, since randomness is keyed by it and has to come again."""
    return f"{portal}-seed{seed}"


def read_plan(path: Path) -> Plan:
    """A plan from its file; EvidenceError where there is none or it cannot be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return plan_from(data)
    except FileNotFoundError:
        raise EvidenceError.missing(path, "the plan of a sweep", "Start sweeps with `harness sweep` or `harness run`.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceError(
            Problem(
                str(path),
                "plan",
                f"unreadable ({error})",
                "a plan that `harness` wrote",
                "Start the sweep anew; plans are not written by hand.",
            )
        ) from error


def plan_from(data: Mapping[str, Any]) -> Plan:
    """A plan from plain data."""
    return Plan(
        **{
            **data,
            "targets": tuple(TargetFacts(**{**target, "safety": SafetyLimits(**target["safety"])}) for target in data["targets"]),
            "rounds": tuple(_round(item) for item in data["rounds"]),
        }
    )


def _round(data: Mapping[str, Any]) -> Round:
    return Round(data["round"], tuple(slot_from(slot) for slot in data["slots"]), data["part"])


def slot_from(data: Mapping[str, Any]) -> Slot:
    """A slot from plain data."""
    windows = tuple(PlannedWindow(**{**window, "curve": tuple(map(tuple, window["curve"]))}) for window in data["windows"])
    return Slot(data["portal"], data["run"], windows, data["in_flight_ceiling"])
