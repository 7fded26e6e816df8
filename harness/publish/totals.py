"""The whole evaluation as files: totals and grades of all systems, and how the grades fall on levels."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from harness.publish.tables import Cell, Row, Table, csv_bytes
from harness.records.files import write_together
from harness.scoring.scorecard import SweepScores
from harness.scoring.total import PortalTotal, Totals

TOTALS_JSON: Final = "totals.json"
TOTALS_CSV: Final = "totals.csv"
TOTALS_SCHEMA: Final = "evaluation-totals/1"


def export_totals(totals: Totals, scores: SweepScores, folder: Path) -> Path:
    """Writes ``totals.csv`` and ``totals.json`` into ``folder``, both or none; answers the JSON's path.

    Names the sweep and revision whose performance points went in. Raises EnvironmentFault where the folder cannot be written.
    """
    text = json.dumps(_document(totals, scores), ensure_ascii=False, allow_nan=False, indent=1)
    write_together(folder, {TOTALS_CSV: csv_bytes(totals_table(totals)), TOTALS_JSON: f"{text}\n".encode()})
    return folder / TOTALS_JSON


def totals_table(totals: Totals) -> Table:
    """One row a system: its groups, total with interval, grade, the most it could have had."""
    groups = tuple(group for group, _ in totals.systems[0].groups) if totals.systems else ()
    columns = ("portal", "name_vi", "name_en", "level", *groups, "total", "total_low", "total_high", "grade", "grade_low", "grade_high",
               "assessed_max", "without_a_total_because")  # fmt: skip
    return Table("totals", columns, [_row(system) for system in totals.systems])


def _row(system: PortalTotal) -> Row:
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
        "criteria_set": {"id": scores.criteria_set_id, "version": scores.criteria_set_version, "provisional": scores.provisional},
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
