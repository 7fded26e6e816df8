"""Every column of every table in a sweep's folder is in docs/reference/columns.md."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq

from tests.docs.reference import FOLDER, rows_of, tables_of
from tests.e2e.conftest import Sweep

IN_FOLDERS = {"samples": "samples", "server_timing": "server_timing"}
"""Tables whose name is that of their folder."""


def columns_of(path: Path) -> set[str]:
    if path.suffix == ".parquet":
        return set(pq.read_schema(path).names)
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path, read_only=True)
        return {str(cell) for sheet in book.worksheets[1:] for row in sheet.iter_rows(max_row=1, values_only=True) for cell in row}
    with path.open(encoding="utf-8-sig", newline="") as file:
        return set(next(csv.reader(file)))


def test_every_column_that_was_written_is_documented(newest: Sweep) -> None:
    documented = {
        name: {row["column"].strip("`") for row in rows_of(table)}
        for name, table in tables_of((FOLDER / "columns.md").read_text(encoding="utf-8")).items()
    }
    documented["scores.xlsx"] = documented["scores.csv"] | {"file", "sha256"}
    written = [path for path in newest.folder.rglob("*") if path.suffix in {".csv", ".parquet", ".xlsx"}]
    names = {IN_FOLDERS.get(path.relative_to(newest.folder).parts[0], path.name) for path in written}
    assert {"samples", "steps.parquet", "scores.csv", "scores.xlsx"} <= names <= set(documented)
    for path in written:
        name = IN_FOLDERS.get(path.relative_to(newest.folder).parts[0], path.name)
        assert columns_of(path) <= documented[name], path
