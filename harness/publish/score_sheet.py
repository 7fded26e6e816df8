"""The first sheet of ``scores.xlsx``, "Bảng điểm": a portal a line, for people and for A4 paper."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

import xlsxwriter
from xlsxwriter.format import Format

from harness.errors import visible
from harness.publish.criterion_words import name_text, version_text
from harness.publish.publication_text import states_text
from harness.publish.reason_words import reason_text
from harness.publish.scoreboard import Standing, rank_text, ranked_on, standings
from harness.publish.wording import day_text, phrase
from harness.scoring.scorecard import CriterionScore, CriterionState, SweepScores
from harness.statistics.interval import RankInterval

SHEET_NAME: Final = "Bảng điểm"

_A4 = 9
_LONGEST_REASON = 600  # characters: a reason may hold a portal's own text; all of it stands in the sheet "scores"
_BEFORE, _AFTER = ("rank", "portal", "points", "low", "high", "assessed"), ("verdict", "reason")
_WIDTHS = {"rank": 6, "portal": 27, "points": 7, "low": 6, "high": 6, "assessed": 8, "verdict": 13, "reason": 36}  # characters
_CRITERION_WIDTH = 5.6
_LINE_HEIGHT = 15  # points; heights are set, because not every program fits a row to text that it wraps
_HEAD_HEIGHT = 128  # points: room for the names of criteria, which stand upright


def write_score_sheet(workbook: xlsxwriter.Workbook, scores: SweepScores, ranks: Mapping[str, RankInterval] | None) -> None:
    """Add the sheet: title, notes on what limits the use of the scores, then a line a portal, best first.

    ``ranks``: as in ``standings``. Points are numbers; "–" stands where there are none, "?" where a criterion is unproven. It prints
    on A4 landscape, one page wide, with its header on each page.
    """
    sheet = workbook.add_worksheet(SHEET_NAME)
    board = standings(scores, ranks)
    criteria = list({criterion.id: criterion for card in scores.scorecards for criterion in card.criteria}.values())
    names = [*_BEFORE, *(criterion.id for criterion in criteria), *_AFTER]
    line = _write_title(sheet, workbook, scores)
    _write_head(sheet, workbook, line, criteria)
    formats = _Formats(workbook)
    for number, standing in enumerate(board, start=line + 1):
        _write_portal(sheet, formats, number, standing, criteria)
    last = line + len(board)
    for offset, note in enumerate(_footnotes(scores, ranks), start=2):
        sheet.write_string(last + offset, 0, note, workbook.add_format({"font_size": 9, "font_color": "#444444"}))
        sheet.set_row(last + offset, 14)
    for column, name in enumerate(names):
        sheet.set_column(column, column, _WIDTHS.get(name, _CRITERION_WIDTH))
    sheet.freeze_panes(line + 1, 2)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)  # inches
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(line)
    sheet.print_area(0, 0, last + 1 + len(_footnotes(scores, ranks)), len(names) - 1)
    sheet.set_footer(f"&L&9 {scores.sweep.replace('&', '&&')}&R&9 &P / &N")
    sheet.activate()


class _Formats:
    """The formats of a line's cells."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        cell = {"valign": "top", "bottom": 4, "bottom_color": "#B8C2CC"}
        self.text = workbook.add_format({**cell, "text_wrap": True})
        self.beside = workbook.add_format({**cell, "text_wrap": True, "align": "left", "indent": 1})
        self.middle = workbook.add_format({**cell, "align": "center"})
        self.bold = workbook.add_format({**cell, "bold": True, "num_format": "0.0", "align": "right"})
        self.points = workbook.add_format({**cell, "num_format": "0.00", "align": "right"})
        self.rough = workbook.add_format({**cell, "num_format": "0.0", "align": "right"})
        self.whole = workbook.add_format({**cell, "align": "right"})
        self.none = workbook.add_format({**cell, "align": "right", "font_color": "#666666"})


