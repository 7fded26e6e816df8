"""What of a comparison stops a release: what is worse, and what should have been compared and could not be. No data is never a pass."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from harness.errors import Problem, UsageError, did_you_mean
from harness.scoring.named_change import Change, ChangeWord, Comparison, MissingValues, Obstacle, WhyMissing, WhyNotJudged

ComparedRow = Change | MissingValues
"""A criterion or a step of one portal, compared or not."""

LOAD: Final = "load"
"""The name by which ``--allow-missing`` lets scores pass whose load is not known."""

OUTSIDE: Final = frozenset(
    {
        "no_windows_of_stage", "no_operator_figures", "too_few_nights", "too_few_hours", "no_value_per_window", "too_few_executions",
        "goal_absent", "not_permitted",
    }
)  # fmt: skip
"""Reasons (codes) for which a sweep was not to measure something. They lie in its workload, length or kind, or in the portal's profile or permission."""


def row_name(row: ComparedRow) -> str:
    """The criterion, or the step with its stage, journey and goal, as options and JUnit's file name it."""
    return row.criterion or f"{row.stage}/{row.journey}/{row.goal}/{row.step}"


def is_outside(row: ComparedRow) -> bool:
    """Whether neither sweep was to measure it, for the same reason; then nothing is missing."""
    if isinstance(row, Change) or row.why not in {WhyMissing.NO_WINDOWS, WhyMissing.TOO_FEW_EXECUTIONS}:
        return False
    codes = {reason.partition(": ")[0] for reason in (row.before, row.after)}
    return len(codes) == 1 and codes <= OUTSIDE


def tells_nothing(row: ComparedRow) -> bool:
    """Whether it should have been compared, but the comparison cannot say whether it is worse."""
    return row.word is ChangeWord.CANNOT_TELL if isinstance(row, Change) else not is_outside(row)


def is_allowed(row: ComparedRow, allowed: Collection[str]) -> bool:
    """Whether somebody said that this may be missing: the criterion, the step, or all of its portal."""
    return row.portal in allowed or row_name(row) in allowed


def release_stops(found: Comparison, allowed: Collection[str] = ()) -> tuple[ComparedRow, ...]:
    """The rows that stop a release: those that are worse, then those that tell nothing and may not be missing."""
    unknown = [row for row in rows_of(found) if tells_nothing(row) and not is_allowed(row, allowed)]
    return (*found.regressions, *unknown)


def not_compared_at_all(found: Comparison, allowed: Collection[str] = ()) -> tuple[str, ...]:
    """The portals of which no criterion and no step was compared, although nothing else of them stops a release."""
    compared = {change.portal for change in (*found.changes, *found.steps)}
    stopped = {row.portal for row in release_stops(found, allowed)}
    return tuple(sorted({row.portal for row in found.missing} - compared - stopped - set(allowed)))


def is_let_pass(obstacle: Obstacle, allowed: Collection[str]) -> bool:
    """Whether somebody said that the evidence may be missing that would tell: steps of a portal, or the load."""
    match obstacle.why:
        case WhyNotJudged.NO_ROWS:
            return obstacle.portal in allowed
        case WhyNotJudged.UNKNOWN_LOAD:
            return LOAD in allowed
        case _:
            return False


def check_allowed(found: Comparison, allowed: Iterable[str]) -> None:
    """Raise UsageError for names that the comparison does not have."""
    known = {LOAD, *(name for row in rows_of(found) for name in (row.portal, row_name(row)))}
    expected = "a portal, a criterion, or a step (STAGE/JOURNEY/GOAL/STEP) of the two sweeps, or load"
    problems = [
        Problem("command line", "--allow-missing", name, expected, f"{did_you_mean(name, known)}JUnit's file names them all.")
        for name in allowed
        if name not in known
    ]
    if problems:
        raise UsageError(*problems)


def rows_of(found: Comparison) -> Iterator[ComparedRow]:
    """All rows: criteria, steps, and what could not be compared."""
    yield from found.changes
    yield from found.steps
    yield from found.missing
