"""What comparable portals moved in common from one measurement to another, and each portal's movement without it.

A slow network changes every portal of a night. So the movement of the *other* portals in the same round is taken out of each
portal's differences. It is their median, so that less than half of them can lead it astray. A network multiplies times (it is
busy) or adds to them (it is far): of the two, that which leaves the portals closer together is taken, for all rounds alike.

Portals are not equally sensitive: one waits for the network ten times a step, another once. Such portals differ from the median
in every round, and a test of one portal's own windows would name them all. So a portal must also stand out from the spread of
the portals: its median difference is compared with Student's t, whose variance is that of its own windows and that of the
portals beyond it (a random-effects model, as in meta-analysis; Paule and Mandel's condition in a robust form, by medians).
The spread is taken once as the same for all portals and once as a share of what the night moved each portal; the wider one
counts. The larger the common movement and the more unlike the portals, the less is found: docs/statistics.md gives the power.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from harness.scoring.paired_windows import PairedWindows, is_ratio, worsening
from harness.statistics.mean import student_p_value
from harness.statistics.metric import Metric

LEAST_PORTALS: Final = 8
"""Comparable portals from which on a movement is taken out (assumed). The median of seven others has 1.25 / √7 = 0.47 of one
portal's noise, so taking it out widens a difference by a ninth at most, and three of the seven may change by themselves."""

_CLEARLY: Final = 0.9
"""How much better a delay has to fit than a factor (assumed). Each fit leaves the portals some way apart; a delay counts as added if it leaves less
than this share of what the factor leaves. In a quiet night both leave the same, and chance shall not choose."""
_SPREAD_DEGREES: Final = 10
"""Degrees of freedom of the spread of the portals (assumed). The fewer they are, the fewer portals are named: of those that changed, and of those
that are only unlike the others. With ten, less than one in twenty unlike portals is named in each simulated night, in which the portals' shares
of the movement are log-normal."""
_MEDIAN_OF_SQUARES: Final = 0.4549  # of a standard normal variable: the median of χ² with one degree of freedom
_MAD_TO_DEVIATION: Final = 1.4826  # of a normal distribution
_MEDIAN_TO_MEAN_ERROR: Final = 1.2533  # √(π / 2): the standard error of a median beside that of a mean, if values are normal

_Floats = npt.NDArray[np.float64]
MovementKind = Literal["none", "multiplied", "added"]


@dataclass(frozen=True, slots=True)
class CommonMovement:
    """What portals moved in common: a ratio after / before where it multiplied, otherwise a difference in the metric's unit."""

    kind: MovementKind  # none: too few comparable portals, so nothing was taken out
    size: float  # the median over the rounds; 1 or 0 where nothing was taken out
    portals: int  # that were comparable: with at least one pair whose values are not censored
    by_round: tuple[float, ...] = ()  # in the order in which the rounds first stand in the pairs


@dataclass(frozen=True, slots=True)
class WithoutCommonMovement:
    """The differences of each portal without the common movement: positive is worse, of logarithms where the effect is a ratio."""

    movement: CommonMovement
    differences: tuple[tuple[float, ...], ...]  # a portal, a pair; in the order given
    movement_p_values: tuple[float, ...]  # a portal: whether it lies as far from the others by chance; 0 where nothing was taken out


class _Fit(NamedTuple):
    """One kind of movement, taken out. Arrays of portals and rounds; not a number where a value is missing or censored."""

    kind: MovementKind
    left: _Floats  # the increase that is left, of logarithms where the effect is a ratio
    moved: _Floats  # what was taken out, in the same scale
    by_round: _Floats  # a round: the movement of all portals

    @property
    def apart(self) -> float:
        """How far apart the portals are without it: the median distance of their medians from each other's median."""
        middles = np.nanmedian(self.left, axis=1)
        return float(np.nanmedian(np.abs(middles - np.nanmedian(middles))))


def take_out(metric: Metric, portals: Sequence[PairedWindows]) -> WithoutCommonMovement:
    """Takes out what the other portals moved in common, round by round.

    ``portals``: all that were measured on one criterion (or step). With fewer than ``LEAST_PORTALS`` comparable ones the
    differences stay as they are.
    """
    old, new, rounds = _table(metric, portals)
    differences = [[worsening(metric, pair.before, pair.after) for pair in each.pairs] for each in portals]
    comparable: list[int] = np.flatnonzero(~np.isnan(old).all(axis=1)).tolist()
    if len(comparable) < LEAST_PORTALS:
        unmoved = CommonMovement("none", 1.0 if is_ratio(metric) else 0.0, len(comparable))
        return WithoutCommonMovement(unmoved, tuple(map(tuple, differences)), (0.0,) * len(portals))
    best = _best_fit(metric, old[comparable], new[comparable])
    p_values = [0.0] * len(portals)
    sign = -1.0 if metric.higher_is_better else 1.0
    for number, left, p_value in zip(comparable, best.left, _movement_p_values(best), strict=True):
        measured = tuple(differences[number])
        for place, pair in enumerate(portals[number].pairs):
            if pair.at in rounds and not math.isnan(left[rounds[pair.at]]):
                differences[number][place] = sign * float(left[rounds[pair.at]])
        p_values[number] = _own_p_value(measured, differences[number], p_value)
    movement = CommonMovement(best.kind, float(np.median(best.by_round)), len(comparable), tuple(best.by_round.tolist()))
    return WithoutCommonMovement(movement, tuple(map(tuple, differences)), tuple(p_values))


