"""Tables as spreadsheets and editors save them."""

from __future__ import annotations

import csv
import gzip
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harness.catalog import text_file
from harness.catalog.csv_file import SEPARATORS, check_edges, columns_of, number, read_csv_file, read_csv_text, whole_number
from harness.catalog.json_file import read_json_text
from harness.errors import Problem

ROWS = ({"ten": "a1", "ghi_chu": "Số 1; phố A, xã B"}, {"ten": "a2", "ghi_chu": ""})


def read(tmp_path: Path, data: bytes) -> tuple[object, list[Problem]]:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    problems: list[Problem] = []
    return read_csv_file(path, problems), problems


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ('ten,ghi_chu\na1,"Số 1; phố A, xã B"\na2,\n', "comma"),
        ('ten;ghi_chu\r\na1;"Số 1; phố A, xã B"\r\na2;\r\n', "semicolon"),
        ("ten\tghi_chu\na1\tSố 1; phố A, xã B\na2\t\n", "tab"),
        ('sep=;\nten;ghi_chu\n\na1;"Số 1; phố A, xã B"\n;\na2;', "semicolon"),
        (' ten , "ghi_chu"\na1,"Số 1; phố A, xã B"\na2,\n'.replace(', "', ',"'), "comma"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_is_read_as_it_was_saved(tmp_path: Path, text: str, separator: str, encoding: str) -> None:
    table, problems = read(tmp_path, text.encode(encoding))
    assert not problems
    assert table is not None
    assert (table.columns, table.rows, table.separator) == (("ten", "ghi_chu"), ROWS, separator)  # type: ignore[attr-defined]


def test_one_column_needs_no_separator(tmp_path: Path) -> None:
    table, problems = read(tmp_path, b"code\nH1\nH2\n")
    assert not problems
    assert [row["code"] for row in table.rows] == ["H1", "H2"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "line", "value", "expected"),
    [
        ("a,b\n1,2\n3,4,5\n", 3, "3 cells, separated by comma", "2 cells, one for each of a, b"),
        ("a;b\n1\n", 2, "1 cells, separated by semicolon", "2 cells"),
        ('a,b\n"1\n1",2\n3\n', 4, "1 cells", "2 cells"),
        ("a,a\n1,2\n", 1, "a, a (comma)", "each column once"),
        ("a,\n1,2\n", 1, "a,  (comma)", "a name for each column"),
        ("a,b\n", 1, "no rows", "a row below"),
        ("", 1, "none (comma)", "a name for each column"),
        ('a,b\n"1,2\n', 2, "not CSV", "every quotation mark closed"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(tmp_path: Path, text: str, line: int, value: str, expected: str) -> None:
    table, problems = read(tmp_path, text.encode())
    assert table is None
    assert (problems[0].line, problems[0].file) == (line, str(tmp_path / "t.csv"))
    assert problems[0].value.startswith(value)
    assert problems[0].expected.startswith((expected, "well-formed CSV"))


def test_many_wrong_lines_are_counted(tmp_path: Path) -> None:
    _, problems = read(tmp_path, b"a,b\n" + b"1\n" * 100)
    assert [problem.line for problem in problems] == [2, 3, 4, 5, 6, 0]
    assert problems[-1].value == "95 more lines of this kind"


@pytest.mark.parametrize(
    ("data", "line", "value"),
    [
        (b"ten,ho\na,Ph\xfd\xf5\xccng\n", 2, "unreadable (not UTF-8: byte 0xFD"),
        (b"ten,ho\na,b\n\0\0,c\n", 3, "unreadable (it holds NUL)"),
        ("ten,ho\na,b\n".encode("utf-16-le"), 1, "unreadable (it holds NUL)"),
        (b'ten,ho\na,b\n1,"x"y\n', 3, "not CSV"),
    ],
)
def test_what_is_no_text_or_no_table_is_named(tmp_path: Path, data: bytes, line: int, value: str) -> None:
    table, problems = read(tmp_path, data)
    assert table is None
    assert [problem.line for problem in problems] == [line]
    assert problems[0].value.startswith(value)


def test_the_rows_that_are_sound_keep_their_lines() -> None:
    problems: list[Problem] = []
    table = read_csv_text('sep=;\n\na;b\n"1\n1";2\n\n3\n4;5\n', "t.csv", problems)
    assert table is not None
    assert [(line, row["a"]) for line, row in table.numbered] == [(4, "1\n1"), (8, "4")]
    assert [problem.line for problem in problems] == [7]
    assert table.header == "a, b (separated by semicolon)"


def test_line_ends_of_an_old_mac_are_line_ends() -> None:
    table = read_csv_text("a,b\r1,2\r", "t.csv", [])
    assert table is not None
    assert table.rows == ({"a": "1", "b": "2"},)
    assert columns_of("\n\na;b\n1;2") == ("a", "b")
    assert columns_of("") == ()


@pytest.mark.parametrize(
    ("cell", "point", "comma"),
    [
        ("67.9", "67.9", "67.9"), (" 67 ", "67", "67"), ("67,9", None, "67.9"), ("0.1234", "0.1234", "0.1234"), ("1e-05", "0.00001", "0.00001"),
        ("1,200", None, None), ("1.234,5", None, None), ("1,234.5", None, None), ("67,", None, None), (",5", None, None), (".5", None, None),
        ("93 %", None, None), ("1 200", None, None), ("1_0", None, None), ("NaN", None, None), ("inf", None, None), ("٢", None, None), ("", None, None),
        ("12,3456", None, "12.3456"), ("1e999999999", None, None), ("−5", None, None), ("'5", None, None),
    ],
)  # fmt: skip
def test_a_number_has_one_reading_or_none(cell: str, point: str | None, comma: str | None) -> None:
    assert number(cell) == (None if point is None else Decimal(point))
    assert number(cell, decimal_comma=True) == (None if comma is None else Decimal(comma))


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("0", 0),
        (" 1200 ", 1200),
        ("1,200", None),
        ("1.200", None),
        ("1.0", None),
        ("-1", None),
        ("+1", None),
        ("1e3", None),
        ("٢", None),
        ("1" * 13, None),
    ],
)
def test_a_whole_number_is_digits_alone(cell: str, found: int | None) -> None:
    assert whole_number(cell) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 2}', "'a' is given twice"), ('[{"b": {"a": 1, "a": 2}}]', "'a' is given twice"), ("[NaN]", "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"), ("[" * 100_000, "nested too deeply"), ('{\n"a": 1,}', "Expecting property name"), ("", "Expecting value"),
        ("[" + "9" * 5_000 + "]", "Exceeds the limit"),
    ],
)  # fmt: skip
def test_json_that_may_mean_two_things_is_refused(text: str, words: str) -> None:
    problems: list[Problem] = []
    assert read_json_text(text, "a.json", problems) is None
    assert [words in problem.value for problem in problems] == [True]


