"""Continuous operation: in how many windows of several nights the portal worked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.catalog.criteria import Criterion
from harness.catalog.criteria_set import CriteriaSet
from harness.evidence.facts import RunFacts, WindowFacts
from harness.scoring.maintenance import Maintenance, is_left_out
from harness.scoring.windows import TabulatedRun, usable


@dataclass(frozen=True, slots=True)
class WindowAvailability:
    """Whether the portal worked in one window of one night."""

    night: str
    up: bool
    n: int
    planned_maintenance: bool
    began_utc: str = ""  # ISO 8601; empty where nothing says when


def observe_windows(
    measured: Sequence[TabulatedRun],
    unreachable: Sequence[RunFacts],
    criterion: Criterion,
    criteria: CriteriaSet,
    maintenance: Sequence[Maintenance],
) -> tuple[WindowAvailability, ...]:
    """Each window that is usable or in maintenance, as up or down. It is up if at least the metric's share of its visits succeeded.

    A run that could not connect is down in each of its planned windows, or once where it has none. Windows that overlap
    planned maintenance are marked and do not count.
    """
    quota, least = criteria.quota_of(criterion), float(criterion.parsed.argument or 0)
    found: list[WindowAvailability] = []
    for run in measured:
        for window in run.facts.windows:
            if window.stage == criterion.select.stage and (usable(window, quota) or is_left_out(window)):
                total, well = _visits(run, criterion, window)
                if total >= quota.n:
                    found.append(
                        WindowAvailability(
                            window.night, 100 * well >= least * total, total, _overlaps(window, maintenance), window.began_utc
                        )
                    )
    for facts in unreachable:
        planned = [window for window in facts.windows if window.stage == criterion.select.stage]
        found += [
            WindowAvailability(window.night, up=False, n=0, planned_maintenance=_overlaps(window, maintenance), began_utc=window.began_utc)
            for window in planned
        ]
        if not planned:
            began_utc = facts.windows[0].began_utc if facts.windows else ""
            found.append(WindowAvailability(facts.sweep, up=False, n=0, planned_maintenance=False, began_utc=began_utc))
    return tuple(found)


def _visits(run: TabulatedRun, criterion: Criterion, window: WindowFacts) -> tuple[int, int]:
    visits = run.visits
    journeys = [number for number, name in enumerate(visits.journeys) if name in criterion.select.journey]
    chosen = (visits.window == window.window) & np.isin(visits.journey, journeys)
    return int(np.count_nonzero(chosen)), int(np.count_nonzero(chosen & visits.ok))


def _overlaps(window: WindowFacts, maintenance: Sequence[Maintenance]) -> bool:
    return any(each.overlaps(window) for each in maintenance)
