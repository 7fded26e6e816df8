"""The value of a criterion in each window that counts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from harness.catalog.criteria import Criterion, Quota
from harness.catalog.criteria_set import CriteriaSet
from harness.evidence.facts import RunFacts, Verdict, WindowFacts
from harness.scoring.curves import zero_point
from harness.scoring.figures import MICROSECONDS, FigureRule, Unit, figure, measured_mean
from harness.scoring.lost_visits import without_lost
from harness.scoring.rows import Integers, read_rows
from harness.scoring.scored_units import Part, Steps, Visits, tabulate
from harness.statistics.keyed import keyed_seed

_SLACK = 0.98
"""A window may end up to 2 % early and still counts as one of its planned length."""

_ATTEMPTS = 1 << 16

Slices = Mapping[tuple[int, int], slice]
"""The position in their table of the steps of (part, window), or of the visits of (journey, window)."""


@dataclass(frozen=True, slots=True)
class TabulatedRun:
    """One run: the facts of its windows, and its rows as steps and visits."""

    facts: RunFacts
    steps: Steps
    visits: Visits
    step_cells: Slices
    visit_cells: Slices
    lost: Mapping[tuple[str, int], int] = field(default_factory=dict)  # visits that shared hosts took, by journey and window

    def windows_of(self, stage: str) -> tuple[int, ...]:
        """The numbers of the windows of a stage, with any verdict."""
        return tuple(window.window for window in self.facts.windows if window.stage == stage)

    def count(self, cells: Slices, number: int, windows: Collection[int]) -> int:
        """The number of entries of one part or journey in some windows."""
        found = (cells[number, window] for window in windows if (number, window) in cells)
        return sum(cell.stop - cell.start for cell in found)


@dataclass(frozen=True, slots=True)
class WindowValue:
    """A criterion's value in one window; ``value`` is +inf where it falls on failures."""

    run: int  # position among the scored runs
    facts: WindowFacts
    value: float
    n: int

    @property
    def printed(self) -> float | None:
        """The value as the card shows it; None where it is censored."""
        return printable(self.value)

    @property
    def replicate(self) -> tuple[str, int]:
        """The night and round it belongs to."""
        return self.facts.night, self.facts.round


@dataclass(frozen=True, slots=True)
class CriterionWindows:
    """A criterion's values in the windows that count, and how many windows and steps there are in all."""

    values: tuple[WindowValue, ...]
    planned: int  # windows of its stage with any verdict
    seen: int  # steps or visits of its selection in windows of its stage, and visits that shared hosts took
    thin: int  # valid windows with too few steps


def tabulate_run(rows: Any, facts: RunFacts, shared_owners: Collection[str] | None = None) -> TabulatedRun:
    """The rows (pyarrow Table or pandas DataFrame) of one run, tabulated, without visits that ended at hosts of these owners."""
    found = read_rows(rows, shared_owners)
    kept, lost = (found, {}) if shared_owners is None else without_lost(found)
    steps, visits = tabulate(kept)
    return TabulatedRun(facts, steps, visits, _cells(steps.part, steps.window), _cells(visits.journey, visits.window), lost)


def criterion_windows(measured: Sequence[TabulatedRun], criterion: Criterion, criteria: CriteriaSet) -> CriterionWindows:
    """The criterion's values in the valid windows of its stage, over all runs, ordered by night, round and window.

    Where the set asks for the latest windows only (``criteria.latest``), the values of earlier ones are left out.
    """
    quota, rule = criteria.quota_of(criterion), rule_of(criterion, criteria)
    values: list[WindowValue] = []
    planned = seen = thin = 0
    for index, run in enumerate(measured):
        windows = [window for window in run.facts.windows if window.stage == criterion.select.stage]
        parts = list(regular_parts(run, criterion, {window.window for window in windows}))
        planned += len(windows)
        for window in windows:
            units = [(part, unit) for part, unit in units_of(run, criterion, parts, window.window) if len(unit)]
            seen += sum(len(unit) for _, unit in units)
            seen += sum(run.lost.get((journey, window.window), 0) for journey in criterion.select.journey)
            if not usable(window, quota):
                continue
            found = None if len(units) < len(parts) else _value(index, window, criterion, rule, units)
            if found is None:
                thin += 1
            else:
                values.append(found)
    values.sort(key=lambda each: (each.replicate, each.run, each.facts.window))
    return CriterionWindows(tuple(values[-quota.windows :] if criteria.latest else values), planned, seen, thin)


