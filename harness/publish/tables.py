"""The scores as flat tables: the sheets of ``scores.xlsx`` and the rows of ``scores.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.evidence.reasons import Language
from harness.publish.reason_words import reason_text
from harness.scoring.scorecard import CriterionScore, Scorecard, SweepScores

Cell = str | float | int | bool | None
TableRow = tuple[Cell, ...]

# A spreadsheet runs a cell that begins with one of these as a formula, or strips it first (OWASP, CSV injection).
_BEGINS_A_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows of equal length."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[TableRow]


_SWEEP = ("sweep", "revision", "nights", "criteria_set", "criteria_set_version", "provisional")
_PORTAL = ("portal", "name_vi", "name_en", "level", "verdict", "reason_codes", "reasons_vi", "reasons_en")
_POINTS = ("points", "points_low", "points_high", "points_max")
_CRITERION = (
    "criterion", "criterion_vi", "criterion_en", "heading", "state", "not_assessed_because",
    *_POINTS, "interval_kind", "interval_level", "metric", "selection", "value", "value_low", "value_high", "censored", "unit",
    "value_of_successes", "not_charged_s",
    "windows", "n", "curve", "basis", "source", "over",
    "value_measured", "zero_point_s", "failures", "failures_of",
)  # fmt: skip


def scores_table(scores: SweepScores) -> Table:
    """One row a portal: verdict, points with interval, assessed maximum; then the columns of the sweep, and the state of publication."""
    rows = []
    for card in scores.scorecards:
        who, why = _portal(card)[:5], _portal(card)[5:]
        rows.append((*who, *_total(card), card.points_assessed_max, *why, *_sweep(scores), card.where_it_stands.state))
    return Table("scores", (*_PORTAL[:5], *_POINTS, "points_assessed_max", *_PORTAL[5:], *_SWEEP, "publication"), rows)


def criteria_table(scores: SweepScores) -> Table:
    """One row a portal and criterion, with all inputs of its points."""
    rows = [(card.portal, card.name_vi, card.verdict.value, *_criterion(c)) for card in scores.scorecards for c in card.criteria]
    return Table("criteria", ("portal", "name_vi", "verdict", *_CRITERION), rows)


def evidence_table(scores: SweepScores) -> Table:
    """One row a scored file, with its digest."""
    rows = [(card.portal, evidence.file, evidence.sha256) for card in scores.scorecards for evidence in card.evidence]
    return Table("evidence", ("portal", "file", "sha256"), rows)


def flat_table(scores: SweepScores) -> Table:
    """The rows of ``scores.csv``: for each portal its criteria, then its total.

    The column ``row`` says "criterion" or "total"; a sum over both would count each point twice.
    """
    blank: TableRow = (None,) * (len(_CRITERION) - 6 - len(_POINTS))

    def rows() -> Iterator[TableRow]:
        for card in scores.scorecards:
            shared = (*_sweep(scores), *_portal(card))
            for criterion in card.criteria:
                yield (*shared, "criterion", *_criterion(criterion), None, card.where_it_stands.state)
            yield (*shared, "total", *(None,) * 6, *_total(card), *blank, card.points_assessed_max, card.where_it_stands.state)

    return Table("scores", (*_SWEEP, *_PORTAL, "row", *_CRITERION, "points_assessed_max", "publication"), list(rows()))


def csv_bytes(table: Table) -> bytes:
    """The table as CSV: UTF-8 with a byte order mark, which Excel needs for Vietnamese; decimal points, CRLF line ends.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([_printed(cell) for cell in row] for row in table.rows)
    return buffer.getvalue().encode("utf-8-sig")


def _printed(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        text = cell.replace("\x00", "")
        return f"'{text}" if text.lstrip(" ")[:1] in _BEGINS_A_FORMULA and text.strip(" ") else text
    return repr(cell)


def _sweep(scores: SweepScores) -> TableRow:
    nights = " ".join(scores.nights)
    return (scores.sweep, scores.revision, nights, scores.criteria_set.id, scores.criteria_set.version, scores.criteria_set.provisional)


def _portal(card: Scorecard) -> TableRow:
    codes = "; ".join(reason.code + (f" ({reason.detail})" if reason.detail else "") for reason in card.reasons)
    return (card.portal, card.name_vi, card.name_en, card.level, card.verdict.value, codes, _reasons(card, "vi"), _reasons(card, "en"))


def _reasons(card: Scorecard, language: Language) -> str:
    return "; ".join(reason_text(reason, language) for reason in card.reasons)


def _total(card: Scorecard) -> TableRow:
    return (card.points, *_ends(card.interval), card.points_max)


def _criterion(criterion: CriterionScore) -> TableRow:
    return (
        criterion.id, criterion.name_vi, criterion.name_en, criterion.heading, criterion.state.value, criterion.reason,
        criterion.points, *_ends(criterion.interval), criterion.points_max,
        criterion.interval_kind, criterion.interval_level, criterion.metric, criterion.selection,
        criterion.value, *_ends(criterion.value_interval), criterion.censored, criterion.unit,
        criterion.value_of_successes, criterion.not_charged_s,
        criterion.windows, criterion.n, criterion.curve, criterion.basis, criterion.source,
        criterion.over if criterion.judged_per_window else None,
        criterion.value_measured, criterion.zero_point_s, criterion.failures, criterion.failures_of,
    )  # fmt: skip


def _ends(interval: tuple[float | None, float | None] | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else interval
