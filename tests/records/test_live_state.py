"""The live state of a sweep: written whole, read back, and never taken for news once it is old."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import EvidenceError
from harness.records.live_state import (
    LIVE_JSON,
    NO_NEWS_AFTER_S,
    LiveGenerator,
    LiveLoad,
    LivePortal,
    LiveRound,
    LiveState,
    PortalState,
    read_live,
    write_live,
)

AT = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
LOAD = LiveLoad("p", 10, 5, 5, 1, 2, 1, 40, 3, "error share", held_back=False)
STATE = LiveState(
    sweep="s", at_utc=AT.isoformat(), state="measuring", attempt=1, began_utc=AT.isoformat(), rounds_planned=3, rounds_left=2,
    windows_planned=6, windows_done=1, windows_void=1, arrivals_planned=10, arrivals_begun=5, rate_per_s=1.5, in_flight=2, visits_failed=1,
    requests=40, requests_failed=3, generator=LiveGenerator(2, 12.5, 300, 400, 500, 600, 1),
    rounds=(LiveRound("001-00", 1, "typical", False, AT.isoformat(), AT.isoformat(), (LOAD,)),),
    portals=(LivePortal("p", "Cổng <b>", "Portal", PortalState.STOPPED, 6, 1, 1, 5, 2, 1, 40, 3),),
)  # fmt: skip


def test_a_state_is_read_as_it_was_written_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    assert read_live(tmp_path) is None
    write_live(tmp_path, replace(STATE, attempt=9))
    write_live(tmp_path, STATE)
    assert read_live(tmp_path) == STATE
    assert [path.name for path in tmp_path.iterdir()] == [LIVE_JSON]


def test_it_says_nothing_that_anybody_could_steer_by() -> None:
    words = {each.name for kind in (LiveState, LiveRound, LiveLoad, LivePortal) for each in fields(kind)}
    assert not [word for word in words if any(part in word for part in ("point", "p95", "mean", "latency", "duration", "score"))]


def test_only_a_sweep_that_goes_on_can_fall_silent() -> None:
    late = AT + timedelta(seconds=NO_NEWS_AFTER_S + 1)
    assert not STATE.is_stale(AT + timedelta(seconds=NO_NEWS_AFTER_S))
    assert STATE.is_stale(late)
    assert STATE.silent_s(late) == NO_NEWS_AFTER_S + 1
    assert not replace(STATE, state="aborted").is_stale(late)
    assert STATE.silent_s(AT - timedelta(hours=1)) == 0  # a clock that was set back


@pytest.mark.parametrize("moment", ["", "soon", "2026-11-21T22:00:00"])
def test_a_moment_that_cannot_be_compared_with_the_clock_is_an_error(tmp_path: Path, moment: str) -> None:
    rounds = (replace(STATE.rounds[0], arrivals_end_utc=moment),)
    for odd in (replace(STATE, at_utc=moment), replace(STATE, rounds=rounds), replace(STATE, expected_end_utc=moment or "soon")):
        write_live(tmp_path, odd)
        with pytest.raises(EvidenceError, match="Remove it"):
            read_live(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sweep": "s"}', json.dumps({"portals": [1]}), "[" * 100_000])
def test_a_file_that_is_no_state_is_an_error_with_its_name(tmp_path: Path, content: str) -> None:
    (tmp_path / LIVE_JSON).write_text(content, encoding="utf-8")
    with pytest.raises(EvidenceError, match=rf"{LIVE_JSON}.*Remove it"):
        read_live(tmp_path)
