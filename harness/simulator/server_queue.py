"""A bounded number of servers behind one first-in-first-out queue, with freezes in which no service starts or ends."""

from __future__ import annotations

import asyncio
from collections import deque

from harness.simulator.clock import now_us, sleep_until
from harness.simulator.personality import Freezes


class ServerQueue:
    """Requests wait here for a server; with 0 servers they wait only for a freeze to end."""

    def __init__(self, servers: int, freezes: Freezes | None) -> None:
        self.servers = servers
        self.freezes = freezes
        self.freeze_origin_us = now_us()
        self.busy = 0
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._timer: asyncio.TimerHandle | None = None  # calls _admit when the current freeze ends

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a server now."""
        return len(self._waiting)

    async def enter(self) -> int:
        """Wait until a server is free and this request is first in the queue; answers that moment in microseconds."""
        moment_us = now_us()
        if not self._waiting and self._has_room() and not self._freeze_end_us(moment_us):
            self.busy += 1
            return moment_us
        place: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
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
        if self._waiting:
            self._admit()

    async def work_until(self, moment_us: int) -> None:
        """Return at ``moment_us``, or at the end of the freeze that contains it."""
        await sleep_until(moment_us)
        while end_us := self._freeze_end_us(now_us()):
            await sleep_until(end_us)

    def change(self, servers: int, freezes: Freezes | None) -> None:
        """Set the number of servers and the freezes; requests that already wait are affected too."""
        self.servers, self.freezes = servers, freezes
        self._admit()

    def set_freeze_origin(self, moment_us: int) -> None:
        """Count freezes from ``moment_us`` on."""
        self.freeze_origin_us = moment_us
        self._admit()

    def _has_room(self) -> bool:
        return not self.servers or self.busy < self.servers

    def _freeze_end_us(self, moment_us: int) -> int:
        return self.freezes.end_us(self.freeze_origin_us, moment_us) if self.freezes else 0

    def _admit(self) -> None:
        moment_us = now_us()
        if end_us := self._freeze_end_us(moment_us):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_at(end_us / 1e6, self._admit)
            return
        while self._waiting and self._has_room():
            place = self._waiting.popleft()
            if not place.done():
                self.busy += 1
                place.set_result(moment_us)