CHECKED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAME = st.from_regex(r"[a-zà-ỹ_][a-zà-ỹ0-9_ ]{0,6}[a-z]", fullmatch=True).filter(lambda name: "sep=" not in name and name == name.strip())
CELL = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\ufeff"), max_size=8) | st.from_regex(
    r"[0-9.,;\" \t]{0,6}", fullmatch=True
)


@st.composite
def tables(draw: st.DrawFn, cell: st.SearchStrategy[str]) -> tuple[list[str], list[list[str]]]:
    columns = draw(st.lists(NAME, min_size=1, max_size=4, unique=True))
    rows = draw(st.lists(st.lists(cell, min_size=len(columns), max_size=len(columns)), min_size=1, max_size=4))
    return columns, rows


@CHECKED
@given(
    table=tables(CELL), separator=st.sampled_from(sorted(SEPARATORS)), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), line_end=st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_what_a_spreadsheet_saves_is_read_cell_by_cell(
    tmp_path: Path, table: tuple[list[str], list[list[str]]], separator: str, quoting: int, encoding: str, line_end: str
) -> None:
    columns, rows = table
    assume(len(columns) > 1 or separator == ",")  # one column has no separator
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator, quoting=quoting, lineterminator=line_end).writerows([columns, *rows])  # type: ignore[arg-type]
    found, problems = read(tmp_path, buffer.getvalue().encode(encoding))
    wanted = tuple(dict(zip(columns, row, strict=True)) for row in rows if any(cell.strip() for cell in row))
    if wanted:
        assert not problems
        assert found.rows == wanted  # type: ignore[attr-defined]
    else:
        assert [problem.value for problem in problems] == ["no rows"]


@CHECKED
@given(table=tables(st.from_regex(r"[0-9.,; a-c%-]{0,6}", fullmatch=True)), separator=st.sampled_from(sorted(SEPARATORS)))
def test_cells_joined_without_quotation_marks_are_read_as_they_were_or_refused(
    tmp_path: Path, table: tuple[list[str], list[list[str]]], separator: str
) -> None:
    columns, rows = table
    found, problems = read(tmp_path, "\n".join(separator.join(row) for row in [columns, *rows]).encode())
    if found is None:
        assert problems
    else:
        wanted = tuple(dict(zip(columns, row, strict=True)) for row in rows if any(cell.strip() for cell in row))
        assert found.rows == wanted  # type: ignore[attr-defined]


