"""Collects the workers' batches while rounds run, and stops arrivals at a portal where a limit is passed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from harness.errors import EnvironmentFault
from harness.load.channel import FleetChannel
from harness.load.clock import Clock
from harness.load.fleet import Fleet, Member
from harness.load.live_rounds import LiveRounds
from harness.load.retry_after import HEEDED_S
from harness.load.safety import SafetyWatch
from harness.records import Plan, RoundRecord
from harness.records.fleet_messages import LARGEST_BLOB, Acknowledgement, Batch, Done, StopArrivals, Tally
from harness.records.round import WorkerOutcome

Keep = Callable[[str, Batch], None]
"""Takes a worker and its batch."""


@dataclass
class _Running:
    token: str
    members: list[Member]
    watches: dict[str, SafetyWatch]
    alone: bool  # a round of lone citizens
    stops: dict[str, str] = field(default_factory=dict)
    held_back: dict[str, str] = field(default_factory=dict)
    seen: dict[str, set[int]] = field(default_factory=dict)  # numbers of the batches, by worker


class Collector:
    """Hears the workers of all rounds under way. A batch that comes after its round has ended is passed on and acknowledged too."""

    _plan: Plan
    _keep: Keep

    def __init__(self, channel: FleetChannel, clock: Clock, fleet: Fleet, live: LiveRounds, progress: Callable[[str], None]) -> None:
        self._channel, self._clock, self._fleet, self._live = channel, clock, fleet, live
        self._progress = progress
        self._running: dict[str, _Running] = {}  # by token
        self._tokens = ""  # how those of the sweep begin; empty before there is one
        self._strange: set[str] = set()  # tokens of other sweeps
        channel.listen(Batch, self._on_batch)
        channel.listen(Done, self._on_done)

    def prepare(self, plan: Plan, keep: Keep) -> None:
        """Set the next test; each of its batches goes to ``keep`` once."""
        self._plan, self._keep, self._tokens = plan, keep, f"{plan.sweep}#"
        self._failures_in_a_row: dict[str, int] = {}  # by portal, at the end of its last round
        self._not_before_us: dict[str, int] = {}  # by portal: it has asked to be left alone until then
        self._alone: dict[str, Tally] = {}  # by portal: the requests of lone citizens
        self._unwritten: set[str] = set()  # workers of whom a batch could not be written: told once

    def begin(self, token: str, portals: Iterable[str], members: list[Member], *, alone: bool = False) -> None:
        """A round begins; ``alone``: of lone citizens."""
        watches = {
            portal: SafetyWatch(self._plan.target(portal).safety, self._failures_in_a_row.get(portal, 0), self._usual_hops(portal))
            for portal in portals
        }
        self._running[token] = _Running(token, members, watches, alone)

    def watch(self, token: str) -> bool:
        """Look for a round's lost workers and authorisations that have ended; answers whether a worker is still at work on it."""
        running = self._running[token]
        self._fleet.watch(running.members)
        for portal in running.watches:
            if portal not in running.held_back and (why := self._plan.target(portal).why_closed(self._clock.utc_s())):
                self._hold_back(running, portal, why)
                if self._plan.arrivals == "closed":  # no window ends these visits
                    self._stop_arrivals(running, portal, "authorisation", cut=True)
        return not all(member.complete or member.lost for member in running.members)

    def await_members(self, token: str, at_most_s: float, overdue: Callable[[], bool] = lambda: False) -> None:
        """Wait until every worker of a round is complete or lost; if batches cannot be written, only until ``overdue``."""
        self._clock.wait_for(lambda: not self.watch(token) or (bool(self._unwritten) and overdue()), at_most_s, every_s=0.05)

    def cut_short(self) -> None:
        """Stop all arrivals of the rounds under way, and cut off their visits."""
        for running in [*self._running.values()]:
            self._stop_arrivals(running, "", "stopped", cut=True)

    def end(self, token: str, record: RoundRecord) -> RoundRecord:
        """A round has ended; answers its record with what the workers sent and why arrivals were stopped."""
        running = self._running.pop(token)
        self._failures_in_a_row.update({portal: watch.failures_in_a_row for portal, watch in running.watches.items()})
        outcome = tuple(_outcome(member) for member in running.members)
        addresses = _addresses(member.done for member in running.members if member.done is not None)
        return replace(
            record, safety_stops=running.stops, held_back={**record.held_back, **running.held_back}, outcome=outcome, addresses=addresses
        )

    def asked_to_wait_s(self, portals: Iterable[str]) -> float:
        """How long some of these portals still ask to be left alone."""
        now_us = self._clock.now_us()
        return max((self._not_before_us.get(portal, 0) - now_us for portal in portals), default=0) / 1e6

    def has_expired(self, portal: str) -> bool:
        """Whether the authorisation for a portal has ended by now."""
        return self._plan.target(portal).has_ended(self._clock.utc_s())

    # Messages of workers.

    def _on_batch(self, batch: Batch, worker: str) -> None:
        self._fleet.heard_from(worker)
        try:
            accepted = self._take(batch, worker)
        except (OSError, EnvironmentFault) as error:
            if worker not in self._unwritten:
                self._unwritten.add(worker)
                self._progress(f"a batch of {worker} could not be written: {error}")
            return  # not acknowledged: it comes again
        if accepted:
            self._channel.send(Acknowledgement(batch.token, batch.seq), worker)

    def _take(self, batch: Batch, worker: str) -> bool:
        """Keep and count a batch once; answers whether it is acknowledged."""
        if not self._tokens or not batch.token.startswith(self._tokens):
            self._note_another_sweep(batch, worker)
            return False
        running = self._running.get(batch.token)
        if running is None:
            self._keep(worker, batch)  # its round has ended: who keeps batches counts and refuses it
        elif foreign := _foreign(running, worker, batch):
            self._progress(f"a batch of {worker} was refused: {foreign}")
            return False  # the round counts it as missing
        else:
            seen = running.seen.setdefault(worker, set())
            if batch.seq not in seen:
                self._keep(worker, batch)
                seen.add(batch.seq)
                self._count(running, worker, batch)
        return True

    def _note_another_sweep(self, batch: Batch, worker: str) -> None:
        """Log once that a batch is of another sweep. Receipts that a worker still has for a lost master stay in the worker's own ledger."""
        if self._tokens and batch.token not in self._strange:
            self._strange.add(batch.token)
            self._progress(f"a batch of {worker} is of another sweep, {batch.token.partition('#')[0]}: it is left with the worker")

    def _count(self, running: _Running, worker: str, batch: Batch) -> None:
        self._live.add(worker, batch)
        for member in running.members:
            if member.worker == worker:
                member.batches += 1
        for portal, tally in batch.tallies.items():
            if running.alone:
                alone = self._alone.setdefault(portal, Tally())
                alone.requests += tally.requests + tally.elsewhere
                alone.hops += tally.hops
            beyond = running.watches[portal].add(tally, self._clock.now_us())
            if beyond is None or portal in running.stops or portal in running.held_back:
                continue
            if beyond.ours:
                self._hold_back(running, portal, beyond.reason)
            else:
                running.stops[portal] = beyond.reason
                self._live.stop(running.token, portal, beyond.reason, held_back=False)
                self._progress(f"{portal}: safety stop ({beyond.reason})")
                self._stop_arrivals(running, portal, "safety", cut=False)

    def _on_done(self, done: Done, worker: str) -> None:
        running = self._running.get(done.token)
        if running is not None:
            for member in running.members:
                if member.worker == worker:
                    member.done = done
            for portal, wait_s in done.waits_s.items():
                until_us = self._clock.now_us() + round(min(wait_s, HEEDED_S) * 1e6)
                self._not_before_us[portal] = max(self._not_before_us.get(portal, 0), until_us)

    def _usual_hops(self, portal: str) -> float | None:
        """Redirects by each request of a lone citizen; None where nobody has walked alone."""
        alone = self._alone.get(portal)
        return alone.hops / max(alone.requests - alone.hops, 1) if alone is not None else None

    def _hold_back(self, running: _Running, portal: str, reason: str) -> None:
        running.held_back[portal] = reason
        self._live.stop(running.token, portal, reason, held_back=True)
        self._progress(f"{portal}: held back ({reason})")
        self._stop_arrivals(running, portal, "authorisation", cut=False)

    def _stop_arrivals(self, running: _Running, portal: str, reason: str, *, cut: bool) -> None:
        for member in running.members:
            self._channel.send(StopArrivals(running.token, portal, reason, cut), member.worker)


