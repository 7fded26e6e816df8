"""Failures of hosts that portals share: whom they touched, and the criteria that they left without data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from harness.catalog.criteria import Criterion
from harness.evidence.facts import RunFacts, SharedHostFailure
from harness.scoring.judge import Judged
from harness.scoring.scorecard import CriterionState, SharedHostOutage
from harness.scoring.unproven import missing_anyway

STOPPED: Final = "shared_failure: "
"""The reason of a criterion that was not assessed begins so where no lone citizen got past a shared host."""


def outages(runs: Iterable[RunFacts]) -> tuple[SharedHostOutage, ...]:
    """Each shared host that failed visits, with all portals that it touched, ordered by host."""
    found: dict[tuple[str, str], list[tuple[str, SharedHostFailure]]] = {}
    for run in runs:
        for each in run.shared_failures:
            found.setdefault((each.host, each.owner), []).append((run.portal, each))
    return tuple(
        SharedHostOutage(
            host,
            owner,
            min(each.at_utc for _, each in failures),
            max(each.at_utc for _, each in failures),
            sum(each.visits for _, each in failures),
            tuple(sorted({portal for portal, _ in failures})),
        )
        for (host, owner), failures in sorted(found.items())
    )


def without_stopped(criterion: Criterion, judged: Judged, journeys: Sequence[str]) -> Judged:
    """The criterion as it was judged; where it needs one of ``journeys`` and has no points, it lacks the data of that journey.

    Windows of earlier nights may be enough to assess it all the same.
    """
    needed = [journey for journey in journeys if journey in criterion.select.journey]
    if not needed or missing_anyway(judged) or judged.score.state is not CriterionState.NOT_ASSESSED:
        return judged
    reason = f"{STOPPED}no lone citizen got past a shared host on {', '.join(needed)}"
    return Judged(replace(judged.score, reason=reason), lacks_data=criterion.required != "never")
