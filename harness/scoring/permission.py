"""Criteria that need load which the portal's authorisation does not cover: nobody's failure, and not assessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.catalog.criteria import Criterion
from harness.records import NotPermitted
from harness.scoring.judge import Judged
from harness.scoring.scorecard import CriterionState
from harness.scoring.unproven import missing_anyway


def without_permission(criterion: Criterion, judged: Judged, lacking: Sequence[NotPermitted]) -> Judged:
    """The criterion as it was judged, or as not assessed for want of a permission: then it lacks nothing, and the reason has the number.

    Windows of earlier nights, on which more was permitted, may be enough to assess it all the same.
    """
    planned = not missing_anyway(judged)
    needed = [
        each
        for each in lacking
        if each.stage == criterion.select.stage or (planned and not each.stage and each.journey in criterion.select.journey)
    ]
    if not needed or judged.score.state is not CriterionState.NOT_ASSESSED:
        return judged
    return Judged(replace(judged.score, reason=f"not_permitted: {'; '.join(each.in_words for each in needed)}"))
