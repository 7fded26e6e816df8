"""The shortest drain that cuts off no visit whose portal is within its patience."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from harness.catalog.platform import GOALS, Platform, Step
from harness.catalog.workload import Think, Workload

_GOALS = tuple(goal for goal in GOALS if goal != "withdraw")  # nobody withdraws under load
_THINKS_BETWEEN_GOALS = len(_GOALS) - 1


def longest_waits_s(platform: Platform, thinks: Mapping[str, Think]) -> float:
    """The longest think times and polls of one visit that pursues every goal, in seconds.

    Thinks between goals stand in the journeys, which are Python: there may be one, and it may be the workload's longest.
    """
    steps = [step for goal in _GOALS if goal in platform.goals for step in platform.goals[goal].steps]
    longest = max((think.max_s for think in thinks.values()), default=0.0)
    within = sum(_think_s(step, thinks) + _polls_s(step, platform) for step in steps)
    return within + _THINKS_BETWEEN_GOALS * longest


def least_drain(workload: Workload, platforms: Iterable[Platform]) -> tuple[float, str]:
    """The least ``drain_s`` of a workload, and how it comes about, in words.

    It is the longest waits of a visit on any of the platforms, the portal's patience, and one request timeout, which is what
    shared hosts may take of one visit.
    """
    waits = {platform.id: longest_waits_s(platform, workload.think) for platform in platforms}
    platform = max(waits, key=lambda name: waits[name], default="")
    waits_s = waits.get(platform, 0.0)
    where = f" on platform {platform}" if platform else ""
    words = f"{waits_s:g} s of thinks and polls{where} + patience_s {workload.patience_s:g} + timeout_s {workload.timeout_s:g}"
    return math.ceil(round((waits_s + workload.patience_s + workload.timeout_s) * 10, 6)) / 10, words


def _think_s(step: Step, thinks: Mapping[str, Think]) -> float:
    if step.think is None:
        return 0.0
    think = thinks.get(step.think) or thinks.get("default")
    return think.max_s if think is not None else 0.0


def _polls_s(step: Step, platform: Platform) -> float:
    """The longest polls of a step; a list of unknown length counts as one item."""
    times = step.repeat.times or 1 if step.repeat is not None else 1
    requests = platform.flows[step.use] if step.use else step.requests
    return times * sum(
        request.poll.limit_s * (request.repeat.times or 1 if request.repeat is not None else 1)
        for request in requests
        if request.poll is not None
    )
