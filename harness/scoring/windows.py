"""The value of a criterion in each window that counts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from harness.catalog.criteria import CriteriaSet, Criterion, Quota
from harness.evidence.facts import RunFacts, Verdict, WindowFacts
from harness.scoring.curves import zero_point
from harness.scoring.figures import MICROSECONDS, Rule, Unit, figure
from harness.scoring.rows import Integers, read_rows
from harness.scoring.table import Part, Steps, Visits, tabulate
from harness.statistics.keyed import keyed_seed

_SLACK = 0.98
"""A window that ended up to 2 % early still counts as one of its planned length."""

_ATTEMPTS = 1 << 16


Cells = Mapping[tuple[int, int], slice]
"""Where the steps of (part, window), or the visits of (journey, window), stand in their table."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: what is known of its windows, and its rows as steps and visits."""

    facts: RunFacts
    steps: Steps
    visits: Visits
    step_cells: Cells
    visit_cells: Cells

    def count(self, cells: Cells, number: int, windows: Collection[int]) -> int:
        """How many entries of one part or journey stand in some windows."""
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
        return None if math.isinf(self.value) else plain(self.value)

    @property
    def replicate(self) -> tuple[str, int]:
        """The night and round it belongs to."""
        return self.facts.night, self.facts.round


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found for a criterion: the windows that count, and how much was there besides."""

    values: tuple[WindowValue, ...]
    planned: int  # windows of its stage, whatever their verdict
    seen: int  # steps or visits of its selection in windows of its stage
    thin: int  # valid windows with too few steps


def measure(rows: Any, facts: RunFacts) -> Measured:
    """The rows (pyarrow Table or pandas DataFrame) of one run, tabulated."""
    steps, visits = tabulate(read_rows(rows))
    return Measured(facts, steps, visits, _cells(steps.part, steps.window), _cells(visits.journey, visits.window))


def look(measured: Sequence[Measured], criterion: Criterion, criteria: CriteriaSet) -> Looked:
    """The criterion's values in the valid windows of its stage, over all runs, ordered by night, round and window.

    Where the set asks for the latest windows only (``criteria.latest``), the values of earlier ones are left out.
    """
    quota, rule = criteria.quota_of(criterion), rule_of(criterion, criteria)
    values: list[WindowValue] = []
    planned = seen = thin = 0
    for index, run in enumerate(measured):
        windows = [window for window in run.facts.windows if window.stage == criterion.select.stage]
        parts = list(regular(run, criterion, {window.window for window in windows}))
        planned += len(windows)
        for window in windows:
            units = [(part, unit) for part, unit in units_of(run, criterion, parts, window.window) if len(unit)]
            seen += sum(len(unit) for _, unit in units)
            if not usable(window, quota):
                continue
            found = None if len(units) < len(parts) else _value(index, window, criterion, rule, units)
            if found is None:
                thin += 1
            else:
                values.append(found)
    values.sort(key=lambda each: (each.replicate, each.run, each.facts.window))
    return Looked(tuple(values[-quota.windows :] if criteria.latest else values), planned, seen, thin)


def usable(window: WindowFacts, quota: Quota) -> bool:
    """Whether a window is valid and long enough."""
    return window.verdict is Verdict.VALID and window.duration_s >= quota.window_s * _SLACK


def rule_of(criterion: Criterion, criteria: CriteriaSet) -> Rule:
    """How the criterion's figure is taken."""
    metric = criterion.parsed
    zero_us = round(zero_point(criterion.curve) * MICROSECONDS) if metric.unit == "s" else 0
    count, least = int(metric.argument or 0) if metric.figure == "slowest" else 0, criteria.quota_of(criterion).n
    return Rule(metric, zero_us, count, least, fewer=criteria.shortening is not None)


def selected(run: Measured, criterion: Criterion) -> Iterator[tuple[Part, int]]:
    """The parts of a run that a criterion selects, each with its number; a journey for a metric of visits."""
    select = criterion.select
    if criterion.parsed.subject == "visits":
        yield from (((name, "", ""), number) for number, name in enumerate(run.visits.journeys) if name in select.journey)
        return
    for number, part in enumerate(run.steps.parts):
        nameless = part[1:] == ("", "")  # a journey whose every visit was turned away before its first step
        if (part[0] in select.journey) if nameless else select.takes(*part):
            yield part, number


