"""A closed run on one worker: Locust's own users ask for visits, and each visit has a number of its own."""

from __future__ import annotations

from typing import NamedTuple

from harness.load.portal_load import PortalLoad
from harness.records.fleet_messages import ClosedOrder

ROOM_AGAIN_US = 50_000
"""How often a citizen who waits at the ceiling asks again whether there is room."""


class NextVisit(NamedTuple):
    """The visit that a citizen makes next."""

    load: PortalLoad
    number: int
    window: int
    intended_us: int


class ClosedRun:
    """Numbers the visits of a closed run: worker w of W takes w, w + W, w + 2W, …, so that no two are alike."""

    def __init__(self, load: PortalLoad, order: ClosedOrder) -> None:
        self._load = load
        self._next, self._step = order.index, order.workers
        self._start_us, self._window_us = order.start_us, int(order.window_s * 1e6)
        self._last_window = max(load.keys)

    def next_visit(self) -> NextVisit | None:
        """The next visit; None once the run ends.

        Waits while the authorisation's ceiling leaves no room for another citizen: in a closed run nobody is turned away.
        """
        load = self._load
        while not load.cutting.is_set():
            if load.in_flight < load.ceiling and not load.arrivals_off:
                return self._numbered(load.clock.now_us())
            load.clock.wait_until(load.clock.now_us() + ROOM_AGAIN_US, load.cutting)
        return None

    def _numbered(self, now_us: int) -> NextVisit:
        number = self._next
        self._next += self._step
        window = min(self._last_window, max(0, now_us - self._start_us) // self._window_us)
        return NextVisit(self._load, number, window, now_us)
