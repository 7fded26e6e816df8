"""Many paired tests at once, each adjusted over the portals of its measure and over the measures of its portal.

Benjamini and Hochberg's adjustment is made twice, and the larger p counts. Over portals it limits the share of false changes among those
that are named of one measure. Over the measures of one portal it limits how often a portal that did not change is named for anything.
Tests in which no pair differs cannot name anything, whatever the signs. They are not counted.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from harness.scoring.common_movement import CommonMovement, WithoutCommonMovement, take_out
from harness.scoring.paired_windows import PairedWindows
from harness.statistics.metric import Metric
from harness.statistics.permutation import benjamini_hochberg, paired_p_value


@dataclass(frozen=True, slots=True)
class MeasuredPairs:
    """The paired windows of one measure (a criterion, or a figure of a step) of one portal."""

    measure: Hashable
    metric: Metric
    windows: PairedWindows


@dataclass(frozen=True, slots=True)
class AdjustedTest:
    """The test of one measure of one portal. Differences are positive where the later window is worse."""

    of: MeasuredPairs
    movement: CommonMovement  # of all portals of the measure; it is taken out of the differences
    differences: tuple[float, ...]
    p_value: float
    adjusted_p_value: float
    tests: int  # the larger of the two numbers of tests that it is adjusted for, itself included


def adjusted_tests(measured: Sequence[MeasuredPairs]) -> list[AdjustedTest]:
    """The test of each, in the order given."""
    measures, portals = [each.measure for each in measured], [each.windows.portal for each in measured]
    movements: dict[Hashable, CommonMovement] = {}
    differences: list[tuple[float, ...]] = [()] * len(measured)
    p_values = [1.0] * len(measured)
    for group in _groups(measures):
        found = take_out(measured[group[0]].metric, [measured[index].windows for index in group])
        movements[measures[group[0]]] = found.movement
        for index, of_pairs, p_value in zip(group, found.differences, _p_values(found), strict=True):
            differences[index], p_values[index] = of_pairs, p_value
    counted = [any(each) for each in differences]
    over_portals, over_measures = (_adjusted(keys, p_values, counted) for keys in (measures, portals))
    return [
        AdjustedTest(each, movements[each.measure], differences[index], p_values[index], max(one, other), max(tests, others))
        for index, (each, (one, tests), (other, others)) in enumerate(zip(measured, over_portals, over_measures, strict=True))
    ]


def _p_values(found: WithoutCommonMovement) -> list[float]:
    """The p of each portal: its own windows have to say so, and it has to stand out from the other portals."""
    return [max(paired_p_value(each), p_value) for each, p_value in zip(found.differences, found.movement_p_values, strict=True)]


def _adjusted(keys: Sequence[Hashable], p_values: Sequence[float], counted: Sequence[bool]) -> list[tuple[float, int]]:
    """Each p adjusted over the counted tests with the same key, and the number of these tests, itself included."""
    result = [(1.0, 1)] * len(keys)
    for group in _groups(keys):
        tests = [index for index in group if counted[index]]
        for index in group:
            result[index] = (1.0, len(tests) + 1)
        for index, adjusted in zip(tests, benjamini_hochberg([p_values[index] for index in tests]), strict=True):
            result[index] = (adjusted, len(tests))
    return result


def _groups(keys: Sequence[Hashable]) -> Iterable[list[int]]:
    """The positions of equal keys."""
    found: dict[Hashable, list[int]] = {}
    for index, key in enumerate(keys):
        found.setdefault(key, []).append(index)
    return found.values()
