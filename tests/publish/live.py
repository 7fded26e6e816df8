"""A sweep under way, for pages that show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.records.live_state import LiveGenerator, LiveLoad, LivePortal, LiveRound, LiveState, PortalState, write_live


def live_state(names: Sequence[tuple[str, str, str]], *, at: datetime | None = None, **changes: Any) -> LiveState:
    """A state of these portals (id, Vietnamese and English name), written now; each is in another state."""
    moment = at or datetime.now(UTC)
    states = [*PortalState]
    portals = tuple(
        LivePortal(portal, vi, en, states[number % len(states)], 7, 3, number % 2, 100 + number, number, 2, 1234, 5)
        for number, (portal, vi, en) in enumerate(names)
    )
    loads = tuple(LiveLoad(portal, 100, 50, 48, 1, 3, 2, 600, 5) for portal, _, _ in names)
    facts: dict[str, Any] = {
        "sweep": "a-sweep", "at_utc": moment.isoformat(timespec="milliseconds"), "state": "measuring", "attempt": 1, "began_utc": moment.isoformat(),
        "rounds_planned": 12, "rounds_left": 9, "windows_planned": 42, "windows_done": 12, "windows_void": 1, "arrivals_planned": 1061,
        "arrivals_begun": 1007, "rate_per_s": 26.5, "in_flight": 31, "visits_failed": 17, "requests": 8853, "requests_failed": 107,
        "generator": LiveGenerator(2, 12.5, 5_300, 4_100, 22_000, 9_400, 1), "portals": portals,
        "rounds": (LiveRound("002-00", 2, "typical", False, moment.isoformat(), (moment + timedelta(seconds=20)).isoformat(), loads),),
        "expected_end_utc": (moment + timedelta(hours=1)).isoformat(), "latest_end_utc": (moment + timedelta(hours=2)).isoformat(),
    }  # fmt: skip
    return LiveState(**{**facts, **changes})


def write_state(folder: Path, state: LiveState) -> None:
    """The state in a sweep's folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    write_live(folder, state)
