"""Windows that are measured again at the end of a night: void, missed, or lost to a shared host. Scores play no part in choosing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from harness.load.further_windows import FurtherWindows, scored_windows
from harness.records import Plan, PlannedWindow, Round, Slot


class MeasuredWindow(NamedTuple):
    """A window of a sealed round."""

    portal: str
    window: int  # unique within the run
    planned: int  # the window of the plan that it is, or makes up for
    journeys: frozenset[str]  # that had arrivals in it
    again: bool  # void or lost to a shared host, for a cause that another window may not have


def make_up_rounds(
    plan: Plan, permitted: Callable[[Slot], Slot | None], measured: Sequence[MeasuredWindow], number: int
) -> tuple[Round, ...]:
    """The parts of one round of make-up windows; none where nothing is missing.

    Each portal gets the missing windows of its earliest round that has some, with the journeys that ``permitted`` leaves of it
    now. Portals are together in a part as in the plan's last round.
    """
    fullest_last = sorted(measured, key=lambda each: len(each.journeys))
    taken = {(each.portal, each.planned): each.journeys for each in fullest_last if not each.again}
    further = FurtherWindows(plan)
    slots: dict[str, Slot] = {}
    for slot in filter(None, map(permitted, (slot for each in plan.rounds for slot in each.slots))):
        if slot.portal not in slots and (missing := tuple(_missing(slot, taken, further, number))):
            slots[slot.portal] = replace(slot, windows=missing)
    last = [each for each in plan.rounds if each.round == plan.rounds[-1].round]
    parts = [tuple(slots[slot.portal] for slot in each.slots if slot.portal in slots) for each in last]
    return tuple(Round(number, part, index) for index, part in enumerate(filter(None, parts)))


def _missing(slot: Slot, taken: dict[tuple[str, int], frozenset[str]], further: FurtherWindows, number: int) -> Iterator[PlannedWindow]:
    """Make-up windows for the missing ones of a slot, one after another."""
    begin_s = 0.0
    for position, window in enumerate(scored_windows(slot)):
        if not window.journeys <= taken.get((slot.portal, window.window), frozenset()):
            again = further.made_up(number, position)
            yield replace(window, window=again, begin_s=begin_s, round=number, make_up_of=window.window)
            begin_s += window.duration_s
