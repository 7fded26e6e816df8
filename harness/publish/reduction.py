"""The rows reduced to what charts and tables of the report show, in seconds, without warm-up and lone walks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.records import SCORED_STAGES, STEP_KEYS, VISIT_ROW, Outcome
from harness.statistics.percentile import percentile

_StepKey = tuple[str, str, str]  # journey, goal, step

_US = 1e6
_JOURNEYS = ("search", "submit", "pay")
_MOST_BINS = 120
_BIN_WIDTHS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@dataclass(frozen=True, slots=True)
class StepSummary:
    """All executions of one step in one journey. Percentiles are exact (nearest rank)."""

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
    p95_adjusted_s: float | None  # each failure counts as infinitely slow; None where that makes it infinite


@dataclass(frozen=True, slots=True)
class HostTime:
    """Requests to one kind of host that the portal shares with others."""

    owner: str
    host: str
    requests: int
    failed: int
    p50_s: float
    p95_s: float
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
    # Sorting once lets `first` answer which request of a step failed first.
    requests = requests.sort_values(["request", "hop"], kind="stable")
    bad = requests["outcome"].astype(object).where(requests["outcome"] != Outcome.OK)
    grouped = requests.assign(bad=bad).groupby(["run", *STEP_KEYS], observed=True, sort=False)
    steps = grouped.agg(begin=("intended_us", "min"), end=("end_us", "max"), outcome=("bad", "first")).reset_index()
    steps["seconds"] = (steps["end"] - steps["begin"]) / _US
    return [_summary(*key, group) for key, group in _in_order(steps)]


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
        p50, p95 = (percentile(values, percent, floor=False) or 0.0 for percent in (50, 95))  # no group is empty
        share = float(values.sum()) / total if total else 0.0
        times.append(HostTime(str(key[0]), str(key[1]), len(values), failed, p50, p95, share))
    return times


def _in_order(steps: pd.DataFrame) -> list[tuple[_StepKey, pd.DataFrame]]:
    grouped = steps.groupby(["journey", "goal", "step"], observed=True, sort=False)
    groups = [((str(key[0]), str(key[1]), str(key[2])), group) for key, group in grouped]
    median_begin = {key: group.groupby(["run", "visit"], observed=True)["begin"].min() for key, group in groups}
    first = steps.groupby(["run", "visit"], observed=True)["begin"].min()

    def place(item: tuple[_StepKey, pd.DataFrame]) -> tuple[int, str, float]:
        key = item[0]
        lag = (median_begin[key] - first).median()
        known = _JOURNEYS.index(key[0]) if key[0] in _JOURNEYS else len(_JOURNEYS)
        return known, key[0], float(lag)

    return sorted(groups, key=place)


def _summary(journey: str, goal: str, step: str, executions: pd.DataFrame) -> StepSummary:
    outcome = executions["outcome"]
    skipped = int((outcome == Outcome.SKIPPED).sum())
    begun = len(executions) - skipped
    values = np.sort(executions.loc[outcome.isna(), "seconds"].to_numpy(dtype=np.float64))
    failed = begun - len(values)
    adjusted = np.concatenate([values, np.full(failed, np.inf)])
    p50, p90, p95, p99, adjusted_p95 = (
        percentile(of, percent, floor=False) for of, percent in ((values, 50), (values, 90), (values, 95), (values, 99), (adjusted, 95))
    )
    fastest, slowest = (float(values[0]), float(values[-1])) if len(values) else (None, None)
    return StepSummary(
        journey, goal, step, begun, failed, skipped,
        fastest, p50, p90, p95, p99, slowest, None if adjusted_p95 == math.inf else adjusted_p95,
    )  # fmt: skip
