"""The worker's side: takes slices from the master, lets citizens arrive on time, and hands over every row."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gevent
from gevent.event import Event
from gevent.queue import Queue
from locust.env import Environment
from locust.exception import StopUser

from harness.catalog import Target
from harness.client import LeanSession, PhaseTimeouts, Resolver
from harness.load.alarm import Alarm
from harness.load.citizen import Citizen, Turn, give_turns
from harness.load.clock import machine_boot
from harness.load.closed import ClosedRun
from harness.load.failures import Failures
from harness.load.health import HealthMonitor
from harness.load.memory import settle
from harness.load.opinions import Opinions
from harness.load.outbox import Outbox
from harness.load.reference import Reference
from harness.load.stretch import Stretch
from harness.profiles import CompiledPlatform
from harness.records import Outcome, Sample, ThinkTime, WindowKey, messages

FLUSH_S = 0.4
DROPPED_AFTER_US = 5_000_000
"""An arrival this late is not sent any more: a burst of old arrivals is not the load that was planned."""


class RequestFailed(Exception):  # noqa: N818  (Locust shows its text as the failure)
    """A row that is not ok, as Locust's statistics see it."""


@dataclass
class _Round:
    token: str
    stretches: dict[str, Stretch]
    outbox: Outbox
    cutting: Event = field(default_factory=Event)
    finished: Event = field(default_factory=Event)
    planned: int = 0