def _write_title(sheet: xlsxwriter.worksheet.Worksheet, workbook: xlsxwriter.Workbook, scores: SweepScores) -> int:
    """Title, sweep and notes; the number of the row below them."""
    sheet.write_string(0, 0, phrase("board.title").vi, workbook.add_format({"bold": True, "font_size": 15}))
    sheet.set_row(0, 22)
    nights = ", ".join(day_text(night).vi for night in scores.nights)
    parts = (
        f"{phrase('report.sweep').vi}: {scores.sweep}",
        f"{phrase('report.nights').vi}: {nights}",
        f"{phrase('report.criteria_set').vi}: {scores.criteria_set.id} {version_text(scores.criteria_set.version).vi}",
        f"{phrase('report.revision').vi}: {scores.revision}",
        f"{phrase('report.publication').vi}: {states_text(scores.scorecards).vi}",
    )
    sheet.write_string(1, 0, " · ".join(visible(part) for part in parts))
    notes = [phrase("note.provisional").vi] if scores.criteria_set.provisional else []
    if scores.criteria_set.version != scores.criteria_set.unshortened_version:
        notes.append(phrase("note.shortened").vi)
    banner = workbook.add_format({"bold": True, "font_color": "#7A3E00", "bg_color": "#FFE8C7"})
    columns = len(_BEFORE) + len(_AFTER) + len({criterion.id for card in scores.scorecards for criterion in card.criteria})
    for row, note in enumerate(notes, start=2):
        for column in range(columns):
            sheet.write_blank(row, column, None, banner)
        sheet.write_string(row, 0, note, banner)
    return 3 + len(notes)


def _write_head(sheet: xlsxwriter.worksheet.Worksheet, workbook: xlsxwriter.Workbook, row: int, criteria: list[CriterionScore]) -> None:
    shown = {"bold": True, "bg_color": "#E8EDF2", "bottom": 1, "text_wrap": True, "valign": "bottom"}
    level = workbook.add_format({**shown, "align": "left"})
    of_numbers = workbook.add_format({**shown, "align": "right"})
    beside = workbook.add_format({**shown, "align": "left", "indent": 1})
    upright = workbook.add_format({**shown, "rotation": 90, "font_size": 9, "align": "center"})
    heads = [phrase(f"sheet.{name}").vi for name in _BEFORE]
    for column, head in enumerate(heads):
        sheet.write_string(row, column, head, level if column < 2 else of_numbers)
    for column, criterion in enumerate(criteria, start=len(heads)):
        name = visible(name_text(criterion.name_vi, criterion.name_en).vi)
        sheet.write_string(row, column, f"{name} (/{criterion.points_max:g})".replace(".", ","), upright)
    for column, name in enumerate(_AFTER, start=len(heads) + len(criteria)):
        sheet.write_string(row, column, phrase(f"sheet.{name}").vi, beside if name == "verdict" else level)
    sheet.set_row(row, _HEAD_HEIGHT)


def _write_portal(
    sheet: xlsxwriter.worksheet.Worksheet, formats: _Formats, row: int, standing: Standing, criteria: list[CriterionScore]
) -> None:
    card = standing.card
    low, high = card.interval or (None, None)
    sheet.write_string(row, 0, rank_text(standing), formats.middle)
    name = visible(name_text(card.name_vi, card.name_en).vi)
    sheet.write_string(row, 1, name, formats.text)
    numbers = ((card.points, formats.bold), (low, formats.rough), (high, formats.rough), (card.points_assessed_max, formats.whole))
    for column, (value, shown) in enumerate(numbers, start=2):
        _write_number(sheet, row, column, value, shown, formats.none)
    own = {criterion.id: criterion for criterion in card.criteria}
    for column, criterion in enumerate(criteria, start=len(_BEFORE)):
        mine = own.get(criterion.id)
        unproven = mine is not None and mine.state is CriterionState.UNPROVEN
        points = None if mine is None else mine.points
        _write_number(sheet, row, column, points, formats.points, formats.none, "?" if unproven else "–")
    last = len(_BEFORE) + len(criteria)
    sheet.write_string(row, last, phrase(f"verdict.{card.verdict.value}").vi, formats.beside)
    reasons = "; ".join(reason_text(reason, "vi") for reason in card.reasons)
    short = reasons if len(reasons) <= _LONGEST_REASON else f"{reasons[: _LONGEST_REASON - 1]}…"
    sheet.write_string(row, last + 1, visible(short), formats.text)
    lines = max(_lines(name, _WIDTHS["portal"]), _lines(short, _WIDTHS["reason"]))
    sheet.set_row(row, _LINE_HEIGHT * lines)


def _lines(text: str, width: int) -> int:
    """How many lines a text takes at most in a column of this width."""
    return max(1, len(textwrap.wrap(text, width)))


def _write_number(
    sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: float | None, shown: Format, none: Format, missing: str = "–"
) -> None:
    if value is None:
        sheet.write_string(row, column, missing, none)
    else:
        sheet.write_number(row, column, value, shown)


def _footnotes(scores: SweepScores, ranks: Mapping[str, RankInterval] | None) -> list[str]:
    return [*_ranked(scores, ranks), phrase("sheet.signs").vi]


def _ranked(scores: SweepScores, ranks: Mapping[str, RankInterval] | None) -> Iterator[str]:
    if ranks is None:
        yield from (basis.vi for basis in ranked_on(scores))
