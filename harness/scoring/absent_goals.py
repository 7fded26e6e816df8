"""Criteria of journeys that a portal has nothing for, such as payment where nothing is paid: not assessed, and no points for free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from harness.catalog.criteria import Criterion
from harness.records import AbsentGoal
from harness.scoring.judge import Judged
from harness.scoring.scorecard import CriterionState

_UNMEASURED: Final = ("not_measured", "not_permitted")


def without_absent_goals(criterion: Criterion, judged: Judged, absent: Sequence[AbsentGoal]) -> Judged:
    """The criterion as it was judged. If nothing was measured for it, the reason names those of its journeys that the portal has no goal for.

    It still counts as lacking data if the set always requires it.
    """
    needed = [each for each in absent if each.journey in criterion.select.journey]
    if not needed or judged.score.state is not CriterionState.NOT_ASSESSED or not judged.score.reason.startswith(_UNMEASURED):
        return judged
    return replace(judged, score=replace(judged.score, reason=f"goal_absent: {'; '.join(map(str, needed))}"))
