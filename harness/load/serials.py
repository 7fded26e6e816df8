"""Numbers the visits of a run without gaps, in the order of the plan: a distinct pool gives each visit the row of its number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.load.schedule import VISITS_PER_WINDOW, arrivals_in
from harness.records import Plan, PlannedWindow, Slot


class Serials:
    """For each window of each run, the serial of its first visit. They follow from the plan alone, so that a resumed sweep repeats none."""

    def __init__(self, plan: Plan) -> None:
        self._seed, self._arrivals = plan.seed, plan.arrivals
        self._first: dict[tuple[str, int], int] = {}
        self._visits: Counter[str] = Counter()
        for round_ in plan.rounds:
            for slot in round_.slots:
                self._add(slot.run, slot.windows)

    def visits(self, run: str) -> int:
        """How many visits a run has so far."""
        return self._visits[run]

    def first(self, slot: Slot) -> tuple[int, ...]:
        """The serial of the first visit of each window. Windows that the plan does not have come after those that it has."""
        self._add(slot.run, slot.windows)
        return tuple(self._first[slot.run, window.window] for window in slot.windows)

    def of(self, run: str, visit: int) -> int | None:
        """The serial of a visit; None where its window is not in the plan."""
        first = self._first.get((run, visit // VISITS_PER_WINDOW))
        return None if first is None else first + visit % VISITS_PER_WINDOW

    def _add(self, run: str, windows: Sequence[PlannedWindow]) -> None:
        for window in windows:
            if (run, window.window) not in self._first:
                self._first[run, window.window] = self._visits[run]
                self._visits[run] += arrivals_in(window, run, seed=self._seed, arrivals=self._arrivals)
