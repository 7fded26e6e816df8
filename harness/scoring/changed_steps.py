"""Steps and visits as they would be if a step were faster, or if what stops visits did not happen.

Nothing is scored here. The result is a ``TabulatedRun`` with the same steps and visits in the same order, so that it can be
scored as the measured one is. Only windows of the stages given change. Times of a visit are the sums of its steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from harness.scoring.rows import Flags, Integers
from harness.scoring.scored_units import Part
from harness.scoring.windows import TabulatedRun

ENDED_WELL, WITHOUT_A_STEP = -2, -1
"""What stopped a visit, where it is no step."""

_NO_PART = -3


@dataclass(frozen=True, slots=True)
class StoppedVisits:
    """A run, and which step stopped each of its visits."""

    run: TabulatedRun
    row_of: Integers  # for each step the position of its visit
    stopped_by: Integers  # for each visit the number of the part that failed first, WITHOUT_A_STEP or ENDED_WELL

    def stopped(self, part: Part, stage: str) -> Flags:
        """The visits of a stage that a part stopped. Without goal and step: that failed although no step that was begun did."""
        visits, names = self.run.visits, self.run.visits.journeys
        number = WITHOUT_A_STEP if part[1:] == ("", "") else self.run.steps.parts.index(part) if part in self.run.steps.parts else _NO_PART
        of_journey: Flags = visits.journey == (names.index(part[0]) if part[0] in names else _NO_PART)
        of_journey &= (self.stopped_by == number) & np.isin(visits.window, self.run.windows_of(stage))
        return of_journey

    def parts(self, journey: str, stage: str) -> tuple[Part, ...]:
        """The parts that stopped visits of a journey, ``(journey, "", "")`` where no step did, in the order of their names."""
        named = dict.fromkeys([(journey, "", ""), *(part for part in self.run.steps.parts if part[0] == journey)])
        return tuple(part for part in named if self.stopped(part, stage).any())


def find_what_stopped(run: TabulatedRun) -> StoppedVisits:
    """For each visit that failed, its first step (by begin) that was begun and failed."""
    steps, visits = run.steps, run.visits
    journey_of = np.array([visits.journeys.index(journey) for journey, _, _ in steps.parts] or [0], dtype=np.int64)
    most = int(visits.visit.max(initial=0)) + 1
    of_visits = visits.journey.astype(np.int64) * most + visits.visit
    order = np.argsort(of_visits)
    row_of = order[np.searchsorted(of_visits[order], journey_of[steps.part] * most + steps.visit)] if len(order) else order
    stopped_by = np.where(visits.ok, ENDED_WELL, WITHOUT_A_STEP)
    failed = np.flatnonzero(~steps.ok & (steps.begin_us > 0))
    failed = failed[np.lexsort((steps.part[failed], -steps.begin_us[failed]))]
    stopped_by[row_of[failed]] = steps.part[failed]  # the last one written is the first one begun
    return StoppedVisits(run, row_of, np.where(visits.ok, ENDED_WELL, stopped_by))


def faster_steps(
    found: StoppedVisits, part: Part, stage: str, shorten: Callable[[Integers], Integers], *, of_visits: bool, owner: str
) -> TabulatedRun:
    """The run with the successful steps of one part, or all steps of the successful visits of a journey, shortened.

    ``shorten`` gets the times of one window in µs (charged times where ``owner`` is "portal", whole ones otherwise) and gives
    the new ones. Of a visit that is shortened, all steps are shortened in proportion. A run without the part stays as it is:
    another night may have had it.
    """
    run = found.run
    steps, visits = run.steps, run.visits
    if part[0] not in visits.journeys or not (of_visits or part in steps.parts):
        return run
    time_us = steps.charged_us if owner == "portal" else steps.whole_us
    new_us = time_us.copy()
    for window in run.windows_of(stage):
        if of_visits:
            cell = run.visit_cells.get((visits.journeys.index(part[0]), window), slice(0, 0))
            rows = np.arange(cell.start, cell.stop)[visits.ok[cell]]
            was_us = (visits.charged_us if owner == "portal" else visits.whole_us)[rows]
            factor = np.ones(len(visits.ok))
            factor[rows] = shorten(was_us) / np.maximum(was_us, 1)
            of_rows = np.isin(found.row_of, rows)
            new_us[of_rows] = np.rint(time_us[of_rows] * factor[found.row_of[of_rows]])
        else:
            cell = run.step_cells.get((steps.parts.index(part), window), slice(0, 0))
            mine = np.arange(cell.start, cell.stop)[steps.ok[cell]]
            new_us[mine] = shorten(time_us[mine])
    return _with_times(found, new_us, owner)


def without_failures(found: StoppedVisits, part: Part, stage: str) -> TabulatedRun:
    """The run as if the visits of a stage that a part stopped had ended well.

    Each of their steps that failed or was skipped succeeds. It takes as long as the median success of its part in the same window; if
    the window has none, in the stage; if the stage has none, as long as the median execution that was begun. A step that was never begun
    in the stage stays failed, because nothing shows how long it takes.
    """
    run, mended = found.run, found.stopped(part, stage)
    steps, visits = run.steps, run.visits
    in_stage = np.isin(steps.window, run.windows_of(stage))
    charged_us, ok = steps.charged_us.copy(), steps.ok.copy()
    affected = mended[found.row_of] & ~steps.ok
    for number, window in np.unique(np.stack((steps.part[affected], steps.window[affected])), axis=1).T:
        of_part = in_stage & (steps.part == number)
        known = (of_part & steps.ok & (steps.window == window), of_part & steps.ok, of_part & (steps.begin_us > 0))
        times = next((steps.charged_us[each] for each in known if each.any()), None)
        if times is not None:
            mine = affected & (steps.part == number) & (steps.window == window)
            charged_us[mine], ok[mine] = np.sort(times)[(len(times) - 1) // 2], True
    changed = _with_times(found, charged_us, "portal")
    return replace(changed, steps=replace(changed.steps, ok=ok), visits=replace(changed.visits, ok=visits.ok | mended))


def _with_times(found: StoppedVisits, new_us: Integers, owner: str) -> TabulatedRun:
    """The run with new charged (or whole) times of its steps; time at hosts of other owners stays where only charged times change."""
    steps, visits = found.run.steps, found.run.visits
    if owner == "portal":
        charged_us, whole_us = new_us, steps.whole_us - steps.charged_us + new_us
    else:
        charged_us, whole_us = np.minimum(steps.charged_us, new_us), new_us
    visit_charged_us, visit_whole_us = visits.charged_us.copy(), visits.whole_us.copy()
    np.add.at(visit_charged_us, found.row_of, charged_us - steps.charged_us)
    np.add.at(visit_whole_us, found.row_of, whole_us - steps.whole_us)
    return replace(
        found.run,
        steps=replace(steps, charged_us=charged_us, whole_us=whole_us),
        visits=replace(visits, charged_us=visit_charged_us, whole_us=visit_whole_us),
    )
