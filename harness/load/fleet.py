"""The workers as the master sees them: which take part in a round, their clock offsets, and which are silent or lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from harness.errors import EnvironmentFault, Problem
from harness.load.admission import why_refused
from harness.load.channel import FleetChannel
from harness.load.clock import Clock
from harness.load.clock_offset import ClockOffset, estimate, machine_boot
from harness.records import PlannedTarget
from harness.records.fleet_messages import STANDALONE, ClockPing, ClockPong, Done, Lease, Present, Refused, RollCall, WorkerSetup

CLOCK_PINGS = 8
CLOCK_TRIES = 3
"""Series of pings at most, if a clock is not known well enough after the first (assumed): a network may be busy for a moment."""
ANSWER_WITHIN_S = 2.0
"""How long the master waits for an answer to its roll call (assumed: a round trip takes much less). A worker that has not answered is asked again."""
TOLD_EVERY_S = 30.0
"""How often the master says which workers it waits for (assumed: a person who starts them sees it soon)."""
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

    def __init__(
        self, channel: FleetChannel, clock: Clock, setup: WorkerSetup | None = None, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._channel, self._clock, self._say = channel, clock, say
        self._setup = setup  # of the master; None: whoever is connected is admitted
        self.clock_bound_us = math.inf  # with a larger error of its clock a worker takes no part in a round
        self.targets: tuple[PlannedTarget, ...] = ()  # of the plan; without an authorisation they are on this machine's loopback
        self._last_seen_us: dict[str, int] = {}
        self._trips: dict[str, list[tuple[int, int, int]]] = {}
        self._called_us = 0  # when the clocks were asked last; older answers do not count
        self._same_machine: set[str] = set()
        self._asked_s: dict[str, float] = {}  # time of day of the roll call, by worker
        self._admitted: set[str] = set()
        self._refused: dict[str, str] = {}  # reason by worker
        self._members: frozenset[str] | None = None  # of the last round
        channel.on_heartbeat(self.heard_from)
        channel.listen(ClockPong, self._on_pong)
        if setup is not None:
            channel.listen(Present, self._on_present)

    def assemble(self, expected: int, at_most_s: float) -> None:
        """Wait until so many workers are admitted. Raises EnvironmentFault that says who is there and who was refused."""
        end_us, told_us, before = self._clock.now_us() + at_most_s * 1e6, 0.0, ""
        while len(self._admitted_now()) < expected:
            here, now_us = self._in_words(), self._clock.now_us()
            if now_us >= end_us:
                remedy = "Start the others, mend what was refused, or expect fewer; nothing was sent to a portal."
                raise EnvironmentFault(Problem("fleet", "workers", here, f"{expected} workers within {at_most_s:g} s", remedy))
            if here != before or now_us - told_us > TOLD_EVERY_S * 1e6:
                self._say(f"waiting for {expected} workers, {(end_us - now_us) / 1e6:.0f} s longer at most: {here}")
                told_us, before = now_us, here
            self._call_roll()
            self._clock.sleep(0.2)
        self._say(f"the fleet is complete: {self._in_words()}")

    def _admitted_now(self) -> list[str]:
        return [worker for worker in self._channel.workers() if worker in self._admitted]

    def _in_words(self) -> str:
        here = self._admitted_now()
        dumb = [worker for worker in self._candidates() if worker not in here and worker in self._asked_s]
        said = [f"{len(here)} here ({', '.join(here)})" if here else "0 here"]
        said += [f"{', '.join(dumb)} connected, and not free or of an earlier version"] if dumb else []
        return "; ".join([*said, *(f"{worker} refused ({reason})" for worker, reason in self._refused.items())])

    def gather(self, at_most_s: float, stopped: Callable[[], bool] = lambda: False) -> list[Member]:
        """The admitted workers that can take part now, their clocks just measured; waits for the first."""
        end_us = self._clock.now_us() + at_most_s * 1e6
        while True:
            left_s = (end_us - self._clock.now_us()) / 1e6
            self._clock.wait_for(lambda: stopped() or bool(self._candidates()), left_s, every_s=0.05)
            members = self._measured(self._call_roll()) if self._candidates() else []
            if members or stopped() or self._clock.now_us() >= end_us:
                break
            self._clock.sleep(0.2)
        self._last_seen_us.update({member.worker: self._clock.now_us() for member in members})
        self._tell_changes(frozenset(member.worker for member in members))
        return members

    def _candidates(self) -> list[str]:
        return [worker for worker in self._channel.workers() if worker not in self._refused]

    def _call_roll(self) -> list[str]:
        """Ask the connected workers for their clocks, and new ones also what they walk with. Answers those that are admitted."""
        workers = self._candidates()
        for worker in workers:
            if self._setup is not None and worker != STANDALONE and worker not in self._admitted:
                self._asked_s[worker] = self._clock.utc_s()
                self._channel.send(RollCall(self.targets), worker)
        self._trips, self._called_us = {}, self._clock.now_us()
        for _ in range(CLOCK_TRIES):
            for _ in range(CLOCK_PINGS):
                for worker in workers:
                    self._channel.send(ClockPing(self._clock.now_us()), worker)
                self._clock.sleep(0.01)
            self._clock.wait_for(lambda: all(self._answered(worker) for worker in workers), ANSWER_WITHIN_S, every_s=0.02)
            if not any(self._is_vague(worker) for worker in workers):
                break
        return [worker for worker in workers if self._answered(worker) and worker not in self._refused]

    def _answered(self, worker: str) -> bool:
        known = self._setup is None or worker == STANDALONE or worker in self._admitted or worker in self._refused
        return known and bool(self._trips.get(worker))

    def _is_vague(self, worker: str) -> bool:
        """Whether the worker's clock is not known well enough for a round."""
        return bool(self._trips.get(worker)) and self._offset_of(worker).bound_us > self.clock_bound_us

    def _measured(self, workers: Iterable[str]) -> list[Member]:
        """The members of a round; a worker whose clock is not known well enough is none, and is told so."""
        fit = []
        for worker in workers:
            if self._is_vague(worker):
                reason = (
                    f"its clock is known to ± {self._offset_of(worker).bound_us / 1000:.0f} ms only, and"
                    f" {self.clock_bound_us / 1000:g} ms are allowed: it waits for the next round"
                )
                self._say(f"{worker} is left out: {reason}")
                self._channel.send(Refused(reason, for_good=False), worker)
            else:
                fit.append(worker)
        return [Member(worker, index, self._offset_of(worker)) for index, worker in enumerate(fit)]

    def _tell_changes(self, members: frozenset[str]) -> None:
        """Say who takes part from now on and who does so no longer; nothing of the first round."""
        if self._members is not None and self._members != members:
            changes = (("joined", members - self._members), ("gone", self._members - members))
            self._say("; ".join(f"workers {what}: {', '.join(sorted(who))}" for what, who in changes if who))
        self._members = members

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
        found = estimate(self._trips[worker])
        one_clock = worker in self._same_machine and abs(found.offset_us) <= found.bound_us
        return ClockOffset(0, 0) if one_clock else found

    def _on_pong(self, pong: ClockPong, worker: str) -> None:
        if pong.ping < self._called_us:
            return  # of an earlier call: the worker was cut off meanwhile
        if pong.boot == machine_boot():
            self._same_machine.add(worker)
        self._trips.setdefault(worker, []).append((pong.ping, pong.at_us, self._clock.now_us()))

    def _on_present(self, present: Present, worker: str) -> None:
        if self._setup is None or worker in self._admitted or worker in self._refused or worker not in self._asked_s:
            return
        heard_s = self._clock.utc_s()
        embedded = any(not target.authorisation for target in self.targets)
        reason = why_refused(self._setup, present, asked_s=self._asked_s.pop(worker), heard_s=heard_s, embedded=embedded)
        if reason:
            self._refused[worker] = reason
            self._say(f"{worker} is refused: {reason}")
            self._channel.send(Refused(reason, for_good=True), worker)
        else:
            self._admitted.add(worker)
