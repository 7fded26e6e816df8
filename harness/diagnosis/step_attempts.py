"""Attempts at steps, made of their requests: when they began, and whether they failed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.diagnosis.portal_rows import DiagnosedRows, Seconds
from harness.scoring.rows import Flags, Integers


@dataclass(frozen=True, slots=True)
class StepAttempts:
    """One entry for each attempt, ordered by visit and begin. ``step`` is an index into ``steps``, which holds pairs of goal and step."""

    steps: tuple[tuple[str, str], ...]
    step: Integers
    visit: Integers
    begin: Seconds
    end: Seconds
    failed: Flags
    unserved: Flags  # turned down: 429 or 503 under load
    unanswered: Flags  # failed by a request without an answer
    own: Flags  # with a request at a host of the portal
    outcome: Integers  # of the request that failed, or of the last one: a number in ``DiagnosedRows.outcomes``
    place: Integers  # of it
    idle: Seconds  # since the visit's attempt before; 0 for its first

    def __getitem__(self, chosen: Flags | Integers) -> StepAttempts:
        return StepAttempts(self.steps, *(getattr(self, name)[chosen] for name in self.__slots__[1:]))

    def __len__(self) -> int:
        return len(self.step)

    def at(self, *names: str) -> Flags:
        """Which of them are at a step of one of these names."""
        return np.isin(self.step, [number for number, (_, step) in enumerate(self.steps) if step in names])


def attempts_at_steps(observed: DiagnosedRows) -> StepAttempts:
    """The attempts of the loaded windows; without those that we cut off."""
    rows = observed.loaded
    steps = tuple(dict.fromkeys((place.goal, place.step) for place in observed.places))
    number = {pair: index for index, pair in enumerate(steps)}
    of_place = np.array([number[place.goal, place.step] for place in observed.places], dtype=np.int64)
    failing = ~rows.ok & ~rows.away
    order = np.lexsort((rows.end, failing, rows.attempt))
    rows, failing = rows[order], failing[order]
    first = np.flatnonzero(np.diff(rows.attempt, prepend=-1))
    if not len(first):
        return _none(steps)
    last = np.append(first[1:], len(rows)) - 1
    failed, cut_off = failing[last], np.maximum.reduceat(rows.away, first)
    begin, end = np.minimum.reduceat(rows.begin, first), np.maximum.reduceat(rows.end, first)
    found = StepAttempts(
        steps,
        of_place[rows.place[last]],
        rows.visit[last],
        begin,
        end,
        failed,
        failed & rows.unserved[last],
        failed & (rows.status[last] == 0),
        np.maximum.reduceat(rows.own, first),
        rows.outcome[last],
        rows.place[last],
        begin * 0.0,
    )
    order = np.lexsort((begin, found.visit))
    found, cut_off = found[order], cut_off[order]
    follows = np.diff(found.visit, prepend=-1) == 0
    idle = np.where(follows, found.begin - np.append(0.0, found.end[:-1]), 0.0)
    return replace(found, idle=np.maximum(idle, 0.0))[~cut_off]


def _none(steps: tuple[tuple[str, str], ...]) -> StepAttempts:
    numbers, seconds, flags = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.bool_)
    return StepAttempts(steps, numbers, numbers, seconds, seconds, *(flags,) * 4, numbers, numbers, seconds)
