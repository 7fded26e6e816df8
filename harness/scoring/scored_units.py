"""The scored units: steps and visits from rows, with the time that is charged to the portal.

A step is all request rows with the same ``STEP_KEYS``. It lasts from the earliest intended start to the latest end of its
rows, and it fails if one of them is not ok. Skipped rows have no times.

A moment of a step is *not* charged to the portal if a row of another owner is in progress at that moment and none of the
portal's own. A row is in progress from its intended start, less the wait before it polled again, to its end. Where requests
follow one another, the charged time is therefore the sum over the portal's own rows of (end - intended start).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.records import VISIT_ROW
from harness.scoring.rows import Flags, Integers, Rows

Part = tuple[str, str, str]
"""The kind of a step: (journey, goal, step). Goal and step are empty for a journey without any step in the rows."""

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Steps:
    """One entry a step, ordered by part, window, visit and attempt."""

    parts: tuple[Part, ...]
    part: Integers
    window: Integers
    visit: Integers
    attempt: Integers
    begin_us: Integers  # by its worker's clock; 0 where nothing of it was begun
    whole_us: Integers
    charged_us: Integers
    ok: Flags

    def ordered(self) -> Steps:
        """The same steps by part, window, visit and attempt."""
        order = np.lexsort((self.attempt, self.visit, self.window, self.part))
        columns = (getattr(self, name)[order] for name in self.__slots__ if name != "parts")
        return Steps(self.parts, *columns)


@dataclass(frozen=True, slots=True)
class Visits:
    """One entry a visit, ordered by journey, window and number. Times are the sums of the visit's steps, without think times."""

    journeys: tuple[str, ...]
    journey: Integers
    window: Integers
    visit: Integers
    whole_us: Integers
    charged_us: Integers
    ok: Flags
    stepless: Flags  # without a row of a step


def tabulate(rows: Rows) -> tuple[Steps, Visits]:
    """The steps and visits of one run.

    A visit without a closing row has failed. A failed visit without any step (turned away at the ceiling, or never answered)
    counts as one failure of each step that its journey has in this run.
    """
    steps = begun_or_skipped(rows)
    visits = _visits(rows, steps)
    return _with_turned_away(steps, visits).ordered(), visits


@dataclass(frozen=True, slots=True)
class _Requests:
    """The request rows, sorted by step; ``first`` holds the position at which each step begins."""

    first: Integers
    part: Integers
    window: Integers
    visit: Integers
    attempt: Integers
    intended_us: Integers
    end_us: Integers
    poll_wait_us: Integers
    refresh_wait_us: Integers  # a redirect hop waits where the page asks for it
    foreign: Flags
    ok: Flags
    timed: Flags  # not skipped


def begun_or_skipped(rows: Rows) -> Steps:
    """The steps that have rows, in no order: without those of visits that were turned away."""
    chosen = np.flatnonzero(rows.request != VISIT_ROW)
    parts, part = _parts(rows, chosen)
    if not parts:
        empty = np.zeros(0, dtype=np.int64)
        return Steps((), empty, empty, empty, empty, empty, empty, empty, np.zeros(0, dtype=np.bool_))
    requests = _grouped(rows, chosen, part)
    first = requests.first
    begin = np.minimum.reduceat(np.where(requests.timed, requests.intended_us, _NEVER), first)
    end = np.maximum.reduceat(np.where(requests.timed, requests.end_us, -_NEVER), first)
    whole = np.where(begin == _NEVER, 0, np.maximum(end, begin) - begin) - _refreshing(requests, begin, end)
    return Steps(
        parts,
        requests.part[first],
        np.minimum.reduceat(requests.window, first),
        requests.visit[first],
        requests.attempt[first],
        np.where(begin == _NEVER, 0, begin),
        whole,
        whole - _not_charged(requests, begin),
        np.logical_and.reduceat(requests.ok, first),
    )


