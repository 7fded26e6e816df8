"""Server efficiency: the operator's figures of application and database servers in the windows of a run."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.catalog.csv_file import number, read_csv_text
from harness.errors import EvidenceError, Problem
from harness.evidence.facts import WindowFacts
from harness.scoring.windows import span_of, utc_time

TimeSpan = tuple[datetime, datetime]
"""From the first time to the last."""

ROLES = ("application", "database")
CSV_COLUMNS = ("time_utc", "server", "role", "cpu_percent")


@dataclass(frozen=True, slots=True)
class ServerFigure:
    """The CPU load of one server at one time."""

    time_utc: datetime
    server: str
    role: str
    cpu_percent: float


@dataclass(frozen=True, slots=True)
class WindowLoad:
    """The load of the busier role in one window: the mean over all figures of all its servers."""

    window: WindowFacts
    cpu_percent: float
    n: int


def read_csv(text: str, file: str, within: TimeSpan | None = None) -> tuple[ServerFigure, ...]:
    """Figures from CSV with the columns time_utc (ISO 8601), server, role (application or database), cpu_percent (0 to 100).

    Columns beside these are left alone. ``within``: when the figures may be of. Raises EvidenceError with every wrong line.
    """
    problems: list[Problem] = []
    table = read_csv_text(text, file, problems, may_be_empty=True)
    if table is None:
        raise EvidenceError(*problems)
    missing = [name for name in CSV_COLUMNS if name not in table.columns]
    if missing:
        value, remedy = f"without {', '.join(missing)}: {table.header}", "Name the columns in the first line."
        raise EvidenceError(Problem(file, "columns", value, ", ".join(CSV_COLUMNS), remedy, 1))
    figures: dict[tuple[datetime, str, str], ServerFigure] = {}
    for line, row in table.numbered:
        figure = figure_of(file, line, row["time_utc"], row, problems, within=within, decimal_comma=table.decimal_comma)
        if figure is None:
            continue
        key = (figure.time_utc, figure.server, figure.role)
        if key in figures:
            value = f"{figure.server} ({figure.role}) at {row['time_utc'].strip()}"
            problems.append(Problem(file, "time_utc", value, "one figure for each server, role and time", "Keep one of the lines.", line))
        figures[key] = figure
    if problems:
        raise EvidenceError(*problems)
    return ordered(figures.values())


def write_csv(figures: Iterable[ServerFigure]) -> str:
    """The figures as CSV; ``read_csv`` gives exactly the same figures back."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows((each.time_utc.isoformat(), each.server, each.role, repr(each.cpu_percent)) for each in ordered(figures))
    return buffer.getvalue()


def load_in_windows(figures: Sequence[ServerFigure], windows: Sequence[WindowFacts], least: int) -> tuple[WindowLoad, ...]:
    """The load of the busier role in each window that has at least ``least`` figures of *each* role."""
    return tuple(found for window in windows if (found := _load(figures, window, least)) is not None)


def _load(figures: Sequence[ServerFigure], window: WindowFacts, least: int) -> WindowLoad | None:
    began, ended = span_of(window)
    within = [figure for figure in figures if began <= figure.time_utc < ended]
    by_role = [[figure.cpu_percent for figure in within if figure.role == role] for role in ROLES]
    if any(len(values) < least for values in by_role):
        return None
    return WindowLoad(window, max(math.fsum(values) / len(values) for values in by_role), len(within))


def figure_of(
    file: str, line: int, time: str, row: Mapping[str, str], problems: list[Problem], *, within: TimeSpan | None = None,
    decimal_comma: bool = False,
) -> ServerFigure | None:  # fmt: skip
    """One figure from texts by column name; None, with what is wrong added to ``problems``, where a text is wrong."""
    before = len(problems)
    at = _time(file, line, time, within, problems)
    server, role = row["server"].strip(), row["role"].strip()
    if not server:
        problems.append(Problem(file, "server", repr(server), "the server's name", "Fill it in.", line))
    if role not in ROLES:
        problems.append(Problem(file, "role", repr(role), " or ".join(ROLES), "Write one of the two.", line))
    cpu = number(row["cpu_percent"], decimal_comma=decimal_comma)
    if cpu is None or not 0 <= cpu <= 100:
        remedy = "Give per cent of all cores, with a decimal point and without other signs; leave out a server without a figure."
        problems.append(Problem(file, "cpu_percent", repr(row["cpu_percent"]), "a number from 0 to 100", remedy, line))
    if len(problems) > before or at is None or cpu is None:
        return None
    return ServerFigure(at, server, role, float(cpu))


def _time(file: str, line: int, text: str, within: TimeSpan | None, problems: list[Problem]) -> datetime | None:
    try:
        time = utc_time(text.strip())
    except (ValueError, OverflowError):  # OverflowError: the year 1 in a zone to the east
        remedy = "Write for example 2026-11-21T22:00:00Z."
        problems.append(Problem(file, "time_utc", repr(text), "an ISO 8601 time in UTC or with an offset", remedy, line))
        return None
    if within is not None and not within[0] <= time <= within[1]:
        expected = f"a time near this sweep, from {within[0].isoformat(timespec='minutes')} to {within[1].isoformat(timespec='minutes')}"
        remedy = "Check the unit and the year; leave out figures of other days."
        problems.append(Problem(file, "time_utc", time.isoformat(), expected, remedy, line))
        return None
    return time


def ordered(figures: Iterable[ServerFigure]) -> tuple[ServerFigure, ...]:
    """The figures by time, role, server and value."""
    return tuple(sorted(figures, key=lambda figure: (figure.time_utc, figure.role, figure.server, figure.cpu_percent)))
