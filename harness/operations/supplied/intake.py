"""Takes what an operator supplies into a sweep's evidence, stored as CSV and scored from there: server figures and maintenance.

supplied/<portal>.servers.csv    the figures, as `harness.operations.supplied.operator_files` reads them
supplied/<portal>.servers.json   where they came from, how often, when, and the SHA-256 of the CSV
supplied/maintenance.csv         maintenance and its announcement; the documents lie in supplied/maintenance/
"""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from harness.catalog import Catalog
from harness.catalog.csv_file import columns_of
from harness.catalog.text_file import required_text
from harness.errors import EvidenceError, Problem, UsageError, did_you_mean
from harness.evidence import SweepFolder
from harness.operations.addenda import enter_addenda
from harness.operations.kept_files import keep_file
from harness.operations.supplied.endpoint import endpoint, fetch, shown_as
from harness.operations.supplied.operator_files import (
    MAINTENANCE_COLUMNS,
    all_maintenance,
    maintenance_csv,
    server_figures,
    servers,
    servers_note,
    sweep_days,
    with_zone,
)
from harness.operations.supplied.prometheus import read_prometheus
from harness.records import read_plan
from harness.records.files import digest, locked, read_json, write_json, write_whole
from harness.scoring import Maintenance, ServerFigure, read_csv, write_csv
from harness.scoring.efficiency import CSV_COLUMNS, ROLES, TimeSpan


@dataclass(frozen=True, slots=True)
class FigureSource:
    """Where the operator's figures are, and how they are read."""

    where: str  # an http or https address, or a file
    metric: str = ""  # of Prometheus text
    role: str = ""  # of samples without that label

    @property
    def is_address(self) -> bool:
        """Whether it is fetched, and not read from disk."""
        return "://" in self.where


@dataclass(frozen=True, slots=True)
class SuppliedFigures:
    """The figures of one portal's servers that a sweep's folder holds."""

    file: str
    sha256: str
    figures: tuple[ServerFigure, ...]
    fetches: int
    missed: tuple[str, ...]  # the errors of fetches that failed after the first

    @property
    def lacking(self) -> tuple[str, ...]:
        """Roles without a figure: server efficiency needs both."""
        found = {figure.role for figure in self.figures}
        return tuple(role for role in ROLES if role not in found)


def supply(
    folder: SweepFolder, portal: str, source: FigureSource, catalog: Catalog, *, every_s: float = 0.0, during_s: float = 0.0,
    progress: Callable[[str], None] = lambda _line: None,
) -> SuppliedFigures:  # fmt: skip
    """Adds the figures of ``source`` to those that the sweep holds of the portal.

    A file is read once. An address is fetched every ``every_s`` seconds for ``during_s``, or until Ctrl-C; once where
    ``every_s`` is 0. Every text is stored before the next is awaited. What is wrong with the first one ends it; a later one
    that fails is counted as missed. Raises UsageError, AuthorisationError or EvidenceError.
    """
    _check_portal(folder, portal)
    if not source.is_address:
        return _store(folder, portal, source, _of_file(source, sweep_days(folder)), ())
    if not source.metric:
        remedy = "Name the gauge that holds busy CPU in per cent."
        raise UsageError(Problem("command line", "--metric", "not given", "the name of a metric in the Prometheus text", remedy))
    target = endpoint(source.where, catalog, datetime.now(UTC), option="--from", portal=portal)
    found = _store(folder, portal, source, _of_address(source, target, sweep_days(folder)), ())
    missed: list[str] = []
    try:
        for count in _turns(every_s, during_s):
            try:
                endpoint(source.where, catalog, datetime.now(UTC), option="--from", portal=portal)  # a permission may end meanwhile
                found = _store(folder, portal, source, _of_address(source, target, sweep_days(folder)), missed)
            except EvidenceError as error:
                missed.append(str(error.problems[0]))
                progress(f"fetch {count + 1} missed: {missed[-1]}")
    except KeyboardInterrupt:
        progress("ended by Ctrl-C; what was fetched is kept")
    return SuppliedFigures(found.file, found.sha256, found.figures, found.fetches, tuple(missed))


def supply_maintenance(
    folder: SweepFolder, portal: str, begin: str, end: str, *, announced_at: str = "", document: str = "", attached: Path | None = None
) -> Maintenance:
    """Adds maintenance of a portal, with its announcement and the document of it or without any; a second time changes nothing.

    During a night the windows that it spoils are then made up for. Raises UsageError or EvidenceError.
    """
    _check_portal(folder, portal)
    given = {"--announced-at": announced_at, "--document": document, "--attach": "" if attached is None else str(attached)}
    lacking = [option for option, value in given.items() if not value.strip()]
    if 0 < len(lacking) < len(given):
        remedy = "Give all three, or none of them for maintenance that was not announced."
        raise UsageError(Problem("command line", ", ".join(lacking), "not given", "an announcement with its document", remedy))
    begin, end = _time(begin, "--maintenance"), _time(end, "--maintenance")
    if datetime.fromisoformat(begin) >= datetime.fromisoformat(end):
        raise UsageError(Problem("command line", "--maintenance", f"{begin} {end}", "a beginning before an end", "Correct the times."))
    announced_at = _time(announced_at, "--announced-at") if announced_at else ""
    path = maintenance_csv(folder)
    with locked(path.parent):
        lines = list(all_maintenance(folder))
        kept = keep_file(folder, "supplied/maintenance", attached) if attached is not None else None
        added = Maintenance(begin, end, announced_at, document.strip(), kept.file if kept is not None else "")
        if (portal, added) not in lines:
            _write_maintenance(folder, [*lines, (portal, added)])
    enter_addenda(folder, "supply", [path, *([folder.path / kept.file] if kept is not None else [])])
    return added


