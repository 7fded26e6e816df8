"""``scores.xlsx``: a sheet for people, and the tables as sheets. Data never becomes a formula."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime

import xlsxwriter

from harness.publish.score_sheet import write_score_sheet
from harness.publish.tables import Table
from harness.scoring.scorecard import SweepScores
from harness.statistics.interval import RankInterval

# A fixed date: the same scores give the same bytes.
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001  (the format has no time zones)
_WIDEST_OF_FEW, _WIDEST_OF_MANY, _NARROWEST_COLUMN = 70, 26, 8  # characters
_LONGEST_CELL = 32_767  # characters; of the file format, like the paper sizes
_A4, _A3 = 9, 8
_MOST_COLUMNS_ON_A4 = 12
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook_bytes(scores: SweepScores, ranks: Mapping[str, RankInterval] | None, tables: Sequence[Table]) -> bytes:
    """An XLSX workbook: the sheet for people, then one sheet a table: header frozen, filters on, text as text and numbers as numbers.

    A table prints one page wide, on A4 or, where it has many columns, on A3. ``ranks``: as in ``standings``.
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as workbook:
        workbook.set_properties({"title": f"{scores.sweep}, revision {scores.revision}", "created": _CREATED})
        write_score_sheet(workbook, scores, ranks)
        heading = workbook.add_format({"bold": True, "bg_color": "#E8EDF2", "bottom": 1})
        for table in tables:
            sheet = workbook.add_worksheet(table.name)
            _fill(sheet, table, heading)
            _set_up(sheet, table)
    return buffer.getvalue()


def _fill(sheet: xlsxwriter.worksheet.Worksheet, table: Table, heading: xlsxwriter.format.Format) -> None:
    for column, name in enumerate(table.columns):
        sheet.write_string(0, column, name, heading)
    for index, row in enumerate(table.rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, bool):
                sheet.write_string(index, column, "true" if cell else "false")  # Calc shows a boolean as 1 and saves it as a formula
            elif isinstance(cell, str):
                sheet.write_string(index, column, cell[:_LONGEST_CELL])
            elif cell is not None:
                sheet.write_number(index, column, cell)


def _set_up(sheet: xlsxwriter.worksheet.Worksheet, table: Table) -> None:
    many = len(table.columns) > _MOST_COLUMNS_ON_A4
    for column in range(len(table.columns)):
        sheet.set_column(column, column, _width(table, column, _WIDEST_OF_MANY if many else _WIDEST_OF_FEW))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(1, len(table.rows)), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(_A3 if many else _A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.5)  # inches
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.print_area(0, 0, len(table.rows), len(table.columns) - 1)  # without it, text that runs over the last column widens the page


def _width(table: Table, column: int, most: int) -> int:
    """The width in characters: that of the longest text or the header, up to a limit."""
    longest = max((len(str(row[column])) for row in table.rows if row[column] is not None), default=0)
    return max(_NARROWEST_COLUMN, min(most, max(longest + 2, len(table.columns[column]) + 3)))
