"""One portal's part of a round on one worker: everything a citizen's visit there needs, and the count of who is under way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import gevent
from gevent.event import Event

from harness.catalog import Target
from harness.client import Session
from harness.load.alarm import Alarm
from harness.load.failures import Failures
from harness.load.health import EARLY_US, HealthMonitor
from harness.load.opinions import Opinions
from harness.load.outbox import Outbox
from harness.profiles import CompiledPlatform
from harness.records import OVERLOAD_STATUSES, VISIT_ROW, Outcome, Sample, ThinkTime
from harness.statistics.keyed import keyed_random
from harness.visits import Receipt, StepFailed, Visit

RequestEvent = Callable[[Sample], None]


class VisitCut(Exception):  # noqa: N818  (not an error: the run ends here)
    """The run ends: the visit is over at its next pause."""


@dataclass
class Stretch:
    """Where and as whom citizens walk, what becomes of their rows, and whether new ones may begin."""

    target: Target
    platform: CompiledPlatform
    run: str
    seed: int
    think: Mapping[str, ThinkTime]
    sessions: Callable[[], Session]
    outbox: Outbox
    keys: Mapping[int, int]  # window → index into the outbox's keys
    ceiling: int
    cutting: Event
    health: HealthMonitor
    alarm: Alarm
    slow_us: float  # a request that takes longer counts against the authorisation's p95
    on_request: RequestEvent
    failures: Failures
    opinions: Opinions
    in_flight: int = 0
    most_in_flight: int = 0
    turned_away: int = 0
    begun: int = 0
    arrivals_off: str = ""  # why no more citizens begin, once they do not

    @property
    def portal(self) -> str:
        """The portal's id."""
        return self.target.portal

    def visit(self, journey: str, goals: tuple[str, ...], number: int, window: int, intended_us: int) -> Visit:
        """A new visit; its rows go to the window in which it was to arrive."""
        key = self.keys[window]

        def record(sample: Sample) -> None:
            self._record(key, sample)

        rng = keyed_random(self.seed, self.run, number, "think")

        def think(name: str) -> float:
            spec = self.think.get(name) or self.think.get("default")
            return 0.0 if spec is None else draw_think_s(spec, rng.gauss(0, 1))

        return Visit(
            self.platform,
            self.target,
            journey=journey,
            goals=goals,
            visit=number,
            seed=self.seed,
            run=self.run,
            session_factory=self.sessions,
            record=record,
            intended_us=intended_us,
            think=think,
            sleep=self.pause,
            on_time=self.hold,
            acknowledge=lambda receipt: self._keep(receipt, journey, number),
            failed=lambda visit, failure: self._fail(key, visit, failure),
        )

    def pause(self, seconds: float) -> None:
        """Wait as the citizen would; the run's end cuts it short."""
        if self.alarm.wait_until(time.monotonic_ns() // 1000 + round(seconds * 1e6), self.cutting):
            raise VisitCut
        if seconds <= 0:
            gevent.sleep(0)

    def hold(self, due_us: int) -> None:
        """Wait awake for the last fraction of a millisecond before an arrival, whose request is written already.

        An idle (virtual) processor takes 0.1 to 0.3 ms to come back, and the way from waking to sending as long again.
        """
        now_us = time.monotonic_ns() // 1000
        until_us = min(due_us, now_us + EARLY_US)
        while now_us < until_us:
            now_us = time.monotonic_ns() // 1000
        self.health.arrival_began(max(0, now_us - due_us))

    def turn_away(self, journey: str, number: int, window: int, intended_us: int, outcome: Outcome, now_us: int) -> None:
        """Record a visit that did not begin."""
        self.turned_away += outcome is Outcome.NOT_SERVED
        row = Sample(
            journey, number, "", "", VISIT_ROW, 0, 1, self.target.origins["portal"], "portal", "", intended_us, 0, 0, now_us,
            0, 0, 0, False, 0, 0, 0, outcome,
        )  # fmt: skip
        self.outbox.add_row(self.keys[window], row)

    def enter(self) -> None:
        """A citizen begins."""
        self.begun += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def leave(self, visit: Visit) -> None:
        """A citizen is done; what was acknowledged to it goes to the ledger."""
        self.in_flight -= 1
        self.health.parsing_us += visit.parsing_us
        for receipt in visit.tracked:
            self._keep(receipt, visit.journey, visit.visit)

    def _keep(self, receipt: Receipt, journey: str, number: int) -> None:
        """Write what a portal acknowledged to the ledger, before the citizen goes on."""
        self.outbox.add_receipt({"portal": self.portal, "run": self.run, "journey": journey, "visit": number, **receipt})

    def _fail(self, key: int, visit: Visit, failure: StepFailed) -> None:
        if failure.outcome is Outcome.PROTOCOL:
            failure.rule = self.opinions.of(visit)
        kind = self.failures.kind(visit.journey, failure)
        self.outbox.add_failure(key, kind, self.failures.page(kind, visit, failure.page))

    def _record(self, key: int, sample: Sample) -> None:
        self.outbox.add_row(key, sample)
        if sample.request == VISIT_ROW or not sample.start_us:
            return
        refused = sample.status in OVERLOAD_STATUSES
        self.outbox.count(
            self.portal, failed=sample.outcome != Outcome.OK, refused=refused, slow=sample.end_us - sample.start_us > self.slow_us
        )
        self.on_request(sample)


def draw_think_s(think: ThinkTime, normal: float) -> float:
    """A think time from a standard normal deviate: ``median · exp(sigma · z)``, at most ``max_s``."""
    return min(think.max_s, think.median_s * math.exp(think.sigma * normal))
