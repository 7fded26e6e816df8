"""Keeps batches as they come, and seals rounds: the rows of a sealed round are Parquet, and nothing is added to them."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import msgpack

from harness.client import SECOND_PARSER
from harness.errors import EnvironmentFault
from harness.evidence.batches import Tallied, read_batches
from harness.evidence.chain import append_link
from harness.evidence.folder import SweepFolder
from harness.evidence.generator import shares, summarise
from harness.evidence.parquet import FILE_COLUMNS, PartWriter
from harness.evidence.path_doubt import MeanTimes
from harness.evidence.round_failures import RoundFailures, page_of, rule_in_words
from harness.evidence.timing_parts import TimingWriters
from harness.evidence.verdict import NO_SPANS, Spans, lone_walks_of, measured_windows
from harness.evidence.visits_lost import VisitsLost
from harness.load.make_up import MeasuredWindow
from harness.records import (
    LONE,
    VISIT_ROW,
    HealthLine,
    LedgerLine,
    LoneWalk,
    Outcome,
    Plan,
    RoundRecord,
    Sample,
    WindowKey,
    admit,
    append_missing,
    append_to_ledger,
    read_pages,
    read_plan,
    read_round,
)
from harness.records.files import write_json, write_whole
from harness.records.fleet_messages import Batch, BatchContents
from harness.records.health import write_health
from harness.records.round import WorkerOutcome, write_planned, write_sealed

_ROW = {name: index for index, name in enumerate(("key", *Sample._fields))}
_ORDER = tuple(
    (True, WindowKey._fields.index(column.name)) if column.name in WindowKey._fields else (False, _ROW[column.name])
    for column in FILE_COLUMNS
)

TOO_MANY_REQUESTS = 429
Result = TypeVar("Result")


class Aside(Protocol):
    """Does work and returns its result, or raises its error; other work may go on meanwhile."""

    def __call__(self, work: Callable[[], Result]) -> Result:
        """Do it."""
        ...


class Spool:
    """The evidence of one sweep while it is being made; the conductor hands it everything.

    ``maintenance`` answers the maintenance that is not scored and is over by now. ``unwritable`` is called once, with the error,
    when something cannot be written: the load must end. The reserve is given up then, so that what comes can be kept and sealed.
    ``aside`` does long work such as sealing a round, and returns its result. Meanwhile batches of other rounds may come, but no other
    round may be sealed. ``night``: this attempt's, if it is not the plan's.
    """

    def __init__(
        self,
        folder: SweepFolder,
        maintenance: Callable[[], Spans] = lambda: NO_SPANS,
        unwritable: Callable[[Exception], None] | None = None,
        aside: Aside = lambda work: work(),
        night: str = "",
    ) -> None:
        self._night = night
        self._folder, self._maintenance, self._unwritable, self._aside = folder, maintenance, unwritable, aside
        self._gave_up = False
        self._unwritten: list[LedgerLine] = []  # what portals acknowledged while nothing could be written
        self._refused: set[tuple[str, str, int]] = set()  # batches that could not be written; they come again
        self._open: dict[str, tuple[RoundRecord, io.FileIO]] = {}  # by token: as it was planned
        self._sealed: dict[str, str] = {}
        self._late: Counter[str] = Counter()
        self._lone_walks: list[LoneWalk] | None = None  # read from the sealed rounds when they are first asked for
        self._doubtful: dict[str, frozenset[str]] = {}

    def open_round(self, token: str, record: RoundRecord) -> None:
        """Keep what is planned, before anything is sent."""
        planned = replace(record, night=self._night)
        self._aside(lambda: write_planned(self._folder.planned(record.name), planned))  # it waits for the disk
        path = self._folder.spool(record.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open[token] = (record, path.open("wb", buffering=0))

    def append(self, worker: str, batch: Batch) -> None:
        """Keep a batch; where its round is sealed it is counted and refused. OSError or EnvironmentFault where it cannot be written."""
        which = (batch.token, worker, batch.seq)
        if which not in self._refused:
            self._unwritten += [replace(line, round=batch.token, worker=worker) for line in batch.ledger]
        self._refused.add(which)
        self._with_reserve(lambda: self._append(worker, batch))
        self._refused.remove(which)

    def _append(self, worker: str, batch: Batch) -> None:
        if self._unwritten:
            add = append_to_ledger if batch.token in self._open else append_missing  # a worker that was cut off hands over what it holds
            add(self._folder.ledger, self._unwritten)
            self._unwritten = []
        if batch.token not in self._open:
            self._late[batch.token] += 1
            self._write_late(batch.token)
            return
        _, file = self._open[batch.token]
        _write_all(file, msgpack.packb({"worker": worker, "seq": batch.seq, "blob": batch.blob}))

    def _write_late(self, token: str) -> None:
        """Write how many batches came after a round was closed; while it is being sealed they are only counted."""
        if token in self._sealed and self._late[token]:
            write_json(self._folder.late(self._sealed[token]), {"batches_after_sealing": self._late[token]})

    def _with_reserve(self, write: Callable[[], None]) -> None:
        """Write; where that fails for the first time, give up the reserve, tell it, and write again."""
        try:
            write()
        except (OSError, EnvironmentFault) as error:
            if self._gave_up or self._unwritable is None:
                raise
            self._gave_up = True
            self._folder.reserve.unlink(missing_ok=True)
            self._unwritable(error)
            write()

    def seal_round(self, token: str, record: RoundRecord) -> None:
        """Turn the spool into Parquet and write the round's final facts."""
        planned, file = self._open.pop(token)
        file.close()
        self._with_reserve(lambda: self._seal(token, planned, replace(record, night=self._night)))

    def _seal(self, token: str, planned: RoundRecord, record: RoundRecord) -> None:
        if self._unwritten:
            append_to_ledger(self._folder.ledger, self._unwritten)
            self._unwritten = []
        ledger_bytes = _ledger_bytes(self._folder)
        sealed = self._aside(lambda: _write_all_of(self._folder, planned, record, ledger_bytes))
        if self._lone_walks is not None and not sealed.checks:
            self._lone_walks += sealed.lone_walks
        self._doubtful[token] = _doubtful(sealed)
        self._sealed[token] = planned.name
        self._write_late(token)

    def lone_walks(self, portal: str) -> tuple[LoneWalk, ...]:
        """The lone walks of a portal before its load, in the order of the sealed rounds, those of an earlier attempt included."""
        if self._lone_walks is None:
            self._lone_walks = [*lone_walks_of(self._folder.rounds())]
        return tuple(walk for walk in self._lone_walks if walk.portal == portal)

    def measured(self) -> tuple[MeasuredWindow, ...]:
        """Every window of the sealed rounds but those of lone citizens, judged."""
        return measured_windows(read_plan(self._folder.plan), self._folder.rounds(), self._maintenance())

    def doubtful(self, token: str) -> frozenset[str]:
        """Portals that refused so many visits in some window of a sealed round that a lone citizen has to walk again."""
        if token not in self._doubtful:  # of an earlier attempt
            path = self._folder.round(token.rpartition("#")[2])
            self._doubtful[token] = _doubtful(read_round(path)) if path.is_file() else frozenset()
        return self._doubtful[token]