def _time(text: str, option: str) -> str:
    try:
        return with_zone(text).isoformat()
    except ValueError as error:
        expected = "an ISO 8601 time with a time zone, for example 2026-11-21T22:00+07:00"
        raise UsageError(Problem("command line", option, f"{text!r} ({error})", expected, "Correct the time.")) from error


def _write_maintenance(folder: SweepFolder, lines: Iterable[tuple[str, Maintenance]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(MAINTENANCE_COLUMNS)
    for portal, each in lines:
        of_document = digest(folder.path / each.file) if each.file else ""
        writer.writerow([portal, each.begin_utc, each.end_utc, each.announced_at, each.document, each.file, of_document])
    write_whole(maintenance_csv(folder), text.getvalue())


def _turns(every_s: float, during_s: float) -> Iterator[int]:
    """Count from 1, every ``every_s`` seconds, for ``during_s`` seconds."""
    began_s, count = time.monotonic(), 1
    while every_s and count * every_s <= during_s:
        time.sleep(max(0.0, began_s + count * every_s - time.monotonic()))
        yield count
        count = max(count + 1, math.ceil((time.monotonic() - began_s) / every_s))  # turns missed by a slow fetch are skipped


def _check_portal(folder: SweepFolder, portal: str) -> None:
    known = [target.portal for target in read_plan(folder.plan).targets]
    if portal not in known:
        raise UsageError(
            Problem(str(folder.path), "PORTAL", portal, f"one of {', '.join(known)}", f"{did_you_mean(portal, known)}Name a portal of this sweep.")
        )  # fmt: skip


def _of_address(source: FigureSource, target: httpx.URL, days: TimeSpan | None) -> tuple[ServerFigure, ...]:
    fetched = fetch(target)
    server = target.host + (f":{target.port}" if target.port else "")
    return read_prometheus(
        fetched.text, shown_as(target), metric=source.metric, fetched_at=fetched.at, content_type=fetched.content_type, server=server,
        role=source.role, within=days,
    )  # fmt: skip


def _of_file(source: FigureSource, days: TimeSpan | None) -> tuple[ServerFigure, ...]:
    text = required_text(source.where, "an http or https address, or a file of CSV or Prometheus text", option="--from")
    if set(CSV_COLUMNS) & set(columns_of(text)):
        figures = read_csv(text, source.where, days)
        if not figures:
            raise EvidenceError(Problem(source.where, "table", "no rows", "a row for each figure", "Add the figures.", 1))
        return figures
    if not source.metric:
        expected = f"columns {', '.join(CSV_COLUMNS)}; or Prometheus text and --metric"
        raise UsageError(
            Problem(source.where, "line", repr(text.partition("\n")[0][:80]), expected, "Mend the file, or name the metric.", 1)
        )
    return read_prometheus(text, source.where, metric=source.metric, fetched_at=None, role=source.role, within=days)


def _store(folder: SweepFolder, portal: str, source: FigureSource, new: Iterable[ServerFigure], missed: Iterable[str]) -> SuppliedFigures:
    """Write the new figures together with those already there; a lock lets one process at a time do it."""
    path, note = servers(folder, portal), servers_note(folder, portal)
    with locked(path.parent):
        before = server_figures(folder, portal) or ()
        sources = read_json(note)["sources"] if note.is_file() else _laid_in_by_hand(before)
        figures = _merge(before, new, source)
        content = write_csv(figures)
        of_csv = sha256(content.encode()).hexdigest()
        mine = _count_fetch(sources, source, len(list(missed)))
        write_whole(path, content)
        write_json(note, {"file": path.name, "sha256": of_csv, "figures": len(figures), "sources": sources})
    enter_addenda(folder, "supply", [path, note])
    return SuppliedFigures(folder.relative(path), of_csv, figures, mine["fetches"], ())


def _count_fetch(sources: list[dict[str, Any]], source: FigureSource, missed: int) -> dict[str, Any]:
    """The entry of this source in the note, with one more fetch."""
    where = source.where.partition("?")[0].partition("#")[0] if source.is_address else Path(source.where).name
    key = {"from": where, "metric": source.metric, "role": source.role}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    mine = next((each for each in sources if key.items() <= each.items()), None)
    if mine is None:
        mine = {**key, "fetches": 0, "first_utc": now}
        sources.append(mine)
    mine.update(fetches=mine["fetches"] + 1, missed=missed, last_utc=now)
    return mine


def _laid_in_by_hand(figures: tuple[ServerFigure, ...]) -> list[dict[str, Any]]:
    return [{"from": "a file laid in by hand", "figures": len(figures)}] if figures else []


def _merge(before: Iterable[ServerFigure], new: Iterable[ServerFigure], source: FigureSource) -> tuple[ServerFigure, ...]:
    def moment(figure: ServerFigure) -> tuple[datetime, str, str]:
        return figure.time_utc, figure.server, figure.role

    held = {moment(figure): figure for figure in before}
    for figure in new:
        other = held.setdefault(moment(figure), figure)
        if other.cpu_percent != figure.cpu_percent:
            value = f"{figure.cpu_percent:g} for {figure.server} at {figure.time_utc.isoformat()}"
            remedy = "Find out which is right; supplied figures are not overwritten."
            raise EvidenceError(Problem(source.where, "cpu_percent", value, f"{other.cpu_percent:g}, as supplied before", remedy))
    return tuple(held.values())
