"""One load level: what each step took while it was held, and which limits of the objective it missed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.scoring.figures import MICROSECONDS, FigureRule, Unit, figure
from harness.scoring.scored_units import Part
from harness.scoring.windows import TabulatedRun, unit_of
from harness.statistics.metric import parse_metric
from harness.statistics.objective import Objective, ObjectiveLimit
from harness.statistics.percentile import percentile

_NORMAL_99 = 2.576
"""The two-sided 99 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class StepAtLevel:
    """One step at one level; times in seconds, None where they fall on failures or there are too few."""

    journey: str
    goal: str
    step: str
    n: int
    failed: int
    p50_s: float | None
    p95_s: float | None
    median_s: tuple[float, float] | None  # interval of the median, 99 %, as if steps were independent


@dataclass(frozen=True, slots=True)
class MissedLimit:
    """A limit that one step did not meet; ``value`` is None where it falls on failures, or there are too few steps."""

    limit: str
    journey: str
    step: str  # empty: of visits
    value: float | None
    too_few: int = 0  # steps, where these are fewer than the limit needs


def steps_at_level(run: TabulatedRun, window: int) -> tuple[StepAtLevel, ...]:
    """The steps that at least half of their journey's visits reach, in one window."""
    return tuple(_figures(part, unit) for part, unit in _regular(run, window))


def missed_limits(run: TabulatedRun, window: int, objective: Objective, patience_s: float, seed: int) -> tuple[MissedLimit, ...]:
    """What a window misses of an objective; nothing where it meets all of it.

    A limit that names a step holds for it in every journey. In a mean a failure counts as the patience, which is as long as a visit
    may wait for answers. A limit for which the window has no step or visit is missed.
    """
    return tuple(missed for limit in objective.limits for missed in _missed(run, window, limit, round(patience_s * MICROSECONDS), seed))


def slowest_step(steps: Sequence[StepAtLevel]) -> StepAtLevel | None:
    """The step with the longest p95; one whose p95 falls on failures is longer than all others."""
    return max(steps, key=lambda each: (each.p95_s is None, each.p95_s or 0.0), default=None)


def _missed(run: TabulatedRun, window: int, limit: ObjectiveLimit, patience_us: int, seed: int) -> Iterator[MissedLimit]:
    of_visits = limit.metric.subject == "visits"
    units = list(_visits(run, window)) if of_visits else [each for each in _regular(run, window) if limit.step in ("", each[0][2])]
    if not units:
        yield MissedLimit(str(limit), "", limit.step, None)
    for (journey, _, step), unit in units:
        value = figure(unit, FigureRule(limit.metric, patience_us, int(limit.metric.argument or 0)), seed)
        if not limit.is_met_by(value):
            yield MissedLimit(str(limit), journey, step, _known(value), len(unit) if value is None else 0)


def _regular(run: TabulatedRun, window: int) -> Iterator[tuple[Part, Unit]]:
    for number, part in enumerate(run.steps.parts):
        cell = run.step_cells.get((number, window), slice(0, 0))
        journey = run.visits.journeys.index(part[0])
        if cell.stop > cell.start and 2 * (cell.stop - cell.start) >= run.count(run.visit_cells, journey, {window}):
            yield part, unit_of(run.steps, cell)


def _visits(run: TabulatedRun, window: int) -> Iterator[tuple[Part, Unit]]:
    for number, journey in enumerate(run.visits.journeys):
        cell = run.visit_cells.get((number, window), slice(0, 0))
        if cell.stop > cell.start:
            yield (journey, "", ""), unit_of(run.visits, cell)


def _figures(part: Part, unit: Unit) -> StepAtLevel:
    p50, p95 = (_known(figure(unit, FigureRule(parse_metric(name), 0, 0), 0)) for name in ("p50", "p95"))
    return StepAtLevel(*part, len(unit), int(np.count_nonzero(~unit.ok)), p50, p95, _median_interval(unit))


def _median_interval(unit: Unit) -> tuple[float, float] | None:
    """The ranks of the sign test, by the normal approximation: with hundreds of values it is as good as exact."""
    count, beside = len(unit), _NORMAL_99 * math.sqrt(len(unit)) / 2
    if beside >= count / 2 - 1:
        return None
    times = np.where(unit.ok, unit.time_us / MICROSECONDS, np.inf)
    low, high = (percentile(times, 100 * (count / 2 + side * beside) / count, floor=False) for side in (-1, 1))
    return None if low is None or high is None or math.isinf(high) else (low, high)


def _known(value: float | None) -> float | None:
    return None if value is None or math.isinf(value) else value
