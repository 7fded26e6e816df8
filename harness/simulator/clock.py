"""The clock of this process, which is also the load generator's: their rows can be compared."""

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
    waiter: asyncio.Future[None] = loop.create_future()
    # The loop's heap does not order equal times; the small addition wakes waiters in the order in which they came.
    handle = loop.call_at(moment_us / 1e6 + (next(_waits) & 0xFFFF) * 1e-10, wake, waiter)
    try:
        await waiter
    finally:
        handle.cancel()


def wake(waiter: asyncio.Future[None]) -> None:
    """Let whoever awaits the future go on, if it still waits."""
    if not waiter.done():
        waiter.set_result(None)