def usable(window: WindowFacts, quota: Quota) -> bool:
    """Whether the window is valid and long enough."""
    return window.verdict is Verdict.VALID and window.duration_s >= quota.window_s * _SLACK


def rule_of(criterion: Criterion, criteria: CriteriaSet) -> FigureRule:
    """How the criterion's figure is computed."""
    metric = criterion.parsed
    zero_us = round(zero_point(criterion.curve) * MICROSECONDS) if metric.unit == "s" else 0
    count, least = int(metric.argument or 0) if metric.figure == "slowest" else 0, criteria.quota_of(criterion).n
    return FigureRule(metric, zero_us, count, least, fewer=criteria.shortening is not None)


def selected(run: TabulatedRun, criterion: Criterion) -> Iterator[tuple[Part, int]]:
    """The parts of a run that a criterion selects, each with its number; a journey for a metric of visits."""
    select = criterion.select
    if criterion.parsed.subject == "visits":
        yield from (((name, "", ""), number) for number, name in enumerate(run.visits.journeys) if name in select.journey)
        return
    for number, part in enumerate(run.steps.parts):
        nameless = part[1:] == ("", "")  # a journey of which all visits were turned away before the first step
        if (part[0] in select.journey) if nameless else select.takes(*part):
            yield part, number


def regular_parts(run: TabulatedRun, criterion: Criterion, windows: Collection[int]) -> Iterator[tuple[Part, int]]:
    """The selected parts; without steps that fewer than half of their journey's visits reach, which need no minimum count."""
    for part, number in selected(run, criterion):
        visits = run.count(run.visit_cells, run.visits.journeys.index(part[0]), windows)
        if criterion.parsed.subject == "visits" or 2 * run.count(run.step_cells, number, windows) >= visits:
            yield part, number


def units_of(run: TabulatedRun, criterion: Criterion, parts: Sequence[tuple[Part, int]], window: int) -> Iterator[tuple[Part, Unit]]:
    """The steps or visits of each part in one window."""
    of_visits = criterion.parsed.subject == "visits"
    table: Steps | Visits = run.visits if of_visits else run.steps
    cells = run.visit_cells if of_visits else run.step_cells
    for part, number in parts:
        yield part, unit_of(table, cells.get((number, window), slice(0, 0)), charged=criterion.select.owner == "portal")


def unit_of(table: Steps | Visits, cell: slice, *, charged: bool = True) -> Unit:
    """The steps or visits in one slice of their table, with the time that is charged to the portal, or else with the whole time."""
    visit = table.visit[cell]
    identity = visit if isinstance(table, Visits) else visit * _ATTEMPTS + table.attempt[cell]
    time_us = table.charged_us if charged else table.whole_us
    return Unit(identity, visit, time_us[cell], table.ok[cell], table.whole_us[cell] - table.charged_us[cell])


def regular_units(run: TabulatedRun, criterion: Criterion, window: int) -> Iterator[tuple[Part, Unit]]:
    """The steps or visits of each part that counts in the windows of the criterion's stage, in one of them."""
    return units_of(run, criterion, list(regular_parts(run, criterion, run.windows_of(criterion.select.stage))), window)


def combined(criterion: Criterion, values: Sequence[float]) -> float:
    """One value from those of the selected steps, as the criterion says: their mean, or the worst of them."""
    if criterion.combine == "worst":
        return min(values) if criterion.parsed.higher_is_better else max(values)
    return math.inf if math.inf in values else math.fsum(values) / len(values)


