"""The points of one portal, with their intervals and every input that led to them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.evidence.facts import Reason, Verdict

Interval = tuple[float, float]


class CriterionState(StrEnum):
    """Whether a criterion could be judged from the evidence."""

    ASSESSED = "assessed"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class CriterionScore:
    """One criterion of one portal."""

    id: str
    name_vi: str
    name_en: str
    heading: str  # the heading of Circular 22/2019 Art. 7 it stands under, or "correctness"
    state: CriterionState
    reason: str  # why it was not assessed; empty otherwise
    points: float | None
    points_max: float
    interval: Interval | None  # of the points
    interval_kind: str  # "sign test over windows", "block, one window", or ""
    metric: str  # in the grammar of metrics
    value: float | None  # the median window's; None where censored or not assessed
    value_interval: tuple[float | None, float | None] | None
    censored: bool  # the value lies beyond the timeout
    unit: str
    windows: int
    n: int  # steps or visits behind the value
    curve: str  # printed form with its version, for example "linear/1 full 2.5 s none 10 s"
    basis: str  # official, borrowed, assumed
    source: str
    selection: str  # printed form of what was selected
    per_window: tuple[tuple[int, float | None, int], ...] = ()  # (window, value, n)
    interval_level: float | None = None  # the probability that the interval's rule attains, for example 0.96875
    value_of_successes: float | None = None  # the same metric in the median window over what ended ok alone; not scored
    not_charged_s: float | None = None  # mean time a step of the median window spent at hosts of other owners
    points_per_window: tuple[tuple[str, int, int, float], ...] = ()  # (night, round, which window of the round, points)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that was scored, relative to the sweep's folder."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The points of one portal; ``points`` and ``interval`` are None unless the verdict is valid."""

    portal: str
    name_vi: str
    name_en: str
    level: str  # ministry or province
    verdict: Verdict
    reasons: tuple[Reason, ...]
    points: float | None
    interval: Interval | None
    points_max: float
    points_assessed_max: float
    criteria: tuple[CriterionScore, ...]
    nights: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    interval_kind: str = ""  # how the total's interval was formed


@dataclass(frozen=True, slots=True)
class SweepScores:
    """All scorecards of one sweep under one criteria set."""

    sweep: str
    revision: int
    supersedes: int | None
    nights: tuple[str, ...]
    criteria_set_id: str
    criteria_set_version: str
    criteria_set_sha256: str
    provisional: bool
    group_id: str
    group_name_vi: str
    group_name_en: str
    points_max: float
    scorecards: tuple[Scorecard, ...]  # ordered by portal id
