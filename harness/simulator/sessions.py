"""Server-side sessions with a lifetime, each with a CSRF token of its own; and tokens that are good once."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from harness.simulator.clock import now_us

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class SyntheticCitizen:
    """A synthetic person, as the identity provider describes them."""

    number: str  # begins with 000: no real person has such a number
    name: str  # contains "Thử Nghiệm"


@dataclass(slots=True)
class BrowserSession:
    """One browser's session on one origin."""

    id: str
    token: str
    expires_us: int
    citizen: SyntheticCitizen | None = None
    data: dict[str, Any] = field(default_factory=dict)


class SessionStore:
    """Sessions by id. Idle sessions expire; above ``MAX_OPEN`` the oldest is dropped."""

    MAX_OPEN = 50_000

    def __init__(self) -> None:
        self._open: OrderedDict[str, BrowserSession] = OrderedDict()

    def open(self, ttl_s: float, citizen: SyntheticCitizen | None = None) -> BrowserSession:
        """A new session with a new token."""
        token = secrets.token_urlsafe(9).replace("-", "x").replace("_", "y")
        session = BrowserSession(secrets.token_hex(16), token, now_us() + round(ttl_s * 1e6), citizen)
        self._open[session.id] = session
        while self._open and (len(self._open) > self.MAX_OPEN or next(iter(self._open.values())).expires_us < now_us()):
            self._open.popitem(last=False)
        return session

    def find(self, identifier: str, ttl_s: float) -> BrowserSession | None:
        """The session of a cookie, or None; its lifetime starts again."""
        if session := self.peek(identifier):
            session.expires_us = now_us() + round(ttl_s * 1e6)
            self._open.move_to_end(identifier)
        return session

    def peek(self, identifier: str) -> BrowserSession | None:
        """The session of a bearer token, or None; its lifetime does not change."""
        session = self._open.get(identifier)
        return session if session is not None and session.expires_us >= now_us() else None

    def end(self, session: BrowserSession) -> None:
        """Forget a session."""
        self._open.pop(session.id, None)


class OneTimeTokens(Generic[_Value]):
    """Values under random tokens; each can be taken once, within ``ttl_s`` seconds."""

    def __init__(self, ttl_s: float) -> None:
        self._ttl_us = round(ttl_s * 1e6)
        self._values: dict[str, tuple[_Value, int]] = {}  # token -> value, when it expires; oldest first

    def issue(self, value: _Value, token: str = "") -> str:
        """The token that ``value`` is kept under; expired values are forgotten."""
        now = now_us()
        while self._values and self._values[first := next(iter(self._values))][1] < now:
            del self._values[first]
        token = token or secrets.token_urlsafe(18)
        self._values[token] = value, now + self._ttl_us
        return token

    def peek(self, token: str) -> _Value | None:
        """The value of a token that has not expired, or None."""
        value, expires_us = self._values.get(token, (None, 0))
        return value if expires_us >= now_us() else None

    def take(self, token: str) -> _Value | None:
        """The value of a token, or None; the token is good no more."""
        value = self.peek(token)
        self._values.pop(token, None)
        return value
