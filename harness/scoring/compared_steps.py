"""The steps of two sweeps: the median time, the share of failures, and the spread of the times within windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Final

from harness.scoring.adjusted_tests import AdjustedTest, MeasuredPairs, adjusted_tests
from harness.scoring.effects import change_of, effect_of
from harness.scoring.named_change import Change, ChangeLimits, MeasureMovement, MissingValues, OtherLoad, SpreadChange, WhyMissing
from harness.scoring.paired_windows import PairedWindows, WindowPair
from harness.scoring.scored_units import Part
from harness.scoring.step_windows import LEAST_EXECUTIONS, StepWindow, StepWindows
from harness.scoring.windows import printable
from harness.statistics.interval import worse_median
from harness.statistics.metric import Metric, parse_metric

TIME: Final = parse_metric("p50")
"""Of the portal's own time, in seconds. A failure counts as infinitely slow."""
FAILURES: Final = parse_metric("error_rate")
_SPREAD: Final = parse_metric("p90")
"""Stands for p90 / p50: as of a time, more is worse, and a change is a ratio."""

_SAME_LOAD: Final = 0.02
"""A share by which planned loads may differ (assumed: far below what moves a portal's times by the minimum effect)."""

_Figure = Callable[[StepWindow], float | None]
_Step = tuple[StepWindows, StepWindows]  # before and after


def compare_steps(
    before: Sequence[StepWindows], after: Sequence[StepWindows], limits: ChangeLimits
) -> tuple[tuple[Change, ...], tuple[MissingValues, ...], tuple[MeasureMovement, ...]]:
    """The changes of each step that has windows in both sweeps, the steps that have none in one of them, and the common movements.

    A step whose share of failures differs in a pair has a second change, of that share. Portals of one sweep only are left out.
    """
    both = {each.portal for each in before} & {each.portal for each in after}
    earlier, later = ({(each.portal, each.stage, each.part): each for each in sweep if each.portal in both} for sweep in (before, after))
    steps: list[_Step] = []
    missing = []
    for where in dict.fromkeys((*later, *earlier)):
        one, other = earlier.get(where), later.get(where)
        if one is not None and other is not None and one.windows and other.windows:
            steps.append((one, other))
        else:
            missing.append(_missing(where, one, other))
    failing = [
        step for step in steps if any(one.failed_percent != other.failed_percent for one, other in zip(*_windows(step), strict=False))
    ]
    tests = adjusted_tests([*(_paired(step, TIME, _median) for step in steps), *(_paired(step, FAILURES, _failed) for step in failing)])
    spreads = {(each.portal, each.stage, each.part): spread for (each, _), spread in _spreads(steps, limits)}
    changes = [
        (index, _change(step, test, _median, limits, spreads.get((step[1].portal, step[1].stage, step[1].part))))
        for index, (step, test) in enumerate(zip(steps, tests[: len(steps)], strict=True))
    ]
    changes += [(steps.index(step), _change(step, test, _failed, limits)) for step, test in zip(failing, tests[len(steps) :], strict=True)]
    changes.sort(key=itemgetter(0))
    moved = {test.of.measure: _movement(step, test) for step, test in zip((*steps, *failing), tests, strict=True)}
    return tuple(change for _, change in changes), tuple(missing), tuple(moved.values())


def _movement(step: _Step, test: AdjustedTest) -> MeasureMovement:
    journey, goal, name = step[1].part
    return MeasureMovement(
        metric=str(test.of.metric), movement=test.movement, stage=step[1].stage, journey=journey, goal=goal, step=name
    )  # fmt: skip


def other_loads(before: Sequence[StepWindows], after: Sequence[StepWindows]) -> tuple[OtherLoad, ...]:
    """The stages of portals whose planned arrivals differ by more than ``_SAME_LOAD``."""
    earlier, later = ({(each.portal, each.stage): each.arrivals_per_s for each in sweep} for sweep in (before, after))
    both = ((*where, earlier[where], load) for where, load in later.items() if where in earlier)
    return tuple(OtherLoad(*each) for each in both if abs(each[3] - each[2]) > _SAME_LOAD * max(each[2:]))


def _windows(step: _Step) -> tuple[tuple[StepWindow, ...], tuple[StepWindow, ...]]:
    return step[0].windows, step[1].windows


def _median(window: StepWindow) -> float | None:
    return window.median_s


def _failed(window: StepWindow) -> float:
    return window.failed_percent


def _spread(window: StepWindow) -> float | None:
    return window.spread


def _paired(step: _Step, metric: Metric, figure: _Figure) -> MeasuredPairs:
    _, after = step
    pairs = zip(*_windows(step), strict=False)
    windows = tuple(WindowPair((*one.at, *other.at), figure(one), figure(other)) for one, other in pairs)
    return MeasuredPairs((after.stage, after.part, metric), metric, PairedWindows(after.portal, windows))


def _spreads(steps: Sequence[_Step], limits: ChangeLimits) -> Iterator[tuple[_Step, SpreadChange]]:
    """The change of the spread of each step that has windows with enough executions in both sweeps."""
    enough = [_with_spread(step) for step in steps]
    chosen = [(before, after) for before, after in enough if before.windows and after.windows]
    for step, test in zip(chosen, adjusted_tests([_paired(step, _SPREAD, _spread) for step in chosen]), strict=True):
        effect = effect_of(test, limits, math.log(limits.spread))
        yield (
            step,
            SpreadChange(
                before=_value(step[0], _spread),
                after=_value(step[1], _spread),
                effect=effect.size,
                interval=effect.interval,
                pairs=len(test.differences),
                p_value=test.p_value,
                adjusted_p_value=test.adjusted_p_value,
                wider=effect.worse,
                named=effect.named,
            ),
        )


def _with_spread(step: _Step) -> _Step:
    before, after = (replace(sweep, windows=tuple(window for window in sweep.windows if window.has_spread)) for sweep in step)
    return before, after


def _value(sweep: StepWindows, figure: _Figure) -> float | None:
    """The median window's; None where it is censored."""
    values = [math.inf if (value := figure(window)) is None else value for window in sweep.windows]
    return printable(values[worse_median(values)])


def _change(step: _Step, test: AdjustedTest, figure: _Figure, limits: ChangeLimits, spread: SpreadChange | None = None) -> Change:
    before, after = step
    journey, goal, name = after.part
    change = change_of(test, limits, _value(before, figure), _value(after, figure), spread)
    return replace(change, stage=after.stage, journey=journey, goal=goal, step=name)


def _missing(where: tuple[str, str, Part], before: StepWindows | None, after: StepWindows | None) -> MissingValues:
    portal, stage, (journey, goal, step) = where
    why = WhyMissing.NOT_BEFORE if before is None else WhyMissing.NOT_AFTER if after is None else WhyMissing.TOO_FEW_EXECUTIONS
    lacking = ["" if sweep is None or sweep.windows else f"too_few_executions: {LEAST_EXECUTIONS}" for sweep in (before, after)]
    return MissingValues(portal=portal, why=why, before=lacking[0], after=lacking[1], stage=stage, journey=journey, goal=goal, step=step)
