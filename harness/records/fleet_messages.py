"""The messages that master and workers exchange over Locust's own connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple, TypeVar

import msgpack

from harness.records.health import HealthLine
from harness.records.kept_walks import PackedWalk
from harness.records.ledger import LedgerLine
from harness.records.plain import from_plain, to_plain
from harness.records.plan import PlannedTarget, ThinkTime
from harness.records.round import LoadCounts
from harness.records.sample import WindowKey
from harness.records.step_failures import FailedPage, FailureCount

STANDALONE = "local"
"""The worker's name in a Locust without workers."""

LARGEST_BLOB = 8 << 20
"""Bytes of a packed batch (assumed: twice the largest lone walk, or eight times 2,000 rows with a page of 256 kB)."""
MOST_LISTS = 100_000
"""Lists and maps in it (assumed: 2,000 rows, and what failures and health lines have). Each takes more memory than its bytes in the batch."""

FAILED_STEP = -1
"""Instead of the milliseconds of a step: it failed, or was not reached."""

AnyMessage = TypeVar("AnyMessage")


class Arrival(NamedTuple):
    """One visit's intended arrival, in microseconds from the slot's start."""

    offset_us: int
    visit: int
    window: int
    journey: str


@dataclass(frozen=True, slots=True)
class SlotOrder:
    """One portal's part of a round, for one worker."""

    portal: str
    run: str
    target: PlannedTarget
    keys: tuple[int, ...]  # of its windows, indices into the order's keys
    arrivals: tuple[Arrival, ...]
    duration_s: float
    ceiling: int  # citizens in flight
    serials: tuple[int, ...] = ()  # of the first visit of each window; none in a closed run
    dossiers_max: int | None = None  # that this worker's citizens may file in this round; None: no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundOrder:
    """Master to worker: arrivals, targets and a common start."""

    token: str  # names the round in all messages
    worker: str
    seed: int
    start_us: int  # by the worker's clock
    keys: tuple[WindowKey, ...]
    slots: tuple[SlotOrder, ...]
    think: Mapping[str, ThinkTime]
    assets: bool
    timeout_s: float
    drain_s: float
    patience_s: float = 0.0  # for the portal's answers to one visit in all; 0: without limit
    sharing: int = 1  # workers that share the authorised rate of each portal
    results: str = ""  # the sweep's folder: a worker keeps a ledger of its own below it
    traceparent: bool = False  # each visit's requests to the portal's own hosts name one trace
    source_address: str = ""  # of the worker's machine, for every connection of the round; empty: the one that the kernel picks


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedOrder(RoundOrder):
    """Master to worker: a closed run begins; Locust's own users ask for visits."""

    index: int
    workers: int
    window_s: float


@dataclass(frozen=True, slots=True)
class StopArrivals:
    """Master to worker: no more citizens begin, at one portal or, where ``portal`` is empty, at all."""

    token: str
    portal: str
    reason: str
    cut: bool  # visits end at their next pause


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Master to worker: a batch is in the spool, or came after its round was sealed. The worker does not send it again."""

    token: str
    seq: int


@dataclass(frozen=True, slots=True)
class Lease:
    """Master to worker: the master is there. It says so several times a second; where it stays away, the load ends."""


@dataclass(frozen=True, slots=True)
class ClockPing:
    """Master to worker: a question for the worker's clock."""

    ping: int


@dataclass(frozen=True, slots=True)
class ClockPong:
    """Worker to master: the worker's clock, and which machine's it is."""

    ping: int
    at_us: int
    boot: str  # names the machine and its boot


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """What a process of the fleet walks with. Two of them make one measurement only where all of this is equal."""

    harness: str = ""  # version
    locust: str = ""
    python: str = ""  # major and minor version
    files: Mapping[str, str] = field(default_factory=dict)  # SHA-256 by name: code, scenarios, and what the catalog says of the walk
    loopback: str = ""  # names the machine and the network namespace: embedded portals are reached only there


@dataclass(frozen=True, slots=True)
class RollCall:
    """Master to worker: say with what you walk, and what you lack for these portals."""

    targets: tuple[PlannedTarget, ...] = ()


@dataclass(frozen=True, slots=True)
class Present:
    """Worker to master: with what it walks, and its time of day."""

    setup: WorkerSetup
    utc_s: float  # seconds since 1970
    lacks: tuple[str, ...] = ()  # what its machine has not: a secret, an address that an authorisation permits


@dataclass(frozen=True, slots=True)
class Refused:
    """Master to worker: it takes no part, and why."""

    reason: str
    for_good: bool  # it may end: only a new process can be admitted


@dataclass(slots=True)
class Tally:
    """Requests at one portal since the batch before, for the safety stop."""

    requests: int = 0
    failed: int = 0
    refused: int = 0
    slow: int = 0
    failed_last: int = 0  # how many failed without a success after them
    elsewhere: int = 0  # further requests, at hosts that are not the portal's
    hops: int = 0  # how many of all these a redirect led to
    failed_elsewhere: int = 0  # of ``elsewhere``; for the live state only


