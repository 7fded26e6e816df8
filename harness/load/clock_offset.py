"""How far a worker's clock is from the master's, and how well that is known.

Cristian's method: of several round trips the shortest bounds the error by half its length
(F. Cristian, Probabilistic clock synchronization, Distributed Computing 3, 1989).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Worker's clock minus master's, and the largest error that estimate can have, in microseconds."""

    offset_us: int
    bound_us: int


def machine_boot() -> str:
    """Which boot of which machine this is: processes that share it share one monotonic clock."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def estimate(round_trips: list[tuple[int, int, int]]) -> ClockOffset:
    """From (sent, worker's clock, received), sent and received by the master's clock; at least one."""
    sent, remote, received = min(round_trips, key=lambda trip: trip[2] - trip[0])
    half = (received - sent + 1) // 2
    return ClockOffset(remote - (sent + received) // 2, half)
