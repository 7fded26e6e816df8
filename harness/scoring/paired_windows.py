"""The windows of two sweeps in pairs, and how much worse the second of a pair is."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from harness.statistics.metric import Metric


class WindowPair(NamedTuple):
    """A figure in one window before and in one after; None where it is censored.

    ``at`` says where the two windows stand: night, round and which window of the round, before and then after. Portals that were
    measured in the same rounds have the same ``at``.
    """

    at: tuple[Hashable, ...]
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class PairedWindows:
    """One figure of one portal in all pairs of windows, in order."""

    portal: str
    pairs: tuple[WindowPair, ...]


def is_ratio(metric: Metric) -> bool:
    """Whether a change is told as a ratio after / before: of times and load levels; otherwise it is a difference."""
    return metric.unit in {"s", "visits/s"}


def worsening(metric: Metric, before: float | None, after: float | None) -> float:
    """How much worse the later value is, below zero where it is better: a log ratio, or a difference.

    None is a censored value, worse than any other: it gives ±inf, and 0 where both are censored.
    """
    if before is None or after is None:
        return 0.0 if before == after else math.inf if after is None else -math.inf
    if not is_ratio(metric):
        return before - after if metric.higher_is_better else after - before
    if before == after:
        return 0.0
    ratio = math.inf if before == 0 else -math.inf if after == 0 else math.log(after / before)
    return -ratio if metric.higher_is_better else ratio
