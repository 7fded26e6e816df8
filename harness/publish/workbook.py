"""``scores.xlsx``: the tables as sheets, in which data never becomes a formula."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime

import xlsxwriter

from harness.publish.tables import Cell, Table

# The same scores give the same bytes: the file carries no clock. Spreadsheets count from 1900; any fixed day will do.
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001  (the format has no time zones)
_WIDEST_COLUMN = 48
_NARROWEST_COLUMN = 8
_LONGEST_CELL = 32_767  # of the file format
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook_bytes(tables: Sequence[Table], title: str) -> bytes:
    """An XLSX workbook with one sheet a table: header frozen, filters on, text as text and numbers as numbers."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as workbook:
        workbook.set_properties({"title": title, "created": _CREATED})
        heading = workbook.add_format({"bold": True, "bg_color": "#E8EDF2", "bottom": 1})
        for table in tables:
            sheet = workbook.add_worksheet(table.name)
            for column, name in enumerate(table.columns):
                sheet.write_string(0, column, name, heading)
                sheet.set_column(column, column, _width(table, column))
            for index, row in enumerate(table.rows, start=1):
                for column, cell in enumerate(row):
                    _write(sheet, index, column, cell)
            sheet.freeze_panes(1, 1)
            sheet.autofilter(0, 0, max(1, len(table.rows)), len(table.columns) - 1)
    return buffer.getvalue()


def _write(sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, cell: Cell) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell[:_LONGEST_CELL])
    else:
        sheet.write_number(row, column, cell)


def _width(table: Table, column: int) -> int:
    longest = max((len(str(row[column])) for row in table.rows if row[column] is not None), default=0)
    return max(_NARROWEST_COLUMN, min(_WIDEST_COLUMN, max(longest, len(table.columns[column])) + 2))
