"""What a pipeline asks of each portal, in points, and whether the scores show it. No data is never a pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.catalog.criteria_set import CriteriaSet
from harness.errors import Problem, UsageError, did_you_mean
from harness.evidence.facts import Verdict
from harness.scoring.scorecard import CriterionState, Scorecard, SweepScores

NOTHING_ASSESSED = "nothing_assessed"
TO_SETTLE = "to_settle"
"""Codes of why a portal shows nothing: no criterion has points; persons still have to settle whether windows count."""

_POINTS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Requirement:
    """The fewest points that each portal must have: in all, or on one criterion."""

    points: float
    criterion: str = ""  # empty: in all


@dataclass(frozen=True, slots=True)
class RequirementResult:
    """One requirement at one portal. Only points can meet it. Without points ``why_none`` says why, in the form of a criterion's reason."""

    portal: str
    requirement: Requirement
    points: float | None
    points_max: float
    why_none: str = ""

    @property
    def is_met(self) -> bool:
        """Whether there are points, and enough of them."""
        return self.points is not None and self.points >= self.requirement.points


def read_requirements(texts: Sequence[str], criteria: CriteriaSet) -> tuple[Requirement, ...]:
    """The requirements that ``POINTS`` and ``CRITERION=POINTS`` name. Raises UsageError with all that are wrong."""
    problems: list[Problem] = []
    found: dict[str, Requirement] = {}
    for text in texts:
        name, equals, points = text.rpartition("=")
        problem = _problem(text, name if equals else None, points, criteria)
        if problem is None and name in found:
            problem = _wrong(text, "one number for each criterion, and one in all", "Leave one of the two out.")
        if problem is None:
            found[name] = Requirement(float(points), name)
        else:
            problems.append(problem)
    if problems:
        raise UsageError(*problems)
    return tuple(found.values())


def _problem(text: str, criterion: str | None, points: str, criteria: CriteriaSet) -> Problem | None:
    most = {each.id: float(each.points.value) for each in criteria.criteria} | {None: float(criteria.group.points.value)}
    if criterion not in most:
        remedy = f"{did_you_mean(str(criterion), (each.id for each in criteria.criteria))}The set has {', '.join(each.id for each in criteria.criteria)}."
        return _wrong(text, f"a criterion of {criteria.id}@{criteria.version} before the =", remedy)
    if not _POINTS.fullmatch(points) or float(points) > most[criterion]:
        remedy = "Give POINTS for all criteria together, or CRITERION=POINTS, for example 12 or average-search=3.5."
        return _wrong(text, f"points from 0 to {most[criterion]:g}", remedy)
    return None


def _wrong(text: str, expected: str, remedy: str) -> Problem:
    return Problem("command line", "--fail-under", text, expected, remedy)


def check_requirements(scores: SweepScores, requirements: Sequence[Requirement]) -> tuple[RequirementResult, ...]:
    """Each requirement at each portal of the scores."""
    return tuple(_check(card, each) for card in scores.scorecards for each in requirements)


def _check(card: Scorecard, requirement: Requirement) -> RequirementResult:
    score = next((each for each in card.criteria if each.id == requirement.criterion), None)
    most = card.points_max if score is None else score.points_max
    why = next(_why_none(card), "")
    if not why and requirement.criterion:
        why = NOTHING_ASSESSED if score is None else score.reason
    if why:
        return RequirementResult(card.portal, requirement, None, most, why)
    return RequirementResult(card.portal, requirement, card.points if score is None else score.points, most)


def _why_none(card: Scorecard) -> Iterator[str]:
    """Why no requirement counts as met at this portal, the first reason first."""
    if card.verdict is not Verdict.VALID:
        yield f"verdict: {card.verdict.value}"
    yield from (score.reason for score in card.criteria if score.state is CriterionState.UNPROVEN)
    if not card.points_assessed_max:
        yield NOTHING_ASSESSED
    if not card.is_ranked:
        yield TO_SETTLE
