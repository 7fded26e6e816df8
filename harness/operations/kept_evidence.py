"""What a test that somebody started in Locust has left behind, in one line: where it is, how much, and how to score it."""

from __future__ import annotations

import shlex

from harness.evidence import SweepFolder
from harness.records import Outcome, Plan

NOT_SENT = frozenset((Outcome.SKIPPED, Outcome.DROPPED, Outcome.ABORTED))


def kept_in_words(folder: SweepFolder, plan: Plan, catalog: str = "") -> str:
    """The line. ``catalog``: the folder with a catalog of one's own that was given, if any."""
    windows = [window for record in folder.rounds() for slot in record.slots for window in slot.windows]
    sent = {f"requests_{outcome}" for outcome in Outcome if outcome not in NOT_SENT}
    requests = sum(count for window in windows for name, count in window.counts.items() if name in sent)
    portals = ", ".join(target.portal for target in plan.targets)
    kept = f"kept in {folder.path}: {requests} requests of {sum(window.begun for window in windows)} visits at {portals}"
    given = shlex.join([str(folder.path), *(["--catalog", catalog] if catalog else [])])
    if not requests:
        return f"{kept}. Nothing to score."
    if plan.arrivals == "closed":
        return f"{kept}. A closed run gets no points: name a workload (--workload) for those. Its report: harness report {given}"
    return f"{kept}. Score it: harness score {given}"
