"""`harness workload USAGE.csv`: a portal's own workload from its hourly usage, with the assumptions behind it.

The export has one line an hour, with the columns ``hour`` (ISO 8601, its beginning), ``visits``, ``dossiers`` and
``payments`` (whole numbers); columns beside these are left alone. Commas or semicolons; UTF-8, with or without a byte order mark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import yaml

from harness.catalog.csv_file import CsvFile, read_csv_text, whole_number
from harness.catalog.ids import check_id
from harness.catalog.text_file import read_text_file
from harness.catalog.workload import CurvePoint, Stage, Think, Usage, Workload
from harness.errors import Problem, UsageError, did_you_mean

COLUMNS = {"visits": "search", "dossiers": "submit", "payments": "pay"}
"""Column of an export → the journey that it counts."""

STEPS_PER_WINDOW = 50
"""Steps that the shipped criteria need of each journey in a window (assumed there)."""

RESERVE = 1.1  # times the needed visits, as in the shipped workloads
WINDOW_S = 300.0
OFFICE_SHARE = 0.1  # office hours have at least this share of the busiest hour's visits (assumed)
HOURS_A_DAY = 24
_THINK = {
    "default": Think(median_s=1, sigma=0.5, max_s=4),
    "read": Think(median_s=2, sigma=0.5, max_s=6),
    "decide": Think(median_s=1.5, sigma=0.5, max_s=5),
    "fill_in": Think(median_s=4, sigma=0.5, max_s=12),
    "attach": Think(median_s=2, sigma=0.5, max_s=6),
    "check": Think(median_s=2, sigma=0.5, max_s=6),
}  # those of the shipped workloads


@dataclass(frozen=True, slots=True)
class UsageHour:
    """One line of an export: the counts of the hour that starts at ``began``."""

    began: datetime
    visits: int
    dossiers: int
    payments: int


@dataclass(frozen=True, slots=True)
class UsagePattern:
    """Usage from the hours: counts per day, the busiest hour relative to the mean, the shape of an office day."""

    per_day: Mapping[str, float]  # by journey
    days: int
    busy_hour_factor: float
    busiest: datetime
    missing_hours: int
    first_office_hour: int
    office: tuple[float, ...]  # mean visits of each office hour on working days, from the first on

    @property
    def typical_level(self) -> float:
        """The mean office hour of a working day as a share of the busiest hour."""
        busiest = self.per_day["search"] / HOURS_A_DAY * self.busy_hour_factor
        return fmean(self.office) / busiest

    @property
    def curve(self) -> tuple[CurvePoint, ...]:
        """The office day as a rate curve of mean 1, with a point at the middle of each hour."""
        hours = len(self.office)
        points = [(0.0, self.office[0]), *(((n + 0.5) / hours, mean) for n, mean in enumerate(self.office)), (1.0, self.office[-1])]
        area = sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(points))
        return tuple(CurvePoint(at=round(x, 6), factor=round(y / area, 4)) for x, y in points)


def workload_from_usage(csv_path: Path, *, name: str = "", whole_day: bool = False) -> tuple[Workload, tuple[str, ...]]:
    """The workload of an export, and its assumptions in words.

    Level 1 is the busiest hour. Without ``whole_day``: six windows of five minutes each at the mean office hour (typical)
    and at the busiest hour (peak). With it: the office hours of a mean working day without a break, along its curve. Raises
    UsageError with every problem of the file, each with line, column and value.
    """
    pattern = usage_pattern(read_usage(csv_path), csv_path)
    journeys = {journey: round(count, 2) for journey, count in pattern.per_day.items() if count > 0}
    usage = Usage(
        per_day=journeys,
        basis="calculated",
        source=f"{csv_path.name}: {pattern.days} days of visits, dossiers and payments by the hour",
        busy_hour_factor=round(pattern.busy_hour_factor, 4),
        busy_hour_basis="calculated",
    )
    quota = {} if whole_day else _quota(usage, pattern.typical_level)
    identity = name or _slug(csv_path.stem)
    check_id(identity, "--id" if name else f"name of {csv_path.name}")
    made = Workload(
        id=identity,
        name_vi=f"Tải theo số liệu {csv_path.name}",
        name_en=f"Load by the figures of {csv_path.name}",
        note="Made by `harness workload`; the comments above say what was assumed.",
        usage=usage,
        quota_per_window=quota,
        stages=_whole_day(pattern) if whole_day else _windows(pattern),
        think=_THINK,
    )
    return made, tuple(_assumptions(pattern, made, whole_day=whole_day))


def as_yaml(workload: Workload, assumptions: Sequence[str]) -> str:
    """The workload as a file of a catalog's folder ``workloads``, its assumptions as comments on top."""
    data = workload.model_dump(mode="json", exclude_defaults=True)
    comments = "".join(f"# {line}\n" for line in ("Made by `harness workload`. What was measured and what was assumed:", *assumptions))
    return comments + yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120, default_flow_style=None)


