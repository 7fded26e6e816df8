"""What the main evaluation imports: scores as JSON, CSV and XLSX, totals and grades of all systems as JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from harness.errors import EvidenceError, Problem
from harness.evidence.folder import SCORES_CSV, SCORES_JSON, SCORES_XLSX
from harness.publish.import_file import check_bytes, to_bytes
from harness.publish.report_data import Grades, PortalGrade
from harness.publish.tables import Cell, Table, TableRow, criteria_table, csv_bytes, evidence_table, flat_table, scores_table
from harness.publish.workbook import workbook_bytes
from harness.records.files import read_json, write_together
from harness.scoring.evaluation import PortalTotal, Totals
from harness.scoring.scorecard import SweepScores
from harness.statistics.interval import RankInterval

TOTALS_JSON: Final = "totals.json"
TOTALS_CSV: Final = "totals.csv"
TOTALS_SCHEMA: Final = "evaluation-totals/1"


def export(scores: SweepScores, folder: Path, *, ranks: Mapping[str, RankInterval] | None = None) -> Path:
    """Writes ``scores.csv``, ``scores.xlsx`` and ``scores.json`` into ``folder``, all three or none; returns the JSON's path.

    ``ranks`` holds the best and the worst rank of each portal that can be ranked; without it scoring's own are used.
    The same scores give the same bytes. Raises EvidenceError where the scores break the published schema, and
    EnvironmentFault where the folder cannot be written.
    """
    document = to_bytes(scores)
    check_bytes(document, str(folder / SCORES_JSON))
    sheets = [criteria_table(scores), evidence_table(scores), scores_table(scores)]
    contents = {
        SCORES_CSV: csv_bytes(flat_table(scores)),
        SCORES_XLSX: workbook_bytes(scores, ranks, sheets),
        SCORES_JSON: document,
    }
    write_together(folder, contents)
    return folder / SCORES_JSON


def export_totals(totals: Totals, scores: SweepScores, folder: Path) -> Path:
    """Writes ``totals.csv`` and ``totals.json`` into ``folder``, both or none; returns the JSON's path.

    Names the sweep and revision that the performance points come from. Raises EnvironmentFault where the folder cannot be written.
    """
    text = json.dumps(_document(totals, scores), ensure_ascii=False, allow_nan=False, indent=1)
    write_together(folder, {TOTALS_CSV: csv_bytes(totals_table(totals)), TOTALS_JSON: f"{text}\n".encode()})
    return folder / TOTALS_JSON


def read_grades(folder: Path) -> Grades | None:
    """The totals and grades of ``totals.json`` in a folder; None where there is none. Raises EvidenceError if the file has another form."""
    path = folder / TOTALS_JSON
    if not path.is_file():
        return None
    try:
        listed = read_json(path)
        by_portal = {
            each["portal"]: PortalGrade(each["total"], each["grade"], tuple(each["grade_interval"]) if each["grade_interval"] else None)
            for each in listed["systems"]
        }
        of = listed["performance"]
        return Grades(of["sweep"], of["revision"], listed["between_bands"], by_portal)
    except (KeyError, TypeError) as error:
        expected, remedy = f"a document of {TOTALS_SCHEMA}", "Make it again with `harness total`, or move it away."
        raise EvidenceError(Problem(str(path), "totals.json", f"{type(error).__name__}: {error}", expected, remedy)) from error


def totals_table(totals: Totals) -> Table:
    """One row a system: points by group, total with interval, grade, and the most the total could be."""
    groups = tuple(group for group, _ in totals.systems[0].groups) if totals.systems else ()
    columns = ("portal", "name_vi", "name_en", "level", *groups, "total", "total_low", "total_high", "grade", "grade_low", "grade_high",
               "assessed_max", "without_a_total_because")  # fmt: skip
    return Table("totals", columns, [_row(system) for system in totals.systems])


def _row(system: PortalTotal) -> TableRow:
    low, high = system.total_interval or (None, None)
    worse, better = system.grade_interval or (None, None)
    groups: tuple[Cell, ...] = tuple(_number(points) for _, points in system.groups)
    return (
        system.portal, system.name_vi, system.name_en, system.level, *groups, _number(system.total), _number(low), _number(high),
        system.grade, worse, better, _number(system.points_assessed_max), system.why_not,
    )  # fmt: skip


def _document(totals: Totals, scores: SweepScores) -> dict[str, Any]:
    return {
        "schema": TOTALS_SCHEMA,
        "performance": {"sweep": scores.sweep, "revision": scores.revision, "nights": list(scores.nights)},
        "criteria_set": {
            "id": scores.criteria_set.id,
            "version": scores.criteria_set.version,
            "provisional": scores.criteria_set.provisional,
        },
        "between_bands": totals.rule,
        "systems": [_system(system) for system in totals.systems],
        "distribution": [{"level": level, "grades": dict(grades)} for level, grades in totals.distribution],
        "not_scored": list(totals.unknown),
    }


def _system(system: PortalTotal) -> dict[str, Any]:
    return {
        "portal": system.portal,
        "name_vi": system.name_vi,
        "name_en": system.name_en,
        "level": system.level,
        "groups": {group: _number(points) for group, points in system.groups},
        "total": _number(system.total),
        "interval": None if system.total_interval is None else [_number(end) for end in system.total_interval],
        "grade": system.grade,
        "grade_interval": None if system.grade_interval is None else list(system.grade_interval),
        "assessed_max": _number(system.points_assessed_max),
        "without_a_total_because": system.why_not,
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
