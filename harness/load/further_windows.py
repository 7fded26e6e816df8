"""The windows that a night may add to its plan: their numbers, and how many visits each may have at most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from harness.load.schedule import arrivals_in
from harness.records import LONE, LONE_TRIES, LONE_TRIES_AT_SHARED_HOST, SCORED_STAGES, Plan, PlannedWindow, Slot

LONE_AGAIN = 890
"""Lone walks that are repeated, and those that check a portal after it refused many, have windows above this number."""
CHECKS_ABOVE = 10
"""How far the windows of checks are above those of repeated lone walks."""


def lone_tries(plan: Plan) -> int:
    """How often a journey is walked alone at most; where the plan knows of shared hosts, one that they stop is tried more often."""
    return LONE_TRIES if plan.shared_lost_max is None else LONE_TRIES_AT_SHARED_HOST


def scored_windows(slot: Slot) -> tuple[PlannedWindow, ...]:
    """The windows of a slot that are made up for where they are void or missed."""
    return tuple(window for window in slot.windows if window.stage in SCORED_STAGES)


class FurtherWindows:
    """The numbers follow from the plan alone, so that a later attempt at the same sweep gives none of them twice in one run."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        slots = [slot for each in plan.rounds for slot in each.slots]
        self._last_round = max((each.round for each in plan.rounds), default=0)
        self._last = max((window.window for slot in slots for window in slot.windows), default=0)
        self._in_a_round = max((len(scored_windows(slot)) for slot in slots), default=0)
        self._lone = max(LONE_AGAIN, self._last + plan.spare_windows * self._in_a_round)

    def again(self, attempt: int) -> int:
        """The window of the lone walks that are repeated for the ``attempt``-th time, from 1."""
        return self._lone + attempt

    def check(self, round_: int) -> int:
        """The window of the lone walks that check a portal after a round."""
        return self._lone + CHECKS_ABOVE + round_

    def made_up(self, round_: int, position: int) -> int:
        """The window that makes up, in a round after the plan's last, for the scored window at a position of its slot."""
        return self._last + 1 + (round_ - self._last_round - 1) * self._in_a_round + position

    @property
    def beyond(self) -> int:
        """A number above all of these and those of the plan."""
        return self.check(self._last_round + self._plan.spare_windows) + 1

    def visits(self, portal: str) -> Iterator[tuple[int, Counter[str]]]:
        """Each window that a portal may get beside the plan, with the most visits of each journey."""
        slots = [(each.round, slot) for each in self._plan.rounds for slot in each.slots if slot.portal == portal]
        spare = range(self._last_round + 1, self._last_round + 1 + self._plan.spare_windows)
        lone = [self._arrivals(slot.run, slot.windows[0]) for _, slot in slots if slot.windows[0].stage == LONE]
        if lone:
            loaded = [number for number, slot in slots if slot.windows[0].stage != LONE]
            numbers = [*map(self.again, range(1, lone_tries(self._plan))), *map(self.check, (*loaded, *spare))]
            yield from ((number, lone[0]) for number in numbers)
        most: list[Counter[str]] = []  # by position in a slot
        for _, slot in slots if spare else ():
            for position, window in enumerate(scored_windows(slot)):
                found = self._arrivals(slot.run, window)
                most[position:] = [most[position] | found if position < len(most) else found, *most[position + 1 :]]
        yield from ((self.made_up(round_, position), visits) for round_ in spare for position, visits in enumerate(most))

    def _arrivals(self, run: str, window: PlannedWindow) -> Counter[str]:
        return arrivals_in(window, run, seed=self._plan.seed, arrivals=self._plan.arrivals)


def most_visits(plan: Plan) -> Mapping[str, Counter[str]]:
    """The most visits of each journey that a night may bring each portal: those of the plan and of all further windows."""
    further = FurtherWindows(plan)
    most = {target.portal: Counter[str]() for target in plan.targets}
    for slot in (slot for each in plan.rounds for slot in each.slots):
        for window in slot.windows:
            most[slot.portal].update(arrivals_in(window, slot.run, seed=plan.seed, arrivals=plan.arrivals))
    for portal, found in most.items():
        for _, visits in further.visits(portal):
            found.update(visits)
    return most
