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
from harness.statistics.percentile import percentile, percentile_floor

_NORMAL_99 = 2.576
"""The two-sided 99 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class StepAtLevel:
    """One step at one level. Times are in seconds; None if they fall on failures, or if ``n`` is below the floor of the percentile."""

    journey: str
    goal: str
    step: str
    n: int
    failed: int
    p50_s: float | None
    p95_s: float | None
    median_s: tuple[float, float] | None  # interval of the median, 99 %, as if steps were independent

    @property
    def p50_or_inf_s(self) -> float | None:
        """The median, +inf where it falls on failures; None where there are too few steps for it."""
        return _or_inf(self.p50_s, 50, self.n)

    @property
    def p95_or_inf_s(self) -> float | None:
        """The same of p95."""
        return _or_inf(self.p95_s, 95, self.n)


def _or_inf(value: float | None, percent: int, n: int) -> float | None:
    return math.inf if value is None and n >= percentile_floor(percent) else value


@dataclass(frozen=True, slots=True)
class MissedLimit:
    """A limit that one step did not meet; ``value`` is None where it falls on failures."""

    limit: str
    journey: str
    step: str  # empty: of visits
    value: float | None
    too_few: int = 0  # always 0: a level with too few steps is void. Readers of capacity.json may know the key


@dataclass(frozen=True, slots=True)
class TooFewSteps:
    """A step, or the visits, of which a level has fewer than a limit needs: neither met nor missed."""

    journey: str  # empty where there is none at all
    step: str  # empty: of visits
    n: int
    least: int


def steps_at_level(run: TabulatedRun, window: int) -> tuple[StepAtLevel, ...]:
    """The steps that at least half of their journey's visits reach, in one window."""
    return tuple(_figures(part, unit) for part, unit in _regular(run, window))


def missed_limits(run: TabulatedRun, window: int, objective: Objective, patience_s: float, seed: int) -> tuple[MissedLimit, ...]:
    """What a window surely misses of an objective; limits with ``too_few_steps`` are left out.

    A limit that names a step holds for it in every journey. In a mean a failure counts as the patience, which is as long as a visit
    may wait for answers.
    """
    return tuple(missed for limit in objective.limits for missed in _missed(run, window, limit, round(patience_s * MICROSECONDS), seed))


def too_few_steps(run: TabulatedRun, window: int, objective: Objective) -> TooFewSteps | None:
    """The step that lacks most of what a limit needs in a window; None if every step has enough."""
    found = []
    for limit in objective.limits:
        counts = [(journey, step, len(unit)) for (journey, _, step), unit in _units(run, window, limit)] or [("", limit.step, 0)]
        found += [TooFewSteps(*each, limit.least_values) for each in counts if each[2] < limit.least_values]
    return min(found, key=lambda each: each.n / each.least, default=None)


def slowest_step(steps: Sequence[StepAtLevel]) -> StepAtLevel | None:
    """The step with the longest p95, of which failures are the longest; where there are too few steps for any, that with the longest median."""
    return max(steps, key=lambda each: (each.p95_or_inf_s or 0.0, each.p50_or_inf_s or 0.0), default=None)


def _missed(run: TabulatedRun, window: int, limit: ObjectiveLimit, patience_us: int, seed: int) -> Iterator[MissedLimit]:
    for (journey, _, step), unit in _units(run, window, limit):
        value = figure(unit, FigureRule(limit.metric, patience_us, int(limit.metric.argument or 0)), seed)
        if value is not None and not limit.is_met_by(value):
            yield MissedLimit(str(limit), journey, step, _known(value))


def _units(run: TabulatedRun, window: int, limit: ObjectiveLimit) -> list[tuple[Part, Unit]]:
    """What a limit holds for in a window: visits, the step that it names, or every regular step."""
    if limit.metric.subject == "visits":
        return list(_visits(run, window))
    return [each for each in _steps(run, window) if each[0][2] == limit.step] if limit.step else list(_regular(run, window))


def _steps(run: TabulatedRun, window: int) -> Iterator[tuple[Part, Unit]]:
    for number, part in enumerate(run.steps.parts):
        cell = run.step_cells.get((number, window), slice(0, 0))
        if cell.stop > cell.start:
            yield part, unit_of(run.steps, cell)


def _regular(run: TabulatedRun, window: int) -> Iterator[tuple[Part, Unit]]:
    for part, unit in _steps(run, window):
        if 2 * len(unit) >= run.count(run.visit_cells, run.visits.journeys.index(part[0]), {window}):
            yield part, unit


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
