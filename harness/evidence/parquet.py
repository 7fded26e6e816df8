"""Rows as Parquet: ``samples/portal=…/run=…/part-N.parquet``; portal and run stand in the path, all else in the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.records import COLUMNS, Column

ROWS_PER_GROUP = 250_000
IN_THE_PATH = ("portal", "run")

_TYPES = {
    "category": pa.dictionary(pa.int32(), pa.string()),
    "int64": pa.int64(),
    "int32": pa.int32(),
    "int16": pa.int16(),
    "bool": pa.bool_(),
}

FILE_COLUMNS: tuple[Column, ...] = tuple(column for column in COLUMNS if column.name not in IN_THE_PATH)
SCHEMA = pa.schema(
    [pa.field(column.name, _TYPES[column.kind], nullable=False, metadata={"unit": column.unit}) for column in FILE_COLUMNS],
    metadata={"rows": "performance-samples/1"},
)


class PartWriter:
    """One part file, written under a temporary name and renamed when it is closed."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._temporary = path.with_name(f".{path.name}.tmp")
        self._writer = pq.ParquetWriter(self._temporary, SCHEMA, compression="zstd")
        self._rows: list[Sequence[Any]] = []

    def add(self, row: Sequence[Any]) -> None:
        """One row, its values in the order of FILE_COLUMNS."""
        self._rows.append(row)
        if len(self._rows) >= ROWS_PER_GROUP:
            self._write()

    def close(self) -> None:
        """Write what is left; only now does the file have its name."""
        if self._rows:
            self._write()
        self._writer.close()
        self._temporary.replace(self._path)

    def _write(self) -> None:
        columns = zip(*self._rows, strict=True)
        arrays = [
            pa.array(values, pa.string()).dictionary_encode().cast(_TYPES["category"])
            if column.kind == "category"
            else pa.array(values, _TYPES[column.kind])
            for column, values in zip(FILE_COLUMNS, columns, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
        self._rows = []
