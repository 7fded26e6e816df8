"""The master's side: leads a plan's rounds, keeps every batch, and closes each round by handshake before anyone stops."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import gevent
from gevent.event import Event
from locust.env import Environment

from harness.load.fleet import Fleet, Member
from harness.load.safety import SafetyWatch
from harness.load.schedule import Schedule, schedule
from harness.records import LONE, Plan, PlannedWindow, Round, Slot, WindowKey, messages, run_id
from harness.records.plain import to_plain

logger = logging.getLogger(__name__)


ASKED_AGAIN = 900
"""Windows of lone citizens that ask again are numbered from here: no plan has so many."""

ASKED_AGAIN_PART = 50
"""Their round is a part of the one that made them necessary, from this number on."""


class Sink(Protocol):
    """Where batches and what is known of rounds are kept; ``harness.evidence`` has it."""

    def append(self, token: str, worker: str, sequence: int, blob: bytes, ledger: list[Mapping[str, Any]]) -> bool:
        """Keep a batch; False where the round is sealed already (it is counted and refused)."""
        ...

    def open_round(self, token: str, record: Mapping[str, Any]) -> None:
        """A round begins; what is planned is kept before anything is sent."""
        ...

    def seal_round(self, token: str, record: Mapping[str, Any]) -> None:
        """A round is over: no more rows, its facts are final."""
        ...

    def refusals(self, token: str) -> Mapping[str, str]:
        """Portals that refused a lone citizen in this round: portal → blocked or unreachable."""
        ...

    def doubtful(self, token: str) -> frozenset[str]:
        """Portals that refused most of this round's visits: a lone citizen has to find out whether it is the load."""
        ...


@dataclass
class _Running:
    token: str
    members: list[Member]
    watches: dict[str, SafetyWatch]
    stops: dict[str, str] = field(default_factory=dict)
    held_back: dict[str, str] = field(default_factory=dict)  # portals on which our own load went beyond what is authorised
    seen: dict[str, set[int]] = field(default_factory=dict)
    citizens: dict[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)  # by worker, as it said last


