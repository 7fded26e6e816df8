"""The master's side: leads the workers through a plan's rounds, and closes each by a handshake before Locust stops."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import replace

import gevent
from gevent.event import Event
from gevent.lock import Semaphore

from harness.errors import MeasurementError, Problem
from harness.load.channel import FleetChannel
from harness.load.clock import Clock
from harness.load.collector import Collector
from harness.load.earlier_attempts import EarlierAttempts
from harness.load.fleet import Fleet, Member
from harness.load.live_rounds import LiveRounds
from harness.load.lone_rounds import LoneRounds, turns
from harness.load.make_up import make_up_rounds
from harness.load.orders import Orders
from harness.load.permitted_rounds import DossiersLeft, PermittedRounds
from harness.load.schedule import Schedule, schedule
from harness.load.serials import Serials
from harness.load.sink import Sink
from harness.records import MOST_UNDER_WAY, Plan, PlannedWindow, Round, RoundRecord, Slot, run_id
from harness.records.fleet_messages import WorkerSetup

WORKERS_WITHIN_S = 60.0
LONE_APART_S = 60.0
"""The longest pause between two lone walks without load between them: a temporary refusal may end meanwhile."""
FLEET_BACK_WITHIN_S = 900.0
"""How long a round waits for a fleet whose workers are all away (assumed: a switch that begins anew, a cable that is put back)."""
CLOSING_S = 25.0
"""For the last batches and their acknowledgements, when all visits have ended."""


class Conductor:
    """Runs a Locust process's tests, one after the other: the open rounds of a plan, or a closed run."""

    _plan: Plan
    _sink: Sink

    def __init__(
        self,
        channel: FleetChannel,
        clock: Clock,
        describe: Callable[[int, Schedule], str],
        progress: Callable[[str], None],
        setup: WorkerSetup | None = None,
    ) -> None:
        self._channel, self._clock = channel, clock
        self._describe = describe  # SHA-256 over the citizens of a schedule under a seed
        self._progress = progress
        self._finished = Event()
        self._finished.set()
        self._stopping = False
        self._stopped_at_us = 0
        self.complete = False
        self._under_way: list[Round] = []  # loaded rounds that have begun; lone ones have nobody beside them
        self._failed: Exception | None = None  # what ended one of them
        self._giving_orders, self._sealing = Semaphore(), Semaphore()
        self._fleet = Fleet(channel, clock, setup, progress)
        self._lasting = False  # the workers are a fleet's, which may all be away for a while
        self.live = LiveRounds(clock)
        self._collector = Collector(channel, clock, self._fleet, self.live, progress)

    def prepare(
        self,
        plan: Plan,
        sink: Sink,
        sealed: Sequence[RoundRecord] = (),
        *,
        dossiers_left: DossiersLeft = dict,
        files: Container[str] = (),
    ) -> None:
        """Set the next test; ``sealed``: its rounds that earlier attempts have sealed.

        ``dossiers_left``: how many more may be filed now, at portals whose authorisation limits them; ``files``: the journeys that file.
        """
        self._clock.anchor()
        self._plan, self._sink = plan, sink
        self._earlier = EarlierAttempts(plan, sealed)
        self._serials = Serials(plan, sealed)
        self._lone = LoneRounds(plan, sink.lone_walks)
        self._terms = PermittedRounds(plan, self._clock, self._progress, dossiers_left, files)
        self._orders = Orders(plan, self._serials, self._terms, self._clock, self._describe)
        self._collector.prepare(plan, sink.append)
        self.live.prepare(plan)
        self._admit_for(plan)
        self._stopping = self.complete = False
        self._stopped_at_us = 0
        self._failed = None
        self._finished.clear()

    def assemble(self, plan: Plan, expected: int, at_most_s: float) -> None:
        """Wait for the workers of a fleet. From now on the test outlasts the absence of all of them, by a while.

        Raises EnvironmentFault where fewer than ``expected`` are admitted in time.
        """
        self._lasting = True
        self._admit_for(plan)
        self._fleet.assemble(expected, at_most_s)

    def _admit_for(self, plan: Plan) -> None:
        self._fleet.clock_bound_us = plan.health.get("clock_bound_ms", math.inf) * 1000
        self._fleet.targets = plan.targets

    def run_rounds(self) -> None:
        """Run the plan's rounds to their end, or until somebody stops; then Locust may stop."""
        try:
            idle_s = 0.0  # length of the round before this one, where nothing of it could be loaded
            for round_ in self._plan.rounds:
                if round_.part == 0:
                    self._walk_alone_before(round_.round, idle_s)
                    idle_s = round_.duration_s
                if self._stopping:
                    break
                if self._measure(round_):
                    idle_s = 0.0
            self._await_all()
            self._make_up()
            self.complete = not self._stopping
        except Exception:
            self._collector.cut_short()
            raise
        finally:
            self._clock.wait_for(lambda: not self._under_way, math.inf, every_s=0.05)
            self._finished.set()

    def _run_beside(self, round_: Round) -> None:
        """Run a round beside those that drain; answers once its citizens have arrived. A lone round is run to its end."""
        if round_.alone:
            self._await_all()
            self._run_round(round_)
            return
        in_the_way = [other for other in self._under_way if not self._plan.may_overlap(round_, other)]
        self._await(lambda: len(self._under_way) < MOST_UNDER_WAY and not any(other in self._under_way for other in in_the_way))
        record = None if self._stopping else self._begin_round(round_)
        if record is not None:
            self._under_way.append(round_)
            gevent.spawn(self._end_beside, round_, record)
            arrived_us = record.start_us + round_.duration_s * 1e6
            self._await(lambda: round_ not in self._under_way or self._clock.now_us() >= arrived_us)

    def _end_beside(self, round_: Round, record: RoundRecord) -> None:
        """Let a loaded round drain, seal it, and check its portals; they count as under way until then."""
        try:
            self._end_round(round_, record)
            self._recheck(round_)
        except Exception as error:
            self._failed = error
            self._collector.cut_short()
        finally:
            self._under_way.remove(round_)

    def _await(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition, or until somebody stops. Every round under way ends in bounded time, so the condition comes."""
        self._clock.wait_for(lambda: self._stopping or self._failed is not None or condition(), math.inf, every_s=0.05)
        if self._failed is not None:
            raise self._failed

    def _await_all(self) -> None:
        """Wait for the end of all rounds under way."""
        self._clock.wait_for(lambda: not self._under_way, math.inf, every_s=0.05)
        if self._failed is not None:
            raise self._failed

    def _measure(self, round_: Round) -> bool:
        """Measure the part of a round that is left and permitted. False if something is left, but none of it is permitted."""
        left = self._earlier.left_of(round_)
        if left is None:
            newest = self._earlier.newest(round_)
            if self._sink.doubtful(self._orders.token(newest)):  # the earlier attempt may have ended before the check
                self._await_all()
                self._recheck(newest)
            return True
        slots = tuple(slot for planned in left.slots if (slot := self._permitted(planned)) is not None)
        if slots:
            self._run_beside(replace(left, slots=slots))
        return bool(slots)

    def _permitted(self, slot: Slot) -> Slot | None:
        """The part of a slot that may be sent now; None if nothing of it may be sent."""
        return None if self._collector.has_expired(slot.portal) else self._lone.permitted(slot)

    def _make_up(self) -> None:
        """At the end of the night: measure again what is void or was missed, in as many rounds as the plan has spare."""
        last = self._plan.rounds[-1].round
        begun = self._earlier.last_round()
        for number in range(last + 1, last + self._plan.spare_windows + 1):
            there = self._earlier.of_round(number)  # by an earlier attempt
            for record in there if not self._stopping else ():
                if not self._stopping:
                    self._measure(Round(number, (), record.part))
            if number >= begun and not self._stopping:
                self._make_up_in(number, there)
            self._await_all()

    def _make_up_in(self, number: int, there: Sequence[RoundRecord]) -> None:
        """One round of make-up windows; ``there``: the parts of it that an earlier attempt has begun."""
        portals = {slot.portal for record in there for slot in record.slots}
        parts = 1 + max((record.part for record in there), default=-1)

        def permitted(slot: Slot) -> Slot | None:
            return None if slot.portal in portals else self._permitted(slot)

        for round_ in make_up_rounds(self._plan, permitted, self._sink.measured(), number):
            if not self._stopping:
                self._measure(replace(round_, part=parts + round_.part))

    def _walk_alone_before(self, round_: int, idle_s: float) -> None:
        """Run the lone rounds that are due before a loaded one. If nothing was loaded since the last of them, wait first."""
        for again in self._lone.before(round_):
            self._await_all()
            self._clock.wait_for(lambda: self._stopping, min(idle_s, LONE_APART_S), every_s=0.1)
            idle_s = 0.0
            if self._stopping:
                break
            left = self._earlier.left_of(again)
            slots = () if left is None else tuple(slot for slot in left.slots if not self._collector.has_expired(slot.portal))
            if left is not None and slots:
                self._run_round(replace(left, slots=slots))

    def renew_lease_for_ever(self) -> None:
        """Keep the workers at work; runs in a greenlet of its own."""
        self._fleet.renew_lease_for_ever()

    def wind_down(self) -> None:
        """Stop arrivals, drain and seal the rounds under way; returns when Locust may stop."""
        self._stopping = True
        self._stopped_at_us = self._stopped_at_us or self._clock.now_us()
        self._collector.cut_short()
        self._finished.wait(timeout=120)

    @property
    def stopping(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stopping

    # One round.

    def _run_round(self, round_: Round, *, checks: str = "") -> None:
        record = self._begin_round(round_, checks=checks)
        if record is not None:
            self._end_round(round_, record)

    def _begin_round(self, round_: Round, *, checks: str = "") -> RoundRecord | None:
        """Give each worker its part of a round; None where nobody can take one, or somebody stops."""
        round_ = replace(round_, slots=tuple(map(self._serials.numbered, round_.slots)))
        if not checks and self._is_stopped_in_wait(round_):
            return None
        with self._giving_orders:
            members = self._fleet.gather(FLEET_BACK_WITHIN_S if self._lasting else WORKERS_WITHIN_S, lambda: self._stopping)
            if not members:
                self._without_workers()
            if not members or self._stopping:
                return None
            round_, held_back = self._terms.permitted(round_)
            if not round_.slots:
                return None
            schedules = {slot.portal: schedule(slot, seed=self._plan.seed, arrivals=self._plan.arrivals) for slot in round_.slots}
            self._begin(round_, members)
            start_us = self._clock.now_us() + int(self._plan.lead_s * 1e6)
            source = self._plan.second_address if checks else ""
            record = replace(
                self._orders.record(round_, members, schedules, start_us), checks=checks, source_address=source, held_back=held_back
            )
            self._sink.open_round(self._orders.token(round_), record)
            self.live.begin(self._orders.token(round_), record, schedules)
            for member in members:
                order = self._orders.order(round_, member, len(members), schedules, start_us)
                self._channel.send(replace(order, source_address=source), member.worker)
        if self._stopping:  # meanwhile: a worker that got its order afterwards has not heard of it
            self._collector.cut_short()
        self._progress(self._orders.announcement(round_, schedules))
        return record

    def _end_round(self, round_: Round, record: RoundRecord) -> None:
        lead_s = (record.start_us - self._clock.now_us()) / 1e6
        longest_s = lead_s + round_.duration_s + self._plan.drain_s * turns(round_) + self._plan.timeout_s + CLOSING_S
        self._collector.await_members(self._orders.token(round_), longest_s, self._is_overdue)
        self._seal(round_, record)
        if round_.alone and not record.checks:
            for line in (line for slot in record.slots for line in self._lone.tell(slot.portal)):
                self._progress(line)

    def _is_overdue(self) -> bool:
        """Whether somebody stopped, and the last requests and batches have had their time since."""
        return self._stopping and self._clock.now_us() > self._stopped_at_us + (self._plan.timeout_s + CLOSING_S) * 1e6

    def _without_workers(self) -> None:
        """Say that no worker is there. Raises MeasurementError where they are a fleet's: its sweep ends."""
        if self._stopping:
            return
        if self._lasting:
            found, expected = f"none within {FLEET_BACK_WITHIN_S:.0f} s", "at least one worker of the fleet"
            remedy = "Mend the network and start workers again; the rounds that are sealed stay."
            raise MeasurementError(Problem("fleet", "workers", found, expected, remedy))
        self._progress(f"no worker answered within {WORKERS_WITHIN_S:.0f} s")

    def _is_stopped_in_wait(self, round_: Round) -> bool:
        """Wait as long as a portal of the round asks to be left alone (``Retry-After``); whether somebody stops meanwhile."""
        wait_s = self._collector.asked_to_wait_s(slot.portal for slot in round_.slots)
        if wait_s > 0:
            self._progress(f"round {round_.round} begins {wait_s:.0f} s later: a portal asks for it (Retry-After)")
            self._clock.wait_for(lambda: self._stopping, wait_s, every_s=0.1)
        return wait_s > 0 and self._stopping

    def _recheck(self, round_: Round) -> None:
        """Walk one citizen alone at each portal that has just refused many: it may limit our address, or refuse everybody."""
        recheck = self._lone.recheck(round_, self._sink.doubtful(self._orders.token(round_)))
        left = self._earlier.left_of(recheck) if recheck is not None else None
        if left is not None and not self._stopping:
            self._run_round(left, checks=round_.name)

    def run_closed(self, window_s: float, most_windows: int) -> None:
        """Watch over a closed run of one portal until Locust stops it."""
        target = self._plan.targets[0]
        windows = tuple(PlannedWindow(n, "typical", 0.0, n * window_s, window_s, {}, {}) for n in range(most_windows))
        ceiling = target.in_flight_ceiling or 1_000_000
        round_ = Round(0, (Slot(target.portal, run_id(target.portal, self._plan.seed), windows, ceiling),))
        try:
            members = self._fleet.gather(WORKERS_WITHIN_S)
            self._terms.count_dossiers()
            self._begin(round_, members)
            start_us = self._clock.now_us()
            record = replace(self._orders.record(round_, members, {}, start_us), closed=True)
            self._sink.open_round(self._orders.token(round_), record)
            self.live.begin(self._orders.token(round_), record, {})
            for member in members:
                self._channel.send(self._orders.closed_order(round_, member, len(members), start_us, window_s), member.worker)
            while not self._stopping:
                self._collector.watch(self._orders.token(round_))
                self._clock.sleep(0.1)
            self._collector.cut_short()
            self._collector.await_members(self._orders.token(round_), self._plan.timeout_s + CLOSING_S)
            used = 1 + int((self._clock.now_us() - start_us) / 1e6 // window_s)
            slots = tuple(replace(slot, windows=slot.windows[:used]) for slot in record.slots)
            self._seal(round_, replace(record, slots=slots))
            self.complete = True
        finally:
            self._finished.set()

    def _begin(self, round_: Round, members: list[Member]) -> None:
        self._collector.begin(self._orders.token(round_), (slot.portal for slot in round_.slots), members, alone=round_.alone)

    def _seal(self, round_: Round, record: RoundRecord) -> None:
        with self._sealing:
            record = self._collector.end(self._orders.token(round_), record)
            self._earlier.add(record)
            self._sink.seal_round(self._orders.token(round_), replace(record, stopped=self._stopping, stopped_at_us=self._stopped_at_us))
            self.live.end(self._orders.token(round_))
