"""Server efficiency: the operator's figures of application and database servers in the windows of a run."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.errors import EvidenceError, Problem
from harness.evidence.facts import WindowFacts
from harness.scoring.windows import span_of, utc_time

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


def read_csv(text: str, file: str) -> tuple[ServerFigure, ...]:
    """Figures from CSV with the columns time_utc (ISO 8601), server, role (application or database), cpu_percent (0 to 100).

    Raises EvidenceError with every wrong line.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [name for name in CSV_COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        remedy = "Name the columns in the first line."
        raise EvidenceError(Problem(file, "columns", f"without {', '.join(missing)}", ", ".join(CSV_COLUMNS), remedy, 1))
    problems: list[Problem] = []
    figures = [figure_of(file, reader.line_num, row["time_utc"], row, problems) for row in reader]
    if problems:
        raise EvidenceError(*problems)
    return ordered(figure for figure in figures if figure is not None)


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


def figure_of(file: str, line: int, time: str | None, row: Mapping[str, str], problems: list[Problem]) -> ServerFigure | None:
    """One figure from texts by column name; None, with what is wrong added to ``problems``, where a text is wrong."""
    before = len(problems)
    at = _time(file, line, time or "", problems)
    server, role = (row.get("server") or "").strip(), (row.get("role") or "").strip()
    if not server:
        problems.append(Problem(file, "server", repr(server), "the server's name", "Fill it in.", line))
    if role not in ROLES:
        problems.append(Problem(file, "role", repr(role), " or ".join(ROLES), "Write one of the two.", line))
    try:
        cpu = float(row.get("cpu_percent") or "")
    except ValueError:
        cpu = math.nan
    if not 0 <= cpu <= 100:
        problems.append(
            Problem(file, "cpu_percent", repr(row.get("cpu_percent")), "a number from 0 to 100", "Give per cent of all cores.", line)
        )
    return ServerFigure(at, server, role, cpu) if len(problems) == before and at is not None else None


def _time(file: str, line: int, text: str, problems: list[Problem]) -> datetime | None:
    try:
        return utc_time(text.strip())
    except ValueError:
        remedy = "Write for example 2026-11-21T22:00:00Z."
        problems.append(Problem(file, "time_utc", repr(text), "an ISO 8601 time in UTC or with an offset", remedy, line))
        return None


def ordered(figures: Iterable[ServerFigure]) -> tuple[ServerFigure, ...]:
    """The figures by time, role, server and value."""
    return tuple(sorted(figures, key=lambda figure: (figure.time_utc, figure.role, figure.server, figure.cpu_percent)))
