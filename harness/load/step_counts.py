"""The steps of a test so far by outcome and time, in the fixed buckets of ``harness.records.live_steps``."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.load.ended_steps import NOT_BEGUN
from harness.records import Outcome
from harness.records.fleet_messages import FAILED_STEP
from harness.records.live_steps import BOUNDS_S, LiveStep

_BOUNDS_MS = [round(bound * 1000) for bound in BOUNDS_S]


@dataclass
class _Counted:
    outcomes: Counter[str] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS_MS) + 1))
    sum_ms: int = 0


class StepCounts:
    """Counts steps. Memory grows with the number of different steps only, and each step costs one search in eleven bounds."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], _Counted] = {}  # by portal and name

    def add(self, steps: Mapping[str, Mapping[str, list[int]]], failed: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
        """Count the steps of a batch: milliseconds of those that are ``ok``, and the others by outcome."""
        for portal, names in steps.items():
            for name, took_ms in names.items():
                counted = self._of(portal, name)
                for each_ms in took_ms:
                    if each_ms != FAILED_STEP:
                        counted.outcomes[Outcome.OK] += 1
                        counted.buckets[bisect_left(_BOUNDS_MS, each_ms)] += 1
                        counted.sum_ms += each_ms
        for portal, failures in failed.items():
            for name, outcomes in failures.items():
                self._of(portal, name).outcomes.update(outcomes)

    def steps(self) -> tuple[LiveStep, ...]:
        """The steps by portal and name. Visits that did not begin have none; they are counted as visits."""
        return tuple(
            LiveStep(portal, *_parts(name), dict(counted.outcomes), tuple(counted.buckets), counted.sum_ms / 1000)
            for (portal, name), counted in sorted(self._counts.items())
            if not name.endswith(f": {NOT_BEGUN}")
        )

    def _of(self, portal: str, name: str) -> _Counted:
        return self._counts.setdefault((portal, name), _Counted())


def _parts(name: str) -> tuple[str, str, str]:
    """Journey, goal and step of a name such as ``submit: file/submit``."""
    journey, _, rest = name.partition(": ")
    goal, _, step = rest.partition("/")
    return journey, goal, step