def _own_p_value(measured: Sequence[float], left: Sequence[float], p_value: float) -> float:
    """The p of a portal, given its differences as measured and without the common movement.

    1 where the portal itself did not move in the direction of what is left. It may not be able to, for example with a share of 100 %
    in both measurements. 0 where half of the pairs or more are censored on one side: then its own windows decide.
    """
    by_itself, beside_others = statistics.median_low(measured), statistics.median_low(left)
    if by_itself == 0 or (by_itself > 0) != (beside_others > 0):
        return 1.0
    return 0.0 if 2 * sum(map(math.isinf, left)) >= len(left) else p_value


def _table(metric: Metric, portals: Sequence[PairedWindows]) -> tuple[_Floats, _Floats, dict[tuple[Hashable, ...], int]]:
    """The values before and after, a row a portal and a column a round, and which column is which.

    Not a number where a pair has no finite difference.
    """
    least = 0.0 if is_ratio(metric) else -math.inf
    usable = [
        (row, at, before, after)
        for row, each in enumerate(portals)
        for at, before, after in each.pairs
        if before is not None and after is not None and min(before, after) > least
    ]
    rounds = {at: number for number, at in enumerate(dict.fromkeys(at for _, at, _, _ in usable))}
    old, new = np.full((2, len(portals), len(rounds)), np.nan)
    for row, at, before, after in usable:
        old[row, rounds[at]], new[row, rounds[at]] = before, after
    return old, new, rounds


def _best_fit(metric: Metric, old: _Floats, new: _Floats) -> _Fit:
    """The movement taken out as the metric can have it; of a time as an added delay only where that fits clearly better."""
    difference = new - old
    if not is_ratio(metric):
        moved = _of_the_others(difference)
        return _Fit("added", difference - moved, moved, np.nanmedian(difference, axis=0))
    ratio = np.log(new / old)
    moved = _of_the_others(ratio)
    multiplied = _Fit("multiplied", ratio - moved, moved, np.exp(np.nanmedian(ratio, axis=0)))
    if metric.unit != "s":
        return multiplied
    # The delay is added to the faster measurement, so that no time becomes negative.
    delay = _of_the_others(difference)
    left = np.log((new + np.maximum(-delay, 0)) / (old + np.maximum(delay, 0)))
    added = _Fit("added", left, ratio - left, np.nanmedian(difference, axis=0))
    return added if added.apart < _CLEARLY * multiplied.apart else multiplied


def _of_the_others(values: _Floats) -> _Floats:
    """For each portal and round the median of the other portals in this round; where these are too few, over all rounds."""
    overall = _medians_without_each(np.nanmedian(values, axis=1))
    result = np.empty_like(values)
    for column in range(values.shape[1]):
        here = values[:, column]
        enough = np.count_nonzero(~np.isnan(here)) >= LEAST_PORTALS
        result[:, column] = _medians_without_each(here) if enough else overall
    return result


def _medians_without_each(values: _Floats) -> _Floats:
    """For each value the median of the others; values that are not a number are left out."""
    order = np.argsort(values)  # those that are not a number come last
    count = int(np.count_nonzero(~np.isnan(values)))
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.arange(len(values))
    ordered = values[order]
    low, high = (count - 2) // 2, (count - 1) // 2
    result: _Floats = (ordered[low + (place <= low)] + ordered[high + (place <= high)]) / 2
    return result


def _movement_p_values(fit: _Fit) -> list[float]:
    """For each portal how likely its median difference is, by the noise of its windows and the spread of the portals beyond it."""
    middle = np.nanmedian(fit.left, axis=1)
    noise = np.nanmedian(np.abs(fit.left - middle[:, None]), axis=1) / np.sqrt(np.count_nonzero(~np.isnan(fit.left), axis=1))
    variance = (_MEDIAN_TO_MEAN_ERROR * _MAD_TO_DEVIATION * noise) ** 2
    moved = np.nanmedian(fit.moved, axis=1) ** 2
    spread = np.maximum(*(shape * _excess(middle**2, variance, shape) for shape in (np.ones_like(moved), moved)))
    return [_two_sided(*each) for each in zip(np.abs(middle).tolist(), variance.tolist(), spread.tolist(), strict=True)]


def _two_sided(distance: float, variance: float, spread: float) -> float:
    """The p of a distance by Student's t, with the degrees of freedom that Satterthwaite's formula gives the sum of both variances."""
    whole = variance + spread
    if not whole or not distance:
        return 0.0 if distance else 1.0
    degrees = _SPREAD_DEGREES * (whole / spread) ** 2 if spread else math.inf
    return student_p_value(distance / math.sqrt(whole), degrees)


def _excess(squares: _Floats, variance: _Floats, shape: _Floats) -> float:
    """The factor of ``shape`` that, added to the variances, gives the squares the median that they have if they are normal."""

    def is_too_small(factor: float) -> bool:
        return bool(np.mean(squares > _MEDIAN_OF_SQUARES * (variance + factor * shape)) > 0.5)

    low, high = 0.0, 1e-12
    if not is_too_small(low):
        return 0.0
    while is_too_small(high) and high < 1e12:
        low, high = high, high * 4
    for _ in range(40):
        low, high = ((low + high) / 2, high) if is_too_small((low + high) / 2) else (low, (low + high) / 2)
    return high
