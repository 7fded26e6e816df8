"""A limit of requests per second that several sessions share. A portal that answers 429 or 503 is asked more slowly."""

from __future__ import annotations

from time import monotonic, time
from typing import Any

import gevent

from harness.client import Exchange, LeanSession
from harness.load.retry_after import asked_to_wait_s
from harness.records.outcome import OVERLOAD_STATUSES

REST_S = 2.0
"""How long a portal is left alone after 429 or 503, unless it asks for more by Retry-After (assumed: it serves what waits meanwhile)."""
FIRST_SPACE_S, LONGEST_SPACE_S = 0.05, 0.4
"""The time between two requests. The first such answer sets the first value, each further one doubles it up to the longest.

Assumed: a session slows down from 20 requests a second to 2.5.
"""


class RequestRate:
    """Evenly spaced turns, at most ``per_s`` a second over all who wait for one."""

    def __init__(self, per_s: float) -> None:
        self._space_s = 1.0 / per_s
        self._next_s = self._rests_until_s = 0.0

    def wait(self) -> None:
        """Wait for the next turn."""
        now_s = monotonic()
        turn_s = max(now_s, self._next_s)
        self._next_s = turn_s + self._space_s
        if turn_s > now_s:
            gevent.sleep(turn_s - now_s)

    def slow_down(self, asked_s: float) -> None:
        """Note that the portal has too much to do. ``asked_s``: how long it asks to be left alone. Answers during a rest change nothing."""
        now_s = monotonic()
        if now_s >= self._rests_until_s:
            self._space_s = max(self._space_s, min(max(2 * self._space_s, FIRST_SPACE_S), LONGEST_SPACE_S))
            self._rests_until_s = now_s + max(asked_s, REST_S)

    def rest(self) -> None:
        """Wait until the portal may be asked again."""
        while (left_s := self._rests_until_s - monotonic()) > 0:
            gevent.sleep(left_s)


class RateLimitedSession(LeanSession):
    """A session whose every request waits for its turn, and which notes answers 429 and 503."""

    __slots__ = ("_rate",)

    def __init__(self, rate: RequestRate, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._rate = rate

    def request(self, *arguments: Any, **options: Any) -> Exchange:
        """Wait for a turn, then send one request."""
        self._rate.wait()
        exchange = super().request(*arguments, **options)
        if exchange.status in OVERLOAD_STATUSES:
            self._rate.slow_down(asked_to_wait_s(exchange.headers.get("Retry-After"), time()))
        return exchange
