"""Files that operators supply: figures of their servers, and announced maintenance.

Both are files in the sweep's folder, laid there by hand or by `harness supply`; they become part of its evidence:

    supplied/<portal>.servers.csv    time_utc, server, role (application or database), cpu_percent
    supplied/<portal>.servers.json   of figures that `harness supply` took: whence, when, and the CSV's SHA-256
    supplied/maintenance.csv         portal, begin_utc, end_utc (ISO 8601)
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from harness.catalog.text_file import read_text_file
from harness.errors import EvidenceError, Problem
from harness.evidence import SweepFolder
from harness.records.files import digest, read_json
from harness.records.round import read_round
from harness.scoring import Evidence, Maintenance, ServerFigure, read_csv

DAYS_AROUND = timedelta(days=7)
"""Before and after a sweep's rounds (assumed: an export of whole days or of the week; another year is a mistake)."""

_COLUMNS = ("portal", "begin_utc", "end_utc")


def server_figures(folder: SweepFolder, portal: str) -> tuple[ServerFigure, ...] | None:
    """The operator's figures; None where none were supplied: server efficiency is not assessed then.

    Raises EvidenceError for lines that cannot be used, and for a file that `harness supply` wrote and somebody changed.
    """
    path, note = servers(folder, portal), servers_note(folder, portal)
    if note.is_file():
        _check_unchanged(path, note)
    return read_csv(_text(path), str(path), sweep_days(folder)) if path.is_file() else None


def sweep_days(folder: SweepFolder) -> tuple[datetime, datetime] | None:
    """When figures of a sweep may be of: its rounds, and DAYS_AROUND days before and after; None before the first round."""
    names = folder.sealed_rounds()
    if not names:
        return None
    first, last = (datetime.fromisoformat(read_round(folder.round(name)).began_utc) for name in (names[0], names[-1]))
    return first - DAYS_AROUND, last + DAYS_AROUND


def _text(path: Path) -> str:
    problems: list[Problem] = []
    text = read_text_file(path, "a table", problems)
    if text is None:
        raise EvidenceError(*problems)
    return text


def _check_unchanged(path: Path, note: Path) -> None:
    sealed = read_json(note)["sha256"]
    found = digest(path) if path.is_file() else "no file"
    if found != sealed:
        remedy = f"Restore the file; to supply other figures by hand, remove {note.name} too."
        raise EvidenceError(Problem(str(path), "SHA-256", found, sealed, remedy))


def maintenance(folder: SweepFolder, portal: str) -> tuple[Maintenance, ...]:
    """The announced maintenance of one portal; EvidenceError with every line that cannot be used."""
    path = _maintenance(folder)
    if not path.is_file():
        return ()
    reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        raise EvidenceError(
            Problem(str(path), "columns", str(reader.fieldnames), ", ".join(_COLUMNS), "Name the columns in the first line.", 1)
        )
    found, problems = [], []
    for row in reader:
        try:
            announced = _maintenance_of(row)
        except (TypeError, ValueError) as error:
            expected = "ISO 8601 times with a time zone, the beginning before the end"
            problems.append(Problem(str(path), "begin_utc, end_utc", f"{row} ({error})", expected, "Mend the line.", reader.line_num))
            continue
        if row["portal"] == portal:
            found.append(announced)
    if problems:
        raise EvidenceError(*problems)
    return tuple(found)


def _maintenance_of(row: Mapping[str, str]) -> Maintenance:
    begin, end = (datetime.fromisoformat(row[name]) for name in _COLUMNS[1:])
    if begin.tzinfo is None or end.tzinfo is None or begin >= end:
        raise ValueError("a beginning before an end, both with their time zone")
    return Maintenance(begin.isoformat(), end.isoformat())


def supplied_evidence(folder: SweepFolder, portal: str) -> tuple[Evidence, ...]:
    """The supplied files that a portal's score depends on, with their digests."""
    paths = (servers(folder, portal), _maintenance(folder))
    return tuple(Evidence(folder.relative(path), digest(path)) for path in paths if path.is_file())


def servers(folder: SweepFolder, portal: str) -> Path:
    """The operator's figures of one portal's servers."""
    return folder.path / "supplied" / f"{portal}.servers.csv"


def servers_note(folder: SweepFolder, portal: str) -> Path:
    """The record of where `harness supply` took the figures from."""
    return folder.path / "supplied" / f"{portal}.servers.json"


def _maintenance(folder: SweepFolder) -> Path:
    return folder.path / "supplied" / "maintenance.csv"
