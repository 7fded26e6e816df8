"""One held load level: what each step took, which limits of the objective it missed, and whether citizens in flight add up.

Little's law: over the time that a level is held, citizens in flight are arrivals a second × their mean stay, thinks included.
The rows give the right side, exactly, by the part of each stay that lies within the hold; the workers count the left side once a
second. Where the two differ by more than chance explains, citizens were lost or counted twice, and the level is our fault.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.scoring.figures import MICROSECONDS, FigureRule, Unit, figure
from harness.scoring.rows import Integers
from harness.scoring.scored_units import Part
from harness.scoring.windows import TabulatedRun, unit_of
from harness.statistics.metric import parse_metric
from harness.statistics.objective import Objective, ObjectiveLimit
from harness.statistics.percentile import percentile

STAYS = 5
"""How many mean stays a level is held at least: the first citizens are gone long before its end (assumed)."""
IN_FLIGHT_SHARE = 0.1
"""How far counted and computed citizens in flight may differ, as a share (assumed), besides four standard errors of the count."""


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


@dataclass(frozen=True, slots=True)
class CitizensInFlight:
    """Citizens in flight while a level was held."""

    counted: float  # by the workers, mean of once a second
    computed: float  # from the stays in the rows
    tolerance: float
    stay_s: float  # mean whole stay of the visits that arrived
    arrivals: int

    @property
    def agrees(self) -> bool:
        """Whether the two differ by no more than the tolerance."""
        return abs(self.counted - self.computed) <= self.tolerance


@dataclass(frozen=True, slots=True)
class Stays:
    """The visits of one worker, from intended arrival to end, and its counts of citizens, by its own clock in microseconds."""

    begin_us: Integers
    end_us: Integers
    hold_us: tuple[int, int]
    counts: Mapping[int, int]  # moment → citizens


def steps_at_level(run: TabulatedRun, window: int) -> tuple[StepAtLevel, ...]:
    """The steps that at least half of their journey's visits reach, in one window."""
    return tuple(_figures(part, unit) for part, unit in _regular(run, window))


def missed_limits(run: TabulatedRun, window: int, objective: Objective, patience_s: float, seed: int) -> tuple[MissedLimit, ...]:
    """What a window misses of an objective; nothing where it meets all of it.

    A limit that names a step holds for it in every journey. In a mean a failure counts as the patience, which is as long as a visit
    may wait for answers. A limit that no step or journey of the window answers to is missed.
    """
    return tuple(missed for limit in objective.limits for missed in _missed(run, window, limit, round(patience_s * MICROSECONDS), seed))


def in_flight(workers: Sequence[Stays]) -> CitizensInFlight:
    """Citizens in flight by both sides of Little's law, all workers together."""
    counted = computed = variance = stays_us = 0.0
    arrivals = 0
    for each in workers:
        begin_us, end_us = each.hold_us
        inside = np.minimum(each.end_us, end_us) - np.maximum(each.begin_us, begin_us)
        mean = float(np.maximum(inside, 0).sum()) / (end_us - begin_us)
        computed += mean
        arrived = (each.begin_us >= begin_us) & (each.begin_us < end_us)
        arrivals += int(arrived.sum())
        stays_us += float((each.end_us - each.begin_us)[arrived].sum())
        counts = np.array([count for moment, count in each.counts.items() if begin_us <= moment < end_us], dtype=np.float64)
        if len(counts):
            counted += float(counts.mean())
            variance += max(float(counts.var()), mean) / len(counts)  # of few citizens a count may see none: at least Poisson's
    stay_s = stays_us / arrivals / MICROSECONDS if arrivals else 0.0
    return CitizensInFlight(counted, computed, IN_FLIGHT_SHARE * computed + 4 * math.sqrt(variance), stay_s, arrivals)


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
    count, beside = len(unit), 1.288 * math.sqrt(len(unit))
    if beside >= count / 2 - 1:
        return None
    times = np.where(unit.ok, unit.time_us / MICROSECONDS, np.inf)
    low, high = (percentile(times, 100 * (count / 2 + side * beside) / count, floor=False) for side in (-1, 1))
    return None if low is None or high is None or math.isinf(high) else (low, high)


def _known(value: float | None) -> float | None:
    return None if value is None or math.isinf(value) else value