def read_usage(path: Path) -> tuple[UsageHour, ...]:
    """The hours of an export in order of time; UsageError with every problem."""
    problems: list[Problem] = []
    text = read_text_file(path, "a CSV file", problems)
    if text is None:
        raise UsageError(*problems)
    table = read_csv_text(text, str(path), problems, may_be_empty=True) if text.strip() else CsvFile((), (), "comma")
    if table is None:
        raise UsageError(*problems)
    names = [name.lower() for name in table.columns]
    wanted = ("hour", *COLUMNS)
    if missing := [name for name in wanted if name not in names]:
        value, expected = f"{', '.join(missing)} missing", f"the columns {', '.join(wanted)}; found are {table.header}"
        likely = "".join(did_you_mean(name, missing) for name in names if name not in wanted)
        raise UsageError(Problem(str(path), "columns", value, expected, f"{likely}Name the columns in the first line.", 1))
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise UsageError(Problem(str(path), "columns", f"{', '.join(twice)} twice", "each column once", "Rename one of the two.", 1))
    hours: dict[datetime, UsageHour] = {}
    for number, cells in table.numbered:
        row = _Line(str(path), number, dict(zip(names, cells.values(), strict=True)), problems)
        hour = UsageHour(row.moment(), *(row.count(name) for name in COLUMNS))
        if hour.began in hours and not row.failed:
            row.fault("hour", "each hour once", "Add the lines of the same hour up, or remove one.")
        hours[hour.began] = hour
    if not hours and not problems:
        problems.append(Problem(str(path), "hours", "none", "one line an hour", "Export at least one whole day."))
    if len({hour.tzinfo is None for hour in hours}) > 1 and not problems:
        problems.append(Problem(str(path), "hour", "with and without a time zone", "one kind", "Write all hours alike.", 2))
    if problems:
        raise UsageError(*sorted(problems, key=lambda problem: problem.line))
    return tuple(hours[began] for began in sorted(hours))


def usage_pattern(hours: Sequence[UsageHour], path: Path) -> UsagePattern:
    """The usage pattern of the hours; missing hours count as 0. UsageError for less than a day, or no visit at all."""
    span = int((hours[-1].began - hours[0].began) / timedelta(hours=1)) + 1
    if span < HOURS_A_DAY:
        raise UsageError(Problem(str(path), "hours", f"{span} from first to last", "at least 24", "Export whole days; weeks are better."))
    visits = sum(hour.visits for hour in hours)
    if not visits:
        raise UsageError(Problem(str(path), "visits", "0 in all hours", "some visits", "Check what was exported."))
    busiest = max(hours, key=lambda hour: hour.visits)
    days = (hours[-1].began.date() - hours[0].began.date()).days + 1  # whole days: exports may leave out the nights
    first, office = _office_hours(hours)
    return UsagePattern(
        per_day={journey: sum(getattr(hour, column) for hour in hours) / days for column, journey in COLUMNS.items()},
        days=days,
        busy_hour_factor=busiest.visits / (visits / (days * HOURS_A_DAY)),
        busiest=busiest.began,
        missing_hours=days * HOURS_A_DAY - len(hours),
        first_office_hour=first,
        office=office,
    )


@dataclass
class _Line:
    file: str
    number: int
    fields: Mapping[str, str]
    problems: list[Problem]
    failed: bool = False

    def moment(self) -> datetime:
        try:
            found = datetime.fromisoformat(self.fields["hour"].strip())
        except ValueError:
            self.fault("hour", "an ISO 8601 time such as 2026-03-02T08:00", "Export the beginning of each hour.")
            return datetime.min  # noqa: DTZ901  (never used: the problem is raised)
        if not 2000 <= found.year < 2100:
            self.fault("hour", "a time of this century", "Export times as ISO 8601, not as a count of milliseconds.")
        elif (found.minute, found.second, found.microsecond) != (0, 0, 0):
            self.fault("hour", "the beginning of an hour, minutes 00", "Add the figures up by the hour.")
        return found

    def count(self, column: str) -> int:
        found = whole_number(self.fields[column])
        if found is None:
            self.fault(
                column, "a whole number from 0, without separators", "Write 1200, not 1,200 or 1.200; leave out an hour without figures."
            )
        return found or 0

    def fault(self, column: str, expected: str, remedy: str) -> None:
        self.failed = True
        self.problems.append(Problem(self.file, column, repr(self.fields[column].strip()), expected, remedy, self.number))


