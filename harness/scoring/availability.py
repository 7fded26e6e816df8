"""Continuous operation: how many of the windows of several nights found the portal working."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from harness.catalog.criteria import CriteriaSet, Criterion
from harness.evidence.facts import RunFacts, WindowFacts
from harness.scoring.windows import Measured, usable


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A stretch of planned maintenance that was announced beforehand; ISO 8601 times."""

    begin_utc: str
    end_utc: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One window of one night."""

    night: str
    up: bool
    n: int
    planned_maintenance: bool


def observe(
    measured: Sequence[Measured],
    unreachable: Sequence[RunFacts],
    criterion: Criterion,
    criteria: CriteriaSet,
    maintenance: Sequence[Maintenance],
) -> tuple[Observation, ...]:
    """Each usable window as up or down: up when at least the metric's share of its visits ended well.

    A run that could not connect at all is down in each window that it planned, or once where it planned none. Windows that
    touch planned maintenance are marked, and stay out of the share.
    """
    quota = criteria.quota_of(criterion)
    found: list[Observation] = []
    for run in measured:
        for window in run.facts.windows:
            if window.stage == criterion.select.stage and usable(window, quota):
                total, well = _visits(run, criterion, window)
                if total >= quota.n:
                    found.append(Observation(window.night, 100 * well >= _least(criterion) * total, total, _touches(window, maintenance)))
    for facts in unreachable:
        planned = [window for window in facts.windows if window.stage == criterion.select.stage]
        found += [Observation(window.night, up=False, n=0, planned_maintenance=_touches(window, maintenance)) for window in planned]
        if not planned:
            found.append(Observation(facts.sweep, up=False, n=0, planned_maintenance=False))
    return tuple(found)


def _visits(run: Measured, criterion: Criterion, window: WindowFacts) -> tuple[int, int]:
    visits = run.visits
    journeys = [number for number, name in enumerate(visits.journeys) if name in criterion.select.journey]
    chosen = (visits.window == window.window) & np.isin(visits.journey, journeys)
    return int(np.count_nonzero(chosen)), int(np.count_nonzero(chosen & visits.ok))


def _least(criterion: Criterion) -> float:
    return float(criterion.parsed.argument or 0)


def _touches(window: WindowFacts, maintenance: Sequence[Maintenance]) -> bool:
    if not maintenance:
        return False
    began = _utc(window.began_utc)
    ended = began + timedelta(seconds=window.duration_s)
    return any(began < _utc(each.end_utc) and _utc(each.begin_utc) < ended for each in maintenance)


def _utc(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
