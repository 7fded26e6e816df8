"""One clock for all deadlines of a process: a tick instead of a timer for every read.

Starting and stopping a timer for each read costs more than reading; a tick that looks at whoever waits costs the same
whatever the number of requests. The price: a deadline is noticed up to one tick late.
"""

from __future__ import annotations

import threading
from time import monotonic_ns
from typing import Any, Protocol

import gevent

TICK_S = 0.02


class Waiting(Protocol):
    """What waits for a socket until a deadline."""

    deadline_us: int

    def expire(self) -> None:
        """The deadline has passed."""
        ...


class Deadlines:
    """Everything that waits on the sockets of one event loop."""

    __slots__ = ("_timer", "hub", "ticking", "waiting")

    def __init__(self) -> None:
        self.hub: Any = gevent.get_hub()
        self.waiting: set[Waiting] = set()  # whoever waits adds and removes itself
        self.ticking = False
        self._timer: Any = self.hub.loop.timer(TICK_S, TICK_S)

    def tick(self) -> None:
        """Begin to look; called by the first that waits, and stopped again when nobody does."""
        self.ticking = True
        self._timer.start(self._look)

    def _look(self) -> None:
        if not self.waiting:
            self.ticking = False
            self._timer.stop()
            return
        now_us = monotonic_ns() // 1000
        for one in [one for one in self.waiting if one.deadline_us <= now_us]:
            one.expire()


_local = threading.local()


def deadlines() -> Deadlines:
    """The deadlines of the event loop of this thread."""
    found: Deadlines | None = getattr(_local, "deadlines", None)
    if found is None or found.hub is not gevent.get_hub():
        found = _local.deadlines = Deadlines()
    return found
