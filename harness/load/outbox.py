"""What a worker has measured and the master has not yet acknowledged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgpack

from harness.errors import HarnessError
from harness.records import FailureKind, Sample, WindowKey

ROWS_PER_BATCH = 2_000
RESEND_AFTER_S = 2.0


@dataclass(slots=True)
class Tally:
    """What the master needs at once, for the safety stop, of one portal's requests since the batch before."""

    requests: int = 0
    failed: int = 0
    refused: int = 0
    slow: int = 0


@dataclass(slots=True)
class _Pending:
    message: dict[str, Any]
    sent_s: float


@dataclass(slots=True)
class Outbox:
    """Numbered batches of one worker in one round; each is sent again until it is acknowledged.

    ``send`` may raise whatever the connection raises: the batch is kept and sent again later.
    """

    send: Callable[[Mapping[str, Any]], None]
    token: str
    worker: str
    keys: tuple[WindowKey, ...]
    sequence: int = 0
    rows_added: int = 0
    send_failures: int = 0
    refused: int = 0  # batches that came after the master had sealed the round
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _health: list[dict[str, Any]] = field(default_factory=list)
    _ledger: list[dict[str, Any]] = field(default_factory=list)
    _failures: Counter[tuple[int, FailureKind]] = field(default_factory=Counter)
    _pages: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    _tallies: dict[str, Tally] = field(default_factory=dict)
    _pending: dict[int, _Pending] = field(default_factory=dict)

    def add_row(self, key: int, sample: Sample) -> None:
        """Keep one row of the window ``keys[key]``."""
        self._rows.append((key, *sample))
        self.rows_added += 1
        if len(self._rows) >= ROWS_PER_BATCH:
            self.flush()

    def add_health(self, record: dict[str, Any]) -> None:
        """Keep one second of generator health."""
        self._health.append(record)

    def add_receipt(self, record: dict[str, Any]) -> None:
        """Keep what a portal acknowledged, for the ledger; sent at once, before the citizen goes on."""
        self._ledger.append(record)
        self.flush()

    def add_failure(self, key: int, kind: FailureKind, page: dict[str, Any] | None) -> None:
        """Count a step that failed in the window ``keys[key]``; a page that shows it goes at once, in a batch of its own."""
        self._failures[key, kind] += 1
        if page is not None:
            self._pages.append((key, page))
            self.flush()

    def count(self, portal: str, *, failed: bool, refused: bool, slow: bool) -> None:
        """Count a request for the safety stop."""
        tally = self._tallies.get(portal)
        if tally is None:
            tally = self._tallies[portal] = Tally()
        tally.requests += 1
        tally.failed += failed
        tally.refused += refused
        tally.slow += slow

    def flush(self) -> None:
        """Number and send what there is; nothing where there is nothing."""
        if not (self._rows or self._health or self._ledger or self._failures):
            return
        used = {row[0] for row in self._rows} | {key for key, _ in self._failures}
        keys = {index: self.keys[index] for index in sorted(used)}
        failures = [(key, *kind, count) for (key, kind), count in self._failures.items()]
        blob = msgpack.packb({"keys": keys, "rows": self._rows, "health": self._health, "failures": failures, "pages": self._pages})
        message = {
            "token": self.token,
            "seq": self.sequence,
            "rows": len(self._rows),
            "tallies": {portal: (t.requests, t.failed, t.refused, t.slow) for portal, t in self._tallies.items()},
            "ledger": self._ledger,
            "blob": blob,
        }
        self._rows, self._health, self._ledger, self._tallies = [], [], [], {}
        self._failures, self._pages = Counter(), []
        self._pending[self.sequence] = _Pending(message, 0.0)
        self.sequence += 1
        self._try(self._pending[self.sequence - 1])

    def acknowledged(self, sequence: int, *, refused: bool = False) -> None:
        """Forget a batch that the master has."""
        if self._pending.pop(sequence, None) is not None and refused:
            self.refused += 1

    def resend(self) -> None:
        """Send again what has waited too long for its acknowledgement."""
        now = time.monotonic()
        for pending in list(self._pending.values()):
            if now - pending.sent_s > RESEND_AFTER_S:
                self._try(pending)

    @property
    def pending(self) -> int:
        """How many batches are not acknowledged."""
        return len(self._pending)

    def _try(self, pending: _Pending) -> None:
        pending.sent_s = time.monotonic()
        try:
            self.send(pending.message)
        except HarnessError:
            raise
        except Exception:  # whatever Locust's connection raises, the batch is still here and goes again
            self.send_failures += 1
