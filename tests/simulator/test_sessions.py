"""Sessions and tokens: a lifetime that use prolongs, one that it does not, and tokens that are good once."""

from __future__ import annotations

import pytest

from harness.simulator import sessions
from harness.simulator.sessions import OneTimeTokens, SessionStore


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    now = [1_000_000]
    monkeypatch.setattr(sessions, "now_us", lambda: now[0])
    return now


def test_a_cookie_session_lives_from_its_last_use_and_a_bearer_session_from_its_start(clock: list[int]) -> None:
    store = SessionStore()
    cookie, bearer = store.open(10), store.open(10)
    clock[0] += 9_000_000
    assert store.find(cookie.id, 10) is cookie
    assert store.peek(bearer.id) is bearer
    clock[0] += 9_000_000
    assert store.find(cookie.id, 10) is cookie
    assert store.peek(bearer.id) is None
    store.end(cookie)
    assert store.find(cookie.id, 10) is None


def test_a_token_is_good_once_and_not_for_ever(clock: list[int]) -> None:
    tokens: OneTimeTokens[str] = OneTimeTokens(10)
    first, second = tokens.issue("a"), tokens.issue("b", "state")
    assert second == "state"
    assert (tokens.peek(first), tokens.take(first), tokens.take(first)) == ("a", "a", None)
    clock[0] += 10_000_001
    assert tokens.peek(second) is tokens.take(second) is None
    assert tokens.take("unknown") is None
