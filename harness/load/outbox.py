"""What a worker has measured and the master has not yet acknowledged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from harness.errors import HarnessError
from harness.load.clock import Clock
from harness.load.ended_steps import EndedStep
from harness.records import SCORED_STAGES, VISIT_ROW, FailureCount, FailureKind, HealthLine, LedgerLine, Outcome, Sample, WindowKey
from harness.records.fleet_messages import FAILED_STEP, Batch, BatchContents, CitizenCounts, Tally, pack
from harness.records.kept_walks import PackedWalk
from harness.records.server_timing import ServerTiming
from harness.records.step_failures import FailedPage

ROWS_PER_BATCH = 2_000
RESEND_AFTER_S = 2.0


@dataclass(slots=True)
class _Pending:
    batch: Batch
    sent_us: int = 0


@dataclass(slots=True)
class Outbox:
    """Numbered batches of one worker in one round; each is sent again until it is acknowledged.

    ``send`` may raise whatever the connection raises: the batch is kept and sent again later.
    """

    send: Callable[[Batch], None]
    clock: Clock
    token: str
    keys: tuple[WindowKey, ...]
    citizens: Callable[[], dict[str, CitizenCounts]] = dict  # who is at which portal, for the web UI
    keep: Callable[[LedgerLine], None] | None = None  # writes a line of the ledger here, before it is sent
    sequence: int = 0
    rows_added: int = 0
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _health: list[HealthLine] = field(default_factory=list)
    _ledger: list[LedgerLine] = field(default_factory=list)
    _timings: list[tuple[int, str, int]] = field(default_factory=list)  # number of the row, name, microseconds
    _timings_left_out: Counter[int] = field(default_factory=Counter)
    _failures: Counter[tuple[int, FailureKind]] = field(default_factory=Counter)
    _pages: list[tuple[int, FailedPage]] = field(default_factory=list)
    _walks: list[tuple[int, PackedWalk]] = field(default_factory=list)
    _steps: dict[str, dict[str, list[int]]] = field(default_factory=dict)  # by portal and name
    _failed_steps: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)  # by portal and name: outcomes
    _outcomes: dict[str, Counter[str]] = field(default_factory=dict)  # by portal
    _tallies: dict[str, Tally] = field(default_factory=dict)
    _pending: dict[int, _Pending] = field(default_factory=dict)

    def add_row(self, key: int, sample: Sample) -> None:
        """Keep one row of the window ``keys[key]``."""
        self._rows.append((key, *sample))
        self.rows_added += 1
        kind = "visits" if sample.request == VISIT_ROW else "requests"
        self._outcomes.setdefault(self.keys[key].portal, Counter())[f"{kind}_{sample.outcome}"] += 1
        if len(self._rows) >= ROWS_PER_BATCH:
            self.flush()

    def add_server_timing(self, key: int, timing: ServerTiming) -> None:
        """Keep what a server says of its own time, of an answer in the window ``keys[key]`` whose row comes next."""
        row = len(self._rows)
        self._timings += [(row, *metric) for metric in timing.metrics]
        if timing.left_out:
            self._timings_left_out[key] += timing.left_out

    def add_health(self, line: HealthLine) -> None:
        """Keep one second of generator health."""
        self._health.append(line)

    def add_receipt(self, line: LedgerLine) -> None:
        """Keep what a portal acknowledged; sent at once, before the citizen goes on."""
        if self.keep is not None:
            self.keep(line)
        self._ledger.append(line)
        self.flush()

    def add_failure(self, key: int, kind: FailureKind, page: FailedPage | None) -> None:
        """Count a failure in the window ``keys[key]``; a page on which it shows is sent at once, in a batch of its own."""
        self._failures[key, kind] += 1
        if page is not None:
            self._pages.append((key, page))
            self.flush()

    def add_walk(self, key: int, walk: PackedWalk) -> None:
        """Keep a lone walk of the window ``keys[key]``; sent at once, in a batch of its own."""
        self._walks.append((key, walk))
        self.flush()

    def count(self, portal: str, *, failed: bool, refused: bool, slow: bool) -> None:
        """Count a request for the safety stop."""
        tally = self._tallies.get(portal)
        if tally is None:
            tally = self._tallies[portal] = Tally()
        tally.requests += 1
        tally.failed += failed
        tally.failed_last = tally.failed_last + 1 if failed else 0
        tally.refused += refused
        tally.slow += slow

    def count_elsewhere(self, portal: str, *, failed: bool) -> None:
        """Count a request at a host that is not the portal's: its answer says nothing about the portal."""
        tally = self._tallies.setdefault(portal, Tally())
        tally.elsewhere += 1
        tally.failed_elsewhere += failed

    def count_hop(self, portal: str) -> None:
        """Count that a request, counted apart, is one that a redirect led to."""
        self._tallies.setdefault(portal, Tally()).hops += 1

    def add_step(self, key: int, ended: EndedStep) -> None:
        """Keep the time of a step of the window ``keys[key]`` for those who watch; of scored stages only, as the points are."""
        if self.keys[key].stage not in SCORED_STAGES:
            return
        portal = self.keys[key].portal
        if ended.outcome != Outcome.OK:
            self._failed_steps.setdefault(portal, {}).setdefault(ended.name, Counter())[ended.outcome] += 1
        if ended.outcome not in (Outcome.DROPPED, Outcome.ABORTED):
            took_ms = round(ended.took_us / 1000) if ended.outcome == Outcome.OK else FAILED_STEP
            self._steps.setdefault(portal, {}).setdefault(ended.name, []).append(took_ms)

    def flush(self) -> None:
        """Number and send what there is; nothing where there is nothing."""
        if not (self._rows or self._health or self._ledger or self._failures or self._walks or self._steps or self._failed_steps):
            return
        used = {row[0] for row in self._rows} | {key for key, _ in (*self._failures, *self._walks)}
        contents = BatchContents(
            keys={index: self.keys[index] for index in sorted(used)},
            rows=self._rows,
            health=tuple(self._health),
            failures=tuple((key, FailureCount(*kind, count)) for (key, kind), count in self._failures.items()),
            pages=tuple(self._pages),
            walks=tuple(self._walks),
            server_timings=self._timings,
            server_timings_left_out=tuple(self._timings_left_out.items()),
        )
        newest = replace(self._health[-1], lag_us=(), late_us=()) if self._health else None
        batch = Batch(
            self.token,
            self.sequence,
            len(self._rows),
            pack(contents),
            self._tallies,
            tuple(self._ledger),
            self.citizens(),
            newest,
            self._steps,
            self._failed_steps,
            self._outcomes,
        )
        self._rows, self._health, self._ledger, self._tallies = [], [], [], {}
        self._steps, self._failed_steps, self._outcomes = {}, {}, {}
        self._timings, self._timings_left_out = [], Counter()
        self._failures, self._pages, self._walks = Counter(), [], []
        pending = self._pending[self.sequence] = _Pending(batch)
        self.sequence += 1
        self._try(pending)

    def acknowledged(self, sequence: int) -> None:
        """Forget a batch that the master has."""
        self._pending.pop(sequence, None)

    def resend(self) -> None:
        """Send again what has waited too long for its acknowledgement."""
        for pending in list(self._pending.values()):
            if self.clock.now_us() - pending.sent_us > RESEND_AFTER_S * 1e6:
                self._try(pending)

    def receipts_left(self) -> Outbox:
        """What the master has not acknowledged of the ledger when its round is over, without rows.

        It has a token of its own: a later attempt at the sweep gives the round the same name.
        """
        rest = Outbox(self.send, self.clock, f"{self.token} receipts", self.keys)
        for sequence, pending in self._pending.items():
            if pending.batch.ledger:
                rest._pending[sequence] = _Pending(Batch(rest.token, sequence, 0, b"", ledger=pending.batch.ledger))
        return rest

    @property
    def pending(self) -> int:
        """How many batches are not acknowledged."""
        return len(self._pending)

    def _try(self, pending: _Pending) -> None:
        pending.sent_us = self.clock.now_us()
        try:
            self.send(pending.batch)
        except HarnessError:
            raise
        except Exception:  # noqa: S110  (whatever Locust's connection raises, the batch is still here and goes again)
            pass
