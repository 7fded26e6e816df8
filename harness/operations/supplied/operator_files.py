"""Files that operators supply: figures of their servers, and maintenance with its announcement.

Both are files in the sweep's folder, laid there by hand or by `harness supply`; they become part of its evidence:

    supplied/<portal>.servers.csv    time_utc, server, role (application or database), cpu_percent
    supplied/<portal>.servers.json   of figures that `harness supply` took: whence, when, and the CSV's SHA-256
    supplied/maintenance.csv         portal, begin_utc, end_utc, announced_at (ISO 8601 with a time zone), document (a reference in words),
                                     file and sha256 (of the document); earlier files have the first three columns alone
    supplied/maintenance/…           the documents
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from harness.catalog.csv_file import CsvFile, read_csv_text
from harness.catalog.text_file import required_text
from harness.errors import EvidenceError, Problem
from harness.evidence import SweepFolder
from harness.operations.kept_files import Attachment
from harness.records.files import digest, read_json
from harness.records.round import read_round
from harness.scoring import Evidence, Maintenance, ServerFigure, read_csv

DAYS_AROUND = timedelta(days=7)
"""Before and after a sweep's rounds (assumed: an export of whole days or of the week; another year is a mistake)."""

MAINTENANCE_COLUMNS = ("portal", "begin_utc", "end_utc", "announced_at", "document", "file", "sha256")
_TIMES_ALONE = MAINTENANCE_COLUMNS[:3]


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


def _table(path: Path, problems: list[Problem | str]) -> CsvFile:
    """The table in a file, with its sound rows; EvidenceError where its columns cannot be told."""
    found: list[Problem] = []
    table = read_csv_text(_text(path), str(path), found, may_be_empty=True)
    problems += found
    if table is None:
        raise EvidenceError(*found)
    return table


def _text(path: Path) -> str:
    return required_text(path, "a table", error=EvidenceError)


def _check_unchanged(path: Path, note: Path) -> None:
    sealed = read_json(note)["sha256"]
    found = digest(path) if path.is_file() else "no file"
    if found != sealed:
        remedy = f"Restore the file; to supply other figures by hand, remove {note.name} too."
        raise EvidenceError(Problem(str(path), "SHA-256", found, sealed, remedy))


def maintenance(folder: SweepFolder, portal: str) -> tuple[Maintenance, ...]:
    """The maintenance of one portal; EvidenceError with every line that cannot be used, and for a document that was changed."""
    return tuple(each for of, each in all_maintenance(folder) if of == portal)


def all_maintenance(folder: SweepFolder) -> tuple[tuple[str, Maintenance], ...]:
    """Every line of the file with its portal, in order. Raises what ``maintenance`` raises."""
    path = maintenance_csv(folder)
    if not path.is_file():
        return ()
    problems: list[Problem | str] = []
    table = _table(path, problems)
    if table.columns not in (MAINTENANCE_COLUMNS, _TIMES_ALONE):
        expected = f"{', '.join(MAINTENANCE_COLUMNS)}; or the first three, of maintenance that was not announced"
        raise EvidenceError(Problem(str(path), "columns", table.header, expected, "Name the columns in the first line.", 1))
    found: list[tuple[str, Maintenance]] = []
    for line, row in table.numbered:
        try:
            found.append((row["portal"].strip(), _maintenance_of(folder, row)))
        except ValueError as error:
            expected = "ISO 8601 times with a time zone, the beginning before the end; an announcement with its document, file and SHA-256"
            problems.append(Problem(str(path), ", ".join(table.columns[1:]), f"{row} ({error})", expected, "Mend the line.", line))
        except EvidenceError as error:
            problems += error.problems
    if problems:
        raise EvidenceError(*problems)
    return tuple(found)


def maintenance_over(
    folder: SweepFolder, notice_h: float, now: datetime, warn: Callable[[str], None]
) -> dict[str, list[tuple[datetime, datetime]]]:
    """By portal: beginning and end of the maintenance that was announced in time and is over. None with a notice of 0.

    Neither is there any while a line cannot be used: the night goes on with a warning, and scoring names what is wrong.
    """
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    try:
        known = all_maintenance(folder) if notice_h else ()
    except EvidenceError as error:
        warn(f"no window is made up for because of maintenance: {error}")
        return found
    for portal, each in known:
        begin, end = datetime.fromisoformat(each.begin_utc), datetime.fromisoformat(each.end_utc)
        if end <= now and each.is_in_time(notice_h):
            found.setdefault(portal, []).append((begin, end))
    return found


def _maintenance_of(folder: SweepFolder, row: Mapping[str, str]) -> Maintenance:
    begin, end = (with_zone(row["begin_utc"].strip()), with_zone(row["end_utc"].strip()))
    if begin >= end:
        raise ValueError("the end is not after the beginning")
    announced, document, file, sha256 = (row.get(name, "").strip() for name in MAINTENANCE_COLUMNS[3:])
    if bool(announced) != all((document, file, sha256)):
        raise ValueError("announced_at, document, file and sha256 all or none")
    if announced:
        announced = with_zone(announced).isoformat()
        Attachment(file, sha256).check(folder)
    return Maintenance(begin.isoformat(), end.isoformat(), announced, document, file)


def with_zone(text: str | None) -> datetime:
    """An ISO 8601 time; ValueError where it has no time zone."""
    time = datetime.fromisoformat(text or "")
    if time.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return time


def supplied_evidence(folder: SweepFolder, portal: str) -> tuple[Evidence, ...]:
    """The supplied files that a portal's score depends on, with their digests."""
    documents = (folder.path / each.file for each in maintenance(folder, portal) if each.file)
    paths = (servers(folder, portal), maintenance_csv(folder), *documents)
    return tuple(Evidence(folder.relative(path), digest(path)) for path in paths if path.is_file())


def servers(folder: SweepFolder, portal: str) -> Path:
    """The operator's figures of one portal's servers."""
    return folder.path / "supplied" / f"{portal}.servers.csv"


def servers_note(folder: SweepFolder, portal: str) -> Path:
    """The record of where `harness supply` took the figures from."""
    return folder.path / "supplied" / f"{portal}.servers.json"


def maintenance_csv(folder: SweepFolder) -> Path:
    """The maintenance of all portals of a sweep."""
    return folder.path / "supplied" / "maintenance.csv"