def regular(run: Measured, criterion: Criterion, windows: Collection[int]) -> Iterator[tuple[Part, int]]:
    """The selected parts that at least half of their journey's visits come to; what only some visits do has no quota to meet."""
    for part, number in selected(run, criterion):
        visits = run.count(run.visit_cells, run.visits.journeys.index(part[0]), windows)
        if criterion.parsed.subject == "visits" or 2 * run.count(run.step_cells, number, windows) >= visits:
            yield part, number


def units_of(run: Measured, criterion: Criterion, parts: Sequence[tuple[Part, int]], window: int) -> Iterator[tuple[Part, Unit]]:
    """The steps or visits of each part in one window."""
    of_visits = criterion.parsed.subject == "visits"
    table: Steps | Visits = run.visits if of_visits else run.steps
    cells = run.visit_cells if of_visits else run.step_cells
    time_us = table.charged_us if criterion.select.owner == "portal" else table.whole_us
    for part, number in parts:
        cell = cells.get((number, window), slice(0, 0))
        visit = table.visit[cell]
        identity = visit if isinstance(table, Visits) else visit * _ATTEMPTS + table.attempt[cell]
        yield part, Unit(identity, visit, time_us[cell], table.ok[cell], table.whole_us[cell] - table.charged_us[cell])


def combined(criterion: Criterion, values: Sequence[float]) -> float:
    """One value from those of the selected steps, as the criterion says: their mean, or the worst of them."""
    if criterion.combine == "worst":
        return min(values) if criterion.parsed.higher_is_better else max(values)
    return math.inf if math.inf in values else math.fsum(values) / len(values)


def _value(index: int, window: WindowFacts, criterion: Criterion, rule: Rule, units: Sequence[tuple[Part, Unit]]) -> WindowValue | None:
    if not units or any(len(unit) < rule.least for _, unit in units):
        return None
    found = [figure_of(unit, rule, window.run, window.window, part) for part, unit in units]
    if any(value is None for value in found):
        return None
    value = combined(criterion, [value for value in found if value is not None])
    return WindowValue(index, window, value, sum(len(unit) for _, unit in units))


def beside(measured: Sequence[Measured], criterion: Criterion, rule: Rule, value: WindowValue) -> tuple[float | None, float]:
    """What is shown beside a window's value: the same figure over the successes alone, and the mean time not charged (s)."""
    run, window = measured[value.run], value.facts
    of_stage = {each.window for each in run.facts.windows if each.stage == criterion.select.stage}
    units = list(units_of(run, criterion, list(regular(run, criterion, of_stage)), window.window))
    found = [figure_of(unit.only(unit.ok), rule, window.run, window.window, part) for part, unit in units]
    elsewhere_us = sum(int(unit.elsewhere_us.sum()) for _, unit in units)
    alone = None if any(each is None for each in found) else combined(criterion, [each for each in found if each is not None])
    return alone, elsewhere_us / (value.n * MICROSECONDS)


def figure_of(unit: Unit, rule: Rule, run: str, window: int, part: Part) -> float | None:
    """The figure of one step in one window; ``slowest`` looks at the same steps each time it is asked."""
    return figure(unit, rule, keyed_seed("slowest", run, window, *part) if rule.metric.figure == "slowest" else 0)


def _cells(major: Integers, window: Integers) -> Cells:
    """The slices of a table that is ordered by (major, window)."""
    if not len(major):
        return {}
    starts = np.concatenate(([0], np.flatnonzero((major[1:] != major[:-1]) | (window[1:] != window[:-1])) + 1))
    stops = np.append(starts[1:], len(major))
    return {(int(major[low]), int(window[low])): slice(int(low), int(high)) for low, high in zip(starts, stops, strict=True)}


def plain(value: float, digits: int = 6) -> float:
    """A value as it is printed: rounded half to even in decimal, without a negative zero."""
    return float(round(Decimal(repr(value)), digits)) + 0.0
