"""Rounds of lone citizens: which are due, which journeys they permit to load, and what the user is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from harness.load.further_windows import FurtherWindows, lone_tries
from harness.records import LONE, LONE_TRIES, SCORED_STAGES, Admission, LoneWalk, Met, Plan, Round, Slot, admit

CHECK_PART = 50
"""First part number of the rounds that check portals; a plan with as many parts in one round takes the next number after them."""


def turns(round_: Round) -> int:
    """How many visits of one portal come one after another at most, because its ceiling has no room for all lone citizens at once.

    1 in loaded rounds, where nobody waits for a turn.
    """
    lone = [slot for slot in round_.slots if slot.windows[0].stage == LONE]
    return max((math.ceil(len(slot.windows[0].journeys) / slot.in_flight_ceiling) for slot in lone), default=1)


def check_part(plan: Plan) -> int:
    """How far the part number of a check is above that of the round that it checks."""
    return max((CHECK_PART, *(each.part + 1 for each in plan.rounds)))


class LoneRounds:
    """The lone walks of one plan. ``walks_of`` takes a portal and answers its lone walks before the load, in order."""

    def __init__(self, plan: Plan, walks_of: Callable[[str], Sequence[LoneWalk]]) -> None:
        first = plan.rounds[0].slots if plan.rounds else ()
        scored = sorted({each.round for each in plan.rounds if any(window.stage in SCORED_STAGES for window in each.slots[0].windows)})
        self._third_before = scored[:2][-1] if scored else 1
        self._slots = {slot.portal: slot for slot in first if slot.windows[0].stage == LONE}
        self._walks_of = walks_of
        self._further = FurtherWindows(plan)
        self._tries = lone_tries(plan)
        self._check_part = check_part(plan)

    def admission(self, portal: str) -> Admission:
        """What the lone walks of a portal permit so far."""
        return admit(self._walks_of(portal))

    def permitted(self, slot: Slot) -> Slot | None:
        """The part of a slot that may be sent now; None if nothing of it may be sent. A plan without lone walks is sent whole."""
        if slot.portal not in self._slots or slot.windows[0].stage == LONE:
            return slot
        loaded = self.admission(slot.portal).loaded
        windows = tuple(window if window.journeys <= loaded else window.only(loaded) for window in slot.windows)
        return replace(slot, windows=windows) if any(window.journeys for window in windows) else None

    def before(self, round_: int) -> Iterator[Round]:
        """The lone rounds that are due before a loaded one, of the journeys that nobody got through when each is asked for.

        The second walk comes before round 1, the third before the second scored round, or the only one. A journey that the portal
        failed is loaded meanwhile. One that a shared host stopped is walked again before later rounds, up to the plan's most
        tries: the portal can do nothing about that host.
        """
        due = 0 if round_ == 0 else LONE_TRIES if round_ >= self._third_before else LONE_TRIES - 1
        more = max(0, round_ - self._third_before)
        for attempt in range(1, min(due + more, self._tries)):
            slots = tuple(self._undecided(self._further.again(attempt), of_shared_hosts=attempt >= LONE_TRIES))
            if slots:
                yield Round(0, slots, attempt)

    def recheck(self, round_: Round, doubtful: frozenset[str]) -> Round | None:
        """A lone citizen at each portal that has refused many in a loaded round; None where nobody has to walk."""
        slots = []
        for portal, slot in self._slots.items():
            if portal in doubtful:
                window = replace(slot.windows[0], window=self._further.check(round_.round), round=round_.round)
                slots.append(replace(slot, windows=(window.only(self.admission(portal).loaded),)))
        return Round(round_.round, tuple(slots), round_.part + self._check_part) if slots else None

    def tell(self, portal: str) -> Iterator[str]:
        """What may not be loaded at a portal, and whether it is tried again; a line each."""
        admission = self.admission(portal)
        if admission.refused:
            yield f"{portal}: a lone citizen found it {admission.refused}; {_next(admission.stopped[0])}"
            return
        for walks in admission.stopped:
            last = walks[-1]
            why = ", ".join(filter(None, (last.outcome, last.rule)))
            yield f"{portal}: {last.journey} stops a lone citizen at {last.step or 'its beginning'} ({why}); {_next(walks)}"

    def _undecided(self, number: int, *, of_shared_hosts: bool) -> Iterator[Slot]:
        for portal, slot in self._slots.items():
            admission = self.admission(portal)
            left = slot.windows[0].journeys - admission.through
            if of_shared_hosts:
                left &= {walks[-1].journey for walks in admission.stopped if walks[-1].met is Met.SHARED_HOST}
            if left:
                yield replace(slot, windows=(replace(slot.windows[0], window=number).only(left),))


def _next(walks: Sequence[LoneWalk]) -> str:
    if walks[-1].met is Met.SHARED_HOST:
        return "a shared host: tried again before the next round"
    return f"try {len(walks)} of {LONE_TRIES}" if len(walks) < LONE_TRIES else "it is not loaded"