def _parts(rows: Rows, chosen: Integers) -> tuple[tuple[Part, ...], Integers]:
    """The parts that occur, by name, and the part number of each chosen row."""
    goals, names = len(rows.goal.names), len(rows.step.names)
    combined = ((rows.journey.codes.astype(np.int64) * goals + rows.goal.codes) * names + rows.step.codes)[chosen]
    counted = np.bincount(combined, minlength=1)
    present = np.flatnonzero(counted)
    numbers = np.cumsum(counted > 0) - 1
    parts = tuple(
        (rows.journey.names[code // (goals * names)], rows.goal.names[code // names % goals], rows.step.names[code % names])
        for code in present
    )
    return parts, numbers[combined]


def _grouped(rows: Rows, chosen: Integers, part: Integers) -> _Requests:
    visit, attempt = rows.visit[chosen], rows.attempt[chosen]
    order = _order(part, visit, attempt)
    part, visit, attempt, chosen = part[order], visit[order], attempt[order], chosen[order]
    wait_us, is_hop = rows.polling_wait_us[chosen], rows.hop[chosen] > 0
    return _Requests(
        _group_starts(part, visit, attempt),
        part,
        rows.window[chosen],
        visit,
        attempt,
        rows.intended_us[chosen],
        rows.end_us[chosen],
        np.where(is_hop, 0, wait_us),
        np.where(is_hop, wait_us, 0),
        rows.foreign[chosen],
        rows.ok[chosen],
        ~rows.skipped[chosen],
    )


def _refreshing(requests: _Requests, begin: Integers, end: Integers) -> Integers:
    """Microseconds of each step in which only the delay of a refresh passed; they are nobody's time."""
    first = requests.first
    touched = np.logical_or.reduceat(requests.timed & (requests.refresh_wait_us > 0), first)
    if not touched.any():
        return np.zeros(len(first), dtype=np.int64)
    group = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(requests.part))))
    of_interest = np.flatnonzero(requests.timed & touched[group])
    group = group[of_interest]
    due = requests.intended_us[of_interest]
    low = np.maximum(due - requests.poll_wait_us[of_interest], begin[group])
    high = np.maximum(requests.end_us[of_interest], low)
    from_us = np.maximum(due - requests.refresh_wait_us[of_interest], begin[group])
    until_us = np.maximum(np.minimum(due, end[group]), from_us)
    both = np.concatenate((group, group))
    order = np.argsort(both, kind="stable")
    lows, highs = np.concatenate((low, from_us))[order], np.concatenate((high, until_us))[order]
    return _covered(both[order], lows, highs, len(first)) - _covered(group, low, high, len(first))


def _not_charged(requests: _Requests, begin: Integers) -> Integers:
    """Microseconds of each step in which only rows of other owners were in progress."""
    first = requests.first
    touched = np.logical_or.reduceat(requests.timed & requests.foreign, first)
    if not touched.any():
        return np.zeros(len(first), dtype=np.int64)
    group = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(requests.part))))
    of_interest = np.flatnonzero(requests.timed & touched[group])
    group = group[of_interest]
    low = np.maximum(requests.intended_us[of_interest] - requests.poll_wait_us[of_interest], begin[group])
    high = np.maximum(requests.end_us[of_interest], low)
    own = ~requests.foreign[of_interest]
    everything = _covered(group, low, high, len(first))
    return everything - _covered(group[own], low[own], high[own], len(first))


def _covered(group: Integers, low: Integers, high: Integers, count: int) -> Integers:
    """The length of the union of the intervals of each group."""
    result = np.zeros(count, dtype=np.int64)
    if not len(group):
        return result
    # Shift each group beyond the previous one, so that one running maximum serves all groups.
    starts = _group_starts(group)
    base = np.repeat(np.minimum.reduceat(low, starts), np.diff(np.append(starts, len(group))))
    low, high = low - base, high - base
    shift = group * (int(high.max()) + 1)
    low, high = low + shift, high + shift
    order = np.argsort(low)
    low, high = low[order], high[order]
    before = np.concatenate(([0], np.maximum.accumulate(high)[:-1]))
    result[group[starts]] = np.add.reduceat(np.maximum(0, high - np.maximum(low, before)), starts)
    return result


