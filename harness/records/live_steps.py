"""The steps of a sweep so far, by outcome and time: ``live_steps.json`` in its folder, which the master writes every few seconds.

It is news for ``/metrics`` of `harness serve`, as ``live.json`` is for its pages, and no evidence. It counts from the beginning of the
attempt. It has no points: those come from the sealed rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.records.news import read_news, write_news
from harness.records.plain import to_plain

STEPS_JSON = "live_steps.json"
BOUNDS_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 3.0, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets, each included; one more bucket has what is above the last.

Among them is every threshold of a time in the shipped criteria sets, so the share within it is counted and not interpolated.
The others are borrowed: default buckets of Prometheus's client for Python.
"""
_LARGEST_BYTES = 8_000_000
"""The largest file that is read (assumed: twenty times the 0.4 MB that 84 portals take)."""


@dataclass(frozen=True, slots=True)
class LiveStep:
    """One step of one journey at one portal, in all windows of scored stages since the attempt began."""

    portal: str
    journey: str
    goal: str
    step: str
    outcomes: Mapping[str, int]  # steps by outcome, ``ok`` included
    buckets: tuple[int, ...]  # of the ``ok`` ones, by BOUNDS_S, each step in one bucket
    sum_s: float  # of the times of the ``ok`` ones


@dataclass(frozen=True, slots=True)
class LiveSteps:
    """The steps of a sweep at one moment."""

    sweep: str
    since_utc: str  # ISO 8601: when the attempt began
    steps: tuple[LiveStep, ...]
    bounds_s: tuple[float, ...] = BOUNDS_S


def write_steps(folder: Path, steps: LiveSteps) -> None:
    """Write them into a sweep's folder, as ``write_news`` writes. OSError."""
    write_news(folder / STEPS_JSON, json.dumps(to_plain(steps), ensure_ascii=False, separators=(",", ":")))


def read_steps(folder: Path) -> LiveSteps | None:
    """The newest steps of a sweep; None where it has none. EvidenceError."""
    return read_news(folder / STEPS_JSON, LiveSteps, _LARGEST_BYTES, _check_buckets)


def _check_buckets(found: LiveSteps) -> None:
    """ValueError where a step has another number of buckets than the bounds make."""
    if any(len(step.buckets) != len(found.bounds_s) + 1 for step in found.steps):
        raise ValueError("a step has another number of buckets than the bounds make")
