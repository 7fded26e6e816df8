"""From rows to steps and visits: the scored units, with the time that is charged to the portal.

A step is all request rows of one (journey, visit, goal, step, attempt). It lasts from the earliest intended start to the
latest end of its rows, and it fails if any of them is not ok; rows that were skipped have no times of their own.

A moment of a step is *not* charged to the portal if a row of another owner is under way at that moment, and none of the
portal's own. A row is under way from its intended start, less the wait before it polled again, to its end. Where requests
follow one another, the charged time is therefore the sum over the portal's own rows of (end - intended start).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.samples import VISIT_ROW
from harness.scoring.rows import Flags, Integers, Rows

Part = tuple[str, str, str]
"""A step as it is scored: (journey, goal, step). Goal and step are empty for a journey of which nothing else was ever seen."""

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Steps:
    """One entry a step, ordered by part, window, visit and attempt."""

    parts: tuple[Part, ...]
    part: Integers
    window: Integers
    visit: Integers
    attempt: Integers
    whole_us: Integers
    charged_us: Integers
    ok: Flags

    def ordered(self) -> Steps:
        """The same steps in the order that their names, and nothing else, gives them."""
        order = np.lexsort((self.attempt, self.visit, self.window, self.part))
        columns = (getattr(self, name)[order] for name in self.__slots__ if name != "parts")
        return Steps(self.parts, *columns)


@dataclass(frozen=True, slots=True)
class Visits:
    """One entry a visit, ordered by journey, window and number; times are the sums of the visit's steps, thinks left out."""

    journeys: tuple[str, ...]
    journey: Integers
    window: Integers
    visit: Integers
    whole_us: Integers
    charged_us: Integers
    ok: Flags
    stepless: Flags  # without a single row of a step


def tabulate(rows: Rows) -> tuple[Steps, Visits]:
    """The steps and visits of one run.

    A visit without a row that closes it has failed. A visit that failed and has no step at all (turned away at the ceiling,
    or never answered) counts as one failure of each step that its journey has in this run, as if every step had been skipped.
    """
    steps = _steps(rows[rows.request != VISIT_ROW])
    visits = _visits(rows[rows.request == VISIT_ROW], rows.journey.names, steps)
    return _with_turned_away(steps, visits).ordered(), visits


def _steps(rows: Rows) -> Steps:
    goals, names = len(rows.goal.names), len(rows.step.names)
    combined = (rows.journey.codes * goals + rows.goal.codes) * names + rows.step.codes
    present = np.flatnonzero(np.bincount(combined, minlength=1)) if len(combined) else np.zeros(0, dtype=np.int64)
    parts = tuple(
        (rows.journey.names[code // (goals * names)], rows.goal.names[code // names % goals], rows.step.names[code % names])
        for code in present
    )
    if not parts:
        empty = np.zeros(0, dtype=np.int64)
        return Steps((), empty, empty, empty, empty, empty, empty, np.zeros(0, dtype=np.bool_))
    part = np.searchsorted(present, combined)
    order = _order(part, rows.visit, rows.attempt)
    rows, part = _reordered(rows, order), part[order]
    first = _group_starts(part, rows.visit, rows.attempt)
    timed = ~rows.skipped
    begin = np.minimum.reduceat(np.where(timed, rows.intended_us, _NEVER), first)
    end = np.maximum.reduceat(np.where(timed, rows.end_us, -_NEVER), first)
    whole = np.where(begin == _NEVER, 0, np.maximum(end, begin) - begin)
    return Steps(
        parts,
        part[first],
        np.minimum.reduceat(rows.window, first),
        rows.visit[first],
        rows.attempt[first],
        whole,
        whole - _not_charged(rows, timed, first, begin),
        np.logical_and.reduceat(rows.ok, first),
    )


def _not_charged(rows: Rows, timed: Flags, first: Integers, begin: Integers) -> Integers:
    """Microseconds of each step in which only rows of other owners were under way."""
    result = np.zeros(len(first), dtype=np.int64)
    foreign = timed & rows.foreign
    touched = np.logical_or.reduceat(foreign, first)
    if not touched.any():
        return result
    group = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(foreign))))
    of_interest = timed & touched[group]
    group = group[of_interest]
    low = np.maximum((rows.intended_us - rows.polling_wait_us)[of_interest], begin[group])
    high = np.maximum(rows.end_us[of_interest], low)
    own = ~rows.foreign[of_interest]
    everything = _covered(group, low, high, len(first))
    return everything - _covered(group[own], low[own], high[own], len(first))


