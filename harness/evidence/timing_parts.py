"""What servers say of their own time (``Server-Timing``), beside the rows: written when a round is sealed, read by portal.

A server writes these numbers itself. They may be false: longer than the answer took, or one of them a part of another.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from harness.evidence.folder import SweepFolder
from harness.evidence.parquet import SERVER_TIMINGS, PartWriter, read_part
from harness.records import Sample
from harness.records.fleet_messages import BatchContents
from harness.records.server_timing import ROW_KEYS

_WINDOW, *_OF_SAMPLE = ROW_KEYS
_KEY_OF_ROW = tuple(1 + Sample._fields.index(name) for name in _OF_SAMPLE)
"""Where the row's key stands in a row of a batch, which begins with the index of its window's key."""


class TimingWriters:
    """The part files of one round, one a portal with such metrics."""

    def __init__(self, folder: SweepFolder, round_name: str) -> None:
        self._folder, self._name = folder, round_name
        self._writers: dict[tuple[str, str], PartWriter] = {}

    def take(self, batch: BatchContents) -> None:
        """Add the metrics of a batch, each with the key of its answer's row."""
        positions: Counter[int] = Counter()  # of the next metric, by row
        for number, name, duration_us in batch.server_timings:
            row = batch.rows[number]
            key = batch.keys[row[0]]
            writer = self._writers.get((key.portal, key.run))
            if writer is None:
                path = self._folder.timing_part(key.portal, key.run, self._name)
                writer = self._writers[key.portal, key.run] = PartWriter(path, SERVER_TIMINGS)
            writer.add([key.window, *(row[index] for index in _KEY_OF_ROW), positions[number], name, duration_us])
            positions[number] += 1

    def close(self) -> None:
        """Write what is left."""
        for writer in self._writers.values():
            writer.close()


def read_server_timings(folder: SweepFolder, portal: str) -> pa.Table | None:
    """All metrics of one portal's run, with the columns of ``SERVER_TIMING_COLUMNS``; each text column has one dictionary.

    None where no answer had any, and for evidence of earlier versions. The evidence must have been checked.
    """
    tables = [read_part(part) for part in folder.timing_parts(portal)]
    return pa.concat_tables(tables).unify_dictionaries() if tables else None


def beside_rows(timings: pa.Table, rows: pa.Table) -> pa.Table:
    """Join each metric of ``timings`` with the row of its request. The order stays; a metric without a row is left out.

    ``rows`` has the columns of ``ROW_KEYS``, ``start_us``, and any others. Only rows of requests that were sent count: a step that failed
    between two requests has another row, with no request, which may have the same key.
    """
    rows = rows.filter(pc.field("start_us") > 0)
    numbered = _plain(timings).append_column("_order", pa.array(range(timings.num_rows), pa.int64()))
    joined = numbered.join(_plain(rows), keys=list(ROW_KEYS), join_type="inner")
    return joined.sort_by("_order").drop_columns(["_order"])


def _plain(table: pa.Table) -> pa.Table:
    """The table with texts that can be compared: each file, and each table, numbers them in its own way."""
    types = [pa.string() if pa.types.is_dictionary(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))