def readings(cell: str) -> set[Decimal]:
    """Every number that somebody may have meant, whatever the decimal sign and the thousands separator are where he lives."""
    found = set()
    for sign, thousands in ((".", ","), (",", "."), (".", " "), (",", " "), (".", "'")):
        if re.fullmatch(rf"([0-9]+|[1-9][0-9]{{0,2}}([{thousands}][0-9]{{3}})+)([{sign}][0-9]+)?", cell):
            found.add(Decimal(cell.replace(thousands, "").replace(sign, ".")))
    return found


@CHECKED
@given(cell=st.from_regex(r"[0-9]{1,3}([., '][0-9]{1,4}){0,2}", fullmatch=True), decimal_comma=st.booleans())
def test_a_figure_up_to_a_hundred_is_the_only_one_that_can_be_meant(cell: str, decimal_comma: bool) -> None:
    found = number(cell, decimal_comma=decimal_comma)
    if found is not None and found <= 100:
        assert {each for each in readings(cell) if each <= 100} == {found}


@CHECKED
@given(data=st.lists(st.sampled_from([*'ab,;\t"\n\r 1', "\0", "sep=", "\ufeff"]), max_size=12).map("".join) | st.binary(max_size=12))
def test_no_table_is_too_odd_for_an_error(tmp_path: Path, data: str | bytes) -> None:
    found, problems = read(tmp_path, data.encode() if isinstance(data, str) else data)
    assert (found is None) == bool(problems)
    assert all(problem.expected and problem.remedy for problem in problems)


# SpartnerNL/Laravel-Excel#300, Automattic/camptix#40: what a spreadsheet makes of long numbers; the header of files put together.
@pytest.mark.parametrize(
    ("row", "key", "value"),
    [
        ("1.23457E+11,m1", "ten", "1.23457E+11, a number that a spreadsheet has cut"),
        ("'8,49E+10',m1", "ten", "8,49E+10, a number that a spreadsheet has cut"),
        ("a1,#N/A", "ho", "#N/A, an error of a spreadsheet"),
        ("#######,m1", "ten", "#######, an error of a spreadsheet"),
        ("'=''00025''',m1", "ten", '="00025", a formula of a spreadsheet'),
        ("ten , ho", "table", "the names of the columns once more"),
    ],
)
def test_what_a_spreadsheet_has_spoilt_is_refused(tmp_path: Path, row: str, key: str, value: str) -> None:
    table, problems = read(tmp_path, ("ten,ho\na0,m0\n" + row.replace("'", '"') + "\n").encode())
    assert table is None
    (problem,) = problems
    assert (problem.key, problem.line) == (key, 3)
    assert problem.value.startswith(value)


@pytest.mark.parametrize("cell", ["#1", "E+12", "5E", "1e+12", "1.5E+1", "=x", "a#N/A", "ten"])
def test_a_value_that_only_looks_a_little_spoilt_is_kept(tmp_path: Path, cell: str) -> None:
    table, problems = read(tmp_path, f"ten,ho\n{cell},m1\n".encode())
    assert not problems
    assert table.rows == ({"ten": cell, "ho": "m1"},)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"PK\x03\x04\x14\0", "a workbook or a ZIP file"),
        (b"\xd0\xcf\x11\xe0\xa1", "an old workbook"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "a gzip file"),
    ],
)
def test_a_packed_file_is_named(tmp_path: Path, data: bytes, value: str) -> None:
    table, problems = read(tmp_path, data)
    assert table is None
    assert [problem.value for problem in problems] == [value]


def test_a_file_without_an_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_bytes(b"a" * 1001)
    problems: list[Problem] = []
    for path in ("/dev/zero", tmp_path / "long.csv"):
        assert text_file.read_text_file(path, "a table", problems, most_bytes=1000) is None
    assert "a device, not a regular file" in problems[0].value
    assert "more than 1000 bytes" in problems[1].value


def test_values_with_blanks_around_them_are_named() -> None:
    problems: list[Problem] = []
    table = read_csv_text("a, b\n1, 2\n3\u200b,4\n\u00a05,6\n7 8,9\n", "t.csv", problems)
    assert table is not None
    assert not problems
    check_edges(table, "t.csv", problems)
    assert [(problem.key, problem.line) for problem in problems] == [("b", 2), ("a", 3), ("a", 4)]