class Conductor:
    """Leads a Locust process's tests, one after the other: a plan of open rounds, or a closed run."""

    _plan: Plan
    _sink: Sink

    def __init__(self, environment: Environment, describe: Callable[[int, Schedule], str], progress: Callable[[str], None]) -> None:
        self._describe = describe  # SHA-256 over the citizens of a schedule under a seed
        self._progress = progress
        self._running: _Running | None = None
        self._finished = Event()
        self._finished.set()
        self._stopping = False
        self._stopped_at_us = 0
        self.complete = False
        self.fleet = Fleet(environment)
        runner = environment.runner
        assert runner is not None
        runner.register_message(messages.BATCH, self._on_batch)
        runner.register_message(messages.DONE, self._on_done)

    def take(self, plan: Plan, sink: Sink, sealed: frozenset[str] = frozenset()) -> None:
        """Be given the next test; ``sealed`` names its rounds that an earlier attempt has completed."""
        self._plan, self._sink, self._sealed = plan, sink, sealed
        self._refusals: dict[str, str] = {}
        self._asked_again = 0
        self._stopping = self.complete = False
        self._stopped_at_us = 0
        self._finished.clear()

    def conduct(self) -> None:
        """Lead the plan's rounds to their end, or until somebody stops; then Locust may stop."""
        try:
            for round_ in self._plan.rounds:
                if self._stopping:
                    break
                if round_.name in self._sealed:
                    continue
                slots = tuple(slot for slot in round_.slots if slot.portal not in self._refusals and not self._ended(slot.portal))
                if slots:
                    self._lead(replace(round_, slots=slots))
                    self._ask_again(round_)
            else:
                self.complete = not self._stopping
        finally:
            self._finished.set()

    def wind_down(self) -> None:
        """Arrivals off, everything drained and acknowledged, the round sealed; returns when Locust may stop."""
        running, self._stopping = self._running, True
        self._stopped_at_us = self._stopped_at_us or time.monotonic_ns() // 1000
        if running is not None:
            self._stop_arrivals(running, "", "stopped", cut=True)
        self._finished.wait(timeout=120)

    @property
    def stopping(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stopping

    def citizens(self) -> list[dict[str, Any]]:
        """By portal: who is under way, for the web UI; empty between rounds."""
        running = self._running
        said = list(running.citizens.values()) if running is not None else []
        rows = []
        for portal in sorted({portal for each in said for portal in each}):
            counts = [each[portal] for each in said if portal in each]
            in_flight, begun, turned_away = (sum(count[i] for count in counts) for i in range(3))
            most = max(count[3] for count in counts)
            rows.append({"portal": portal, "in_flight": in_flight, "begun": begun, "turned_away": turned_away, "most_in_flight": most})
        return rows

    # One round.

    def _lead(self, round_: Round) -> None:
        workers = self.fleet.wait_for_workers(60.0)
        members = self.fleet.members(workers)
        if not members:
            self._progress("no worker answered within 60 s")
            return
        token = f"{self._plan.sweep}#{round_.name}"
        schedules = [schedule(slot, seed=self._plan.seed, arrivals=self._plan.arrivals) for slot in round_.slots]
        watches = {slot.portal: SafetyWatch(self._plan.target(slot.portal).safety) for slot in round_.slots}
        running = self._running = _Running(token, members, watches)
        start_us = time.monotonic_ns() // 1000 + int(self._plan.lead_s * 1e6)
        record = self._record(round_, members, schedules, start_us)
        self._sink.open_round(token, record)
        for member in members:
            self.fleet.send(messages.ROUND, self._message(round_, member, members, schedules, start_us), member.worker)
        self._progress(self._announce(round_, schedules))
        longest_s = max(slot.duration_s for slot in round_.slots)
        self._await(running, longest_s + (start_us / 1e6 - time.monotonic()) + self._plan.drain_s + self._plan.timeout_s + 25)
        self._running = None
        self._sink.seal_round(token, {**record, **self._outcome(running)})
        if all(window.stage == LONE for slot in round_.slots for window in slot.windows):
            self._refusals.update(self._sink.refusals(token))
            for portal, verdict in sorted(self._sink.refusals(token).items()):
                self._progress(f"{portal}: a lone citizen found it {verdict}; it is not loaded")

    def _ask_again(self, round_: Round) -> None:
        """One citizen alone at each portal that has just refused most: it is blocked only if that citizen is refused too."""
        doubtful = self._sink.doubtful(f"{self._plan.sweep}#{round_.name}") - self._refusals.keys()
        lone = [slot for slot in self._plan.rounds[0].slots if slot.portal in doubtful and slot.windows[0].stage == LONE]
        if not lone or self._stopping:
            return
        self._asked_again += 1
        number = ASKED_AGAIN + self._asked_again
        slots = tuple(
            replace(slot, windows=tuple(replace(window, window=number, round=round_.round) for window in slot.windows)) for slot in lone
        )
        self._lead(Round(round_.round, slots, round_.part + ASKED_AGAIN_PART))

    def conduct_closed(self, window_s: float, most_windows: int) -> None:
        """Watch over a closed run of one portal until Locust stops it."""
        target = self._plan.targets[0]
        windows = tuple(PlannedWindow(n, "typical", 0.0, n * window_s, window_s, {}, {}) for n in range(most_windows))
        ceiling = target.in_flight_ceiling or 1_000_000
        round_ = Round(0, (Slot(target.portal, run_id(target.portal, self._plan.seed), windows, ceiling),))
        try:
            members = self.fleet.members(self.fleet.wait_for_workers(60.0))
            running = self._running = _Running(f"{self._plan.sweep}#{round_.name}", members, {target.portal: SafetyWatch(target.safety)})
            start_us = time.monotonic_ns() // 1000
            record = {**self._record(round_, members, [], start_us), "closed": True}
            self._sink.open_round(running.token, record)
            for member in members:
                message = self._message(round_, member, members, [Schedule(round_.slots[0], ())], start_us)
                closed = {"index": member.index, "workers": len(members), "window_s": window_s}
                self.fleet.send(messages.CLOSED, {**message, **closed}, member.worker)
            while not self._stopping:
                self.fleet.watch(members)
                self._heed_ends(running)
                gevent.sleep(0.1)
            self._stop_arrivals(running, "", "stopped", cut=True)
            self._await(running, self._plan.timeout_s + 25)
            self._running = None
            ended_us = time.monotonic_ns() // 1000
            used = 1 + int((ended_us - start_us) / 1e6 // window_s)
            slots = [{**slot, "windows": slot["windows"][:used]} for slot in record["slots"]]
            self._sink.seal_round(running.token, {**record, **self._outcome(running), "slots": slots})
            self.complete = True
        finally:
            self._finished.set()

    def _await(self, running: _Running, at_most_s: float) -> None:
        end_s = time.monotonic() + at_most_s
        while time.monotonic() < end_s:
            self.fleet.watch(running.members)
            self._heed_ends(running)
            if all(member.complete or member.lost for member in running.members):
                return
            gevent.sleep(0.05)

    def _message(self, round_: Round, member: Member, members: list[Member], schedules: list[Schedule], start_us: int) -> dict[str, Any]:
        keys: list[WindowKey] = []
        slots = []
        for slot, planned in zip(round_.slots, schedules, strict=True):
            first = len(keys)
            keys += [
                WindowKey(self._plan.sweep, window.round, slot.run, window.window, slot.portal, window.stage, member.worker)
                for window in slot.windows
            ]
            share = slot.in_flight_ceiling // len(members) + (member.index < slot.in_flight_ceiling % len(members))
            slots.append(
                {
                    "portal": slot.portal,
                    "run": slot.run,
                    "target": asdict(self._plan.target(slot.portal)),
                    "keys": list(range(first, len(keys))),
                    "arrivals": [tuple(arrival) for arrival in planned.slice_of(member.index, len(members))],
                    "duration_s": slot.duration_s,
                    "ceiling": share,
                }
            )
        return {
            "token": f"{self._plan.sweep}#{round_.name}",
            "worker": member.worker,
            "seed": self._plan.seed,
            "start_us": start_us + member.clock.offset_us,
            "keys": [tuple(key) for key in keys],
            "slots": slots,
            "think": to_plain(self._plan)["think"],
            "timeout_s": self._plan.timeout_s,
            "drain_s": self._plan.drain_s,
        }

    def _record(self, round_: Round, members: list[Member], schedules: list[Schedule], start_us: int) -> dict[str, Any]:
        began = datetime.now(UTC).timestamp() + start_us / 1e6 - time.monotonic()
        planned = {s.slot.portal: s for s in schedules}
        return {
            "round": round_.round,
            "part": round_.part,
            "name": round_.name,
            "start_us": start_us,
            "began_utc": datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds"),
            "closed": False,
            "members": [{"worker": m.worker, "index": m.index, **asdict(m.clock)} for m in members],
            "slots": [
                {
                    "portal": slot.portal,
                    "run": slot.run,
                    "in_flight_ceiling": slot.in_flight_ceiling,
                    "schedule_sha256": planned[slot.portal].digest() if slot.portal in planned else "",
                    "citizens_sha256": self._describe(self._plan.seed, planned[slot.portal]) if slot.portal in planned else "",
                    "windows": [
                        {**asdict(window), "planned": sum(a.window == window.window for a in planned[slot.portal].arrivals)}
                        if slot.portal in planned
                        else {**asdict(window), "planned": None}
                        for window in slot.windows
                    ],
                }
                for slot in round_.slots
            ],
        }

    def _outcome(self, running: _Running) -> dict[str, Any]:
        return {
            "stopped": self._stopping,
            "stopped_at_us": self._stopped_at_us,
            "safety_stops": running.stops,
            "held_back": running.held_back,
            "outcome": [
                {
                    "worker": member.worker,
                    "complete": member.complete,
                    "lost": member.lost,
                    "longest_silence_s": round(member.longest_silence_s, 3),
                    "batches": member.batches,
                    **(dict(member.done) if member.done else {}),
                }
                for member in running.members
            ],
        }

    def _announce(self, round_: Round, schedules: list[Schedule]) -> str:
        stages = sorted({window.stage for slot in round_.slots for window in slot.windows})
        arrivals = sum(len(s.arrivals) for s in schedules)
        return f"round {round_.round} of {self._plan.rounds[-1].round}: {', '.join(stages)}, {len(round_.slots)} portals, {arrivals} visits"

    # What workers say.

    def _on_batch(self, environment: Environment, msg: messages.Message, **_: Any) -> None:
        data, worker, running = msg.data, msg.node_id, self._running
        self.fleet.heard_from(worker)
        if running is not None and running.token == data["token"]:
            running.citizens[worker] = data["citizens"]
        seen = running.seen.setdefault(worker, set()) if running is not None and running.token == data["token"] else None
        kept = seen is not None
        if seen is not None and running is not None and data["seq"] not in seen:
            kept = self._sink.append(data["token"], worker, data["seq"], data["blob"], data["ledger"])
            seen.add(data["seq"])
            self._count(running, worker, data)
        elif seen is None:
            self._sink.append(data["token"], worker, data["seq"], data["blob"], data["ledger"])  # counted and refused there
        self.fleet.send(messages.ACKNOWLEDGED, {"token": data["token"], "seq": data["seq"], "refused": not kept}, worker)

    def _count(self, running: _Running, worker: str, data: Mapping[str, Any]) -> None:
        for member in running.members:
            if member.worker == worker:
                member.batches += 1
        for portal, tally in data["tallies"].items():
            beyond = running.watches[portal].add(*tally)
            if beyond is None or portal in running.stops or portal in running.held_back:
                continue
            if beyond.ours:
                self._hold_back(running, portal, beyond.reason)
            else:
                running.stops[portal] = beyond.reason
                self._progress(f"{portal}: safety stop ({beyond.reason})")
                self._stop_arrivals(running, portal, "safety", cut=False)

    def _on_done(self, environment: Environment, msg: messages.Message, **_: Any) -> None:
        running = self._running
        if running is None or msg.data["token"] != running.token:
            return
        for member in running.members:
            if member.worker == msg.node_id:
                member.done = {key: value for key, value in msg.data.items() if key != "token"}

    def _ended(self, portal: str) -> bool:
        """Whether the authorisation for a portal has ended by now."""
        valid_to_s = self._plan.target(portal).valid_to_s
        return bool(valid_to_s) and time.time() >= valid_to_s

    def _heed_ends(self, running: _Running) -> None:
        """Arrivals off at portals whose authorisation ends while they are loaded."""
        for portal in running.watches:
            if portal not in running.held_back and self._ended(portal):
                self._hold_back(running, portal, "the authorisation has ended")

    def _hold_back(self, running: _Running, portal: str, reason: str) -> None:
        running.held_back[portal] = reason
        self._progress(f"{portal}: held back ({reason})")
        self._stop_arrivals(running, portal, "authorisation", cut=False)

    def _stop_arrivals(self, running: _Running, portal: str, reason: str, *, cut: bool) -> None:
        for member in running.members:
            message = {"token": running.token, "portal": portal, "reason": reason, "cut": cut}
            self.fleet.send(messages.STOP_ARRIVALS, message, member.worker)
