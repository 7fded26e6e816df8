"""Tables as spreadsheets and editors save them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.catalog.csv_file import read_csv_file
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
        ('a,b\n"1,2\n', 0, "not CSV", "every quotation mark closed"),
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
