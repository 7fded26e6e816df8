"""Criteria that need a journey which whoever started the test has not chosen: nobody's failure, and not assessed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from harness.catalog.criteria import Criterion
from harness.scoring.judge import Judged, line_of
from harness.scoring.unproven import missing_anyway


def without_not_chosen(criterion: Criterion, judged: Judged, journeys: Collection[str]) -> Judged:
    """The criterion as it was judged, or as not assessed where it needs one of ``journeys``: then it lacks nothing, and has no points.

    A criterion of several journeys would be another one without it: the load of the others alone is easier to bear.
    """
    needed = [journey for journey in criterion.select.journey if journey in journeys]
    if not needed or missing_anyway(judged):
        return judged
    return Judged(replace(line_of(criterion), reason=f"journey_not_chosen: nobody was sent on {', '.join(needed)}"))
