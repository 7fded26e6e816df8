"""The workers as the master sees them: who is a member of a round, what their clocks say, and who fell silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gevent
import locust.runners
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner

from harness.load.clock import ClockOffset, estimate, machine_boot
from harness.records import messages

CLOCK_PINGS = 8
LOST_AFTER_S = 15.0
"""A worker silent for so long is not waited for; Locust, too, may call it missing only then."""

locust.runners.HEARTBEAT_LIVENESS = int(LOST_AFTER_S)  # Locust stops a test whose only worker misses this many heartbeats


@dataclass
class Member:
    """One worker in one round."""

    worker: str
    index: int
    clock: ClockOffset
    done: Mapping[str, Any] | None = None
    batches: int = 0  # that stand in the spool
    longest_silence_s: float = 0.0
    lost: bool = False

    @property
    def complete(self) -> bool:
        """Whether all that the worker sent for the round stands in the spool."""
        return self.done is not None and self.batches >= int(self.done["batches"])


@dataclass
class Fleet:
    """Locust's workers, or the one process of a standalone Locust."""

    environment: Environment
    _last_seen_s: dict[str, float] = field(default_factory=dict)
    _trips: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)
    _same_machine: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Listen to heartbeats and clocks."""
        self.environment.events.heartbeat_sent.add_listener(self._on_heartbeat)
        runner = self.environment.runner
        assert runner is not None
        runner.register_message(messages.CLOCK_PONG, self._on_pong)

    @property
    def distributed(self) -> bool:
        """Whether there are workers besides this process."""
        return isinstance(self.environment.runner, MasterRunner)

    def wait_for_workers(self, at_most_s: float) -> list[str]:
        """The ids of the workers that can take part now; waits for the first."""
        end_s = time.monotonic() + at_most_s
        while not (workers := self._workers()) and time.monotonic() < end_s:
            gevent.sleep(0.05)
        return workers

    def members(self, workers: list[str]) -> list[Member]:
        """These workers as members of a round, their clocks just measured."""
        for _ in range(CLOCK_PINGS):
            for worker in workers:
                self.send(messages.CLOCK_PING, {"ping": time.monotonic_ns() // 1000}, worker)
            gevent.sleep(0.01)
        self.wait(lambda: all(self._trips.get(worker) for worker in workers), 2.0)
        known = [worker for worker in workers if self._trips.get(worker)]
        found = [Member(worker, index, self._clock(worker)) for index, worker in enumerate(known)]
        now_s = time.monotonic()
        self._last_seen_s.update(dict.fromkeys(known, now_s))
        return found

    def _clock(self, worker: str) -> ClockOffset:
        trips = self._trips.pop(worker)
        return ClockOffset(0, 0) if worker in self._same_machine else estimate(trips)

    def watch(self, members: list[Member]) -> None:
        """Note each member's silence, and who is lost."""
        if not self.distributed:
            return
        runner = self.environment.runner
        assert isinstance(runner, MasterRunner)
        for member in members:
            silence_s = time.monotonic() - self._last_seen_s.get(member.worker, 0.0)
            member.longest_silence_s = max(member.longest_silence_s, silence_s)
            client = runner.clients.get(member.worker)
            gone = client is None or client.state == STATE_MISSING
            member.lost = member.lost or ((gone or silence_s > LOST_AFTER_S) and not member.complete)

    def heard_from(self, worker: str) -> None:
        """A batch counts as a sign of life."""
        self._last_seen_s[worker] = time.monotonic()

    def send(self, kind: str, data: Mapping[str, Any], worker: str) -> None:
        """One message to one worker."""
        runner = self.environment.runner
        assert runner is not None
        runner.send_message(kind, data, worker)

    @staticmethod
    def wait(condition: Callable[[], bool], at_most_s: float) -> bool:
        """Whether the condition came true in time."""
        end_s = time.monotonic() + at_most_s
        while not condition():
            if time.monotonic() >= end_s:
                return False
            gevent.sleep(0.02)
        return True

    def _workers(self) -> list[str]:
        runner = self.environment.runner
        if not isinstance(runner, MasterRunner):
            return [messages.STANDALONE]
        clients = [*runner.clients.ready, *runner.clients.spawning, *runner.clients.running]
        return sorted((client.id for client in clients), key=runner.get_worker_index)

    def _on_heartbeat(self, client_id: str, **_: Any) -> None:
        self._last_seen_s[client_id] = time.monotonic()

    def _on_pong(self, environment: Environment, msg: messages.Message, **_: Any) -> None:
        received_us = time.monotonic_ns() // 1000
        if msg.data["boot"] == machine_boot():
            self._same_machine.add(msg.node_id)
        self._trips.setdefault(msg.node_id, []).append((msg.data["ping"], msg.data["at_us"], received_us))
