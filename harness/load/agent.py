"""The worker's side: takes its part of a round from the master, lets citizens arrive on time, and hands over every row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import gevent
from gevent.event import Event
from gevent.queue import Queue

from harness.catalog import Target
from harness.client import LeanSession, PhaseTimeouts, Resolver
from harness.errors import HarnessError
from harness.load.channel import Channel
from harness.load.clock import Clock
from harness.load.clock_offset import machine_boot
from harness.load.closed_run import ROOM_AGAIN_US, ClosedRun, NextVisit
from harness.load.ended_steps import EndedStep
from harness.load.failure_sampler import FailureSampler
from harness.load.health_monitor import HealthMonitor
from harness.load.lease import DESERTED_AFTER_S, HeldLease
from harness.load.outbox import Outbox
from harness.load.own_ledgers import OwnLedgers, keeper
from harness.load.portal_load import PortalLoad
from harness.load.safety import RequestRoom
from harness.load.shared_host_watch import SharedHostWatch
from harness.profiles import CompiledPlatform
from harness.records import LONE, HealthLine, Outcome, PlannedTarget
from harness.records.fleet_messages import (
    Acknowledgement,
    Arrival,
    ClockPing,
    ClockPong,
    ClosedOrder,
    Done,
    Lease,
    RoundOrder,
    SlotOrder,
    StopArrivals,
)

FLUSH_S = 0.4
DROPPED_AFTER_US = 5_000_000
"""An arrival this late is not sent any more: a burst of old arrivals is not the load that was planned."""

Walk = Callable[[], object]
Prepare = Callable[[PortalLoad, int, int, int], Walk]
"""Takes a load, a visit's number, its window and its intended start; answers the function that walks the visit."""


@dataclass
class _Round:
    order: RoundOrder
    outbox: Outbox
    loads: dict[str, PortalLoad]
    cutting: Event = field(default_factory=Event)  # set: visits end at their next pause or before their next request
    finished: Event = field(default_factory=Event)
    resolvers: dict[str, Resolver] = field(default_factory=dict)  # by portal
    ledger: Path | None = None  # of this worker in this round
    lapsed: bool = False
    left: bool = False  # this process ends in the middle of it

    def in_flight(self) -> int:
        return sum(load.in_flight + load.waiting for load in self.loads.values())

    def stop(self, reason: str) -> None:
        """Stop arrivals, and cut off the visits."""
        for load in self.loads.values():
            load.stop_arrivals(reason)
        self.cutting.set()


