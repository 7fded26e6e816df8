"""A whole fleet in one process without Locust, network or waiting: its clock jumps from one event to the next."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import gevent
import msgpack
from gevent.event import Event

from harness.catalog import Target
from harness.load.admission import answer_roll_calls
from harness.load.agent import Agent, Walk
from harness.load.clock import Clock
from harness.load.conductor import Conductor
from harness.load.make_up import MeasuredWindow
from harness.load.portal_load import PortalLoad
from harness.records import (
    LONE,
    VISIT_ROW,
    HealthLine,
    LoneWalk,
    Outcome,
    Plan,
    PlannedTarget,
    PlannedWindow,
    Round,
    RoundRecord,
    Sample,
    Slot,
)
from harness.records.fleet_messages import Batch, BatchContents, Refused, WorkerSetup, decode, encode, unpack

ORIGIN = "http://127.0.0.1:1"
LATENCY_S = 0.0002
NOON_S = 1_795_000_000.0


class FakeClock(Clock):
    """Time passes only in ``run``, and at once: whoever waits is woken in the order of the moments waited for."""

    def __init__(self) -> None:
        self._now_us = 10_000_000
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._serial = count()

    def now_us(self) -> int:
        return self._now_us

    def utc_s(self) -> float:
        return NOON_S + self._now_us / 1e6

    def stand_still(self, seconds: float) -> None:
        """As where the machine gives this process no processor."""
        self._now_us += round(seconds * 1e6)

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._due, (self._now_us + round(seconds * 1e6), next(self._serial), action))

    def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            gevent.sleep(0)
            return
        self.wait_until(self._now_us + round(seconds * 1e6))

    def wait_until(self, due_us: int, cut: Event | None = None) -> bool:
        if due_us > self._now_us and not (cut is not None and cut.is_set()):
            woken = Event()
            self.after((due_us - self._now_us) / 1e6, woken.set)
            if cut is not None:
                cut.rawlink(lambda _: woken.set())
            woken.wait()
        return cut is not None and cut.is_set()

    def run(self, *tasks: Callable[[], object], at_most_s: float = 600.0) -> None:
        """Let time pass until all tasks have ended."""
        end_us = self._now_us + at_most_s * 1e6
        greenlets = [gevent.spawn(task) for task in tasks]
        try:
            while True:
                gevent.idle()
                if all(greenlet.ready() for greenlet in greenlets):
                    break
                assert self._due, "everybody waits for something that never comes"
                due_us, _, action = heapq.heappop(self._due)
                assert due_us < end_us, f"not over after {at_most_s} s"
                self._now_us = max(self._now_us, due_us)
                action()
            for greenlet in greenlets:
                greenlet.get()
        finally:
            gevent.killall(greenlets)


class ClockElsewhere(Clock):
    """The clock of another machine: the same time by another number."""

    def __init__(self, here: FakeClock, offset_us: int) -> None:
        self._here, self._offset_us = here, offset_us

    def now_us(self) -> int:
        return self._here.now_us() + self._offset_us

    def sleep(self, seconds: float) -> None:
        self._here.sleep(seconds)

    def wait_until(self, due_us: int, cut: Event | None = None) -> bool:
        return self._here.wait_until(due_us - self._offset_us, cut)


Fate = Callable[[str, str, object], Iterable[float]]
"""From sender, receiver and message to when it arrives, in seconds: never, once, or several times."""


@dataclass
class End:
    """One end of the fake connection; the master's has the name ``master``."""

    network: Network
    name: str
    handlers: dict[type, Callable[[Any, str], None]] = field(default_factory=dict)
    heartbeat: Callable[[str], None] = lambda _: None

    def send(self, message: object, worker: str | None = None) -> None:
        self.network.carry(self.name, worker or "master", message)

    def listen(self, kind: type, handler: Callable[[Any, str], None]) -> None:
        self.handlers[kind] = handler

    def workers(self) -> list[str]:
        return sorted(self.network.workers.keys() - self.network.gone)

    def is_missing(self, worker: str) -> bool:
        return worker in self.network.gone

    def on_heartbeat(self, handler: Callable[[str], None]) -> None:
        self.heartbeat = handler


