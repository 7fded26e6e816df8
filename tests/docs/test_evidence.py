"""docs/evidence.md lists every column, outcome, reason and file as the program has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.evidence import SweepFolder, reasons
from harness.evidence.parquet import SAMPLES, SERVER_TIMINGS
from harness.records import COLUMNS, Outcome
from harness.records.server_timing import SERVER_TIMING_COLUMNS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    text = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]
    assert found
    return found


def test_columns_stand_in_order_with_type_and_unit() -> None:
    found = [(name.strip("`"), kind, unit) for name, kind, unit, _ in rows("Rows")]
    assert found == [tuple(column) for column in COLUMNS]
    assert all(meaning for *_, meaning in rows("Rows"))


def test_columns_of_server_timings_stand_in_order() -> None:
    found = [(name.strip("`"), kind, unit) for name, kind, unit, _ in rows("Server-Timing")]
    assert found == [tuple(column) for column in SERVER_TIMING_COLUMNS]
    assert SERVER_TIMINGS.schema.names == [name for name, *_ in found]


def test_files_hold_these_columns_less_those_of_the_path() -> None:
    documented = [name.strip("`") for name, *_ in rows("Rows")]
    assert set(documented) - set(SAMPLES.schema.names) == {"portal", "run"}


def test_every_outcome_has_a_meaning() -> None:
    found = [name for cell, _ in rows("Outcomes") for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(found) == sorted(Outcome)


def test_every_reason_is_listed_in_both_languages() -> None:
    found = {code.strip("`"): (vietnamese, english) for code, english, vietnamese in rows("Verdicts and their reasons")}
    assert set(found) == reasons.CODES, "run `python -m tests.docs.regenerate`"
    for code, texts in found.items():
        assert texts == tuple(reasons.text(reasons.Reason(code), language) for language in ("vi", "en"))


@pytest.mark.parametrize("name", ["plan", "samples", "ledger"])
def test_the_folder_is_as_the_page_says(name: str, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    assert f"`{getattr(folder, name).name}" in PAGE


def test_paths_of_rounds_are_as_the_page_says(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    for path in (folder.round("001-00"), folder.health("001-00")):
        assert f"`{folder.relative(path)}`" in PAGE
    for part in (folder.part("…", "…", "001-00"), folder.timing_part("…", "…", "001-00")):
        assert f"`{folder.relative(part)}`" in PAGE
