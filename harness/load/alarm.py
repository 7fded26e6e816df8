"""Waking at an exact moment: gevent's timers are rounded up to whole milliseconds, a timerfd is not.

libev asks epoll for whole milliseconds, so that ``gevent.sleep`` ends 0.7 ms late in the median; a timerfd is a file
descriptor that becomes readable at its moment (timerfd_create(2)), and epoll reports it at once. Python 3.11 has no
binding for it (3.13 has ``os.timerfd_create``), hence ctypes. Where there is no timerfd, gevent's timers are used.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import time

import gevent

_CLOCK_MONOTONIC = 1
_NONBLOCKING = os.O_NONBLOCK | os.O_CLOEXEC
_ABSOLUTE = 1
_READABLE = 1

AWAKE_US = 250
"""The last stretch is waited for awake: an idle (virtual) processor takes 0.1 to 0.3 ms to come back, which would be lateness."""


class _Spec(ctypes.Structure):
    _fields_ = (("interval_s", ctypes.c_long), ("interval_ns", ctypes.c_long), ("value_s", ctypes.c_long), ("value_ns", ctypes.c_long))


class Alarm:
    """Waits for moments of the monotonic clock; one greenlet at a time may wait."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCKING) if hasattr(self._libc, "timerfd_create") else -1
        self._hub = gevent.get_hub()
        self._watcher = self._hub.loop.io(self._fd, _READABLE) if self._fd >= 0 else None

    def wait_until(self, due_us: int) -> None:
        """Return at ``due_us`` (microseconds of the monotonic clock), or at once if that has passed."""
        if time.monotonic_ns() // 1000 >= due_us:
            return
        if self._watcher is None:
            gevent.sleep(due_us / 1e6 - time.monotonic())
            return
        wake_us = due_us - AWAKE_US
        if time.monotonic_ns() // 1000 < wake_us:
            self._sleep_until(wake_us)
        while time.monotonic_ns() // 1000 < due_us:
            pass  # a processor that is awake is on time

    def _sleep_until(self, wake_us: int) -> None:
        assert self._watcher is not None
        spec = _Spec(0, 0, wake_us // 1_000_000, wake_us % 1_000_000 * 1000)
        if self._libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(spec), None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")
        self._hub.wait(self._watcher)
        with contextlib.suppress(BlockingIOError):  # woken for another reason; whoever waits asks the clock again
            os.read(self._fd, 8)

    def close(self) -> None:
        """Give the descriptor back."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._fd)
            self._watcher = None
