"""CSV files that people keep beside a profile, as a spreadsheet or an editor saves it: read and checked as a whole."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Problem

SEPARATORS: Mapping[str, str] = {",": "comma", ";": "semicolon", "\t": "tab"}
LINES_NAMED = 5
"""Wrong lines that are named one by one: the first few say enough."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class CsvFile:
    """The rows of a file, each with a value for every column."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    separator: str  # comma, semicolon or tab


def decoded(data: bytes) -> str:
    """A text as editors save it: UTF-8, or UTF-16 with a byte order mark. The mark is no part of the text."""
    return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")


def read_csv_file(path: Path, problems: list[Problem]) -> CsvFile | None:
    """The table in a file whose first line names the columns; what is wrong goes to ``problems``, and then the answer is None.

    The separator is the one that the first line uses: comma, semicolon or tab. Empty lines are left out. Raises OSError and
    UnicodeDecodeError.
    """
    return _Reading(str(path), decoded(path.read_bytes()), problems).table()


class _Reading:
    """One table while it is read."""

    def __init__(self, file: str, text: str, problems: list[Problem]) -> None:
        self._file, self._problems = file, problems
        first, _, rest = text.partition("\n")
        self._skipped = first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=;")  # Excel's own line
        self._text = rest if self._skipped else text
        self._separator = first.strip()[-1] if self._skipped else _separator_of(self._text.partition("\n")[0])

    def table(self) -> CsvFile | None:
        before = len(self._problems)
        lines = self._lines()
        try:
            line, header = next(lines, (1, []))
            columns = tuple(name.strip() for name in header)
            self._check_columns(columns, line)
            rows = tuple(self._rows(lines, columns)) if len(self._problems) == before else ()
        except csv.Error as error:
            self._wrong(
                f"not CSV ({error})", "well-formed CSV, with every quotation mark closed", "Mend the line, or save the table anew.", 0
            )
            return None
        if len(self._problems) == before and not rows:
            self._wrong("no rows", "a row below the names of the columns", "Add rows.", line)
        return CsvFile(columns, rows, self._separator_name) if len(self._problems) == before else None

    @property
    def _separator_name(self) -> str:
        return SEPARATORS.get(self._separator, repr(self._separator))

    def _lines(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The lines that are not empty, each with its number."""
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._separator, strict=True)
        begins = 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins + self._skipped, cells
            begins = reader.line_num + 1  # a cell in quotation marks may hold line ends

    def _check_columns(self, columns: Sequence[str], line: int) -> None:
        names = ", ".join(columns) or "none"
        if not columns or not all(columns):
            self._wrong(f"{names} ({self._separator_name})", "a name for each column in the first line", "Name the columns.", line)
        elif len(set(columns)) < len(columns):
            self._wrong(f"{names} ({self._separator_name})", "each column once", "Rename one of the two.", line)

    def _rows(self, lines: Iterator[tuple[int, Sequence[str]]], columns: Sequence[str]) -> Iterator[Mapping[str, str]]:
        wrong = 0
        for number, cells in lines:
            if len(cells) == len(columns):
                yield dict(zip(columns, cells, strict=True))
                continue
            wrong += 1
            if wrong <= LINES_NAMED:
                value = f"{len(cells)} cells, separated by {self._separator_name}"
                remedy = 'Mend the line; a value that holds the separator stands in quotation marks: "…".'
                self._wrong(value, f"{len(columns)} cells, one for each of {', '.join(columns)}", remedy, number)
        if wrong > LINES_NAMED:
            self._wrong(f"{wrong - LINES_NAMED} more lines of this kind", f"{len(columns)} cells in each line", "Mend them too.", 0)

    def _wrong(self, value: str, expected: str, remedy: str, line: int) -> None:
        self._problems.append(Problem(self._file, "table", value, expected, remedy, line))


def _separator_of(header: str) -> str:
    """The separator that stands most often outside of quotation marks."""
    outside = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=outside.count)
