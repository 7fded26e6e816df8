"""The steps of a sweep as a table, ``steps.parquet``, for pandas, DuckDB and Spark; docs/evidence.md has its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.records import RoundRecord, WindowRecord
from harness.scoring import Integers, TabulatedRun

_NAME = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("portal", _NAME),
        ("run", _NAME),
        ("round", pa.int32()),
        ("window", pa.int32()),
        ("stage", _NAME),
        ("verdict", _NAME),  # of the window
        ("journey", _NAME),
        ("visit", pa.int64()),
        ("goal", _NAME),
        ("step", _NAME),
        ("attempt", pa.int16()),
        ("worker", _NAME),
        ("begin_us", pa.int64()),
        ("begin_utc", pa.timestamp("us", tz="UTC")),
        ("duration_us", pa.int64()),
        ("charged_us", pa.int64()),
        ("ok", pa.bool_()),
    ],
    metadata={"steps": "performance-steps/1"},
)


@dataclass(frozen=True, slots=True)
class PortalSteps:
    """One portal's part of the table."""

    portal: str
    tabulated: TabulatedRun
    worker_of: Mapping[int, str]  # by visit: the worker that generated it


def write_step_table(path: Path, portals: Iterable[PortalSteps], rounds: Sequence[RoundRecord]) -> None:
    """Write the table, one row group a portal, under a temporary name first."""
    temporary = path.with_name(f".{path.name}.tmp")
    with pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer:
        for each in portals:
            writer.write_table(step_table(each, rounds))
    temporary.replace(path)


def step_table(part: PortalSteps, rounds: Iterable[RoundRecord]) -> pa.Table:
    """The steps of one portal, by part, window, visit and attempt; the columns are those of ``SCHEMA``."""
    measured = _measured(part.portal, rounds)
    steps, verdicts = part.tabulated.steps, {window.window: window.verdict.value for window in part.tabulated.facts.windows}
    numbers, window_of = np.unique(steps.window, return_inverse=True)
    records = [measured[int(number)] for number in numbers]
    workers = [part.worker_of.get(visit, "") for visit in steps.visit.tolist()]
    names, worker_of = np.unique(workers, return_inverse=True) if workers else (np.array([], dtype=str), steps.window)
    zero_us = np.array([[record.utc_of_zero_us(name) for name in names.tolist()] for record, _ in records], dtype=np.int64)
    utc_us = steps.begin_us + (zero_us[window_of, worker_of] if len(steps.part) else 0)
    never = steps.begin_us == 0
    columns = (
        _named(np.zeros(len(steps.part)), [part.portal]),
        _named(np.zeros(len(steps.part)), [part.tabulated.facts.run]),
        np.array([window.round for _, window in records], dtype=np.int32)[window_of],
        steps.window,
        _named(window_of, [window.stage for _, window in records]),
        _named(window_of, [verdicts.get(int(number), "") for number in numbers]),
        _named(steps.part, [journey for journey, _, _ in steps.parts]),
        steps.visit,
        _named(steps.part, [goal for _, goal, _ in steps.parts]),
        _named(steps.part, [step for _, _, step in steps.parts]),
        steps.attempt,
        _named(worker_of, names.tolist()),
        pa.array(steps.begin_us, pa.int64(), mask=never),
        pa.array(utc_us, pa.int64(), mask=never),
        steps.whole_us,
        steps.charged_us,
        steps.ok,
    )
    arrays = [pa.array(values) if isinstance(values, np.ndarray) else values for values in columns]
    return pa.Table.from_arrays([array.cast(field.type) for array, field in zip(arrays, SCHEMA, strict=True)], schema=SCHEMA)


def workers_of(rows: pa.Table) -> dict[int, str]:
    """The worker of each visit, from the columns ``visit`` and ``worker`` of rows; each round may have other workers."""
    pairs = rows.select(["visit", "worker"]).unify_dictionaries().group_by(["visit", "worker"]).aggregate([])
    return dict(zip(pairs["visit"].to_pylist(), pairs["worker"].to_pylist(), strict=True))


def _measured(portal: str, rounds: Iterable[RoundRecord]) -> Mapping[int, tuple[RoundRecord, WindowRecord]]:
    """The windows of a portal by number, each with its round."""
    return {
        window.window: (round_, window) for round_ in rounds for slot in round_.slots if slot.portal == portal for window in slot.windows
    }


def _named(codes: Integers, names: list[str]) -> pa.Array:
    """A column of names; equal names are one entry of its dictionary."""
    distinct = sorted(set(names))
    position = np.array([distinct.index(name) for name in names] or [0], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(position[codes.astype(np.int64)]), pa.array(distinct, pa.string()))
