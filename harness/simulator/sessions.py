"""Who is logged in: server-side sessions with a lifetime, each with the CSRF token of its login."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from harness.simulator.clock import now_us


@dataclass(frozen=True, slots=True)
class Citizen:
    """A synthetic person, as the identity provider vouches for them."""

    number: str  # begins with 000: no real person has such a number
    name: str  # holds "Thử Nghiệm"


@dataclass(slots=True)
class Session:
    """One browser's session on one origin."""

    id: str
    token: str
    expires_us: int
    citizen: Citizen | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Sessions:
    """Sessions by cookie; idle ones expire, and the oldest make room when there are very many."""

    MOST = 50_000

    def __init__(self) -> None:
        self._open: OrderedDict[str, Session] = OrderedDict()

    def open(self, ttl_s: float, citizen: Citizen | None = None) -> Session:
        """A new session with a token of its own."""
        session = Session(
            secrets.token_hex(16), secrets.token_urlsafe(9).replace("-", "x").replace("_", "y"), now_us() + round(ttl_s * 1e6), citizen
        )
        self._open[session.id] = session
        while self._open and (len(self._open) > self.MOST or next(iter(self._open.values())).expires_us < now_us()):
            self._open.popitem(last=False)
        return session

    def find(self, identifier: str, ttl_s: float) -> Session | None:
        """The session of a cookie, its life prolonged; None where there is none any more."""
        session = self._open.get(identifier)
        if session is None:
            return None
        now = now_us()
        if session.expires_us < now:
            del self._open[identifier]
            return None
        session.expires_us = now + round(ttl_s * 1e6)
        self._open.move_to_end(identifier)
        return session

    def peek(self, identifier: str) -> Session | None:
        """The session of a bearer token, whose life is not prolonged by using it."""
        session = self._open.get(identifier)
        return session if session is not None and session.expires_us >= now_us() else None

    def end(self, session: Session) -> None:
        """Forget a session."""
        self._open.pop(session.id, None)

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)
