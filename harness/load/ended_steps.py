"""The steps of a visit as they end: how long each took, and whether it failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from harness.records import VISIT_ROW, Outcome, Sample

NOT_BEGUN = "not begun"
"""Instead of goal and step in the name of a visit whose arrival was turned away."""


class EndedStep(NamedTuple):
    """One step of one visit, over all of its rows. Without goal and step it is a whole visit that did not begin: its arrival was turned away."""

    journey: str
    goal: str
    step: str
    took_us: int  # from the moment it was due to the last byte of its last request; the delay of a refresh is nobody's time
    bytes: int
    outcome: str  # `ok` only if every row is; otherwise that of the first row that is not
    status: int  # of that row; of the last one where all are `ok`

    @property
    def name(self) -> str:
        """Its name in Locust's statistics, such as ``submit: file/submit``."""
        return f"{self.journey}: {f'{self.goal}/{self.step}' if self.step else NOT_BEGUN}"


class EndedSteps:
    """Gathers the rows of one visit into steps. A step has ended when the citizen thinks, takes another step, or is done."""

    def __init__(self, tell: Callable[[EndedStep], None]) -> None:
        self._tell = tell
        self._rows: list[Sample] = []
        self._cut = False

    def add(self, row: Sample) -> None:
        """Take in the next row of the visit. In a visit that we cut off, the steps that were still to come are not reported as skipped."""
        self._cut = self._cut or row.outcome == Outcome.ABORTED
        if self._cut and row.outcome == Outcome.SKIPPED:
            return
        if row.request == VISIT_ROW or (self._rows and _key(row) != _key(self._rows[0])):
            self.end()
        if row.request != VISIT_ROW:
            self._rows.append(row)

    def end(self) -> None:
        """The step under way has ended, if there is one."""
        rows, self._rows = self._rows, []
        if rows:
            self._tell(_ended(rows))


def _key(row: Sample) -> tuple[str, str, int]:
    return row.goal, row.step, row.attempt


def _ended(rows: Sequence[Sample]) -> EndedStep:
    first = rows[0]
    refresh_us = sum(row.polling_wait_us for row in rows if row.hop)
    took_us = max(row.end_us for row in rows) - min(row.intended_us for row in rows) - refresh_us
    telling = next((row for row in rows if row.outcome != Outcome.OK), rows[-1])
    return EndedStep(
        first.journey, first.goal, first.step, max(took_us, 0), sum(row.bytes for row in rows), telling.outcome, telling.status
    )