class Agent:
    """The generator of citizens in one Locust process: a worker's, or the only one of a standalone Locust."""

    def __init__(
        self,
        channel: Channel,
        clock: Clock,
        health: HealthMonitor,
        platforms: Mapping[str, CompiledPlatform],
        targets: Callable[[PlannedTarget], Target],
        journeys: Callable[[], Mapping[str, Prepare]],
        on_step: Callable[[str, EndedStep], None],
        results: Path = Path("results"),
    ) -> None:
        self._channel, self._clock, self._health = channel, clock, health
        self._ledgers = OwnLedgers(results)
        self._platforms = platforms
        self._target_from = targets
        self._journeys = journeys
        self._on_step = on_step  # (prefix of its name, step)
        self._waiting: Queue[_Round | HarnessError] = Queue()
        self._rounds: dict[str, _Round] = {}  # under way, by token
        self._closed: ClosedRun | None = None
        self._closed_began = Event()
        self._lease = HeldLease(clock)
        self._shared_hosts: dict[tuple[str, str], SharedHostWatch] = {}  # by sweep and run
        self._failures: dict[tuple[str, str], FailureSampler] = {}  # by sweep and run: a page is kept once, not in every round
        channel.listen(RoundOrder, self._on_order)
        channel.listen(ClosedOrder, self._on_closed)
        channel.listen(StopArrivals, self._on_stop_arrivals)
        channel.listen(Acknowledgement, self._on_acknowledged)
        channel.listen(Lease, lambda _lease, _: self._lease.renew())
        channel.listen(ClockPing, lambda ping, _: channel.send(ClockPong(ping.ping, clock.now_us(), machine_boot())))

    # Open workloads: the arrivals User of this worker calls run_next_round() again and again.

    def run_next_round(self) -> None:
        """Wait for a round and let its citizens arrive; it drains beside the next one."""
        round_ = self._waiting.get()
        if isinstance(round_, HarnessError):
            raise round_
        try:
            self._let_arrive(round_)
        except BaseException:
            self._end(round_)
            raise
        gevent.spawn(self._end_drained, round_)

    def _let_arrive(self, round_: _Round) -> None:
        order, journeys = round_.order, self._journeys()
        merged = sorted((order.start_us + arrival.offset_us, slot.portal, arrival) for slot in order.slots for arrival in slot.arrivals)
        for due_us, portal, arrival in merged:
            load = round_.loads[portal]
            walk = journeys[arrival.journey](load, arrival.visit, arrival.window, due_us)
            self._clock.wait_until(due_us - self._health.early_us(), round_.cutting)
            now_us = self._clock.now_us()
            if load.arrivals_off:
                load.turn_away(arrival, due_us, load.stopped_as, now_us)
            elif now_us - due_us > DROPPED_AFTER_US:
                self._health.arrival_began(now_us - due_us)
                load.turn_away(arrival, due_us, Outcome.DROPPED, now_us)
            elif load.in_flight < load.ceiling:
                load.enter()
                gevent.spawn(walk)
                self._clock.sleep(0)  # this citizen reaches its request at the due moment before the next one is prepared
            elif arrival.window in load.lone:
                load.waiting += 1
                gevent.spawn(self._walk_in_turn, load, arrival)
            else:
                load.turn_away(arrival, due_us, Outcome.NOT_SERVED, now_us)

    def _walk_in_turn(self, load: PortalLoad, arrival: Arrival) -> None:
        """Let a lone citizen begin once another one of the same portal is done: the ceiling has no room for both."""
        while load.in_flight >= load.ceiling and not load.arrivals_off and not load.cutting.is_set():
            self._clock.wait_until(self._clock.now_us() + ROOM_AGAIN_US, load.cutting)
        load.waiting -= 1
        now_us = self._clock.now_us()
        if load.arrivals_off or load.cutting.is_set():
            load.turn_away(arrival, now_us, load.stopped_as, now_us)
        else:
            load.enter()
            self._journeys()[arrival.journey](load, arrival.visit, arrival.window, now_us)()

    def _end_drained(self, round_: _Round) -> None:
        try:
            self._drain(round_)
        finally:
            self._end(round_)

    def _drain(self, round_: _Round) -> None:
        order = round_.order
        end_us = order.start_us + max(slot.duration_s for slot in order.slots) * 1e6 + order.drain_s * 1e6
        self._clock.wait_for(lambda: not round_.in_flight() or round_.cutting.is_set(), (end_us - self._clock.now_us()) / 1e6)
        round_.cutting.set()
        self._await_last_answers(round_)

    def _await_last_answers(self, round_: _Round) -> None:
        """Requests on the wire end by their own timeout; nobody begins another."""
        self._clock.wait_for(lambda: not round_.in_flight(), round_.order.timeout_s + 2)

    def _end(self, round_: _Round) -> None:
        outbox = round_.outbox
        try:
            outbox.flush()
            self._channel.send(self._done(round_))
            self._clock.wait_for(lambda: round_.lapsed or not outbox.pending, 20.0)
        finally:
            del self._rounds[outbox.token]
            self._ledgers.hand_over(outbox.receipts_left(), round_.ledger, self._ledgers_in_use())
            round_.finished.set()

    def _done(self, round_: _Round) -> Done:
        outbox, now_us = round_.outbox, self._clock.now_us()
        counts = {portal: load.counts() for portal, load in round_.loads.items()}
        addresses = {portal: dict(resolver.addresses) for portal, resolver in round_.resolvers.items() if resolver.addresses}
        waits_s = {portal: (load.wait_until_us - now_us) / 1e6 for portal, load in round_.loads.items() if load.wait_until_us > now_us}
        return Done(outbox.token, outbox.sequence, outbox.rows_added, counts, round_.lapsed, addresses, waits_s, round_.left)

    def _begin(self, order: RoundOrder) -> _Round:
        loads: dict[str, PortalLoad] = {}
        ledger = self._ledgers.path(order)
        outbox = Outbox(
            self._channel.send, self._clock, order.token, order.keys,
            lambda: {portal: load.citizens() for portal, load in loads.items()}, keeper(ledger, order),
        )  # fmt: skip
        round_ = _Round(order, outbox, loads, ledger=ledger)
        self._ledgers.begin(order)
        for slot in order.slots:
            loads[slot.portal] = self._load(slot, round_)
        if not self._rounds:  # its figures of the last second belong to rounds under way
            self._health.begin_round(self._on_health, self._in_flight)
        self._rounds[order.token] = round_
        return round_

    def _load(self, slot: SlotOrder, round_: _Round) -> PortalLoad:
        order = round_.order
        target = self._target_from(slot.target)
        resolver = round_.resolvers[slot.portal] = Resolver()  # each name is resolved once in a round
        connect_s = min(10.0, order.timeout_s)
        timeouts = PhaseTimeouts(connect_s, connect_s, connect_s, order.timeout_s, order.timeout_s)
        prefix = f"{slot.portal} " if len(order.slots) > 1 else ""
        run = (order.keys[slot.keys[0]].sweep, slot.run)
        return PortalLoad(
            target=target,
            platform=self._platforms[slot.target.platform],
            run=slot.run,
            sweep=order.keys[slot.keys[0]].sweep,
            seed=order.seed,
            think=order.think,
            assets=order.assets,
            traced=order.traceparent,
            sessions=lambda: LeanSession(target, resolver, timeouts=timeouts, source_address=order.source_address),
            timeouts=timeouts,
            patience_s=order.patience_s,
            outbox=round_.outbox,
            keys={order.keys[index].window: index for index in slot.keys},
            serials={order.keys[index].window: first for index, first in zip(slot.keys, slot.serials, strict=False)},
            lone=frozenset(key.window for key in map(order.keys.__getitem__, slot.keys) if key.stage == LONE),
            ceiling=slot.ceiling,
            dossiers_max=slot.dossiers_max,
            cutting=round_.cutting,
            health=self._health,
            clock=self._clock,
            room=RequestRoom(slot.target.safety.requests_per_s / order.sharing, slot.target.safety.span_s),
            slow_us=slot.target.safety.p95_ms * 1000,
            on_step=lambda ended: self._on_step(prefix, ended),
            failures=self._failures.setdefault(run, FailureSampler()),
            shared_hosts=self._shared_hosts.setdefault(
                run, SharedHostWatch(frozenset(slot.target.shared_hosts or ()), slot.target.safety.failures_in_a_row)
            ),
        )

    # Closed workloads: Locust's own users ask for visits.

    def next_visit(self) -> NextVisit | None:
        """The next visit of a citizen whom Locust scheduled; None once the run ends."""
        self._closed_began.wait()
        return self._closed.next_visit() if self._closed is not None else None

    def _on_closed(self, order: ClosedOrder, _: str) -> None:
        round_ = self._begin(order)
        self._closed = ClosedRun(next(iter(round_.loads.values())), order)
        self._closed_began.set()
        gevent.spawn(self._end_closed, round_)

    def _end_closed(self, round_: _Round) -> None:
        round_.cutting.wait()
        self._await_last_answers(round_)
        self._closed = None
        self._closed_began.clear()
        self._end(round_)

    # Messages of the master.

    def _on_order(self, order: RoundOrder, _: str) -> None:
        """Begin a round at once, so that a stop reaches it; an error goes to who runs the rounds."""
        if self._lease.heard_of:  # after a cut the order may come before the lease: it would lapse at once
            self._lease.renew()
        try:
            self._waiting.put(self._begin(order))
        except HarnessError as error:
            self._waiting.put(error)

    def _on_stop_arrivals(self, stop: StopArrivals, _: str) -> None:
        round_ = self._rounds.get(stop.token)
        if round_ is None:
            return
        for portal, load in round_.loads.items():
            if stop.portal in (portal, ""):
                load.stop_arrivals(stop.reason)
        if stop.cut:
            round_.cutting.set()

    def _on_acknowledged(self, said: Acknowledgement, _: str) -> None:
        if (round_ := self._rounds.get(said.token)) is not None:
            round_.outbox.acknowledged(said.seq)
        self._ledgers.acknowledged(said, self._ledgers_in_use())

    def _ledgers_in_use(self) -> set[Path | None]:
        """The ledgers of rounds under way whose master lacks something."""
        return {each.ledger for each in self._rounds.values() if each.outbox.pending}

    # The end of a test.

    def wind_down(self) -> None:
        """Stop arrivals, end visits at their next pause, wait until the last batch is acknowledged; then Locust may end its users."""
        rounds = [*self._rounds.values()]
        for round_ in rounds:
            round_.stop("stopped")
        gevent.wait([round_.finished for round_ in rounds], timeout=90)

    def leave(self) -> None:
        """Wind down because the process ends."""
        for round_ in self._rounds.values():
            round_.left = True
        self.wind_down()
        self._health.stop()

    def flush_for_ever(self) -> None:
        """Send what was measured, and resend what was not acknowledged; runs in a greenlet of its own."""
        while True:
            self._clock.sleep(FLUSH_S)
            for round_ in [*self._rounds.values()]:
                round_.outbox.flush()
                round_.outbox.resend()
            if self._lease.holds:
                self._ledgers.resend()

    def watch_lease_for_ever(
        self, deserted: Callable[[], None], announce: Callable[[], None] = lambda: None, at_most_s: float = DESERTED_AFTER_S
    ) -> None:
        """End the load where the master is silent; the rest as ``HeldLease.watch_for_ever`` says. Runs in a greenlet of its own."""
        self._lease.watch_for_ever(self._lapse, deserted, announce, at_most_s)

    def _lapse(self) -> None:
        for round_ in self._rounds.values():
            if not round_.lapsed:
                round_.lapsed = True
                round_.stop("master lost")

    @property
    def between_rounds(self) -> bool:
        """Whether this worker is free for a round; a new master has to wait for the end of a round of the one before."""
        return not self._rounds

    def _in_flight(self) -> int:
        return sum(round_.in_flight() for round_ in self._rounds.values())

    def _on_health(self, line: HealthLine) -> None:
        for round_ in self._rounds.values():  # each of them is judged by the seconds of its own windows
            round_.outbox.add_health(line)