def _visits(rows: Rows, steps: Steps) -> Visits:
    """One entry for each visit that has a closing row or a step."""
    names, closed = rows.journey.names, np.flatnonzero(rows.request == VISIT_ROW)
    of_part = np.array([names.index(journey) for journey, _, _ in steps.parts] or [0], dtype=np.int64)
    counts = (len(closed), len(steps.visit))
    journey = np.concatenate((rows.journey.codes[closed], of_part[steps.part]))
    visit = np.concatenate((rows.visit[closed], steps.visit))
    window = np.concatenate((rows.window[closed], steps.window))
    closing = np.repeat((True, False), counts)
    ok = np.concatenate((rows.ok[closed], np.ones(counts[1], dtype=np.bool_)))
    whole = np.concatenate((np.zeros(counts[0], dtype=np.int64), steps.whole_us))
    charged = np.concatenate((np.zeros(counts[0], dtype=np.int64), steps.charged_us))
    if not len(visit):
        return Visits(names, journey, window, visit, whole, charged, ok, ok)
    order = _order(journey, visit, np.zeros(1, dtype=np.int64))
    journey, visit, closing = journey[order], visit[order], closing[order]
    first = _group_starts(journey, visit)
    window_of = np.minimum.reduceat(window[order], first)
    ended_well = np.logical_and.reduceat(ok[order], first) & np.logical_or.reduceat(closing, first)
    again = np.lexsort((visit[first], window_of, journey[first]))
    return Visits(
        names,
        journey[first][again],
        window_of[again],
        visit[first][again],
        np.add.reduceat(whole[order], first)[again],
        np.add.reduceat(charged[order], first)[again],
        ended_well[again],
        np.logical_and.reduceat(closing, first)[again],
    )


def _with_turned_away(steps: Steps, visits: Visits) -> Steps:
    names = visits.journeys
    without = visits.stepless & ~visits.ok
    if not without.any():
        return steps
    parts, part, which = list(steps.parts), [], []
    for number in np.unique(visits.journey[without]):
        chosen = np.flatnonzero(without & (visits.journey == number))
        if not any(journey == names[number] for journey, _, _ in parts):
            parts.append((names[number], "", ""))
        for index in [index for index, (journey, _, _) in enumerate(parts) if journey == names[number]]:
            part.append(np.full(len(chosen), index))
            which.append(chosen)
    rows = np.concatenate(which)
    zeros = np.zeros(len(rows), dtype=np.int64)
    more = (np.concatenate(part), visits.window[rows], visits.visit[rows], zeros + 1, zeros, zeros, zeros, zeros.astype(np.bool_))
    own = (getattr(steps, name) for name in Steps.__slots__ if name != "parts")
    return Steps(tuple(parts), *map(np.concatenate, zip(own, more, strict=True)))


def _order(major: Integers, visit: Integers, attempt: Integers) -> Integers:
    """An order by (major, visit, attempt), sorted as one number where it fits into 62 bits.

    The order of rows within one group is undefined; nothing here depends on it.
    """
    visits, attempts = int(visit.max()) + 1, int(attempt.max()) + 1
    if visit.min() >= 0 and attempt.min() >= 0 and (int(major.max()) + 1) * visits * attempts < 2**62:
        return np.argsort((major * visits + visit) * attempts + attempt)
    return np.lexsort((np.broadcast_to(attempt, visit.shape), visit, major))


def _group_starts(*keys: Integers) -> Integers:
    changed = np.zeros(len(keys[0]) - 1, dtype=np.bool_)
    for key in keys:
        changed |= key[1:] != key[:-1]
    return np.concatenate(([0], np.flatnonzero(changed) + 1))