class Agent:
    """One Locust process's generator of citizens: a worker's, or the only one of a standalone Locust."""

    def __init__(
        self, environment: Environment, platforms: Mapping[str, CompiledPlatform], targets: Callable[[Mapping[str, Any]], Target]
    ) -> None:
        self._environment = environment
        self._platforms = platforms
        self._target_from = targets
        self._alarm = Alarm()
        self._waiting: Queue[Mapping[str, Any] | None] = Queue()
        self._round: _Round | None = None
        self._closed: ClosedRun | None = None
        self._closed_began = Event()
        self._opinions: dict[tuple[str, str], Opinions] = {}
        self._failures: dict[tuple[str, str], Failures] = {}  # by sweep and run: what has been kept is not kept again in every round
        self._leaving = False
        self._reference: Reference | None = None
        self._reference_session: Callable[[], LeanSession] = lambda: LeanSession(_anything_on_loopback, Resolver())
        self.health = HealthMonitor(self._on_health, self._in_flight, None)
        runner = environment.runner
        assert runner is not None
        self._channel: messages.Channel = runner
        runner.register_message(messages.ROUND, self._on_round)
        runner.register_message(messages.CLOSED, self._on_closed)
        runner.register_message(messages.STOP_ARRIVALS, self._on_stop_arrivals)
        runner.register_message(messages.ACKNOWLEDGED, self._on_acknowledged)
        runner.register_message(messages.CLOCK_PING, self._on_clock_ping)
        give_turns(environment, self.next_turn)
        gevent.spawn(self._flush_for_ever)

    # Open workloads: the arrivals User of this worker calls carry_out_next() for ever.

    def carry_out_next(self) -> None:
        """Wait for a round and carry it out: arrivals, drain, last batch."""
        message = self._waiting.get()
        if message is None:
            raise StopUser
        round_ = self._begin(message)
        try:
            self._arrive(round_, message)
            self._drain(round_, message)
        finally:
            self._end(round_)

    def _arrive(self, round_: _Round, message: Mapping[str, Any]) -> None:
        journeys = {user.journey(): user for user in self._environment.user_classes if issubclass(user, Citizen)}
        merged = sorted(
            (message["start_us"] + offset_us, slot["portal"], visit, window, journey)
            for slot in message["slots"]
            for offset_us, visit, window, journey in slot["arrivals"]
        )
        bodies = {name: (user, user.body()) for name, user in journeys.items()}
        for due_us, portal, number, window, journey in merged:
            stretch = round_.stretches[portal]
            citizen, body = bodies[journey]
            ready = citizen(self._environment).prepare(stretch, number, window, due_us)
            self._alarm.wait_until(due_us - self.health.early_us(), round_.cutting)
            now_us = time.monotonic_ns() // 1000
            if stretch.arrivals_off:
                stretch.turn_away(
                    journey, number, window, due_us, Outcome.NOT_SERVED if stretch.arrivals_off == "safety" else Outcome.ABORTED, now_us
                )
                continue
            if now_us - due_us > DROPPED_AFTER_US:
                self.health.arrival_began(now_us - due_us)
                stretch.turn_away(journey, number, window, due_us, Outcome.DROPPED, now_us)
            elif stretch.in_flight >= stretch.ceiling:
                stretch.turn_away(journey, number, window, due_us, Outcome.NOT_SERVED, now_us)
            else:
                stretch.enter()
                gevent.spawn(ready.walk_once, body)
                gevent.sleep(0)  # the citizen goes first, up to the request that it sends on time; the next one is made ready after

    def _drain(self, round_: _Round, message: Mapping[str, Any]) -> None:
        end_s = message["start_us"] / 1e6 + max(slot["duration_s"] for slot in message["slots"])
        self._wait_until(lambda: not self._in_flight() or round_.cutting.is_set(), end_s + message["drain_s"] - time.monotonic())
        round_.cutting.set()
        # What is on the wire ends by its own timeout; nobody begins another request.
        self._wait_until(lambda: not self._in_flight(), message["timeout_s"] + 2)

    def _end(self, round_: _Round) -> None:
        round_.outbox.flush()
        stretches = {
            portal: {
                "begun": s.begun, "turned_away": s.turned_away, "most_in_flight": s.most_in_flight, "arrivals_off": s.arrivals_off,
                "left_over": s.in_flight,
            }
            for portal, s in round_.stretches.items()
        }  # fmt: skip
        self._send(
            messages.DONE,
            {"token": round_.token, "batches": round_.outbox.sequence, "rows": round_.outbox.rows_added, "stretches": stretches},
        )
        self._wait_until(lambda: not round_.outbox.pending, 20.0)
        round_.finished.set()
        if self._round is round_:
            self._round = None

    def _begin(self, message: Mapping[str, Any]) -> _Round:
        keys = tuple(WindowKey(*key) for key in message["keys"])
        outbox = Outbox(
            lambda batch: self._send(messages.BATCH, {**batch, "citizens": self._citizens()}), message["token"], message["worker"], keys
        )
        round_ = _Round(message["token"], {}, outbox)
        for slot in message["slots"]:
            index = {keys[i].window: i for i in slot["keys"]}
            round_.stretches[slot["portal"]] = self._stretch(slot, message, index, round_)
            round_.planned += len(slot["arrivals"])
        settle()
        self._watch()
        self._round = round_
        return round_

    def _stretch(self, slot: Mapping[str, Any], message: Mapping[str, Any], keys: Mapping[int, int], round_: _Round) -> Stretch:
        target = self._target_from(slot["target"])
        resolver = Resolver()  # names are resolved once a window
        timeout_s = message["timeout_s"]
        timeouts = PhaseTimeouts(min(10.0, timeout_s), min(10.0, timeout_s), min(10.0, timeout_s), timeout_s, timeout_s)
        prefix = f"{slot['portal']} " if len(message["slots"]) > 1 else ""
        run = (round_.outbox.keys[slot["keys"][0]].sweep, slot["run"])
        opinions = self._opinions.setdefault(run, Opinions(target, resolver, timeouts))
        return Stretch(
            target=target,
            platform=self._platforms[slot["target"]["platform"]],
            run=slot["run"],
            seed=message["seed"],
            think={name: ThinkTime(**think) for name, think in message["think"].items()},
            sessions=lambda: LeanSession(target.allowed, resolver, timeouts=timeouts),
            outbox=round_.outbox,
            keys=keys,
            ceiling=slot["ceiling"],
            cutting=round_.cutting,
            health=self.health,
            alarm=self._alarm,
            slow_us=slot["target"]["safety"]["p95_ms"] * 1000,
            on_request=lambda sample: self._tell_locust(prefix, sample),
            failures=self._failures.setdefault(run, Failures()),
            opinions=opinions,
        )

    # Closed workloads: Locust's own users ask for turns.

    def next_turn(self, citizen: Citizen) -> Turn | None:
        """The next visit of a citizen whom Locust scheduled; None once the run ends."""
        self._closed_began.wait()
        return self._closed.next_turn(self._alarm) if self._closed is not None else None

    def _on_closed(self, environment: Environment, msg: messages.Message, **_: Any) -> None:
        round_ = self._begin(msg.data)
        self._closed = ClosedRun(next(iter(round_.stretches.values())), msg.data)
        self._closed_began.set()
        gevent.spawn(self._carry_out_closed, round_, msg.data)

    def _carry_out_closed(self, round_: _Round, message: Mapping[str, Any]) -> None:
        round_.cutting.wait()
        self._wait_until(lambda: not self._in_flight(), message["timeout_s"] + 2)
        self._closed = None
        self._closed_began.clear()
        self._end(round_)

    # What the master says.

    def _on_round(self, environment: Environment, msg: messages.Message, **_: Any) -> None:
        self._waiting.put(msg.data)

    def _on_stop_arrivals(self, environment: Environment, msg: messages.Message, **_: Any) -> None:
        round_ = self._round
        if round_ is None or msg.data["token"] != round_.token:
            return
        for portal, stretch in round_.stretches.items():
            if msg.data["portal"] in (portal, ""):
                stretch.arrivals_off = stretch.arrivals_off or msg.data["reason"]
        if msg.data["cut"]:
            round_.cutting.set()

    def _on_acknowledged(self, environment: Environment, msg: messages.Message, **_: Any) -> None:
        if self._round is not None and msg.data["token"] == self._round.token:
            self._round.outbox.acknowledged(msg.data["seq"], refused=msg.data["refused"])

    def _on_clock_ping(self, environment: Environment, msg: messages.Message, **_: Any) -> None:
        self._send(messages.CLOCK_PONG, {"ping": msg.data["ping"], "at_us": time.monotonic_ns() // 1000, "boot": machine_boot()})

    # The end, whoever asks for it.

    def wind_down(self) -> None:
        """Arrivals off, visits end at their next pause, the last batch is acknowledged; then Locust may stop."""
        round_ = self._round
        if round_ is not None:
            for stretch in round_.stretches.values():
                stretch.arrivals_off = stretch.arrivals_off or "stopped"
            round_.cutting.set()
            round_.finished.wait(timeout=90)
        self._closed_began.set()
        self._waiting.put(None)  # the arrivals User need not be waited for
        self._environment.stop_timeout = min(self._environment.stop_timeout or 0.0, 0.5)  # nothing is under way any more
        if self._leaving:
            self.health.stop()
            if self._reference is not None:
                self._reference.close()

    def leave(self) -> None:
        """Wind down for good: the process ends."""
        self._leaving = True
        self.wind_down()

    # Inner works.

    def _watch(self) -> None:
        if self._reference is None:
            self._reference = Reference(self._reference_session)
            self.health.reference = self._reference
        self.health.begin_round()

    def _citizens(self) -> dict[str, tuple[int, int, int, int]]:
        """By portal: under way, begun, turned away, most under way; for the web UI."""
        stretches = self._round.stretches if self._round else {}
        return {portal: (s.in_flight, s.begun, s.turned_away, s.most_in_flight) for portal, s in stretches.items()}

    def _in_flight(self) -> int:
        return sum(s.in_flight for s in self._round.stretches.values()) if self._round else 0

    def _on_health(self, record: dict[str, Any]) -> None:
        if self._round is not None:
            self._round.outbox.add_health(record)

    def _flush_for_ever(self) -> None:
        while True:
            gevent.sleep(FLUSH_S)
            if self._round is not None:
                self._round.outbox.flush()
                self._round.outbox.resend()

    def _send(self, kind: str, data: Mapping[str, Any]) -> None:
        self._channel.send_message(kind, data)

    def _tell_locust(self, prefix: str, sample: Sample) -> None:
        failed = sample.outcome != Outcome.OK
        self._environment.events.request.fire(
            request_type=sample.method,
            name=f"{prefix}{sample.journey}: {sample.step}",
            response_time=(sample.end_us - sample.intended_us) / 1000,
            response_length=sample.bytes,
            exception=RequestFailed(f"{sample.outcome} (status {sample.status})") if failed else None,
            context={},
        )

    @staticmethod
    def _wait_until(condition: Callable[[], bool], at_most_s: float) -> None:
        end_s = time.monotonic() + at_most_s
        while not condition() and time.monotonic() < end_s:
            gevent.sleep(0.01)


def _anything_on_loopback(origin: str) -> bool:
    return origin.startswith("http://127.0.0.1:")
