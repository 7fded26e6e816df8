"""A bounded number of servers behind one FIFO queue, with stalls during which no service starts or ends."""

from __future__ import annotations

import asyncio
from collections import deque

from harness.simulator.clock import now_us, sleep_until
from harness.simulator.personality import Freezes


class Station:
    """Where requests wait for a server; ``servers`` 0 means that nobody waits, except for a stall to end."""

    def __init__(self, servers: int, freezes: Freezes | None) -> None:
        self.servers = servers
        self.freezes = freezes
        self.freeze_origin_us = now_us()
        self.busy = 0
        self._queue: deque[asyncio.Future[int]] = deque()
        self._thaw: asyncio.TimerHandle | None = None

    @property
    def queued(self) -> int:
        """How many wait for a server now."""
        return len(self._queue)

    async def enter(self) -> int:
        """Wait until a server is free and this request is first in the queue; answers when that was, in microseconds."""
        moment_us = now_us()
        if not self._queue and self._has_room() and not self._thaw_us(moment_us):
            self.busy += 1
            return moment_us
        place: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        self._admit()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Free the server that :meth:`enter` gave."""
        self.busy -= 1
        if self._queue:
            self._admit()

    async def work_until(self, moment_us: int) -> None:
        """Return at ``moment_us``, or when the stall that it falls into has ended."""
        await sleep_until(moment_us)
        while thaw_us := self._thaw_us(now_us()):
            await sleep_until(thaw_us)

    def change(self, servers: int, freezes: Freezes | None) -> None:
        """Take on another number of servers or other stalls, for those who wait already too."""
        self.servers, self.freezes = servers, freezes
        self._admit()

    def set_freeze_origin(self, moment_us: int) -> None:
        """Count stalls from ``moment_us`` on."""
        self.freeze_origin_us = moment_us
        self._admit()

    def _has_room(self) -> bool:
        return not self.servers or self.busy < self.servers

    def _thaw_us(self, moment_us: int) -> int:
        return self.freezes.thaw_us(self.freeze_origin_us, moment_us) if self.freezes else 0

    def _admit(self) -> None:
        moment_us = now_us()
        if thaw_us := self._thaw_us(moment_us):
            if self._thaw is not None:
                self._thaw.cancel()
            self._thaw = asyncio.get_running_loop().call_at(thaw_us / 1e6, self._admit)
            return
        while self._queue and self._has_room():
            place = self._queue.popleft()
            if not place.done():
                self.busy += 1
                place.set_result(moment_us)
