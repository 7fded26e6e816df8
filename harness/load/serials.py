"""Numbers the visits of a run without gaps, in the order of the plan: a distinct pool gives each visit the row of its number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from harness.load.further_windows import FurtherWindows
from harness.load.schedule import VISITS_PER_WINDOW, arrivals_in
from harness.records import Plan, PlannedWindow, RoundRecord, Slot


class Serials:
    """The serial of the first visit of each window that a run may have: first the windows of the plan, then those that a night may add.

    These serials follow from the plan alone, so that a resumed sweep repeats none. Windows that are measured once more have higher ones, which
    the records of their rounds (``rounds``) hold.
    """

    def __init__(self, plan: Plan, rounds: Iterable[RoundRecord] = ()) -> None:
        self._plan = plan
        self._first: dict[tuple[str, int], int] = {}
        self._visits: Counter[str] = Counter()
        for round_ in plan.rounds:
            for slot in round_.slots:
                for window in slot.windows:
                    self._add(slot.run, window.window, arrivals_in(window, slot.run, seed=plan.seed, arrivals=plan.arrivals))
        further = FurtherWindows(plan)
        for portal, run in {(slot.portal, slot.run): None for round_ in plan.rounds for slot in round_.slots}:
            for number, visits in further.visits(portal):
                self._add(run, number, visits)
        for slot_record in (slot_record for record in rounds for slot_record in record.slots):
            for window_record in slot_record.windows:
                if window_record.first_serial is not None:
                    self._first[slot_record.run, window_record.window] = window_record.first_serial
                    end = window_record.first_serial + (window_record.planned or 0)
                    self._visits[slot_record.run] = max(self._visits[slot_record.run], end)

    def visits(self, run: str) -> int:
        """How many visits a run may have at most."""
        return self._visits[run]

    def first(self, slot: Slot) -> tuple[int, ...]:
        """The serial of the first visit of each window of a slot."""
        return tuple(self._first[slot.run, window.window] for window in slot.windows)

    def numbered(self, slot: Slot) -> Slot:
        """The slot, with new serials for windows that are measured once more: neither the plan nor the night's additions have them."""
        return replace(slot, windows=tuple(self._numbered(slot.run, window) for window in slot.windows))

    def of(self, run: str, visit: int) -> int | None:
        """The serial of a visit; None where its window is neither in the plan nor one that the night may add."""
        first = self._first.get((run, visit // VISITS_PER_WINDOW))
        return None if first is None else first + visit % VISITS_PER_WINDOW

    def _numbered(self, run: str, window: PlannedWindow) -> PlannedWindow:
        if (run, window.window) in self._first:
            return window
        self._add(run, window.window, arrivals_in(window, run, seed=self._plan.seed, arrivals=self._plan.arrivals))
        return replace(window, first_serial=self._first[run, window.window])

    def _add(self, run: str, window: int, visits: Counter[str]) -> None:
        self._first[run, window] = self._visits[run]
        self._visits[run] += visits.total()
