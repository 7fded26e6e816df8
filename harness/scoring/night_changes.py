"""Changes over several nights: each portal's night against its own earlier ones, and whether a change lasts.

The windows of a night are compared with those of the portal's usual nights, without what the portals moved in common in each round
(``common_movement``). A night is named where a rank-sum test of its windows, adjusted over the portals (Benjamini-Hochberg),
and the spread of the portals both say so, and the median reaches the least effect. One named night is not yet a change of the
portal: if the next night is as usual, it was a single one; if the next is named in the same direction, the change lasts, and
the nights from the first of the two on become the usual ones.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from harness.scoring.common_movement import CommonMovement, take_out
from harness.scoring.effects import least_of, shown_effect
from harness.scoring.named_change import ChangeLimits
from harness.scoring.paired_windows import PairedWindows, WindowPair, is_ratio, worsening
from harness.scoring.scorecard import CriterionState, SweepScores
from harness.statistics.metric import Metric, parse_metric
from harness.statistics.permutation import benjamini_hochberg, least_rank_sum_p_value, rank_sum_p_value


class Persistence(StrEnum):
    """What the night after a named one says."""

    SINGLE = "single"  # it was as usual
    LASTING = "lasting"  # it was named in the same direction
    OPEN = "open"  # there is none yet


@dataclass(frozen=True, slots=True)
class NightChange:
    """One criterion of one portal, from a night on or in that night alone.

    ``effect``: the median of its windows against the portal's usual median, without the common movement; a ratio for times and
    levels, otherwise a difference; None where values are censored.
    """

    portal: str
    criterion: str
    metric: str
    night: str  # the first
    persistence: Persistence
    effect: float | None
    worse: bool
    adjusted_p_value: float


class NightMovement(NamedTuple):
    """What portals moved in common in one night on one criterion, against their usual nights."""

    criterion: str
    metric: str
    night: str
    movement: CommonMovement


@dataclass(frozen=True, slots=True)
class ChangesOverNights:
    """Ordered by criterion, then night (and portal)."""

    movements: tuple[NightMovement, ...]  # from the second night on
    changes: tuple[NightChange, ...]
    fewest_nights: int  # from which on the change of one portal can be named, on the criterion that needs most; 0 without windows


_Value = float | None  # None is censored
NightWindows = Mapping[str, Mapping[tuple[int, int], _Value]]
"""Of each portal the values of its windows in one night, by round and which window of the round."""


@dataclass(frozen=True, slots=True)
class _Tested:
    """One night of one portal against its usual nights. Differences and effect are positive where it is worse."""

    portal: str
    night: str
    adjusted: tuple[_Value, ...]  # its values as they would be without the common movement
    effect: float
    adjusted_p_value: float
    named: bool


@dataclass(slots=True)
class _Course:
    """One portal up to a night; values are as they would be without the common movements."""

    usual: list[tuple[_Value, ...]] = field(default_factory=list)  # a night
    open: _Tested | None = None  # the last night, if it was named and the one before was not

    @property
    def windows(self) -> list[_Value]:
        return [value for night in self.usual for value in night]


def changes_over_nights(sweeps: Sequence[SweepScores], limits: ChangeLimits | None = None, *, only: str = "") -> ChangesOverNights:
    """The changes of all portals on the criteria that are assessed by windows; ``only``: on this one.

    ``sweeps``: oldest first, scored by one criteria set. Windows count in the night in which they were measured; where several
    sweeps have windows of one portal in one night, the last of them counts.
    """
    limits = limits or ChangeLimits()
    movements: list[NightMovement] = []
    changes: list[NightChange] = []
    fewest = 0
    for (criterion, text), by_night in windows_by_night(sweeps, only).items():
        metric, courses = parse_metric(text), dict[str, _Course]()
        found: list[NightChange] = []
        for night in sorted(by_night):
            movement, tested = _test(metric, night, by_night[night], courses, limits)
            if movement is not None:
                movements.append(NightMovement(criterion, text, night, movement))
            for each in tested:
                found += [_change(metric, criterion, *ended) for ended in _go_on(courses[each.portal], each)]
        left = (course.open for course in courses.values())
        found += [_change(metric, criterion, each, Persistence.OPEN) for each in left if each is not None]
        changes += sorted(found, key=lambda each: (each.night, each.portal))
        fewest = max(fewest, _fewest_nights(by_night, limits))
    return ChangesOverNights(tuple(movements), tuple(changes), fewest)


def windows_by_night(sweeps: Iterable[SweepScores], only: str = "") -> dict[tuple[str, str], dict[str, NightWindows]]:
    """The windows of all portals by criterion and metric, then by night; see ``changes_over_nights``."""
    found: dict[tuple[str, str], dict[str, dict[str, dict[tuple[int, int], _Value]]]] = {}
    for card in (card for scores in sweeps for card in scores.scorecards):
        for score in card.criteria:
            is_by_windows = score.state is CriterionState.ASSESSED and len(score.points_per_window) == len(score.per_window)
            if not is_by_windows or only not in ("", score.id):
                continue
            by_night = found.setdefault((score.id, score.metric), {})
            for night in dict.fromkeys(night for night, *_ in score.points_per_window):
                by_night.setdefault(night, {})[card.portal] = {}
            for (night, round_, which, _), window in zip(score.points_per_window, score.per_window, strict=True):
                by_night[night][card.portal][round_, which] = window.value
    return {key: dict(by_night) for key, by_night in found.items() if by_night}


def _test(
    metric: Metric, night: str, values: NightWindows, courses: dict[str, _Course], limits: ChangeLimits
) -> tuple[CommonMovement | None, list[_Tested]]:
    """Tests the portals that have usual nights; the others begin with this night, without what the portals moved in it."""
    known = [portal for portal in values if portal in courses]
    usual = {portal: _middle(metric, courses[portal].windows) for portal in known}
    group = [PairedWindows(each, tuple(WindowPair(at, usual[each], value) for at, value in values[each].items())) for each in known]
    found = take_out(metric, group) if group else None
    for portal in values:
        if portal not in courses:
            courses[portal] = _Course([tuple(_without(found.movement if found else None, value) for value in values[portal].values())])
    if found is None:
        return None, []
    effects, p_values = [], []
    for portal, differences, movement_p in zip(known, found.differences, found.movement_p_values, strict=True):
        earlier = [worsening(metric, usual[portal], value) for value in courses[portal].windows]
        effects.append(statistics.median_high(differences) if math.inf in differences else statistics.median(differences))
        # What is below the least effect is never named. Its p counts as 1, which only makes the others' adjusted p larger.
        is_large = abs(effects[-1]) >= least_of(metric, limits)
        p_values.append(max(rank_sum_p_value(differences, earlier), movement_p) if is_large else 1.0)
    return found.movement, [
        _Tested(
            portal,
            night,
            _as_usual(metric, usual[portal], differences, tuple(values[portal].values())),
            effect,
            p,
            p <= limits.false_discovery_rate,
        )
        for portal, differences, effect, p in zip(known, found.differences, effects, benjamini_hochberg(p_values), strict=True)
    ]


def _go_on(course: _Course, tested: _Tested) -> Iterator[tuple[_Tested, Persistence]]:
    """Takes the course past a tested night. Yields the open night before it, with what this night says of it."""
    before, course.open = course.open, None
    if before is not None and tested.named and (before.effect > 0) == (tested.effect > 0):
        course.usual = [before.adjusted, tested.adjusted]
        yield before, Persistence.LASTING
        return
    if before is not None:
        yield before, Persistence.SINGLE
    if tested.named:
        course.open = tested
    else:
        course.usual.append(tested.adjusted)


def _middle(metric: Metric, values: Sequence[_Value]) -> _Value:
    """The median, None where it is censored."""
    worst = -math.inf if metric.higher_is_better else math.inf
    ordered = [worst if value is None else value for value in values]
    middle = statistics.median(ordered)
    return None if math.isinf(middle) else middle


def _as_usual(metric: Metric, usual: _Value, differences: Sequence[float], values: Sequence[_Value]) -> tuple[_Value, ...]:
    """The values of a night as they would be without the common movement."""
    sign = -1.0 if metric.higher_is_better else 1.0
    return tuple(
        value
        if usual is None or math.isinf(difference)
        else usual * math.exp(sign * difference)
        if is_ratio(metric)
        else usual + sign * difference
        for difference, value in zip(differences, values, strict=True)
    )


def _without(movement: CommonMovement | None, value: _Value) -> _Value:
    """A value without the night's movement, of a portal that has no usual nights yet.

    A time that is shorter than a common delay cannot contain it, and stays.
    """
    if movement is None or value is None:
        return value
    if movement.kind == "multiplied":
        return value / movement.size
    return value - movement.size if movement.kind == "added" and value > movement.size else value


def _change(metric: Metric, criterion: str, tested: _Tested, persistence: Persistence) -> NightChange:
    return NightChange(
        portal=tested.portal,
        criterion=criterion,
        metric=str(metric),
        night=tested.night,
        persistence=persistence,
        effect=shown_effect(metric, tested.effect),
        worse=tested.effect > 0,
        adjusted_p_value=tested.adjusted_p_value,
    )


def _fewest_nights(by_night: Mapping[str, NightWindows], limits: ChangeLimits) -> int:
    """The first night on which one portal can be named, if each night has as many windows and portals as the one with the most."""
    portals = max(len(of_portals) for of_portals in by_night.values())
    windows = max(len(each) for of_portals in by_night.values() for each in of_portals.values())
    earlier = 1
    while least_rank_sum_p_value(windows, earlier * windows) > limits.false_discovery_rate / portals:
        earlier += 1
    return earlier + 1
