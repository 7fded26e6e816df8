"""A limit of requests per second that several sessions share."""

from __future__ import annotations

from time import monotonic
from typing import Any

import gevent

from harness.client import Exchange, LeanSession


class RequestRate:
    """Evenly spaced turns, at most ``per_s`` a second over all who wait for one."""

    def __init__(self, per_s: float) -> None:
        self._space_s = 1.0 / per_s
        self._next_s = 0.0

    def wait(self) -> None:
        """Wait for the next turn."""
        now_s = monotonic()
        turn_s = max(now_s, self._next_s)
        self._next_s = turn_s + self._space_s
        if turn_s > now_s:
            gevent.sleep(turn_s - now_s)


class RateLimitedSession(LeanSession):
    """A session whose every request waits for its turn."""

    __slots__ = ("_rate",)

    def __init__(self, rate: RequestRate, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._rate = rate

    def request(self, *arguments: Any, **options: Any) -> Exchange:
        """Wait for a turn, then send one request."""
        self._rate.wait()
        return super().request(*arguments, **options)
