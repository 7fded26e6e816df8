"""What may be sent of a round that is about to begin, by the days, hours and numbers of dossiers that authorisations permit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace

from harness.load.clock import Clock
from harness.load.lone_rounds import turns
from harness.load.schedule import arrivals_in
from harness.records import Plan, Round, Slot
from harness.records.fleet_messages import Arrival

DossiersLeft = Callable[[], Mapping[str, int]]
"""A function that says how many more dossiers may be filed now, by portal; a portal that is missing has no limit."""


class PermittedRounds:
    """The rounds of one plan; ``files``: the journeys that file. What is not permitted is told to ``progress``."""

    def __init__(
        self, plan: Plan, clock: Clock, progress: Callable[[str], None], dossiers_left: DossiersLeft, files: Container[str]
    ) -> None:
        self._plan, self._clock, self._progress = plan, clock, progress
        self._dossiers_left, self._files = dossiers_left, files
        self._left: Mapping[str, int] = {}

    def count_dossiers(self) -> None:
        """Ask how many more dossiers may be filed. ``permitted`` and ``dossiers_of`` use the answer."""
        self._left = self._dossiers_left()

    def permitted(self, round_: Round) -> tuple[Round, dict[str, str]]:
        """The round with its permitted slots only, and, by portal, why the hours leave a slot out.

        A permitted slot ends within the permitted hours, drain included, and files no more dossiers than are left. A portal whose
        authorisation has ended has none.
        """
        self.count_dossiers()
        now_s = self._clock.utc_s()
        valid = [slot for slot in round_.slots if not self._plan.target(slot.portal).has_ended(now_s)]
        held_back = {slot.portal: why for slot in valid if (why := self._closed(slot))}
        for portal, why in held_back.items():
            self._progress(f"{portal}: not loaded in this round ({why})")
        slots = (slot for slot in valid if slot.portal not in held_back)
        return replace(round_, slots=tuple(filter(None, map(self._within_dossiers, slots)))), held_back

    def dossiers_of(self, portal: str, arrivals: Sequence[Arrival] | None, index: int, members: int) -> int | None:
        """How many dossiers a worker may file in a round: one for each of its arrivals that file; in a closed run, its share of those left."""
        left = self._left.get(portal)
        if left is None:
            return None
        if arrivals is not None:
            return sum(arrival.journey in self._files for arrival in arrivals)
        return left // members + (index < left % members)

    def _closed(self, slot: Slot) -> str:
        """Why the hours do not permit a slot now; empty where they do."""
        longest_s = self._plan.lead_s + slot.duration_s + self._plan.drain_s * turns(Round(0, (slot,)))
        fits = self._plan.target(slot.portal).fits(self._clock.utc_s(), longest_s)
        return "" if fits else f"{longest_s:.0f} s, the drain included, do not fit into the permitted hours"

    def _within_dossiers(self, slot: Slot) -> Slot | None:
        left, filing = self._left.get(slot.portal), self._filing(slot)
        if left is None or sum(filing.values()) <= left:
            return slot
        self._progress(f"{slot.portal}: without {', '.join(sorted(filing))} in this round: {left} more dossiers are permitted")
        windows = tuple(window.only(window.journeys - filing.keys()) for window in slot.windows)
        return replace(slot, windows=windows) if any(window.journeys for window in windows) else None

    def _filing(self, slot: Slot) -> Counter[str]:
        """The visits of a slot that file, by journey."""
        found = Counter[str]()
        for window in slot.windows:
            found.update(arrivals_in(window, slot.run, seed=self._plan.seed, arrivals=self._plan.arrivals))
        return Counter({journey: count for journey, count in found.items() if journey in self._files})
