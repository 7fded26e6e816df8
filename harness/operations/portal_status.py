"""How far each portal of a sweep is. The master of a sweep under way reads this too, so nothing here loads what reports need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.evidence import Verdict
from harness.evidence.path_doubt import doubted_windows
from harness.evidence.verdict import judge_run
from harness.records import LONE, Plan, Round, RoundRecord


@dataclass(frozen=True, slots=True)
class PortalStatus:
    """The windows of one portal, those of lone citizens not counted."""

    measured: int  # sealed and not void
    void: Mapping[str, int]  # by the first reason
    left: int  # of the plan, what is to be measured once more included
    left_out: str = ""  # why the newest attempt does not load it


def portals_of(plan: Plan, rounds: Sequence[RoundRecord], left: Sequence[Round], left_out: Mapping[str, str]) -> dict[str, PortalStatus]:
    """How far each portal is, by the sealed ``rounds``. ``left``: the rounds still to be measured; ``left_out``: why some portals are not loaded."""
    to_do = Counter(slot.portal for each in left for slot in each.slots for window in slot.windows if window.stage != LONE)
    found, doubts = {}, doubted_windows(plan, rounds)
    for target in sorted(plan.targets, key=lambda each: each.portal):
        windows = [window for window in judge_run(plan, rounds, target.portal, doubts).windows if window.stage != LONE]
        void = Counter(window.reasons[0].code for window in windows if window.verdict is Verdict.VOID)
        reason = left_out.get(target.portal, "")
        measured = len(windows) - void.total()
        found[target.portal] = PortalStatus(measured, dict(sorted(void.items())), 0 if reason else to_do[target.portal], reason)
    return found
