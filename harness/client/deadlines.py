"""One timer for all deadlines of an event loop, instead of one for every read.

Starting and stopping a timer costs more than a read. The common timer looks at all open connections every TICK_S: 1 ms of
CPU a second for 1,000 of them, whatever the number of requests. A deadline is noticed up to one tick late.
"""

from __future__ import annotations

import threading
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

import gevent

if TYPE_CHECKING:
    from harness.client.connection import Connection

TICK_S = 0.05
NEVER_US = 1 << 62  # the deadline of a connection that nobody waits for


class Deadlines:
    """The open connections of one event loop, and their common timer."""

    __slots__ = ("_open", "_timer", "hub", "unread_max_us")

    def __init__(self) -> None:
        self.hub: Any = gevent.get_hub()
        self.unread_max_us = 0  # longest time that received bytes waited to be read, since this was last set to 0
        self._open: set[Connection] = set()
        self._timer: Any = self.hub.loop.timer(TICK_S, TICK_S)

    def add(self, one: Connection) -> None:
        """Watch this connection."""
        if not self._open:
            self._timer.start(self._look)
        self._open.add(one)

    def discard(self, one: Connection) -> None:
        """Stop watching it."""
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
    """The longest time that received bytes waited in this thread's sockets before they were read, since the last call.

    Measured times do not contain it (they use kernel receive timestamps); it shows how busy the process was.
    """
    clock = deadlines()
    longest_us, clock.unread_max_us = clock.unread_max_us, 0
    return longest_us
