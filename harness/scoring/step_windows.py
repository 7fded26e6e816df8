"""Each step's figures in each window of the stages that criteria score: what two sweeps are compared by, step by step."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, get_args

import numpy as np

from harness.catalog.criteria import JOURNEY_GOALS
from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.platform import GOALS, StepName
from harness.scoring.figures import MICROSECONDS
from harness.scoring.scored_units import Part
from harness.scoring.windows import TabulatedRun, usable
from harness.statistics.percentile import Floats, percentile, percentile_floor

LEAST_EXECUTIONS: Final = percentile_floor(50)
"""The fewest executions with which a step has a median in a window: 8."""

_ORDERS: Final[tuple[tuple[str, ...], ...]] = (tuple(JOURNEY_GOALS), tuple(GOALS), get_args(StepName))

WindowPlace = tuple[str, int, int]
"""Night, round, and which window of the round."""


class StepWindow(NamedTuple):
    """One step in one window. Times are the portal's own, in seconds; a failure counts as infinitely slow."""

    at: WindowPlace
    n: int  # executions that were due, skipped ones included
    failed_percent: float
    median_s: float | None  # None where it falls on a failure
    spread: float | None  # p90 / p50; None where it falls on a failure, or with too few executions
    has_spread: bool  # whether there were enough executions for it (46 for p90), and the median is finite


@dataclass(frozen=True, slots=True)
class StepWindows:
    """One step of one portal in the windows of one stage that had enough executions, in order."""

    portal: str
    stage: str
    part: Part
    windows: tuple[StepWindow, ...]
    arrivals_per_s: float = 0.0  # planned, of all journeys: the mean over the stage's valid windows


def step_windows(run: TabulatedRun, criteria: CriteriaSet) -> Iterator[StepWindows]:
    """Each step in each stage that a criterion scores window by window, as citizens come to them: valid and long enough windows only."""
    for stage in dict.fromkeys(
        each.select.stage for each in criteria.criteria if each.parsed.of_windows and run.windows_of(each.select.stage)
    ):
        quotas = [criteria.quota_of(each) for each in criteria.criteria if each.select.stage == stage and each.parsed.of_windows]
        shortest = min(quotas, key=lambda quota: quota.window_s)
        windows = [window for window in run.facts.windows if window.stage == stage and usable(window, shortest)]
        windows.sort(key=lambda window: (window.night, window.round, window.window))
        arrivals_per_s = math.fsum(window.level for window in windows) / len(windows) if windows else 0.0
        for part in sorted(run.steps.parts, key=_position):
            if part[1:] == ("", ""):  # a journey of which all visits were turned away before the first step
                continue
            number, counted, found = run.steps.parts.index(part), Counter[tuple[str, int]](), []
            for window in windows:
                at = (window.night, window.round, counted[window.night, window.round])
                counted[window.night, window.round] += 1
                cell = run.step_cells.get((number, window.window), slice(0, 0))
                seconds = np.where(run.steps.ok[cell], run.steps.charged_us[cell] / MICROSECONDS, np.inf)
                found.append(figures_of_window(at, seconds))
            yield StepWindows(run.facts.portal, stage, part, tuple(each for each in found if each is not None), arrivals_per_s)


def figures_of_window(at: WindowPlace, seconds: Floats) -> StepWindow | None:
    """The figures of one step in one window from the times of its executions, +inf for a failure; None with too few executions."""
    if len(seconds) < LEAST_EXECUTIONS:
        return None
    median, tail = (percentile(seconds, percent) for percent in (50, 90))
    assert median is not None
    has_spread = tail is not None and 0 < median < math.inf
    spread = tail / median if has_spread and tail is not None and math.isfinite(tail) else None
    failed = 100 * int(np.count_nonzero(np.isinf(seconds))) / len(seconds)
    return StepWindow(at, len(seconds), failed, None if math.isinf(median) else median, spread, has_spread)


def _position(part: Part) -> tuple[tuple[int, str], ...]:
    """Where a citizen comes to a step; names that we do not know stand last."""
    return tuple((order.index(name) if name in order else len(order), name) for order, name in zip(_ORDERS, part, strict=True))
