"""Journeys that are not walked on a portal, because its profile declares absent what they are for.

Their visits would end well without it, and would load the portal and file dossiers for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.catalog.platform import Platform
from harness.operations.permitted_journeys import FILING, PAYMENT, Goals
from harness.records import AbsentGoal


def absent_goals(platform: Platform, goals: Goals) -> tuple[AbsentGoal, ...]:
    """The journeys whose goal is absent, each with that goal. A journey that pays is for paying, one that files for filing, any other for its last goal."""
    purposes = {journey: _purpose(pursued) for journey, pursued in sorted(goals.items()) if pursued}
    return tuple(AbsentGoal(journey, goal) for journey, goal in purposes.items() if goal in platform.absent)


def absent_in_words(portal: str, absent: Iterable[AbsentGoal]) -> Iterator[str]:
    """A line for each journey that is left out on a portal."""
    for each in absent:
        yield f"{portal}: its profile declares {each.goal} absent: {each.journey} left out, and not assessed"


def _purpose(goals: Sequence[str]) -> str:
    return next((goal for goal in (PAYMENT, FILING) if goal in goals), goals[-1])
