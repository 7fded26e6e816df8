"""Waking at an exact moment. gevent rounds its timers up to whole milliseconds; a timerfd is exact.

libev asks epoll for whole milliseconds: ``gevent.sleep`` ends 0.7 ms late in the median; a timerfd is a file
descriptor that becomes readable at its moment (timerfd_create(2)), and epoll reports it at once. Python 3.11 has no
binding for it (3.13 has ``os.timerfd_create``), hence ctypes. Where there is no timerfd, gevent's timers are used.
"""

from __future__ import annotations

import contextlib
import ctypes
import heapq
import os
import time
from itertools import count

import gevent
from gevent.event import Event
from greenlet import getcurrent

_CLOCK_MONOTONIC = 1
_NONBLOCKING = os.O_NONBLOCK | os.O_CLOEXEC
_ABSOLUTE = 1
_READABLE = 1


class _Spec(ctypes.Structure):
    _fields_ = (("interval_s", ctypes.c_long), ("interval_ns", ctypes.c_long), ("value_s", ctypes.c_long), ("value_ns", ctypes.c_long))


class _Wait:
    """One greenlet's wait; ends once."""

    __slots__ = ("greenlet", "over")

    def __init__(self) -> None:
        self.greenlet = getcurrent()
        self.over = False

    def end(self, _reason: object = None) -> None:
        if not self.over:
            self.over = True
            self.greenlet.switch()


class Alarm:
    """Wakes any number of greenlets, each at a moment of the monotonic clock, with one timerfd."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCKING) if hasattr(self._libc, "timerfd_create") else -1
        self._hub = gevent.get_hub()
        self._waits: list[tuple[int, int, _Wait]] = []
        self._serial = count()
        self._watcher = self._hub.loop.io(self._fd, _READABLE) if self._fd >= 0 else None
        if self._watcher is not None:
            self._watcher.start(self._ring)

    def wait_until(self, due_us: int, cut: Event | None = None) -> bool:
        """Return at ``due_us`` (microseconds of the monotonic clock), or at once if that has passed.

        Ends early when ``cut`` is set: answers whether it is.
        """
        if cut is not None and cut.is_set():
            return True
        now_us = time.monotonic_ns() // 1000
        if now_us < due_us:
            if self._watcher is not None:
                self._wait(due_us, cut)
            elif cut is not None:
                cut.wait((due_us - now_us) / 1e6)
            else:
                gevent.sleep((due_us - now_us) / 1e6)
        return cut is not None and cut.is_set()

    def close(self) -> None:
        """Give the descriptor back; nobody may be waiting."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._fd)
            self._watcher = None

    def _wait(self, due_us: int, cut: Event | None) -> None:
        wait = _Wait()
        heapq.heappush(self._waits, (due_us, next(self._serial), wait))
        if self._waits[0][2] is wait:
            self._set(due_us)
        if cut is not None:
            cut.rawlink(wait.end)
        try:
            while not wait.over:
                self._hub.switch()
        finally:
            wait.over = True  # a greenlet that was killed here is not to be woken later
            if cut is not None:
                cut.unlink(wait.end)

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # whatever woke us, the clock decides who is due
            os.read(self._fd, 8)
        waits = self._waits
        while waits and (waits[0][2].over or waits[0][0] <= time.monotonic_ns() // 1000):
            heapq.heappop(waits)[2].end()
        if waits:
            self._set(waits[0][0])

    def _set(self, moment_us: int) -> None:
        spec = _Spec(0, 0, moment_us // 1_000_000, moment_us % 1_000_000 * 1000)
        if self._libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(spec), None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")
