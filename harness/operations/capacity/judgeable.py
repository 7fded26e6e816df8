"""Whether the visits of a workload can meet and miss an objective on a portal, asked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog.platform import Platform
from harness.catalog.workload import Workload
from harness.errors import Problem, UsageError, did_you_mean
from harness.operations.capacity.held_level import journey_shares
from harness.operations.permitted_journeys import Goals
from harness.operations.permitted_load import steps_of
from harness.statistics.objective import Objective


def require_judgeable(objective: Objective, workload: Workload, platform: Platform, goals: Goals) -> None:
    """Raise UsageError with every limit at a step that no journey of the workload has, or that no mean can miss.

    ``workload``: without the journeys that the platform has no goal for.
    """
    if not journey_shares(workload):
        remedy = "Take another workload, or leave this portal out."
        raise UsageError(
            Problem(f"workload {workload.id}", "journeys", "none", f"one that platform {platform.id} has the goal for", remedy)
        )
    problems = [*_steps_that_lack(objective, workload, platform, goals), *_means_that_cannot_miss(objective, workload)]
    if problems:
        raise UsageError(*problems)


def _steps_that_lack(objective: Objective, workload: Workload, platform: Platform, goals: Goals) -> Iterator[Problem]:
    known = {journey: list(dict.fromkeys(step.step for step in steps_of(platform, goals[journey]))) for journey in journey_shares(workload)}
    taken = {step for steps in known.values() for step in steps}
    for limit in objective.limits:
        if limit.step and limit.step not in taken:
            journeys = "; ".join(f"{journey}: {', '.join(steps)}" for journey, steps in known.items())
            expected = f"a step of workload {workload.id} on platform {platform.id} ({journeys})"
            remedy = f"{did_you_mean(limit.step, taken)}Name one of these, or take another workload."
            yield Problem("command line", "--objective", str(limit), expected, remedy)


def _means_that_cannot_miss(objective: Objective, workload: Workload) -> Iterator[Problem]:
    """A failure counts in a mean as the patience, so no mean is longer."""
    for limit in objective.limits:
        if limit.metric.figure == "mean" and limit.bound >= workload.patience_s:
            expected = f"less than {workload.patience_s:g} s, the patience of workload {workload.id}, as which failures count"
            yield Problem("command line", "--objective", str(limit), expected, "No level could miss it; give a shorter time.")