def recover_rounds(folder: SweepFolder) -> tuple[str, ...]:
    """Seal the rounds that a crash left open, as incomplete: what came until then is kept, and never scored. Answers their names.

    Nobody may measure into the folder. Raises EvidenceError where a round's plan cannot be read.
    """
    for path in [*folder.path.rglob(".*")]:
        if path.suffix in (".new", ".old", ".tmp"):
            path.unlink()  # a file that was being written
    recovered = []
    for path in sorted((folder.path / "rounds").glob("round-*.planned.json")):
        planned = read_round(path)
        if not folder.round(planned.name).is_file():
            outcome = tuple(WorkerOutcome(each.worker, complete=False, lost=False, longest_silence_s=0.0) for each in planned.members)
            record = replace(planned, incomplete=True, outcome=outcome, second_parser=SECOND_PARSER)
            _write_all_of(folder, planned, record, _ledger_bytes(folder))
            recovered.append(planned.name)
        folder.planned(planned.name).unlink(missing_ok=True)
        folder.spool(planned.name).unlink(missing_ok=True)
    return tuple(recovered)


def _ledger_bytes(folder: SweepFolder) -> int:
    return folder.ledger.stat().st_size if folder.ledger.is_file() else 0


def _write_all_of(folder: SweepFolder, planned: RoundRecord, record: RoundRecord, ledger_bytes: int) -> RoundRecord:
    """Write everything of a sealed round, its record last. What batches of other rounds change is neither read nor written."""
    plan = read_plan(folder.plan) if folder.plan.is_file() else None
    sealing, tallied, path = _Sealing(folder, record, plan), Tallied(), folder.spool(planned.name)
    if path.is_file():  # a crash may have come before it was made
        sealing.take(read_batches(path, planned, plan.sweep if plan else "", tallied))
    sealed = _with_what_is_missing(sealing.close(), tallied)
    if sealed.incomplete:
        sealed = replace(sealed, lone_walks=(), refusals={})
    append_link(folder, sealed, ledger_bytes)
    write_sealed(folder.round(planned.name), sealed)
    folder.planned(planned.name).unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    return sealed


