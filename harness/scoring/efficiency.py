"""Server efficiency: what the operator supplies of application and database servers, set against the windows of a run."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.errors import EvidenceError, Problem
from harness.evidence.facts import WindowFacts

ROLES = ("application", "database")
CSV_COLUMNS = ("time_utc", "server", "role", "cpu_percent")
_SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)\{(?P<labels>[^}]*)\}\s+(?P<value>\S+)(?:\s+(?P<time_ms>-?\d+))?\s*$")
_LABEL = re.compile(r'\s*(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')


@dataclass(frozen=True, slots=True)
class ServerFigure:
    """How busy one server was at one moment."""

    time_utc: datetime
    server: str
    role: str
    cpu_percent: float


@dataclass(frozen=True, slots=True)
class WindowLoad:
    """The busiest role in one window: the mean over its figures, of all its servers."""

    window: WindowFacts
    cpu_percent: float
    n: int


def read_csv(text: str, file: str) -> tuple[ServerFigure, ...]:
    """Figures from CSV with the columns time_utc (ISO 8601), server, role (application or database), cpu_percent (0 to 100).

    Raises EvidenceError with every line that cannot be used.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [name for name in CSV_COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        remedy = "Name the columns in the first line."
        raise EvidenceError(Problem(file, "columns", f"without {', '.join(missing)}", ", ".join(CSV_COLUMNS), remedy, 1))
    problems: list[Problem] = []
    figures = [_figure(file, reader.line_num, row["time_utc"], row, problems) for row in reader]
    if problems:
        raise EvidenceError(*problems)
    return _ordered(figure for figure in figures if figure is not None)


def read_prometheus(text: str, file: str, *, metric: str, fetched_at: datetime) -> tuple[ServerFigure, ...]:
    """Figures from Prometheus' text format: samples of ``metric`` (per cent) with the labels server (or instance) and role.

    A sample without a time of its own stands for ``fetched_at``. Raises EvidenceError with every sample that cannot be used.
    """
    problems: list[Problem] = []
    figures = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _SAMPLE.match(line)
        if found is None or found["name"] != metric:
            continue
        labels = dict(_LABEL.findall(found["labels"]))
        row = {"server": labels.get("server") or labels.get("instance", ""), "role": labels.get("role", ""), "cpu_percent": found["value"]}
        time = fetched_at if found["time_ms"] is None else datetime.fromtimestamp(int(found["time_ms"]) / 1000, UTC)
        figures.append(_figure(file, number, time.isoformat(), row, problems))
    if not figures:
        expected = f"samples of {metric} with labels server and role"
        problems.append(Problem(file, metric, "not there", expected, "Check the metric's name and the address."))
    if problems:
        raise EvidenceError(*problems)
    return _ordered(figure for figure in figures if figure is not None)


def load_in_windows(figures: Sequence[ServerFigure], windows: Sequence[WindowFacts], least: int) -> tuple[WindowLoad, ...]:
    """The load of the busiest role in each window that has at least ``least`` figures of *each* role."""
    return tuple(found for window in windows if (found := _load(figures, window, least)) is not None)


def _load(figures: Sequence[ServerFigure], window: WindowFacts, least: int) -> WindowLoad | None:
    began = _utc(window.began_utc)
    ended = began + timedelta(seconds=window.duration_s)
    within = [figure for figure in figures if began <= figure.time_utc < ended]
    by_role = [[figure.cpu_percent for figure in within if figure.role == role] for role in ROLES]
    if any(len(values) < least for values in by_role):
        return None
    return WindowLoad(window, max(math.fsum(values) / len(values) for values in by_role), len(within))


def _figure(file: str, line: int, time: str | None, row: dict[str, str], problems: list[Problem]) -> ServerFigure | None:
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
        return _utc(text.strip())
    except ValueError:
        remedy = "Write for example 2026-11-21T22:00:00Z."
        problems.append(Problem(file, "time_utc", repr(text), "an ISO 8601 time in UTC or with an offset", remedy, line))
        return None


def _utc(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _ordered(figures: Iterator[ServerFigure]) -> tuple[ServerFigure, ...]:
    return tuple(sorted(figures, key=lambda figure: (figure.time_utc, figure.role, figure.server, figure.cpu_percent)))
