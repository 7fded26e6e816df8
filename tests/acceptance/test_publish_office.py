"""scores.xlsx in LibreOffice Calc: it opens, holds what it should, and nothing in it is a formula."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from harness import publish
from tests.publish import simulated_night as night

pytestmark = pytest.mark.slow

FORMULA = "=cmd|'/c calc'!A1"
COMMA, QUOTE, UTF_8, NO_FIRST_LINE, ALL_SHEETS = "44", "34", "76", "1", "-1"
# Values as stored and not as shown, so that no digit is lost; https://help.libreoffice.org, "CSV filter parameters".
CSV_FILTER = f"csv:Text - txt - csv (StarCalc):{COMMA},{QUOTE},{UTF_8},{NO_FIRST_LINE},,0,false,false,false,false,false,{ALL_SHEETS}"


@pytest.fixture
def calc(tmp_path):
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.fail("needs LibreOffice Calc: apt-get install --no-install-recommends libreoffice-calc")

    def convert(path: Path, kind: str) -> None:
        profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
        command = [program, profile, "--headless", "--norestore", "--convert-to", kind, "--outdir", str(path.parent), str(path)]
        subprocess.run(command, check=True, capture_output=True, timeout=240)

    return convert


@pytest.fixture
def workbook(tmp_path):
    scores = night.sweep_scores()
    hostile = replace(scores.scorecards[0], portal=FORMULA, name_vi=FORMULA, name_en="+1")
    scores = replace(scores, scorecards=(hostile, *scores.scorecards[1:]))
    publish.export(scores, tmp_path)
    return scores, tmp_path / "scores.xlsx"


def test_calc_reads_the_same_numbers_and_texts(workbook, calc):
    scores, path = workbook
    calc(path, CSV_FILTER)
    with (path.parent / "scores-scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["portal"] for row in rows] == [card.portal for card in scores.scorecards]
    assert [row["name_vi"] for row in rows] == [card.name_vi for card in scores.scorecards]
    for row, card in zip(rows, scores.scorecards, strict=True):
        assert row["points"] == "" if card.points is None else float(row["points"]) == pytest.approx(card.points, rel=1e-12)
    with (path.parent / "scores-criteria.csv").open(encoding="utf-8", newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == sum(len(card.criteria) for card in scores.scorecards)


def test_calc_finds_no_formula_even_after_saving(workbook, calc):
    scores, path = workbook
    saved = path.with_name("saved.xlsx")
    shutil.copyfile(path, saved)
    calc(saved, "ods")
    calc(saved.with_suffix(".ods"), "xlsx:Calc MS Excel 2007 XML")
    cells = [cell for sheet in openpyxl.load_workbook(saved) for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert "f" not in {cell.data_type for cell in cells}
    assert FORMULA in [cell.value for cell in cells]
    assert len(cells) > 10 * len(scores.scorecards)


def test_calc_prints_it(workbook, calc):
    _, path = workbook
    calc(path, "pdf")
    printed = path.with_suffix(".pdf")
    assert printed.read_bytes().startswith(b"%PDF-")
    if shutil.which("pdftotext") is None:
        pytest.fail("needs pdftotext: apt-get install poppler-utils")
    text = subprocess.run(["pdftotext", str(printed), "-"], check=True, capture_output=True, text=True).stdout
    assert "Quảng Ngãi" in text
    assert FORMULA in text


def test_the_scoreboard_of_84_portals_prints_one_page_wide(tmp_path, calc):
    scores = night.sweep_scores()
    cards = [replace(scores.scorecards[number % 6], portal=f"p{number:02d}", name_vi=f"Tỉnh thử {number:02d}") for number in range(84)]
    publish.export(replace(scores, scorecards=tuple(cards)), tmp_path)
    calc(tmp_path / "scores.xlsx", "pdf")
    text = subprocess.run(["pdftotext", "-layout", str(tmp_path / "scores.pdf"), "-"], check=True, capture_output=True, text=True).stdout
    pages = [page for page in text.split("\f") if "Kết luận" in page]
    assert pages[0].lstrip().startswith("Bảng điểm nhóm hiệu năng")
    for card in cards:  # each line whole on one page, from its name to its verdict
        (line,) = [line for page in pages for line in page.splitlines() if card.name_vi in line]
        assert re.search("hợp lệ|bị từ chối", line), line
