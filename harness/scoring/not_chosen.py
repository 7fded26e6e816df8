"""Criteria that need a journey that was not chosen when the test was started. They are not assessed, and nobody is at fault."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from harness.catalog.criteria import Criterion
from harness.scoring.judge import Judged, line_of
from harness.scoring.unproven import missing_anyway


def without_not_chosen(criterion: Criterion, judged: Judged, journeys: Collection[str]) -> Judged:
    """The criterion as it was judged; not assessed, without points, if it needs one of ``journeys``; it then counts as lacking no data.

    This holds for a criterion of several journeys too: the portal was loaded with fewer of them, which is easier to bear.
    """
    needed = [journey for journey in criterion.select.journey if journey in journeys]
    if not needed or missing_anyway(judged):
        return judged
    return Judged(replace(line_of(criterion), reason=f"journey_not_chosen: nobody was sent on {', '.join(needed)}"))
