"""The one clock of this process: the same that the load generator reads, so that their rows can be laid side by side."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import count

_waits = count()
VIET_NAM = timezone(timedelta(hours=7))  # no daylight saving since 1975: no time-zone database is needed


def now_us() -> int:
    """Microseconds of the monotonic clock, ``time.monotonic_ns() // 1000``."""
    return time.monotonic_ns() // 1000


def wall_us() -> int:
    """Microseconds since 1970, for columns that people read."""
    return time.time_ns() // 1000


def local_date() -> str:
    """Today in Viet Nam as YYMMDD, as dossier codes write it."""
    return datetime.now(UTC).astimezone(VIET_NAM).strftime("%y%m%d")


async def sleep_until(moment_us: int) -> None:
    """Return at ``moment_us`` or as soon after it as the event loop wakes (its timers are rounded up to whole milliseconds)."""
    loop = asyncio.get_running_loop()
    if moment_us <= now_us():
        return
    alarm: asyncio.Future[None] = loop.create_future()
    # The loop's heap keeps no order among equals: whoever began to wait first wakes first, as in any queue.
    handle = loop.call_at(moment_us / 1e6 + (next(_waits) & 0xFFFF) * 1e-10, _ring, alarm)
    try:
        await alarm
    finally:
        handle.cancel()


def _ring(alarm: asyncio.Future[None]) -> None:
    if not alarm.done():
        alarm.set_result(None)
