"""Time as the load core sees it: the monotonic clock, waiting on it, and the time of day. Tests replace it."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
from gevent.event import Event

from harness.load.alarm import Alarm
from harness.load.kernel_time import wall_clock_error_us


class Clock:
    """The monotonic clock of the process, in microseconds. Waiting lets other greenlets run."""

    utc_bound_us: int | None
    """The largest error of ``utc_s`` when it was anchored, by the kernel; None where nothing keeps the machine's clock right."""

    def __init__(self) -> None:
        self._alarm = Alarm()
        self.anchor()

    def now_us(self) -> int:
        """The current time."""
        return time.monotonic_ns() // 1000

    def anchor(self) -> None:
        """Take the time of day from the machine now. Later steps of its clock change nothing until the next call."""
        before_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        self._booted_s = time.time() - before_s
        reading_us = (time.clock_gettime(time.CLOCK_BOOTTIME) - before_s) * 1e6
        error_us = wall_clock_error_us()
        self.utc_bound_us = None if error_us is None else int(error_us + reading_us) + 1

    def utc_s(self) -> float:
        """The time of day, in seconds since 1970."""
        return self._booted_s + time.clock_gettime(time.CLOCK_BOOTTIME)

    def sleep(self, seconds: float) -> None:
        """Wait for about this time."""
        gevent.sleep(seconds)

    def wait_until(self, due_us: int, cut: Event | None = None) -> bool:
        """Wait for an exact moment; ends early when ``cut`` is set, and answers whether it is."""
        return self._alarm.wait_until(due_us, cut)

    def wait_for(self, condition: Callable[[], bool], at_most_s: float, every_s: float = 0.01) -> bool:
        """Wait for a condition; answers whether it came true in time."""
        end_us = self.now_us() + at_most_s * 1e6
        while not condition():
            if self.now_us() >= end_us:
                return False
            self.sleep(every_s)
        return True
