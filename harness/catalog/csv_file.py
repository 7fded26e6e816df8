"""Tables that people bring as CSV, as a spreadsheet or an editor saves them: the only reader of them, and of the numbers in their cells."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from harness.catalog.text_file import LARGEST_BYTES, has_blank_edges, text_of
from harness.errors import Problem
from harness.records.files import read_at_most

SEPARATORS: Mapping[str, str] = {",": "comma", ";": "semicolon", "\t": "tab"}
LINES_NAMED = 5
"""Wrong lines that are named one by one: the first few say enough."""

_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
_COMMA_NUMBER = re.compile(r"[-+]?[0-9]+,([0-9]{1,2}|[0-9]{4,})")  # three digits after a comma may be thousands
_SPOILT = (
    (re.compile(r"[-+]?[0-9]([.,][0-9]+)?E[-+][0-9]{2,}"), "a number that a spreadsheet has cut to a few digits"),
    (re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|#+)"), "an error of a spreadsheet"),
    (re.compile(r'=".*"'), "a formula of a spreadsheet"),
)
"""What spreadsheets write in the place of a value that somebody had."""
_WHOLE = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class CsvFile:
    """The rows of a table, each with a value for every column, and the line on which each begins."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    separator: str  # comma, semicolon or tab
    lines: tuple[int, ...] = ()

    @property
    def header(self) -> str:
        """The columns and the separator that were found, in words."""
        return f"{', '.join(self.columns)} (separated by {self.separator})"

    @property
    def numbered(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Each row with its line."""
        return zip(self.lines, self.rows, strict=True)

    @property
    def decimal_comma(self) -> bool:
        """Whether a comma in a number can be the decimal sign: it does not separate the cells."""
        return self.separator != SEPARATORS[","]


def number(cell: str, *, decimal_comma: bool = False) -> Decimal | None:
    """The number in a cell; None where there is none, or where it may be read in two ways.

    The decimal sign is a point, or a comma where ``decimal_comma`` says so and the digits behind it cannot be thousands. There
    are no thousands separators and no per cent signs.
    """
    text = cell.strip()
    if decimal_comma and _COMMA_NUMBER.fullmatch(text):
        text = text.replace(",", ".")
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def whole_number(cell: str) -> int | None:
    """The whole number from 0 in a cell, of up to twelve digits and nothing else; None where there is none."""
    return int(cell) if _WHOLE.fullmatch(cell.strip()) else None


def read_csv_file(path: Path, problems: list[Problem]) -> CsvFile | None:
    """The table in a file whose first line names the columns; what is wrong goes to ``problems``, and then the answer is None.

    The separator is the one that the first line uses: comma, semicolon or tab. Empty lines are left out. Raises OSError.
    """
    before = len(problems)
    text = text_of(read_at_most(path, LARGEST_BYTES), str(path), "a table", problems)
    table = None if text is None else read_csv_text(text, str(path), problems)
    return table if len(problems) == before else None


def check_edges(table: CsvFile, file: str, problems: list[Problem]) -> None:
    """Adds to ``problems`` each value that begins or ends with signs that nobody sees: they would be sent."""
    found = [(line, column) for line, row in table.numbered for column, cell in row.items() if cell.strip() and has_blank_edges(cell)]
    for line, column in found[:LINES_NAMED]:
        remedy = "Remove the blanks around the value, behind the separator too."
        problems.append(Problem(file, column, "a value with a blank or an invisible sign around it", "the value alone", remedy, line))


def read_csv_text(text: str, file: str, problems: list[Problem], *, may_be_empty: bool = False) -> CsvFile | None:
    """The table in a text from ``file``, with the rows that are well-formed; all others go to ``problems``.

    None where the columns cannot be told. ``may_be_empty``: a table without rows is no problem.
    """
    return _Reading(file, text, problems, may_be_empty=may_be_empty).table()


def columns_of(text: str) -> tuple[str, ...]:
    """The names in the first line of a text, if it is a table."""
    return _Reading("", text, [], may_be_empty=True).names()


class _Reading:
    """One table while it is read."""

    def __init__(self, file: str, text: str, problems: list[Problem], *, may_be_empty: bool) -> None:
        self._file, self._problems, self._may_be_empty = file, problems, may_be_empty
        text = text.removeprefix("\ufeff")
        if "\n" not in text:
            text = text.replace("\r", "\n")  # as Excel for Mac once saved it
        first, _, rest = text.partition("\n")
        self._skipped = first.strip().lower().startswith("sep=") and len(first.strip("\r\n ")) == len("sep=;")  # Excel's own line
        self._text = rest if self._skipped else text
        self._separator = first.strip("\r\n ")[-1] if self._skipped else _separator_of(self._text)
        self._begins = 1  # the line on which the next row begins

    def table(self) -> CsvFile | None:
        before = len(self._problems)
        lines = self._lines()
        columns: tuple[str, ...] = ()
        rows: list[tuple[int, Mapping[str, str]]] = []
        try:
            line, header = next(lines, (1, []))
            columns = tuple(name.strip() for name in header)
            self._check_columns(columns, line)
            if len(self._problems) > before:
                return None
            rows.extend(self._rows(lines, columns))
        except csv.Error as error:
            expected = "well-formed CSV, with every quotation mark closed"
            self._wrong(f"not CSV ({error})", expected, "Mend the line, or save the table anew.", self._begins + self._skipped)
        if len(self._problems) == before and not rows and not self._may_be_empty:
            self._wrong("no rows", "a row below the names of the columns", "Add rows.", line)
        return CsvFile(columns, tuple(row for _, row in rows), self._separator_name, tuple(number for number, _ in rows))

    def names(self) -> tuple[str, ...]:
        """The cells of the first line that is not empty."""
        try:
            return tuple(name.strip() for name in next(self._lines(), (1, []))[1])
        except csv.Error:
            return ()

    @property
    def _separator_name(self) -> str:
        return SEPARATORS.get(self._separator, repr(self._separator))

    def _lines(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The lines from the first one that is not empty, each with its number."""
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._separator, strict=True)
        begun = False
        for cells in reader:
            begun = begun or any(cell.strip() for cell in cells)
            if begun:
                yield self._begins + self._skipped, cells
            self._begins = reader.line_num + 1  # a cell in quotation marks may hold line ends

    def _check_columns(self, columns: Sequence[str], line: int) -> None:
        names = ", ".join(columns) or "none"
        if not columns or not all(columns):
            self._wrong(f"{names} ({self._separator_name})", "a name for each column in the first line", "Name the columns.", line)
        elif len(set(columns)) < len(columns):
            self._wrong(f"{names} ({self._separator_name})", "each column once", "Rename one of the two.", line)

    def _rows(self, lines: Iterator[tuple[int, Sequence[str]]], columns: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
        wrong = 0
        for number, cells in lines:
            if not any(cell.strip() for cell in cells) and len(cells) in (0, 1, len(columns)):
                continue
            if len(cells) == len(columns):
                self._check_cells(columns, cells, number)
                yield number, dict(zip(columns, cells, strict=True))
                continue
            wrong += 1
            if wrong <= LINES_NAMED:
                value = f"{len(cells)} cells, separated by {self._separator_name}"
                remedy = 'Mend the line; a value that holds the separator stands in quotation marks: "…". Numbers have a decimal point and no thousands separator.'
                self._wrong(value, f"{len(columns)} cells, one for each of {', '.join(columns)}", remedy, number)
        if wrong > LINES_NAMED:
            self._wrong(f"{wrong - LINES_NAMED} more lines of this kind", f"{len(columns)} cells in each line", "Mend them too.", 0)

    def _check_cells(self, columns: Sequence[str], cells: Sequence[str], line: int) -> None:
        if tuple(cell.strip() for cell in cells) == columns:
            self._wrong("the names of the columns once more", "them in the first line alone", "Remove the line.", line)
        for column, cell in zip(columns, cells, strict=True):
            for pattern, what in _SPOILT:
                if pattern.fullmatch(cell.strip()):
                    remedy = "Format the column as text in the spreadsheet, fill the values in again, and save the table anew."
                    self._problems.append(Problem(self._file, column, f"{cell.strip()[:40]}, {what}", "the value itself", remedy, line))

    def _wrong(self, value: str, expected: str, remedy: str, line: int) -> None:
        self._problems.append(Problem(self._file, "table", value, expected, remedy, line))


def _separator_of(text: str) -> str:
    """The separator that stands most often in the first line, outside of quotation marks."""
    header = next((line for line in text.split("\n") if line.strip()), "")
    outside = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=outside.count)