class Network:
    """Carries messages as plain data, as Locust does; ``fate`` may lose, repeat or delay them."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.master = End(self, "master")
        self.workers: dict[str, End] = {}
        self.gone: set[str] = set()  # Locust has lost them; nothing of theirs arrives any more
        self.silent: set[str] = set()  # they are there, and say nothing
        self.fate: Fate = lambda _sender, _receiver, _message: (0.0,)
        self.carried: list[tuple[str, str, object]] = []
        clock.after(1.0, self._beat)

    def carry(self, sender: str, receiver: str, message: object) -> None:
        self.carried.append((sender, receiver, message))
        _, data = encode(message)
        packed = msgpack.packb(data)
        for late_s in self.fate(sender, receiver, message):
            self.clock.after(LATENCY_S + late_s, lambda: self._arrive(sender, receiver, type(message), packed))

    def sent(self, kind: type, sender: str = "") -> list[Any]:
        return [message for by, _, message in self.carried if type(message) is kind and sender in ("", by)]

    def _arrive(self, sender: str, receiver: str, kind: type, packed: bytes) -> None:
        end = self.master if receiver == "master" else self.workers[receiver]
        if not {sender, receiver} & (self.gone | self.silent) and kind in end.handlers:
            end.handlers[kind](decode(kind, msgpack.unpackb(packed, strict_map_key=False)), sender)

    def _beat(self) -> None:
        for worker in self.workers.keys() - self.gone - self.silent:
            self.master.heartbeat(worker)
        self.clock.after(1.0, self._beat)


@dataclass
class FakeSink:
    """Keeps what the conductor hands over, unpacked."""

    meets: Mapping[tuple[str, str], Sequence[str]] = field(
        default_factory=dict
    )  # portal and journey → outcomes of its lone walks, in order
    at_shared_host: set[tuple[str, str]] = field(default_factory=set)  # portal and journey whose lone walks end at a shared host
    walks: list[LoneWalk] = field(default_factory=list)
    void: set[tuple[str, int]] = field(default_factory=set)  # portal and window
    doubts: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by the round's name
    opened: dict[str, RoundRecord] = field(default_factory=dict)
    sealed: dict[str, RoundRecord] = field(default_factory=dict)
    kept: dict[str, list[tuple[str, BatchContents]]] = field(default_factory=dict)
    refused: list[tuple[str, int]] = field(default_factory=list)  # worker and number of batches after sealing

    def append(self, worker: str, batch: Batch) -> None:
        name = batch.token.rpartition("#")[2]
        if name in self.sealed or name not in self.opened:
            self.refused.append((worker, batch.seq))
        else:
            self.kept.setdefault(name, []).append((worker, unpack(batch.blob)))

    def open_round(self, token: str, record: RoundRecord) -> None:
        self.opened[token.rpartition("#")[2]] = record

    def seal_round(self, token: str, record: RoundRecord) -> None:
        self.sealed[token.rpartition("#")[2]] = record
        for slot in record.slots:
            if slot.windows[0].stage == LONE and not record.checks:
                self.walks += [
                    self._walk(slot.portal, journey) for journey in sorted({*slot.windows[0].rates_per_s, *slot.windows[0].quota})
                ]

    def _walk(self, portal: str, journey: str) -> LoneWalk:
        before = sum((walk.portal, walk.journey) == (portal, journey) for walk in self.walks)
        outcome = dict(enumerate(self.meets.get((portal, journey), ()))).get(before, "ok")
        status = 500 if outcome == "http_error" else 0
        host = "http://127.0.0.1:9" if outcome != "ok" and (portal, journey) in self.at_shared_host else ""
        return LoneWalk(portal, journey, outcome, "find", "search", status, rule="" if outcome == "ok" else "selector h1", host=host)

    def measured(self) -> list[MeasuredWindow]:
        windows = [(slot.portal, window) for record in self.sealed.values() for slot in record.slots for window in slot.windows]
        return [
            MeasuredWindow(
                portal, window.window, window.window if window.make_up_of is None else window.make_up_of, window.journeys,
                (portal, window.window) in self.void,
            )
            for portal, window in windows
            if window.stage != LONE
        ]  # fmt: skip

    def lone_walks(self, portal: str) -> tuple[LoneWalk, ...]:
        return tuple(walk for walk in self.walks if walk.portal == portal)

    def doubtful(self, token: str) -> frozenset[str]:
        return self.doubts.get(token.rpartition("#")[2], frozenset())

    def visits(self, name: str = "000-00") -> list[tuple[int, str]]:
        """Number and outcome of every visit that stands in the spool of a round."""
        return sorted((row[2], row[OUTCOME]) for _, batch in self.kept.get(name, []) for row in batch.rows if row[5] == VISIT_ROW)


OUTCOME = 1 + Sample._fields.index("outcome")  # in a row, which begins with the index of its window


class FakeHealth:
    """A generator that is always well."""

    parsing_us = 0

    def __init__(self) -> None:
        self.late_us: list[int] = []
        self.report: Callable[[HealthLine], None] = lambda _: None

    def begin_round(self, report: Callable[[HealthLine], None], in_flight: Callable[[], int]) -> None:
        self.report = report

    def early_us(self) -> int:
        return 0

    def arrival_began(self, late_us: int) -> None:
        self.late_us.append(late_us)

    def stop(self) -> None:
        pass


class FakeFleet:
    """A conductor and its workers; a visit takes ``takes_s`` and ends with ``outcome`` unless it is cut off."""

    def __init__(self, *workers: str, takes_s: float = 0.05, outcome: Outcome = Outcome.OK, setup: WorkerSetup | None = None) -> None:
        self.clock = FakeClock()
        self.network = Network(self.clock)
        self.sink = FakeSink()
        self.said: list[str] = []
        self.takes_s, self.outcome = takes_s, outcome
        self.walked: dict[str, list[int]] = {}  # visits that were begun, by worker
        self.conductor = Conductor(self.network.master, self.clock, lambda seed, planned: f"citizens of {seed}", self.said.append, setup)
        self.setup = setup or WorkerSetup()
        self.refused: dict[str, list[Refused]] = {}  # what the master told each worker that takes no part
        self.agents: dict[str, Agent] = {}
        self.health: dict[str, FakeHealth] = {}
        self.greenlets: list[gevent.Greenlet[..., None]] = []
        self.prepared: Callable[[str, int], None] = lambda _worker, _visit: None
        for worker in workers:
            self.join(worker)

    def join(
        self, worker: str, offset_us: int = 0, setup: WorkerSetup | None = None, time_of_day_off_s: float = 0.0, lacks: tuple[str, ...] = ()
    ) -> None:
        """A worker comes up; it waits for rounds until the test is over."""
        end = self.network.workers[worker] = End(self.network, worker)
        health = self.health[worker] = FakeHealth()
        agent = self.agents[worker] = Agent(
            end, ClockElsewhere(self.clock, offset_us), health, {"any": None}, _target, lambda: dict.fromkeys(("pay", "search", "submit"), lambda *visit: self._prepare(worker, *visit)), lambda *_: None,  # type: ignore[arg-type, dict-item]
        )  # fmt: skip
        told = self.refused.setdefault(worker, [])
        answer_roll_calls(
            end,
            setup or self.setup,
            lambda: agent.between_rounds,
            lambda _: lacks,
            told.append,
            lambda: self.clock.utc_s() + time_of_day_off_s,
        )
        self.greenlets += [gevent.spawn(_rounds, agent), gevent.spawn(agent.flush_for_ever)]

    def run(self, plan: Plan, *, sealed: Iterable[str] = ()) -> None:
        """Run a plan to its end."""
        self.conductor.prepare(plan, self.sink, [self.sink.sealed.get(name) or sealed_record(name) for name in sealed])
        try:
            self.clock.run(self.conductor.run_rounds)
        finally:
            gevent.killall(self.greenlets)

    def stop(self) -> None:
        """As Locust's test_stopping: everybody winds down at the same time."""
        for each in (self.conductor, *self.agents.values()):
            gevent.spawn(each.wind_down)

    def _prepare(self, worker: str, load: PortalLoad, number: int, window: int, due_us: int) -> Walk:
        self.prepared(worker, number)
        ended = Event()

        def end(outcome: Outcome) -> None:
            if ended.is_set():
                return
            ended.set()
            load.in_flight -= 1
            load.outbox.count(load.portal, failed=outcome is not Outcome.OK, refused=False, slow=False)
            load.outbox.add_row(load.keys[window], sample(number, outcome, due_us, self.clock.now_us()))

        def walk() -> None:
            self.walked.setdefault(worker, []).append(number)
            self.clock.after(self.takes_s, lambda: end(self.outcome))
            load.cutting.rawlink(lambda _: end(Outcome.ABORTED))

        return walk