def _value(
    index: int, window: WindowFacts, criterion: Criterion, rule: FigureRule, units: Sequence[tuple[Part, Unit]]
) -> WindowValue | None:
    if not units or any(len(unit) < rule.least for _, unit in units):
        return None
    found = [window_figure(unit, rule, window.run, window.window, part) for part, unit in units]
    if any(value is None for value in found):
        return None
    value = combined(criterion, [value for value in found if value is not None])
    return WindowValue(index, window, value, sum(len(unit) for _, unit in units))


@dataclass(frozen=True, slots=True)
class FiguresBeside:
    """What is shown beside the value of the windows that give the points, and is not scored."""

    of_successes: float | None  # the figure over successes only; None where a part has none
    measured: float | None  # of a mean: the mean time of the successes in seconds, not capped
    not_charged_s: float  # the mean time of a step that is not charged
    failures: int
    n: int


def figures_beside(
    measured: Sequence[TabulatedRun], criterion: Criterion, rule: FigureRule, values: Sequence[WindowValue]
) -> FiguresBeside:
    """The figures beside some windows' values; where these are several, the mean of the windows' figures."""
    units = [list(regular_units(measured[value.run], criterion, value.facts.window)) for value in values]
    successes = [
        [window_figure(unit.only(unit.ok), rule, value.facts.run, value.facts.window, part) for part, unit in each]
        for value, each in zip(values, units, strict=True)
    ]
    as_measured = [[measured_mean(unit) for _, unit in each] for each in units] if rule.metric.figure == "mean" else []
    every = [unit for each in units for _, unit in each]
    n = sum(value.n for value in values)
    return FiguresBeside(
        _mean_of_known(criterion, successes),
        _mean_of_known(criterion, as_measured),
        sum(int(unit.elsewhere_us.sum()) for unit in every) / (n * MICROSECONDS),
        sum(int(np.count_nonzero(~unit.ok)) for unit in every),
        n,
    )


def _mean_of_known(criterion: Criterion, of_windows: Sequence[Sequence[float | None]]) -> float | None:
    """The mean over windows of the combined figures of the parts; None where one is not known, and without windows."""
    found = []
    for figures in of_windows:
        known = [figure for figure in figures if figure is not None]
        if len(known) < len(figures):
            return None
        found.append(combined(criterion, known))
    return found[0] if len(found) == 1 else math.fsum(found) / len(found) if found else None


def window_figure(unit: Unit, rule: FigureRule, run: str, window: int, part: Part) -> float | None:
    """The figure of one step in one window; the seed of ``slowest`` depends on run, window and step only."""
    return figure(unit, rule, keyed_seed("slowest", run, window, *part) if rule.metric.figure == "slowest" else 0)


def _cells(major: Integers, window: Integers) -> Slices:
    """The slices of a table ordered by (major, window)."""
    if not len(major):
        return {}
    starts = np.concatenate(([0], np.flatnonzero((major[1:] != major[:-1]) | (window[1:] != window[:-1])) + 1))
    stops = np.append(starts[1:], len(major))
    return {(int(major[low]), int(window[low])): slice(int(low), int(high)) for low, high in zip(starts, stops, strict=True)}


def plain(value: float, digits: int = 6) -> float:
    """A value as it is printed: rounded half to even in decimal, without negative zero."""
    return float(round(Decimal(repr(value)), digits)) + 0.0


def printable(value: float) -> float | None:
    """A value as the card shows it; None where it is censored."""
    return None if math.isinf(value) else plain(value)


def span_of(window: WindowFacts) -> tuple[datetime, datetime]:
    """Begin and end of a window."""
    began = utc_time(window.began_utc)
    return began, began + timedelta(seconds=window.duration_s)


def utc_time(text: str) -> datetime:
    """An ISO 8601 time; without an offset it is UTC. ValueError where it is none."""
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