def _doubtful(sealed: RoundRecord) -> frozenset[str]:
    """Portals that refused many visits in a window that was measured to its end."""
    return frozenset(
        slot.portal
        for slot in sealed.slots
        if any(window.stage != LONE and window.refuses_many and not sealed.is_half_done(window) for window in slot.windows)
    )


def _write_all(file: io.FileIO, data: bytes) -> None:
    """Write all of it, or leave the file as it was: half a record would hide those that follow."""
    before = file.tell()
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
    except OSError:
        file.truncate(before)
        file.seek(before)
        raise


def _with_what_is_missing(record: RoundRecord, tallied: Tallied) -> RoundRecord:
    """The record with the batches that were refused. A worker of whom rows are missing is not complete."""
    outcome = tuple(
        replace(each, batches=tallied.batches[each.worker])
        if record.incomplete
        else replace(each, complete=each.complete and tallied.has_all(each.worker, each.batches, each.rows))
        for each in record.outcome
    )
    return replace(record, outcome=outcome, refused_batches=tuple(tallied.refused.values()))


class _Sealing:
    """One round's rows on their way into Parquet, counted as they pass."""

    def __init__(self, folder: SweepFolder, record: RoundRecord, plan: Plan | None) -> None:
        self._folder, self._record = folder, record
        self._shared_hosts = {target.portal: frozenset(target.shared_hosts or ()) for target in (plan.targets if plan else ())}
        self._shared_failures = VisitsLost(self._shared_hosts)
        self._writers: dict[tuple[str, str], PartWriter] = {}
        self._timings = TimingWriters(folder, record.name)
        self._counts: dict[tuple[str, int], Counter[str]] = {}
        self._visits: dict[tuple[str, int], dict[str, Counter[str]]] = {}  # by portal and window, then by worker: outcomes
        self._health: list[HealthLine] = []
        self._lone: dict[str, list[list[Any]]] = {}  # rows of lone citizens, by portal
        self._failures = RoundFailures()
        self._mean_times = MeanTimes()
        for left_behind in [
            *folder.lone_of(record.name),
            *folder.timings_of(record.name),
        ]:  # by an attempt that was cut off while it was sealed
            left_behind.unlink()

    def take(self, batches: Iterator[tuple[str, BatchContents]]) -> None:
        for worker, batch in batches:
            self._health += [replace(line, worker=worker) for line in batch.health]
            self._failures.take(batch)
            for index, kept in batch.walks:
                write_whole(self._folder.lone(batch.keys[index].portal, self._record.name, kept.journey, kept.visit), kept.file)
            writers = {index: self._writer(key) for index, key in batch.keys.items()}
            for row in batch.rows:
                key = batch.keys[row[0]]
                writers[row[0]].add([key[index] if of_key else row[index] for of_key, index in _ORDER])
                self._count(key, row)
            self._timings.take(batch)
            for index, count in batch.server_timings_left_out:
                key = batch.keys[index]
                self._counts.setdefault((key.portal, key.window), Counter())["server_timings_left_out"] += count

    def close(self) -> RoundRecord:
        """The record with what the rows add to it."""
        for writer in self._writers.values():
            writer.close()
        self._timings.close()
        write_health(self._folder.health(self._record.name), self._health)
        self._failures.write_pages(self._folder, self._record.name, self._record.utc_of)
        slots = []
        for slot in self._record.slots:
            windows = tuple(
                replace(
                    window,
                    counts=dict(sorted(self._counts.get((slot.portal, window.window), Counter()).items())),
                    failures=self._failures.of_window(slot.portal, window.window),
                    shared_failures=self._shared_failures.of_window(slot.portal, window.window),
                    health=summarise(self._health, self._record, window),
                    mean_us=self._mean_times.of_window(slot.portal, window.window),
                    shares=shares(self._visits.get((slot.portal, window.window), {}), self._health, self._record, window),
                )
                for window in slot.windows
            )
            slots.append(replace(slot, windows=windows))
        walks = {portal: tuple(self._walks_of(portal)) for portal in sorted(self._lone)}
        refusals = {portal: refused for portal, found in walks.items() if (refused := admit(found).refused)}
        lone_walks = tuple(walk for found in walks.values() for walk in found)
        return replace(self._record, slots=tuple(slots), refusals=refusals, lone_walks=lone_walks)

    def _walks_of(self, portal: str) -> Iterator[LoneWalk]:
        """How each lone visit of a portal ended. A visit that a stop of the sweep cut off is no walk."""
        pages = read_pages(self._folder.pages(portal))
        of_visit: dict[tuple[str, int], list[list[Any]]] = {}
        for row in self._lone[portal]:
            of_visit.setdefault((row[_ROW["journey"]], row[_ROW["visit"]]), []).append(row)
        for (journey, visit), rows in sorted(of_visit.items()):
            end = next((row for row in rows if row[_ROW["request"]] == VISIT_ROW), None)
            if end is None or (self._record.stopped and end[_ROW["outcome"]] == Outcome.ABORTED):
                continue
            failing = [row for row in rows if row[_ROW["request"]] != VISIT_ROW and row[_ROW["outcome"]] != Outcome.OK]
            last = next((row for row in failing if row[_ROW["outcome"]] == end[_ROW["outcome"]]), None)
            kept = self._folder.lone(portal, self._record.name, journey, visit)
            file = self._folder.relative(kept) if kept.is_file() else ""
            walk = LoneWalk(portal, journey, end[_ROW["outcome"]], file=file)
            if last is not None:
                places = {name: last[_ROW[name]] for name in ("goal", "step", "status")}
                host = last[_ROW["host"]]
                shared = host if host in self._shared_hosts.get(portal, ()) else ""
                walk = replace(walk, owner=last[_ROW["host_owner"]], host=shared, **places)
            if (kind := self._failures.of_journey(portal, journey)) is not None:
                walk = replace(walk, goal=kind.goal, step=kind.step, rule=rule_in_words(kind), page=page_of(pages, kind, visit))
            yield walk

    def _writer(self, key: WindowKey) -> PartWriter:
        writer = self._writers.get((key.portal, key.run))
        if writer is None:
            writer = self._writers[key.portal, key.run] = PartWriter(self._folder.part(key.portal, key.run, self._record.name))
        return writer

    def _count(self, key: WindowKey, row: list[Any]) -> None:
        outcome, request = row[_ROW["outcome"]], row[_ROW["request"]]
        if key.stage == LONE:
            self._lone.setdefault(key.portal, []).append(row)
        counts = self._counts.setdefault((key.portal, key.window), Counter())
        self._shared_failures.take(key, row)
        self._mean_times.take(key, row)
        if request == VISIT_ROW:
            counts[f"visits_{outcome}"] += 1
            self._visits.setdefault((key.portal, key.window), {}).setdefault(key.worker, Counter())[outcome] += 1
            if not row[_ROW["start_us"]]:
                counts["turned_away"] += 1
            return
        counts[f"requests_{outcome}"] += 1
        if outcome == Outcome.DROPPED and row[_ROW["status"]]:
            counts["refused_as_ours"] += 1
        refused = outcome == Outcome.BLOCKED or (row[_ROW["status"]] == TOO_MANY_REQUESTS and outcome != Outcome.OK)
        if refused and row[_ROW["host"]] not in self._shared_hosts.get(key.portal, ()):
            counts["refused"] += 1
