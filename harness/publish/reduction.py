"""The rows reduced to what charts and tables of the report show, in seconds, without warm-up and lone walks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.records import SCORED_STAGES, STEP_KEYS, VISIT_ROW, Outcome
from harness.statistics.percentile import Floats, percentile

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


@dataclass(frozen=True, slots=True)
class Timeline:
    """Counts over time; the windows of a run stand side by side, without the pauses between them."""

    windows: tuple[int, ...]
    begins_s: tuple[float, ...]  # where each window begins on the axis
    ends_s: tuple[float, ...]
    centres_s: Floats
    width_s: float
    series: dict[str, Floats]  # events per second


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


def visits_over_time(rows: pd.DataFrame) -> Timeline | None:
    """Planned arrivals, and visits that ended with every goal reached, per second."""
    visits = _placed(rows)
    visits = visits[visits["request"] == VISIT_ROW]
    ok = visits[visits["outcome"] == Outcome.OK]
    return _timeline(visits, {"arrivals": visits["due_s"], "served": ok["done_s"]})


def outcomes_over_time(rows: pd.DataFrame) -> Timeline | None:
    """Requests that ended, per second and outcome, most frequent outcome first, without skipped steps."""
    requests = _placed(rows)
    requests = requests[(requests["request"] != VISIT_ROW) & (requests["outcome"] != Outcome.SKIPPED)]
    counts = requests["outcome"].value_counts()
    names = sorted((str(name) for name in counts.index if counts[name]), key=lambda name: (name != Outcome.OK, -counts[name], name))
    return _timeline(requests, {name: requests.loc[requests["outcome"] == name, "done_s"] for name in names})


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


def _placed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with their due and end times in seconds from their window's first intended start on the same worker.

    Each worker's clock has its own origin. The first intended starts differ from the common start by less than one interval
    between arrivals, which a chart does not show.
    """
    kept = measured(rows)
    origin = kept.groupby(["window", "worker"], observed=True)["intended_us"].transform("min")
    end = kept["end_us"].where(kept["end_us"] > 0, kept["intended_us"])
    return kept.assign(due_s=(kept["intended_us"] - origin) / _US, done_s=(end - origin) / _US)


def _timeline(placed: pd.DataFrame, events: dict[str, pd.Series[float]]) -> Timeline | None:
    if placed.empty:
        return None
    spans = placed.groupby("window", observed=True)["done_s"].max()
    windows = [int(window) for window in spans.index]
    lengths = [max(1.0, float(span)) for span in spans]
    width = _bin_width(lengths)
    bins = [math.ceil(length / width + 1e-9) for length in lengths]
    gap = max(1, round(sum(bins) * 0.012))
    firsts = [sum(bins[:i]) + gap * i for i in range(len(bins))]
    centres = np.concatenate([(np.arange(count) + first + 0.5) * width for first, count in zip(firsts, bins, strict=True)])
    series = {name: _counts(placed, seconds, windows, bins, width) for name, seconds in events.items()}
    begins = tuple(first * width for first in firsts)
    ends = tuple((first + count) * width for first, count in zip(firsts, bins, strict=True))
    return Timeline(tuple(windows), begins, ends, centres, width, series)


def _counts(placed: pd.DataFrame, seconds: pd.Series[float], windows: Sequence[int], bins: Sequence[int], width: float) -> Floats:
    of_window = placed.loc[seconds.index, "window"]
    parts = []
    for window, count in zip(windows, bins, strict=True):
        index = (seconds[of_window == window].to_numpy(dtype=np.float64) // width).astype(np.int64).clip(0, count - 1)
        parts.append(np.bincount(index, minlength=count) / width)
    return np.concatenate(parts).astype(np.float64)


def _bin_width(lengths: Sequence[float]) -> float:
    total = sum(lengths)
    return next((width for width in _BIN_WIDTHS_S if total / width <= _MOST_BINS), total / _MOST_BINS)
