"""Concurrent access: the highest load level at which a portal meets the conditions.

A level *fails* if at least two of its windows, and at least half of them, miss a condition (a single miss may be chance). It
*passes* if it has a measured window, does not fail, and at least half of its windows meet all conditions. The result is
[last pass, first fail]; where no level fails, "at least" the highest level that passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.catalog.criteria import Criterion
from harness.catalog.criteria_set import CriteriaSet
from harness.scoring.figures import FigureRule, figure
from harness.scoring.windows import TabulatedRun, regular_parts, units_of, usable
from harness.statistics.metric import Condition


@dataclass(frozen=True, slots=True)
class HeldLevel:
    """One load level in visits per second, its windows, and how many of them met all conditions."""

    level: float
    windows: int
    met: int
    n: int

    @property
    def fails(self) -> bool:
        """At least two windows, and at least half, missed a condition."""
        missed = self.windows - self.met
        return missed >= 2 and 2 * missed >= self.windows

    @property
    def passes(self) -> bool:
        """At least half of the windows met all conditions, and the level did not fail."""
        return not self.fails and 2 * self.met >= self.windows and self.met > 0


@dataclass(frozen=True, slots=True)
class Sustained:
    """The sustained levels: ``last_pass`` is 0 where the lowest level fails; ``first_fail`` is None where no level fails."""

    last_pass: float
    first_fail: float | None


def sustained(levels: Sequence[HeldLevel]) -> Sustained:
    """The highest level below which all levels pass, and the first level above it that fails."""
    ordered = sorted(levels, key=lambda each: each.level)
    last = 0.0
    for position, each in enumerate(ordered):
        if not each.passes:
            return Sustained(last, next((above.level for above in ordered[position:] if above.fails), None))
        last = each.level
    return Sustained(last, None)


def held_levels(measured: Sequence[TabulatedRun], criterion: Criterion, criteria: CriteriaSet) -> tuple[HeldLevel, ...]:
    """The levels of the ramp's valid windows, each with the number of windows in which all selected steps met all conditions."""
    quota = criteria.quota_of(criterion)
    found: dict[float, list[tuple[bool, int]]] = {}
    for run in measured:
        windows = [window for window in run.facts.windows if window.stage == criterion.select.stage and usable(window, quota)]
        parts = list(regular_parts(run, criterion, {window.window for window in windows}))
        for window in windows:
            units = [unit for _, unit in units_of(run, criterion, parts, window.window)]
            if not units or any(len(unit) < quota.n for unit in units):
                continue
            rules = [
                (condition, FigureRule(condition.figure, 0, int(condition.figure.argument or 0)))
                for condition in criterion.parsed.conditions
            ]
            met = all(_meets(condition, figure(unit, rule, window.window)) for unit in units for condition, rule in rules)
            found.setdefault(window.level, []).append((met, sum(len(unit) for unit in units)))
    return tuple(
        HeldLevel(level, len(results), sum(met for met, _ in results), sum(n for _, n in results))
        for level, results in sorted(found.items())
    )


def highest_planned(measured_windows: Sequence[Sequence[tuple[str, float]]]) -> float | None:
    """The lowest, over portals, of each portal's highest planned ramp level. No criterion may ask for more than this.

    ``measured_windows`` holds for each portal the (stage, level) pairs of its windows; portals without a ramp do not count.
    """
    tops = [max(levels) for windows in measured_windows if (levels := [level for stage, level in windows if stage == "ramp"])]
    return min(tops, default=None)


def _meets(condition: Condition, value: float | None) -> bool:
    if value is None:
        return False
    limit = float(condition.limit)
    return value <= limit if condition.at_most else value >= limit