class CitizenCounts(NamedTuple):
    """Citizens at one portal, for the web UI and the live state."""

    in_flight: int
    begun: int
    turned_away: int
    failed: int = 0  # visits that ended otherwise than well, those that did not begin included


@dataclass(frozen=True, slots=True)
class Batch:
    """Worker to master: what was measured since the batch before; kept by the worker until it is acknowledged."""

    token: str
    seq: int  # from 0, without gaps
    rows: int
    blob: bytes  # the contents, packed: the master keeps them unread
    tallies: Mapping[str, Tally] = field(default_factory=dict)  # by portal
    ledger: tuple[LedgerLine, ...] = ()
    citizens: Mapping[str, CitizenCounts] = field(default_factory=dict)  # by portal
    health: HealthLine | None = None  # the newest of those in the contents, without its lists, for the live state
    steps: Mapping[str, Mapping[str, list[int]]] = field(
        default_factory=dict
    )  # by portal and name: milliseconds or FAILED_STEP, for Locust's page and the live state
    failed_steps: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)  # by portal, name and outcome
    outcomes: Mapping[str, Mapping[str, int]] = field(
        default_factory=dict
    )  # rows by portal and ``visits_ok``, ``requests_timeout`` …, as in the counts of a sealed window


@dataclass(frozen=True, slots=True)
class Done:
    """Worker to master: arrivals are over, every visit has ended, and so many batches were sent."""

    token: str
    batches: int
    rows: int
    counts: Mapping[str, LoadCounts]  # by portal
    lapsed: bool = False  # the lease lapsed: arrivals were stopped, and visits cut off
    addresses: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)  # by portal: where its hosts' names led
    waits_s: Mapping[str, float] = field(default_factory=dict)  # by portal: how long it asks to be left alone
    left: bool = False  # the worker ends in the middle of the round


KINDS: Mapping[type, str] = {
    RoundOrder: "harness-round",
    ClosedOrder: "harness-closed",
    StopArrivals: "harness-stop-arrivals",
    Acknowledgement: "harness-acknowledged",
    Lease: "harness-lease",
    ClockPing: "harness-clock-ping",
    ClockPong: "harness-clock-pong",
    RollCall: "harness-roll-call",
    Present: "harness-present",
    Refused: "harness-refused",
    Batch: "harness-batch",
    Done: "harness-done",
}
"""Under which name Locust carries each message."""


def encode(message: object) -> tuple[str, Any]:
    """A message as Locust carries it: its name, and plain data."""
    return KINDS[type(message)], to_plain(message)


def decode(kind: type[AnyMessage], data: Any) -> AnyMessage:
    """A message from the plain data that Locust carried."""
    return from_plain(kind, data)


@dataclass(frozen=True, slots=True)
class BatchContents:
    """What a batch holds. A row is the index of its window's key, then the values of a Sample in their order.

    A server timing is the number of its answer's row in this batch, from 0, then name and microseconds of one metric.
    """

    keys: Mapping[int, WindowKey]
    rows: list[Any]
    health: tuple[HealthLine, ...] = ()
    failures: tuple[tuple[int, FailureCount], ...] = ()
    pages: tuple[tuple[int, FailedPage], ...] = ()
    walks: tuple[tuple[int, PackedWalk], ...] = ()  # of lone citizens
    server_timings: list[Any] = field(default_factory=list)
    server_timings_left_out: tuple[tuple[int, int], ...] = ()  # how many more metrics the answers had, by key of their window


def pack(contents: BatchContents) -> bytes:
    """The contents as bytes."""
    facts = {name: to_plain(getattr(contents, name)) for name in ("health", "failures", "pages", "walks")}
    facts |= {"keys": dict(contents.keys), "rows": contents.rows}
    facts |= {"server_timings": contents.server_timings, "server_timings_left_out": contents.server_timings_left_out}
    packed: bytes = msgpack.packb(facts, unicode_errors="backslashreplace")
    return packed


def unpack(blob: bytes) -> BatchContents:
    """The contents of a batch. ValueError for bytes that are none; those that would take too much memory are not unpacked."""
    if len(blob) > LARGEST_BLOB:
        raise ValueError(f"{len(blob)} bytes; a batch has at most {LARGEST_BLOB}")
    lists = count(1)

    def bounded(found: Any) -> Any:
        if next(lists) > MOST_LISTS:
            raise ValueError(f"more than {MOST_LISTS} lists and maps")
        return found

    try:
        contents = msgpack.unpackb(blob, strict_map_key=False, list_hook=bounded, object_hook=bounded)
    except (msgpack.UnpackException, TypeError) as error:
        raise ValueError(f"not packed as a batch is ({error or type(error).__name__})") from error
    return from_plain(BatchContents, contents)