def _covered(group: Integers, low: Integers, high: Integers, count: int) -> Integers:
    """The length of the union of the intervals of each group."""
    result = np.zeros(count, dtype=np.int64)
    if not len(group):
        return result
    order = np.lexsort((low, group))
    group, low, high = group[order], low[order], high[order]
    # Shifting each group beyond the one before lets one running maximum serve all of them.
    base = low.min()
    shift = group * (int(high.max() - base) + 1)
    reached = np.maximum.accumulate(high - base + shift)
    before = np.concatenate(([0], reached[:-1]))
    added = np.maximum(0, high - base + shift - np.maximum(low - base + shift, before))
    np.add.at(result, group, added)
    return result


def _visits(rows: Rows, names: tuple[str, ...], steps: Steps) -> Visits:
    """One entry for every visit that has a closing row or a step."""
    of_part = np.array([names.index(journey) for journey, _, _ in steps.parts] or [0], dtype=np.int64)
    counts = (len(rows.visit), len(steps.visit))
    journey = np.concatenate((rows.journey.codes, of_part[steps.part]))
    visit = np.concatenate((rows.visit, steps.visit))
    window = np.concatenate((rows.window, steps.window))
    closing = np.repeat((True, False), counts)
    ok = np.concatenate((rows.ok, np.ones(counts[1], dtype=np.bool_)))
    whole = np.concatenate((np.zeros(counts[0], dtype=np.int64), steps.whole_us))
    charged = np.concatenate((np.zeros(counts[0], dtype=np.int64), steps.charged_us))
    if not len(visit):
        return Visits(names, journey, window, visit, whole, charged, ok, ok)
    order = np.lexsort((visit, journey))
    first = _group_starts(journey[order], visit[order])
    window_of = np.minimum.reduceat(window[order], first)
    ended_well = np.logical_and.reduceat(ok[order], first) & np.logical_or.reduceat(closing[order], first)
    again = np.lexsort((visit[order][first], window_of, journey[order][first]))
    return Visits(
        names,
        journey[order][first][again],
        window_of[again],
        visit[order][first][again],
        np.add.reduceat(whole[order], first)[again],
        np.add.reduceat(charged[order], first)[again],
        ended_well[again],
        np.logical_and.reduceat(closing[order], first)[again],
    )


def _with_turned_away(steps: Steps, visits: Visits) -> Steps:
    names = visits.journeys
    without = visits.stepless & ~visits.ok
    if not without.any():
        return steps
    parts, added = list(steps.parts), []
    for number in np.unique(visits.journey[without]):
        chosen = without & (visits.journey == number)
        if not any(part[0] == names[number] for part in parts):
            parts.append((names[number], "", ""))
        added += [(index, chosen) for index, part in enumerate(parts) if part[0] == names[number]]
    return _extended(steps, tuple(parts), visits, added)


def _extended(steps: Steps, parts: tuple[Part, ...], visits: Visits, added: list[tuple[int, Flags]]) -> Steps:
    def joined(own: Integers, *others: Integers) -> Integers:
        return np.concatenate((own, *others))

    counts = [int(np.count_nonzero(chosen)) for _, chosen in added]
    zeros = np.zeros(sum(counts), dtype=np.int64)
    return Steps(
        parts,
        joined(steps.part, *(np.full(count, index) for count, (index, _) in zip(counts, added, strict=True))),
        joined(steps.window, *(visits.window[chosen] for _, chosen in added)),
        joined(steps.visit, *(visits.visit[chosen] for _, chosen in added)),
        joined(steps.attempt, zeros + 1),
        joined(steps.whole_us, zeros),
        joined(steps.charged_us, zeros),
        np.concatenate((steps.ok, zeros.astype(np.bool_))),
    )


def _order(part: Integers, visit: Integers, attempt: Integers) -> Integers:
    """The order by (part, visit, attempt), through one number where the three fit into 62 bits."""
    visits, attempts = int(visit.max()) + 1, int(attempt.max()) + 1
    if visit.min() >= 0 and attempt.min() >= 0 and (int(part.max()) + 1) * visits * attempts < 2**62:
        return np.argsort((part * visits + visit) * attempts + attempt, kind="stable")
    return np.lexsort((attempt, visit, part))


def _group_starts(*keys: Integers) -> Integers:
    changed = np.zeros(len(keys[0]) - 1, dtype=np.bool_)
    for key in keys:
        changed |= key[1:] != key[:-1]
    return np.concatenate(([0], np.flatnonzero(changed) + 1))


def _reordered(rows: Rows, order: Integers) -> Rows:
    return Rows(*(getattr(rows, name)[order] for name in Rows.__slots__))
