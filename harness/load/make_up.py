"""Windows that are measured again at the end of a night, because they were void or missed. Scores play no part in choosing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from harness.records import SCORED_STAGES, Plan, PlannedWindow, Round, Slot


class MeasuredWindow(NamedTuple):
    """A window of a sealed round."""

    portal: str
    window: int  # unique within the run
    planned: int  # the window of the plan that it is, or makes up for
    journeys: frozenset[str]  # that had arrivals in it
    again: bool  # void, for a cause that another window may not have


def make_up_rounds(
    plan: Plan, permitted: Callable[[Slot], Slot | None], measured: Sequence[MeasuredWindow], number: int
) -> tuple[Round, ...]:
    """The parts of one round of make-up windows; none where nothing is missing.

    Each portal gets the missing windows of its earliest round that has some, with the journeys that ``permitted`` leaves of it
    now. Portals are together in a part as in the plan's last round.
    """
    fullest_last = sorted(measured, key=lambda each: len(each.journeys))
    taken = {(each.portal, each.planned): each.journeys for each in fullest_last if not each.again}
    used = [each.window for each in measured] + [window.window for each in plan.rounds for slot in each.slots for window in slot.windows]
    slots: dict[str, Slot] = {}
    for slot in filter(None, map(permitted, (slot for each in plan.rounds for slot in each.slots))):
        missing = tuple(_missing(slot, taken))
        if missing and slot.portal not in slots:
            slots[slot.portal] = replace(slot, windows=_consecutive(missing, max(used) + 1, number))
    last = [each for each in plan.rounds if each.round == plan.rounds[-1].round]
    parts = [tuple(slots[slot.portal] for slot in each.slots if slot.portal in slots) for each in last]
    return tuple(Round(number, part, index) for index, part in enumerate(filter(None, parts)))


def _missing(slot: Slot, taken: dict[tuple[str, int], frozenset[str]]) -> Iterator[PlannedWindow]:
    for window in slot.windows:
        if window.stage in SCORED_STAGES and not window.journeys <= taken.get((slot.portal, window.window), frozenset()):
            yield window


def _consecutive(windows: Iterable[PlannedWindow], first: int, number: int) -> tuple[PlannedWindow, ...]:
    """The windows one after another, numbered from ``first``, each with the window that it makes up for."""
    begin_s, found = 0.0, []
    for index, window in enumerate(windows):
        found.append(replace(window, window=first + index, begin_s=begin_s, round=number, make_up_of=window.window))
        begin_s += window.duration_s
    return tuple(found)
