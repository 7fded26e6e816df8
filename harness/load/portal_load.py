"""The load on one portal, on one worker, in one round: what its visits need, and how many citizens are in flight."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gevent.event import Event

from harness.catalog import Target
from harness.client import LeanSession, PhaseTimeouts
from harness.load.clock import Clock
from harness.load.ended_steps import EndedStep, EndedSteps
from harness.load.failure_sampler import FailureSampler
from harness.load.health_monitor import EARLY_US, HealthMonitor
from harness.load.outbox import Outbox
from harness.load.retry_after import asked_to_wait_s
from harness.load.safety import RequestRoom
from harness.load.schedule import VISITS_PER_WINDOW
from harness.load.shared_host_watch import SharedHostWatch
from harness.load.walk_keeper import WalkKeeper
from harness.profiles import CompiledPlatform
from harness.records import OVERLOAD_STATUSES, PORTAL, VISIT_ROW, LedgerLine, Outcome, Sample, ThinkTime, visit_row
from harness.records.fleet_messages import Arrival, CitizenCounts
from harness.records.round import STOPPED_FOR_SHARED_HOST, LoadCounts
from harness.statistics.keyed import keyed_random
from harness.visits import Patience, Receipt, StepFailed, Visit, VisitState

StepEvent = Callable[[EndedStep], None]


class VisitCut(Exception):  # noqa: N818  (not an error: the run ends here)
    """The run ends; a visit ends at its next pause or before its next request."""


@dataclass
class PortalLoad:
    """What the visits of one portal share, where their rows go, and whether new citizens may begin."""

    target: Target
    platform: CompiledPlatform
    run: str
    seed: int
    think: Mapping[str, ThinkTime]
    assets: bool
    sessions: Callable[[], LeanSession]
    timeouts: PhaseTimeouts  # of a request
    patience_s: float  # for the portal's answers to one visit in all; 0: without limit
    outbox: Outbox
    keys: Mapping[int, int]  # window → index into the outbox's keys
    ceiling: int  # citizens in flight
    cutting: Event
    health: HealthMonitor
    clock: Clock
    room: RequestRoom  # within the authorised rate
    slow_us: float  # a request that takes longer counts against the authorisation's p95
    on_step: StepEvent
    failures: FailureSampler
    shared_hosts: SharedHostWatch = field(default_factory=SharedHostWatch)
    sweep: str = ""  # its name
    traced: bool = False  # requests to the portal's own hosts name their visit's trace
    serials: Mapping[int, int] = field(default_factory=dict)  # window → serial of its first visit; empty in a closed run
    lone: frozenset[int] = frozenset()  # windows in which one citizen is alone at the portal
    dossiers_max: int | None = None  # that citizens may file here; None: no limit
    filed: int = 0  # dossiers that citizens have begun to file
    in_flight: int = 0
    waiting: int = 0  # lone citizens for whom the ceiling has no room yet
    most_in_flight: int = 0
    turned_away: int = 0
    begun: int = 0
    failed: int = 0  # visits that ended otherwise than well, those that did not begin included
    wait_until_us: int = 0  # the portal has asked to be left alone until then
    arrivals_off: str = ""  # why no more citizens begin; empty while they do
    metric_names: set[str] = field(default_factory=set)  # in Server-Timing of the portal's answers
    keepers: dict[int, WalkKeeper] = field(default_factory=dict)  # of lone visits, by number

    @property
    def portal(self) -> str:
        """The portal's id."""
        return self.target.portal

    @property
    def stopped_as(self) -> Outcome:
        """The outcome of visits that do not begin because arrivals are off: after a safety stop the portal's, otherwise ours."""
        return Outcome.NOT_SERVED if self.arrivals_off == "safety" else Outcome.ABORTED

    def visit(self, journey: str, goals: tuple[str, ...], number: int, window: int, intended_us: int) -> Visit:
        """A new visit; its rows belong to the window of its intended arrival."""
        key = self.keys[window]
        keeper = WalkKeeper(self.clock, key) if window in self.lone else None

        steps = EndedSteps(lambda ended: self.end_step(key, ended))

        def record(sample: Sample) -> None:
            self._record(key, sample)
            steps.add(sample)

        rng = keyed_random(self.seed, self.run, number, "think")

        def think(name: str) -> float:
            steps.end()
            spec = self.think.get(name) or self.think.get("default")
            return 0.0 if spec is None else draw_think_s(spec, rng.gauss(0, 1))

        visit = Visit(
            self.platform,
            self.target,
            journey=journey,
            goals=goals,
            visit=number,
            seed=self.seed,
            run=self.run,
            session_factory=self.sessions if keeper is None else keeper.sessions(self.sessions),
            record=record if keeper is None else keeper.recording(record),
            intended_us=intended_us,
            think=think,
            sleep=self.pause,
            on_time=self.wait_awake,
            acknowledge=lambda receipt: self._keep(receipt, journey, number),
            failed=lambda visit, failure: self._fail(key, visit, failure),
            with_assets=self.assets,
            serial=self.serials[window] + number % VISITS_PER_WINDOW if self.serials else number,
            patience=Patience(self.patience_s, self.timeouts) if self.patience_s else None,
            stop_if_cut=self.stop_if_cut,
            may_follow=self.may_follow,
            server_timing=lambda timing: self.outbox.add_server_timing(key, timing.within(self.metric_names)),
            alone=window in self.lone,
            sweep=self.sweep,
            traced=self.traced,
        )
        if keeper is not None:
            keeper.state = visit.state
            self.keepers[number] = keeper
        return visit

    def stop_if_cut(self) -> None:
        """Raise VisitCut once the run ends."""
        if self.cutting.is_set():
            raise VisitCut

    def may_follow(self) -> bool:
        """Whether the authorised rate has room for a redirect. One that is not sent counts all the same: the portal asked for it."""
        if self.room.take(self.clock.now_us()):
            return True
        self.outbox.count_elsewhere(self.portal, failed=False)
        self.outbox.count_hop(self.portal)
        return False

    def may_file(self) -> bool:
        """Whether another dossier may be filed; where not, no more citizens begin."""
        if self.dossiers_max is not None and self.filed >= self.dossiers_max:
            self.stop_arrivals("authorisation")
            return False
        self.filed += 1
        return True

    def pause(self, seconds: float) -> None:
        """Wait; the run's end cuts the wait short."""
        if self.clock.wait_until(self.clock.now_us() + round(seconds * 1e6), self.cutting):
            raise VisitCut
        if seconds <= 0:
            self.clock.sleep(0)

    def wait_awake(self, due_us: int) -> None:
        """Wait without sleeping for the last fraction of a millisecond before an arrival, whose request is ready.

        An idle (virtual) processor takes 0.1 to 0.3 ms to wake, and as long again from waking to sending.
        """
        now_us = self.clock.now_us()
        until_us = min(due_us, now_us + EARLY_US)
        while now_us < until_us:
            now_us = self.clock.now_us()
        self.health.arrival_began(max(0, now_us - due_us))

    def turn_away(self, arrival: Arrival, due_us: int, outcome: Outcome, now_us: int) -> None:
        """Record a visit that did not begin."""
        self.turned_away += outcome is Outcome.NOT_SERVED
        self.failed += 1
        times = {"intended_us": due_us, "start_us": 0, "end_us": now_us}
        row = visit_row(arrival.journey, arrival.visit, self.target.origins[PORTAL], **times, outcome=outcome)
        self.outbox.add_row(self.keys[arrival.window], row)
        self.end_step(self.keys[arrival.window], EndedStep(arrival.journey, "", "", 0, 0, outcome, 0))

    def end_step(self, key: int, ended: EndedStep) -> None:
        """A step has ended: Locust counts it, and its time goes to the master's page."""
        self.on_step(ended)
        self.outbox.add_step(key, ended)

    def enter(self) -> None:
        """A citizen begins."""
        self.begun += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def leave(self, visit: Visit) -> None:
        """A citizen is done; what it looked up goes to the ledger."""
        try:
            if (keeper := self.keepers.pop(visit.state.visit, None)) is not None:
                self.outbox.add_walk(keeper.key, keeper.packed(self.outbox.keys[keeper.key]))
        finally:
            self.in_flight -= 1
        self.health.parsing_us += visit.state.parsing_ns // 1000
        for receipt in visit.state.tracked:
            self._keep(receipt, visit.state.journey, visit.state.visit)

    def citizens(self) -> CitizenCounts:
        """The counts for the web UI and the live state."""
        return CitizenCounts(self.in_flight, self.begun, self.turned_away, self.failed)

    def counts(self) -> LoadCounts:
        """The counts for the record of the round."""
        return LoadCounts(self.begun, self.turned_away, self.most_in_flight, self.arrivals_off, self.in_flight)

    def stop_arrivals(self, reason: str) -> None:
        """No more citizens begin; the first reason stays."""
        self.arrivals_off = self.arrivals_off or reason

    def _keep(self, receipt: Receipt, journey: str, number: int) -> None:
        """Send what a portal acknowledged to the ledger, before the citizen goes on."""
        self.outbox.add_receipt(LedgerLine(self.portal, self.run, number, journey=journey, **receipt))

    def _fail(self, key: int, visit: VisitState, failure: StepFailed) -> None:
        if failure.page is not None and failure.page.status in OVERLOAD_STATUSES and not visit.alone:
            wait_s = asked_to_wait_s(failure.page.exchange.headers.get("retry-after"), self.clock.utc_s())
            self.wait_until_us = max(self.wait_until_us, self.clock.now_us() + round(wait_s * 1e6))
        kind = self.failures.kind(visit.journey, failure)
        self.outbox.add_failure(key, kind, self.failures.page(kind, visit, failure.page, self.clock.now_us()))

    def _record(self, key: int, sample: Sample) -> None:
        self.outbox.add_row(key, sample)
        if sample.request == VISIT_ROW:
            self.failed += sample.outcome != Outcome.OK
            return
        if not sample.start_us:
            return
        if sample.hop:
            self.outbox.count_hop(self.portal)
        else:
            self.room.take(sample.start_us)
        failed = sample.outcome != Outcome.OK
        if sample.host in self.shared_hosts.hosts:
            self.outbox.count_elsewhere(self.portal, failed=failed)
            if self.shared_hosts.add(failed=failed):
                self.stop_arrivals(STOPPED_FOR_SHARED_HOST)
        else:
            refused = sample.status in OVERLOAD_STATUSES
            self.outbox.count(self.portal, failed=failed, refused=refused, slow=sample.end_us - sample.start_us > self.slow_us)


def draw_think_s(think: ThinkTime, normal: float) -> float:
    """A think time from a standard normal deviate: ``median · exp(sigma · z)``, at most ``max_s``."""
    return min(think.max_s, think.median_s * math.exp(think.sigma * normal))