def _foreign(running: _Running, worker: str, batch: Batch) -> str:
    """What a batch has that does not belong to its round; empty if there is nothing."""
    if not any(member.worker == worker for member in running.members):
        return "it is no worker of this round"
    if len(batch.blob) > LARGEST_BLOB:
        return f"{len(batch.blob)} bytes, at most {LARGEST_BLOB} are taken"
    named = {*batch.tallies, *batch.citizens, *batch.steps, *batch.failed_steps, *batch.outcomes, *(line.portal for line in batch.ledger)}
    return ", ".join(f"portal {portal}" for portal in sorted(named - running.watches.keys()))


def _addresses(said: Iterable[Done]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Where the names of each portal's hosts led, on all workers together."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for done in said:
        for portal, names in done.addresses.items():
            of_portal = found.setdefault(portal, {})
            for name, addresses in names.items():
                of_portal[name] = tuple(sorted({*of_portal.get(name, ()), *addresses}))
    return found


def _outcome(member: Member) -> WorkerOutcome:
    done = member.done
    return WorkerOutcome(
        worker=member.worker,
        complete=member.complete,
        lost=member.lost,
        longest_silence_s=round(member.longest_silence_s, 3),
        batches=done.batches if done is not None else member.batches,
        rows=done.rows if done is not None else None,
        stretches=done.counts if done is not None else None,
        left=(done is not None and done.left) or None,
        lapsed=(done is not None and done.lapsed) or None,
    )