def sealed_record(name: str) -> RoundRecord:
    """The record of a round that an earlier attempt has sealed, of which only the name matters."""
    number, part = map(int, name.split("-"))
    return RoundRecord(number, part, name, 0, "2026-11-22T22:00:00.000+00:00", closed=False, members=(), slots=())


def sample(visit: int, outcome: str, due_us: int = 1, end_us: int = 2) -> Sample:
    return Sample(
        "search", visit, "", "", VISIT_ROW, 0, 1, ORIGIN, "portal", "", due_us, due_us, 0, end_us, 0, 0, 0, False, 0, 0, 0, outcome
    )


def plan_of(*rounds: Round, portals: Iterable[str] = ("p",), **changes: Any) -> Plan:
    """A plan of portals that nothing limits."""
    plan = Plan(
        sweep="s", seed=1, arrivals="constant", workload="w", targets=tuple(target(portal) for portal in portals), rounds=rounds,
        timeout_s=1.0, drain_s=2.0, health={}, results="", night="2026-11-22",
    )  # fmt: skip
    return replace(plan, **changes)


def target(portal: str, **changes: Any) -> PlannedTarget:
    return PlannedTarget(portal, "any", {"portal": ORIGIN}, **changes)


def round_of(
    number: int, *portals: str, rate_per_s: float = 10.0, seconds: float = 1.0, ceiling: int = 100, stage: str = "typical"
) -> Round:
    """One window of every portal, with evenly spaced arrivals."""
    window = PlannedWindow(number, stage, 1.0, 0.0, seconds, {"search": rate_per_s}, {}, round=number)
    return Round(number, tuple(Slot(portal, f"{portal}-seed1", (window,), ceiling) for portal in portals or ("p",)))


def lone_round(*portals: str) -> Round:
    return round_of(0, *portals, rate_per_s=1.0, stage=LONE)


def _target(planned: PlannedTarget) -> Target:
    return Target(planned.portal, planned.platform, planned.origins, {ORIGIN: "portal"})


def _rounds(agent: Agent) -> None:
    while True:
        agent.run_next_round()
