"""History: the nights of a results folder as one table, one row a portal and night."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.publish.index import Sweep, find_sweeps
from harness.publish.tables import Row, Table, csv_bytes
from harness.records.files import write_whole
from harness.scoring.scorecard import Scorecard, SweepScores

NIGHTS_CSV = "nights.csv"
_COLUMNS = (
    "night", "portal", "name_vi", "name_en", "level", "verdict", "points", "points_low", "points_high", "points_max", "points_assessed_max",
    "windows", "reason_codes", "sweep", "revision", "nights_scored", "criteria_set", "criteria_set_version", "criteria_set_sha256", "provisional",
)  # fmt: skip


def nights_table(sweeps: Iterable[Sweep], portals: Sequence[str] = ()) -> Table:
    """Every portal of every sweep whose scores can be read, or the named portals alone; by portal, then by night.

    ``windows``: behind the criterion that has most. ``nights_scored``: where a card rests on several nights, all of them;
    ``night`` is then the latest. Rows under different criteria sets stand together and must not be compared.
    """
    rows = [
        _row(sweep.scores, card)
        for sweep in sweeps
        if sweep.scores is not None
        for card in sweep.scores.scorecards
        if not portals or card.portal in portals
    ]
    by_portal_and_night = sorted(rows, key=lambda row: (str(row[1]), str(row[0]), str(row[_COLUMNS.index("sweep")])))
    return Table("nights", _COLUMNS, by_portal_and_night)


def windows_of(card: Scorecard) -> int:
    """How many windows stand behind the criterion that has most of them."""
    return max((criterion.windows for criterion in card.criteria), default=0)


def nights_csv(sweeps: Iterable[Sweep]) -> bytes:
    """The table as CSV, written like ``scores.csv``."""
    return csv_bytes(nights_table(sweeps))


def history(folder: Path, portals: Sequence[str] = (), out: Path | None = None) -> tuple[Table, tuple[str, ...]]:
    """The table of a results folder, and what kept sweeps out of it; with ``out`` written there as CSV too.

    Raises EvidenceError where there is no such folder and EnvironmentFault where ``out`` cannot be written.
    """
    sweeps = find_sweeps(folder)
    table = nights_table(sweeps, portals)
    if out is not None:
        write_whole(out, csv_bytes(table))
    return table, tuple(f"{sweep.name}: {sweep.trouble}" for sweep in sweeps if sweep.scores is None)


def _row(scores: SweepScores, card: Scorecard) -> Row:
    low, high = card.interval or (None, None)
    nights = card.nights or scores.nights
    return (
        max(nights, default=""), card.portal, card.name_vi, card.name_en, card.level, card.verdict.value, card.points, low, high,
        card.points_max, card.points_assessed_max, windows_of(card), " ".join(reason.code for reason in card.reasons), scores.sweep,
        scores.revision, " ".join(nights), scores.criteria_set_id, scores.criteria_set_version, scores.criteria_set_sha256, scores.provisional,
    )  # fmt: skip
