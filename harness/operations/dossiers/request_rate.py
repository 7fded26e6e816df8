"""A limit of requests per second that several sessions share."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic

import gevent

from harness.client import Exchange, PhaseTimeouts, Session


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


class RateLimitedSession:
    """A session whose every request waits for its turn; satisfies ``Session``."""

    def __init__(self, session: Session, pace: RequestRate) -> None:
        self._session = session
        self._pace = pace

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeouts: PhaseTimeouts | None = None,
    ) -> Exchange:
        """Wait for a turn, then send one request."""
        self._pace.wait()
        return self._session.request(method, url, headers=headers, body=body, timeouts=timeouts)

    def cookies_for(self, url: str) -> dict[str, str]:
        """The cookies that would be sent to ``url``."""
        return self._session.cookies_for(url)

    def clear_cookies(self) -> None:
        """Remove all cookies."""
        self._session.clear_cookies()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()
