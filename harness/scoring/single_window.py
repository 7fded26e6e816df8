"""An interval from a single window. It is labelled so, because it does not include the differences between windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.catalog.criteria import Criterion
from harness.scoring.figures import FigureRule, Unit, figure
from harness.scoring.windows import TabulatedRun, WindowValue, combined, regular_parts, units_of
from harness.statistics.interval import sign_test_interval
from harness.statistics.share import clustered_share

BLOCKS = 10


class SingleWindowInterval(NamedTuple):
    """The ends in the metric's unit, the level that the rule attains, and the label."""

    low: float
    high: float
    level: float
    kind: str


def single_window_interval(
    measured: Sequence[TabulatedRun], criterion: Criterion, rule: FigureRule, value: WindowValue
) -> SingleWindowInterval | None:
    """An interval that contains the window's value; None where the window has too few visits, and for ``slowest``.

    For the rate of one step, or of visits, steps of one visit count as dependent. Other figures are computed in ten blocks of
    consecutive visits.
    """
    run = measured[value.run]
    units = [unit for _, unit in units_of(run, criterion, list(regular_parts(run, criterion, (value.facts.window,))), value.facts.window)]
    of_one_rate = rule.metric.figure in {"ok_rate", "error_rate"} and len(units) == 1
    found = _clustered(units[0], failures=rule.metric.figure == "error_rate") if of_one_rate else _blocks(units, criterion, rule)
    return None if found is None else found._replace(low=min(found.low, value.value), high=max(found.high, value.value))


def _clustered(unit: Unit, *, failures: bool) -> SingleWindowInterval:
    visits, of_visit = np.unique(unit.visit, return_inverse=True)
    hits = np.bincount(of_visit, weights=unit.ok != failures, minlength=len(visits)).astype(np.int64)
    share = clustered_share(hits.tolist(), np.bincount(of_visit, minlength=len(visits)).tolist())
    return SingleWindowInterval(100 * share.low, 100 * share.high, 0.95, "one window, clustered by visit")


def _blocks(units: Sequence[Unit], criterion: Criterion, rule: FigureRule) -> SingleWindowInterval | None:
    visits = np.unique(np.concatenate([unit.visit for unit in units]))
    if len(visits) < BLOCKS or rule.metric.figure == "slowest":
        return None
    edges = visits[[len(visits) * block // BLOCKS for block in range(BLOCKS)]]
    values: list[float] = []
    for block in range(1, BLOCKS + 1):
        found = [figure(unit.only(np.searchsorted(edges, unit.visit, side="right") == block), rule, 0) for unit in units]
        known = [value for value in found if value is not None]
        if len(known) < len(found):
            return None
        values.append(combined(criterion, known))
    interval = sign_test_interval(values)
    return SingleWindowInterval(interval.low, interval.high, interval.level, "block, one window")
