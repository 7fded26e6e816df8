"""The batches of a spool, one by one: a batch that does not fit its round is refused alone, and those after it are read."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import msgpack

from harness.errors import visible
from harness.records import COLUMNS, LONE, FailureKind, HealthLine, Outcome, RoundRecord, Sample, WindowKey
from harness.records.fleet_messages import LARGEST_BLOB, BatchContents, unpack
from harness.records.kept_walks import LARGEST_FILE
from harness.records.round import RefusedBatches
from harness.records.server_timing import LONGEST_US, METRIC_NAME, MOST_METRICS
from harness.records.step_failures import PAGE_BYTES

LONGEST_TEXT = 1_000
"""Characters of a name in a row, for example a host (assumed)."""

_LARGEST_FRAME = 16 * LARGEST_BLOB
"""Bytes of a batch that is read only to be refused (assumed: 16 times the largest good one). What follows a larger one cannot be found."""
_LONGEST_REASON = 200
_LARGEST_NUMBER = 1 << 53
"""In a batch: 285 years in microseconds."""
_SMALLEST_AND_LARGEST = {"int16": (-1, (1 << 15) - 1), "int64": (-_LARGEST_NUMBER, _LARGEST_NUMBER)}
_KINDS = {column.name: column.kind for column in COLUMNS}
_SAMPLE_KINDS = tuple((name, _KINDS[name]) for name in Sample._fields)
_OUTCOMES = frozenset(map(str, Outcome))
_STEP = re.compile(r"[A-Za-z0-9_-]{0,100}")
"""The name of a step or journey. Names of files contain it."""
_FIELDS = {"worker": str, "seq": int, "blob": bytes}


@dataclass(slots=True)
class Tallied:
    """What a spool held: the batches and rows of each worker that were taken, and the batches that were refused."""

    batches: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    refused: dict[str, RefusedBatches] = field(default_factory=dict)  # by worker; "" if the worker is unknown

    def refuse(self, worker: str, seq: int, reason: str) -> None:
        """Count a batch that is refused; the reason of a worker's first one is kept."""
        first = RefusedBatches(visible(worker)[:_LONGEST_REASON], 0, seq, visible(reason)[:_LONGEST_REASON])
        before = self.refused.setdefault(worker, first)
        self.refused[worker] = replace(before, batches=before.batches + 1)

    def has_all(self, worker: str, batches: int, rows: int | None) -> bool:
        """Whether so many batches and rows of a worker were taken; ``rows``: None where the worker did not tell."""
        return self.batches[worker] >= batches and rows in (None, self.rows[worker])


def read_batches(path: Path, planned: RoundRecord, sweep: str, tallied: Tallied) -> Iterator[tuple[str, BatchContents]]:
    """(worker, batch) of a spool, in the order in which they came. Batches that do not fit are left out and counted in ``tallied``.

    ``planned``: the record of the round before it began. ``sweep``: the sweep's name; empty if it is unknown.
    """
    known = _Known(planned, sweep)
    for worker, seq, blob in _frames(path, tallied):
        try:
            batch = unpack(blob)
            known.check(worker, batch)
        except ValueError as error:
            tallied.refuse(worker, seq, str(error))
            continue
        tallied.batches[worker] += 1
        tallied.rows[worker] += len(batch.rows)
        yield worker, batch


def _frames(path: Path, tallied: Tallied) -> Iterator[tuple[str, int, bytes]]:
    """(worker, number, packed batch) of a spool. One that a crash cut off at the end is refused."""
    with path.open("rb") as file:
        unpacker = msgpack.Unpacker(
            file, strict_map_key=False, max_buffer_size=_LARGEST_FRAME, max_bin_len=_LARGEST_FRAME,
            max_str_len=LONGEST_TEXT, max_array_len=len(_FIELDS), max_map_len=len(_FIELDS),
        )  # fmt: skip
        begins = 0
        try:
            for frame in unpacker:
                begins = unpacker.tell()
                if isinstance(frame, dict) and all(type(frame.get(name)) is kind for name, kind in _FIELDS.items()):
                    yield frame["worker"], frame["seq"], frame["blob"]
                else:
                    tallied.refuse("", -1, "no batch")
        except (msgpack.UnpackException, ValueError, TypeError) as error:
            tallied.refuse("", -1, f"the spool cannot be read from byte {begins} on: {error}")
            return
        if rest := path.stat().st_size - begins:
            tallied.refuse("", -1, f"the last {rest} bytes of the spool are no whole batch")


