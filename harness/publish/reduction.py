"""The rows reduced to what charts and tables of the report show, in seconds, without warm-up and lone walks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from harness.records import SCORED_STAGES, VISIT_ROW, Outcome
from harness.scoring.rows import Flags, read_rows
from harness.scoring.scored_units import Part, Steps, begun_or_skipped
from harness.statistics.percentile import Floats, nearest_rank, percentile, percentile_floor

_US = 1e6
_JOURNEYS = ("search", "submit", "pay")

LEAST_VALUES: Final = {percent: percentile_floor(percent) for percent in (90, 95, 99)}
"""The fewest values for each percentile: 46, 93 and 473 (docs/statistics.md)."""


@dataclass(frozen=True, slots=True)
class StepSummary:
    """All executions of one step in one journey, from the moment when each was due, as they are scored: time at shared hosts included.

    Percentiles are exact (nearest rank), and None below ``LEAST_VALUES``.
    """

    journey: str
    goal: str
    step: str
    n: int  # executions that were begun
    failed: int
    skipped: int  # not begun, because an earlier step of the visit failed
    fastest_s: float | None
    p50_s: float | None  # the percentiles of those that succeeded
    p90_s: float | None
    p95_s: float | None
    p99_s: float | None
    slowest_s: float | None
    p95_adjusted_s: float | None  # each failure counts as infinitely slow; +inf where it falls on one


@dataclass(frozen=True, slots=True)
class HostTime:
    """Requests to one kind of host that the portal shares with others."""

    owner: str
    host: str
    requests: int
    failed: int
    p50_s: float
    p95_s: float | None  # None below ``LEAST_VALUES``
    share: float  # of all time that citizens waited for answers


def measured(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the measured stages."""
    return rows[rows["stage"].isin(SCORED_STAGES)]


def step_summaries(rows: pd.DataFrame) -> list[StepSummary]:
    """One summary a journey, goal and step, in the order in which citizens come to them."""
    requests = measured(rows)
    requests = requests[requests["request"] != VISIT_ROW]
    if requests.empty:
        return []
    steps = begun_or_skipped(read_rows(requests))
    return [_summary(part, steps, steps.part == steps.parts.index(part)) for part in _in_order(requests, steps.parts)]


def host_times(rows: pd.DataFrame) -> list[HostTime]:
    """Time at hosts that the portal does not own; it is reported and not charged to the portal."""
    sent = measured(rows)
    sent = sent[(sent["request"] != VISIT_ROW) & (sent["outcome"] != Outcome.SKIPPED) & (sent["end_us"] > 0)]
    seconds = (sent["end_us"] - sent["start_us"]) / _US
    total = float(seconds.sum())
    shared = sent.assign(seconds=seconds)[sent["host_owner"] != "portal"]
    times = []
    for key, group in shared.groupby(["host_owner", "host"], observed=True):
        values = np.sort(group["seconds"].to_numpy(dtype=np.float64))
        failed = int((group["outcome"] != Outcome.OK).sum())
        share = float(values.sum()) / total if total else 0.0
        times.append(HostTime(str(key[0]), str(key[1]), len(values), failed, _median(values), percentile(values, 95), share))
    return times


def _in_order(requests: pd.DataFrame, parts: Sequence[Part]) -> list[Part]:
    """The parts by journey, and within a journey by their usual place among the steps of a visit, skipped ones included.

    The rows of a visit stand in the order of its steps. An order by begin would mislead: only fast visits may reach a late step.
    """
    key = ["journey", "goal", "step"]
    firsts = requests.drop_duplicates(["visit", *key])
    places = (
        firsts.assign(place=firsts.groupby("visit", observed=True, sort=False).cumcount()).groupby(key, observed=True)["place"].median()
    )

    def order(part: Part) -> tuple[int, str, float]:
        known = _JOURNEYS.index(part[0]) if part[0] in _JOURNEYS else len(_JOURNEYS)
        return known, part[0], float(places[part])

    return sorted(parts, key=order)


def _summary(part: Part, steps: Steps, mine: Flags) -> StepSummary:
    begun = mine & ((steps.begin_us > 0) | steps.ok)
    values = np.sort(steps.whole_us[mine & steps.ok] / _US)
    n = int(begun.sum())
    adjusted = np.concatenate([values, np.full(n - len(values), np.inf)])
    fastest, slowest = (float(values[0]), float(values[-1])) if len(values) else (None, None)
    p90, p95, p99 = (percentile(values, percent) for percent in LEAST_VALUES)
    return StepSummary(
        *part, n, n - len(values), int(mine.sum()) - n,
        fastest, _median(values) if len(values) else None, p90, p95, p99, slowest, percentile(adjusted, 95),
    )  # fmt: skip


def _median(values: Floats) -> float:
    """The median of one or more ordered values, by nearest rank."""
    return float(values[nearest_rank(len(values), 50) - 1])
