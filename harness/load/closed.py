"""A closed run on one worker: Locust's own users ask for turns, and each turn is a visit with a number of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from harness.load.alarm import Alarm
from harness.load.citizen import Turn
from harness.load.stretch import Stretch

ROOM_AGAIN_US = 50_000


class ClosedRun:
    """Numbers the visits of a closed run: worker w of W takes w, w + W, w + 2W, …, so that no two are alike."""

    def __init__(self, stretch: Stretch, message: Mapping[str, Any]) -> None:
        self._stretch = stretch
        self._next, self._step = message["index"], message["workers"]
        self._start_us, self._window_us = message["start_us"], int(message["window_s"] * 1e6)
        self._last_window = max(stretch.keys)

    def next_turn(self, alarm: Alarm) -> Turn | None:
        """The next visit; None once the run ends.

        Waits while the authorisation's ceiling leaves no room for another citizen: in a closed run nobody is turned away.
        """
        stretch = self._stretch
        while not stretch.cutting.is_set():
            if stretch.in_flight < stretch.ceiling and not stretch.arrivals_off:
                return self._turn()
            alarm.wait_until(time.monotonic_ns() // 1000 + ROOM_AGAIN_US, stretch.cutting)
        return None

    def _turn(self) -> Turn:
        number = self._next
        self._next += self._step
        now_us = time.monotonic_ns() // 1000
        window = min(self._last_window, max(0, now_us - self._start_us) // self._window_us)
        return self._stretch, number, window, now_us
