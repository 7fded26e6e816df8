"""The slowest visits of one run, for those who look for their causes in the portal's own logs and traces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.evidence.facts import Verdict
from harness.records import SCORED_STAGES
from harness.scoring.windows import TabulatedRun


@dataclass(frozen=True, slots=True)
class SlowVisit:
    """One visit, with the time of all its steps, think times excluded."""

    journey: str
    window: int
    visit: int
    duration_us: int  # with the time at shared hosts
    charged_us: int  # without it
    ok: bool  # every goal was reached; one that failed may have ended early
    trace_id: str = ""  # empty where requests named no trace


def slowest_visits(run: TabulatedRun, *, most: int = 5, trace_id_of: Callable[[int], str] = lambda _visit: "") -> tuple[SlowVisit, ...]:
    """Up to ``most`` visits of each journey in valid windows, the slowest first; journeys in alphabetical order.

    Visits that were turned away, and took no step, are left out. Of equally slow ones the first by number comes first.
    """
    visits = run.visits
    valid = [each.window for each in run.facts.windows if each.verdict is Verdict.VALID and each.stage in SCORED_STAGES]
    candidates = np.isin(visits.window, valid) & ~visits.stepless
    found = []
    for number in sorted(range(len(visits.journeys)), key=visits.journeys.__getitem__):
        own = np.flatnonzero(candidates & (visits.journey == number))
        for index in own[np.lexsort((visits.visit[own], -visits.whole_us[own]))][:most].tolist():
            visit = int(visits.visit[index])
            found.append(
                SlowVisit(
                    visits.journeys[number], int(visits.window[index]), visit, int(visits.whole_us[index]), int(visits.charged_us[index]),
                    bool(visits.ok[index]), trace_id_of(visit),
                )
            )  # fmt: skip
    return tuple(found)
