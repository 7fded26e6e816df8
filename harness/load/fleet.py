"""The workers as the master sees them: which take part in a round, their clock offsets, and which are silent or lost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from harness.load.channel import FleetChannel
from harness.load.clock import Clock
from harness.load.clock_offset import ClockOffset, estimate, machine_boot
from harness.records.fleet_messages import STANDALONE, ClockPing, ClockPong, Done, Lease

CLOCK_PINGS = 8
LEASE_EVERY_S = 0.3
LOST_AFTER_S = 15.0
"""The master stops waiting for a worker that is silent for so long. Locust calls it missing after the same time."""


@dataclass
class Member:
    """One worker in one round."""

    worker: str
    index: int
    clock: ClockOffset
    done: Done | None = None
    batches: int = 0  # of this worker in the spool
    longest_silence_s: float = 0.0
    lost: bool = False

    @property
    def complete(self) -> bool:
        """Whether the spool holds every batch that the worker sent for the round."""
        return self.done is not None and self.batches >= self.done.batches


class Fleet:
    """Locust's workers, or the one process of a standalone Locust."""

    def __init__(self, channel: FleetChannel, clock: Clock) -> None:
        self._channel, self._clock = channel, clock
        self._last_seen_us: dict[str, int] = {}
        self._trips: dict[str, list[tuple[int, int, int]]] = {}
        self._same_machine: set[str] = set()
        channel.on_heartbeat(self.heard_from)
        channel.listen(ClockPong, self._on_pong)

    def gather(self, at_most_s: float) -> list[Member]:
        """The workers that can take part now, their clocks just measured; waits for the first."""
        self._clock.wait_for(lambda: bool(self._channel.workers()), at_most_s, every_s=0.05)
        workers = self._channel.workers()
        for _ in range(CLOCK_PINGS):
            for worker in workers:
                self._channel.send(ClockPing(self._clock.now_us()), worker)
            self._clock.sleep(0.01)
        self._clock.wait_for(lambda: all(self._trips.get(worker) for worker in workers), 2.0, every_s=0.02)
        known = [worker for worker in workers if self._trips.get(worker)]
        self._last_seen_us.update(dict.fromkeys(known, self._clock.now_us()))
        return [Member(worker, index, self._offset_of(worker)) for index, worker in enumerate(known)]

    def renew_lease_for_ever(self) -> None:
        """Tell the workers that the master is there; runs in a greenlet of its own. A standalone process needs no lease."""
        while True:
            for worker in self._channel.workers():
                if worker != STANDALONE:
                    with suppress(Exception):  # whatever Locust's connection raises, the next one comes soon
                        self._channel.send(Lease(), worker)
            self._clock.sleep(LEASE_EVERY_S)

    def watch(self, members: Sequence[Member]) -> None:
        """Note each member's silence, and who is lost. The process of a standalone Locust cannot be lost."""
        for member in members:
            if member.worker == STANDALONE:
                continue
            silence_s = (self._clock.now_us() - self._last_seen_us.get(member.worker, 0)) / 1e6
            member.longest_silence_s = max(member.longest_silence_s, silence_s)
            gone = self._channel.is_missing(member.worker) or silence_s > LOST_AFTER_S
            member.lost = member.lost or (gone and not member.complete)

    def heard_from(self, worker: str) -> None:
        """A heartbeat or a batch is a sign of life."""
        self._last_seen_us[worker] = self._clock.now_us()

    def _offset_of(self, worker: str) -> ClockOffset:
        trips = self._trips.pop(worker)
        return ClockOffset(0, 0) if worker in self._same_machine else estimate(trips)

    def _on_pong(self, pong: ClockPong, worker: str) -> None:
        if pong.boot == machine_boot():
            self._same_machine.add(worker)
        self._trips.setdefault(worker, []).append((pong.ping, pong.at_us, self._clock.now_us()))