def _office_hours(hours: Sequence[UsageHour]) -> tuple[int, tuple[float, ...]]:
    """First hour of an office day, and the mean visits of each of its hours over the working days (all days where there are none)."""
    working = [hour for hour in hours if hour.began.weekday() < 5 and hour.visits] or list(hours)
    days = len({hour.began.date() for hour in working})
    means = [sum(hour.visits for hour in working if hour.began.hour == of_day) / days for of_day in range(HOURS_A_DAY)]
    busy = [of_day for of_day, mean in enumerate(means) if mean >= OFFICE_SHARE * max(means)]
    return busy[0], tuple(means[busy[0] : busy[-1] + 1])


def _quota(usage: Usage, typical_level: float) -> dict[str, int]:
    """Extra visits of each journey whose usage may be too low for a typical window."""
    found = {}
    for journey in usage.per_day:
        expected = usage.rate_per_s(journey) * typical_level * WINDOW_S
        if expected - 4 * math.sqrt(expected) < STEPS_PER_WINDOW:  # four standard deviations of a Poisson count
            found[journey] = math.ceil(STEPS_PER_WINDOW * RESERVE / typical_level)
    return found


def _windows(pattern: UsagePattern) -> tuple[Stage, ...]:
    return (
        Stage(stage="warm-up", window_s=60, level=_level(pattern)),
        Stage(stage="typical", windows=6, window_s=WINDOW_S, level=_level(pattern), basis="calculated"),
        Stage(stage="peak", windows=6, window_s=WINDOW_S, level=1.0, basis="calculated"),
    )


def _whole_day(pattern: UsagePattern) -> tuple[Stage, ...]:
    windows = len(pattern.office) * round(3600 / 600)
    soak = Stage(stage="soak", windows=windows, window_s=600, level=_level(pattern), curve=pattern.curve, basis="calculated")
    return (Stage(stage="warm-up", window_s=60, level=_level(pattern)), soak)


def _level(pattern: UsagePattern) -> float:
    return float(f"{pattern.typical_level:.4g}")


def _assumptions(pattern: UsagePattern, made: Workload, *, whole_day: bool) -> Iterator[str]:
    day = ", ".join(f"{journey} {count:g}" for journey, count in made.usage.per_day.items())
    yield f"measured: {pattern.days} days; a day brings {day} (the means over the export)."
    yield f"measured: the busiest hour, {pattern.busiest.isoformat(timespec='minutes')}, had {made.usage.busy_hour_factor:g} times the mean hour's visits; it is level 1."
    last = pattern.first_office_hour + len(pattern.office)
    shape = ", ".join(f"{pattern.first_office_hour + n:02d}h {mean / fmean(pattern.office):.2f}" for n, mean in enumerate(pattern.office))
    yield f"measured: office hours are {pattern.first_office_hour:02d}:00 to {last:02d}:00; by hour, of their mean: {shape}."
    yield f"calculated: the mean office hour of a working day is level {_level(pattern):g}."
    yield "assumed: every visit searches once; dossiers and payments come besides, though the same visits may have led to them."
    yield "assumed: a visit that pays files its dossier first, so that the portal gets dossiers and payments added up."
    yield "assumed: dossiers and payments have the busiest hour that visits have."
    yield f"assumed: an hour belongs to office hours from {OFFICE_SHARE:.0%} of the busiest hour of the day; thinks are those of the shipped workloads."
    if pattern.missing_hours:
        yield f"assumed: {pattern.missing_hours} hours of those days that are not in the export had nobody."
    if pattern.days < 7:
        yield f"assumed: {pattern.days} days stand for all days of a week; less than a week was exported."
    absent = [journey for journey in COLUMNS.values() if journey not in made.usage.per_day]
    if absent:
        yield f"left out, since the export has none: {', '.join(absent)}."
    for journey, quota in made.quota_per_window.items():
        raised = made.raised_by(journey, made.stages[1])
        yield f"assumed: {quota} {journey} visits a window besides (times the level), for {STEPS_PER_WINDOW} in a typical window: {raised:.1f} times usage."
    if whole_day:
        yield "no shipped criterion looks at the stage soak: a whole day is looked at, not scored."


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "usage"
