"""Criteria of unproven journeys. They have no points, or zero points once two persons have settled it as the portal's fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.catalog.criteria import Criterion
from harness.evidence.facts import Reason, UnprovenJourney
from harness.scoring.judge import Judged, line_of
from harness.scoring.scorecard import CriterionState

_MISSING_ANYWAY = ("no_windows_of_stage", "no_operator_figures", "too_few_nights")
"""With the journey proven, the criterion would not have been assessed either."""


def without_unproven(criterion: Criterion, judged: Judged, journeys: Sequence[UnprovenJourney]) -> Judged:
    """The criterion as it was judged, or as unproven where it needs one of ``journeys``: then it lacks nothing, and has no points."""
    needed = [each for each in journeys if each.journey in criterion.select.journey]
    if not needed or missing_anyway(judged):
        return judged
    figures = ", ".join(f"{each.journey} stopped at {each.step}" for each in needed)
    return Judged(replace(line_of(criterion), state=CriterionState.UNPROVEN, reason=f"unproven: {figures}"))


def zero_if_settled(criterion: Criterion, judged: Judged, journeys: Sequence[UnprovenJourney]) -> Judged:
    """The criterion as it was judged, or with zero points where it needs one of ``journeys``, on which the portal is broken."""
    needed = any(each.journey in criterion.select.journey for each in journeys)
    if not needed or judged.score.state is CriterionState.UNPROVEN or missing_anyway(judged):
        return judged
    line = line_of(criterion)
    return Judged(
        replace(line, state=CriterionState.ASSESSED, points=0.0, interval=(0.0, 0.0), interval_kind="settled as the portal's fault")
    )


def missing_anyway(judged: Judged) -> bool:
    """Whether the criterion would not have been assessed with all of its journeys either."""
    return not judged.lacks_data and judged.score.reason.startswith(_MISSING_ANYWAY)


def unproven_reasons(journeys: Sequence[UnprovenJourney]) -> tuple[Reason, ...]:
    """A reason of the card for each journey: where it stopped, by which rule, the saved page, and how often it was walked."""
    return tuple(Reason("journey_unproven", described(each)) for each in journeys)


def described(journey: UnprovenJourney) -> str:
    """Where a journey stopped, in one line."""
    parts = (f"{journey.journey}/{journey.goal}/{journey.step}", journey.outcome, journey.rule, journey.page, f"× {journey.tries}")
    return ", ".join(part for part in parts if part)
