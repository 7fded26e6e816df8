"""The whole evaluation: performance points plus those of the other groups (or pillars), totals, grades, their distribution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.csv_file import CsvFile, number, read_csv_text
from harness.errors import Problem, UsageError, did_you_mean
from harness.scoring.scorecard import Scorecard, SweepScores
from harness.statistics.interval import Interval

OtherGroups = Mapping[str, Mapping[str, Decimal]]
"""Points by portal and group, without the performance group."""


@dataclass(frozen=True, slots=True)
class PortalTotal:
    """One system's total; ``total`` and ``grade`` are None without performance points or without the other groups' points."""

    portal: str
    name_vi: str
    name_en: str
    level: str
    groups: tuple[tuple[str, Decimal | None], ...]  # points by group, in the set's order
    total: Decimal | None
    total_interval: tuple[Decimal, Decimal] | None
    grade: str | None
    grade_interval: tuple[str, str] | None  # at the two ends of the interval, the worse first
    points_assessed_max: Decimal  # the highest possible total; criteria that are not assessed are not compensated
    why_not: str


@dataclass(frozen=True, slots=True)
class Totals:
    """All systems, ordered by total, and the number of systems by level and grade."""

    rule: str  # for totals between printed bands, in words
    systems: tuple[PortalTotal, ...]
    distribution: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]  # (level or "all", ((grade, systems), …))
    unknown: tuple[str, ...]  # portals of the groups file that have no card


def read_groups(text: str, file: str, criteria: CriteriaSet) -> OtherGroups:
    """Points of the other groups from CSV: a column ``portal``, and one named by each group's id.

    Raises UsageError with all problems: unknown or missing columns, portals given twice, points out of range, cells too many or too few.
    """
    problems: list[Problem] = []
    table = read_csv_text(text, file, problems)
    if table is None:
        raise UsageError(*problems)
    limits = {group.id: group.points.value for group in criteria.groups if group.id != criteria.performance_group}
    if wrong := _column_problems(table, limits, file):
        raise UsageError(*wrong)
    found: dict[str, dict[str, Decimal]] = {}
    for line, row in table.numbered:
        portal = row["portal"].strip()
        if not portal or portal in found:
            value, remedy = ("empty", "Name the portal.") if not portal else (portal, "Keep one of its lines.")
            problems.append(Problem(file, "portal", value, "each portal once", remedy, line))
        found[portal] = {group: _points(table, row, group, most, (file, line), problems) for group, most in limits.items()}
    if problems:
        raise UsageError(*problems)
    return found


def total(scores: SweepScores, groups: OtherGroups, criteria: CriteriaSet) -> Totals:
    """Each card with the other groups' points added. Points are not rescaled; ``why_not`` says why a total is missing."""
    systems = [_system(card, groups.get(card.portal), criteria) for card in scores.scorecards]
    systems.sort(key=lambda each: (each.total is None, -(each.total or 0), each.portal))
    cards = {card.portal for card in scores.scorecards}
    unknown = tuple(sorted(portal for portal in groups if portal not in cards))
    return Totals(rule_in_words(criteria), tuple(systems), _distribution(systems, criteria), unknown)


def grade_of(points: Decimal, criteria: CriteriaSet) -> str | None:
    """The grade of a total; None where the set has no grades."""
    if criteria.between_bands == "nearest":
        points = points.quantize(Decimal(1), ROUND_HALF_UP)
    return next((grade.grade for grade in criteria.grades if points >= grade.lowest), None)


def rule_in_words(criteria: CriteriaSet) -> str:
    """How totals between two printed bands are graded."""
    if not criteria.grades:
        return "the set has no grades"
    if criteria.between_bands == "nearest":
        return "totals are rounded half up to whole points, then graded: 89.5 counts as 90"
    return "a total below the printed limit of a grade has not reached it: 89.5 counts as below 90"


def _system(card: Scorecard, others: Mapping[str, Decimal] | None, criteria: CriteriaSet) -> PortalTotal:
    own = None if card.points is None else _decimal(card.points)
    points = tuple(
        (group.id, own if group.id == criteria.performance_group else None if others is None else others[group.id])
        for group in criteria.groups
    )
    why_not = f"verdict {card.verdict.value}" if own is None else "not in the groups file" if others is None else ""
    reachable = criteria.points_total.value - criteria.group.points.value + _decimal(card.points_assessed_max)
    if own is None or others is None:
        return PortalTotal(card.portal, card.name_vi, card.name_en, card.level, points, None, None, None, None, reachable, why_not)
    rest = sum(others.values(), Decimal(0))
    ends = _ends(card.interval, rest)
    grades = None if ends is None else _grades(ends, criteria)
    grade = grade_of(own + rest, criteria)
    return PortalTotal(card.portal, card.name_vi, card.name_en, card.level, points, own + rest, ends, grade, grades, reachable, "")


def _ends(interval: Interval | None, rest: Decimal) -> tuple[Decimal, Decimal] | None:
    return None if interval is None else (_decimal(interval[0]) + rest, _decimal(interval[1]) + rest)


def _grades(ends: tuple[Decimal, Decimal], criteria: CriteriaSet) -> tuple[str, str] | None:
    low, high = grade_of(ends[0], criteria), grade_of(ends[1], criteria)
    return None if low is None or high is None else (low, high)


def _distribution(systems: Sequence[PortalTotal], criteria: CriteriaSet) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    if not criteria.grades:
        return ()
    names = [*(grade.grade for grade in criteria.grades), "without a total"]
    levels = ["all", *sorted({system.level for system in systems})]
    rows = []
    for level in levels:
        counted = Counter(system.grade or "without a total" for system in systems if level in {"all", system.level})
        rows.append((level, tuple((name, counted[name]) for name in names)))
    return tuple(rows)


def _column_problems(table: CsvFile, limits: Mapping[str, Decimal], file: str) -> list[Problem]:
    expected = ("portal", *limits)
    wanted = f"the columns {', '.join(expected)}; found are {table.header}"
    problems = [Problem(file, name, "missing", wanted, "Add the column.", 1) for name in expected if name not in table.columns]
    problems += [
        Problem(file, name, "unknown", wanted, f"{did_you_mean(name, expected)}Remove the column or mend its name.", 1)
        for name in table.columns
        if name not in expected
    ]
    return problems


def _points(
    table: CsvFile, row: Mapping[str, str], group: str, most: Decimal, at: tuple[str, int], problems: list[Problem]
) -> Decimal:  # fmt: skip
    value = number(row[group], decimal_comma=table.decimal_comma)
    if value is None or not 0 <= value <= most:
        remedy = "Write points with a decimal point and without other signs, for example 43.5."
        problems.append(Problem(at[0], group, repr(row[group]), f"a number from 0 to {most}", remedy, at[1]))
        return Decimal(0)
    return value


def _decimal(number: float) -> Decimal:
    return Decimal(repr(number))
