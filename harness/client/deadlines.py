"""One clock for all deadlines of a process: a tick instead of a timer for every read.

Starting and stopping a timer for each read costs more than reading; a tick that looks at whoever waits costs the same
whatever the number of requests: 1,000 open connections, 1 ms of CPU a second. The price: a deadline is noticed up to one
tick late.
"""

from __future__ import annotations

import threading
from time import monotonic_ns
from typing import Any, Protocol

import gevent

TICK_S = 0.05


NEVER_US = 1 << 62


class Waiting(Protocol):
    """What may wait for a socket; ``deadline_us`` is NEVER_US while it does not."""

    deadline_us: int

    def expire(self) -> None:
        """The deadline has passed."""
        ...


class Deadlines:
    """The open connections of one event loop, and the tick that looks at them."""

    __slots__ = ("_open", "_timer", "hub", "unread_max_us")

    def __init__(self) -> None:
        self.hub: Any = gevent.get_hub()
        self.unread_max_us = 0  # the longest that received bytes waited to be read since somebody last set this to 0
        self._open: set[Waiting] = set()
        self._timer: Any = self.hub.loop.timer(TICK_S, TICK_S)

    def add(self, one: Waiting) -> None:
        """Look at this connection from now on."""
        if not self._open:
            self._timer.start(self._look)
        self._open.add(one)

    def discard(self, one: Waiting) -> None:
        """Look at it no more."""
        self._open.discard(one)
        if not self._open:
            self._timer.stop()

    def _look(self) -> None:
        now_us = monotonic_ns() // 1000
        for one in [one for one in self._open if one.deadline_us <= now_us]:
            one.expire()


_local = threading.local()


def deadlines() -> Deadlines:
    """The deadlines of the event loop of this thread."""
    found: Deadlines | None = getattr(_local, "deadlines", None)
    if found is None or found.hub is not gevent.get_hub():
        found = _local.deadlines = Deadlines()
    return found


def longest_unread_us() -> int:
    """The longest that received bytes waited in this thread's sockets before they were read, since the last time this was asked.

    It is in no time that was measured (the kernel notes arrivals); it says how busy the process was.
    """
    clock = deadlines()
    longest_us, clock.unread_max_us = clock.unread_max_us, 0
    return longest_us
