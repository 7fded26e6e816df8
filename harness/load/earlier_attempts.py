"""The rounds that earlier attempts at a sweep have sealed, and the windows that they left half done, which are measured once more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.load.further_windows import FurtherWindows
from harness.load.lone_rounds import check_part
from harness.records import SCORED_STAGES, Plan, Round, RoundRecord, Slot, SlotRecord


class EarlierAttempts:
    """What earlier attempts at a sweep have left: the sealed rounds of its plan.

    A part that was left half done is measured once more, under a part number above those of all re-checks. Its windows and visits have
    numbers above all others that the night may use, so that no row and no dossier comes twice.
    """

    def __init__(self, plan: Plan, sealed: Iterable[RoundRecord] = ()) -> None:
        self._plan = plan
        self._sealed = {record.name: record for record in sealed}
        self._parts, self._windows = 2 * check_part(plan), FurtherWindows(plan).beyond

    def add(self, record: RoundRecord) -> None:
        """Add a round that is sealed."""
        self._sealed[record.name] = record

    def left_of(self, round_: Round) -> Round | None:
        """What is to be measured of a round now: all of it, the windows that were left half done, or nothing (None)."""
        while (record := self._sealed.get(round_.name)) is not None:
            again = self._again(record)
            if again is None:
                return None
            round_ = again
        return round_

    def left_of_plan(self) -> tuple[Round, ...]:
        """The rounds of the plan that are still to be measured, each without what is sealed."""
        return tuple(left for round_ in self._plan.rounds if (left := self.left_of(round_)) is not None)

    def newest(self, round_: Round) -> Round:
        """The round as it was measured most recently."""
        while (record := self._sealed.get(round_.name)) is not None and (again := self._again(record)) is not None:
            round_ = again
        return round_

    def half_done(self) -> Iterator[Round]:
        """The parts that are to be measured once more, each with its half-done windows only."""
        for record in self._sealed.values():
            again = self._again(record)
            if again is not None and again.name not in self._sealed:
                yield again

    def of_round(self, number: int) -> list[RoundRecord]:
        """The sealed parts of a round, in order, without checks and without parts that were measured once more."""
        found = [record for record in self._sealed.values() if record.round == number and record.part < self._parts and not record.checks]
        return sorted(found, key=lambda record: record.part)

    def last_round(self) -> int:
        """The number of the last round that has begun; -1 where none has."""
        return max((record.round for record in self._sealed.values()), default=-1)

    def _again(self, record: RoundRecord) -> Round | None:
        slots = tuple(self._slot(record, slot) for slot in record.slots)
        left = tuple(slot for slot in slots if slot.windows)
        return Round(record.round, left, record.part + self._parts) if left else None

    def _slot(self, record: RoundRecord, slot: SlotRecord) -> Slot:
        windows, begin_s = [], 0.0
        for window in (window for window in slot.windows if record.is_half_done(window)):
            original = window.window if window.make_up_of is None else window.make_up_of
            again = replace(window.as_planned, window=window.window + self._windows, begin_s=begin_s, first_serial=None)
            windows.append(replace(again, make_up_of=original) if window.stage in SCORED_STAGES else again)
            begin_s += window.duration_s
        return Slot(slot.portal, slot.run, tuple(windows), slot.in_flight_ceiling)