class _Known:
    """What the batches of a round may name."""

    def __init__(self, planned: RoundRecord, sweep: str) -> None:
        self._sweep = sweep
        self._workers = {member.worker for member in planned.members}
        self._windows = {
            (slot.portal, slot.run, window.window): (window.round, window.stage) for slot in planned.slots for window in slot.windows
        }

    def check(self, worker: str, batch: BatchContents) -> None:
        """Raise ValueError for a batch that no worker of this round can have measured, or with a value that no column can hold."""
        if worker not in self._workers:
            raise ValueError(f"worker {worker}; expected one of {', '.join(sorted(self._workers))}")
        for key in batch.keys.values():
            self._check_key(worker, key)
        _check_rows(batch)
        _check_server_timings(batch)
        for index, failure in batch.failures:
            _check_index(batch.keys, index)
            _check_kind(failure.kind)
            _check_number("failures", failure.count, least=1)
        for index, page in batch.pages:
            _check_index(batch.keys, index)
            _check_kind(page.kind)
            _check_number("moment of a page", page.when_us, least=0)
            if len(page.text.encode()) > PAGE_BYTES:
                raise ValueError(f"a page of {len(page.text.encode())} bytes; at most {PAGE_BYTES} are kept")
        for index, walk in batch.walks:
            _check_index(batch.keys, index)
            if batch.keys[index].stage != LONE or not _STEP.fullmatch(walk.journey):
                raise ValueError(
                    f"a lone walk of journey {walk.journey} in a window of stage {batch.keys[index].stage}; expected stage {LONE}"
                )
            _check_number("visit of a lone walk", walk.visit, least=0)
            if len(walk.file) > LARGEST_FILE:
                raise ValueError(f"a lone walk of {len(walk.file)} bytes; at most {LARGEST_FILE} are kept")
        for line in batch.health:
            _check_health(line)

    def _check_key(self, worker: str, key: WindowKey) -> None:
        window = self._windows.get((key.portal, key.run, key.window))
        if window is None:
            raise ValueError(f"window {key.window} of portal {key.portal}, run {key.run}, is not in the plan of this round")
        expected = key._replace(sweep=self._sweep or key.sweep, round=window[0], stage=window[1], worker=worker)
        if key != expected:
            raise ValueError(f"window {key.window} of portal {key.portal} with {tuple(key)}; expected {tuple(expected)}")


def _check_rows(batch: BatchContents) -> None:
    """ValueError where rows have other columns than the evidence, or values that no column can hold."""
    if not batch.rows:
        return
    width = 1 + len(_SAMPLE_KINDS)
    if any(type(row) is not list or len(row) != width for row in batch.rows):
        raise ValueError(f"a row that is no list of {width} values")
    indices, *columns = zip(*batch.rows, strict=True)
    for index in set(indices) if set(map(type, indices)) == {int} else [None]:
        _check_index(batch.keys, index)
    for (name, kind), values in zip(_SAMPLE_KINDS, columns, strict=True):
        expected = {"category": str, "bool": bool}.get(kind, int)
        if set(map(type, values)) != {expected}:
            raise ValueError(
                f"column {name} with values of {', '.join(sorted({type(value).__name__ for value in values}))}; expected {kind}"
            )
        if expected is int:
            smallest, largest = _SMALLEST_AND_LARGEST[kind]
            if min(values) < smallest or max(values) > largest:
                raise ValueError(f"column {name} with numbers from {min(values)} to {max(values)}; expected {smallest} to {largest}")
        elif expected is str and max(map(len, values)) > LONGEST_TEXT:
            raise ValueError(f"column {name} with a text of {max(map(len, values))} characters; at most {LONGEST_TEXT} are taken")
        if name == "outcome" and (unknown := set(values) - _OUTCOMES):
            raise ValueError(f"outcome {min(unknown)}; expected one of those in docs/evidence.md")


def _check_server_timings(batch: BatchContents) -> None:
    """Raise ValueError if a server timing belongs to no row, or has more metrics or other values than are kept."""
    of_row: Counter[int] = Counter()
    for timing in batch.server_timings:
        if type(timing) is not list or list(map(type, timing)) != [int, str, int]:
            raise ValueError("a server timing that is no row's number, name and duration")
        row, name, duration_us = timing
        of_row[row] += 1
        if not 0 <= row < len(batch.rows) or of_row[row] > MOST_METRICS:
            raise ValueError(
                f"server timing {of_row[row]} of row {row}; expected at most {MOST_METRICS} of each of the {len(batch.rows)} rows"
            )
        if METRIC_NAME.fullmatch(name) is None or not 0 <= duration_us <= LONGEST_US:
            raise ValueError(
                f"server timing {name} of {duration_us} µs; expected a name of letters, digits, _ . and -, and at most {LONGEST_US} µs"
            )
    for index, count in batch.server_timings_left_out:
        _check_index(batch.keys, index)
        _check_number("server timings that were left out", count, least=1)


def _check_index(keys: Mapping[int, WindowKey], index: int | None) -> None:
    if index not in keys:
        raise ValueError(
            f"a row, failure, page, lone walk or server timing of window key {index}; the batch names {', '.join(map(str, sorted(keys))) or 'none'}"
        )


def _check_kind(kind: FailureKind) -> None:
    if kind.outcome not in _OUTCOMES or not _STEP.fullmatch(kind.step):
        raise ValueError(
            f"a failure of step {kind.step} with outcome {kind.outcome}; expected a known outcome, and a step of letters, digits, _ and -"
        )


def _check_number(name: str, value: int, *, least: int) -> None:
    if not least <= value <= _LARGEST_NUMBER:
        raise ValueError(f"{name}: {value}; expected {least} to {_LARGEST_NUMBER}")


def _check_health(line: HealthLine) -> None:
    for each in fields(line):
        value: Any = getattr(line, each.name)
        numbers = value if isinstance(value, tuple) else () if isinstance(value, str) or value is None else (value,)
        if any(not math.isfinite(number) or abs(number) > _LARGEST_NUMBER for number in numbers):
            raise ValueError(f"a health line with {each.name} {value}; expected numbers up to {_LARGEST_NUMBER}")
