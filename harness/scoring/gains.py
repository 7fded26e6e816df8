"""What would gain a portal points: each change of a step is scored as the measured steps are.

No gain has a formula of its own. The steps of a card are changed, the whole card is scored again, and the difference is the
gain, of the criterion and of the total. Two kinds of change are tried, each in the windows of the criterion's stage:

- ``faster``, for each part that a criterion of times or Apdex selects: the successes of the part are brought to the time T that full
  points ask (``full`` of a linear curve, the first limit of bands, ``p10`` of a log-normal curve, the T of Apdex, the shortest time
  among the conditions of ``sustained``). For a mean, all successes of a window whose mean is above T take the same share of their
  time, so that the window's mean is T. For other figures each success that took longer than T takes T. Failures and time at hosts
  that are not charged stay as they are. Of a metric of visits, all steps of a visit are shortened in proportion.
- ``fewer_failures``, for each part that stopped visits: the first step of a visit that was begun and failed. These visits end well,
  with the step that failed and all that were skipped after it; each takes the median time of its part's successes
  (``changed_steps.without_failures``). A part without goal and step stands for visits that failed although no step did: turned away,
  or cut off.

A change that gives the criterion no points is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

import numpy as np

from harness.catalog.criteria import Bands, Criterion, Linear
from harness.catalog.criteria_set import CriteriaSet
from harness.evidence.facts import Verdict
from harness.scoring.card import RunEvidence, card_of, common_highest_level, context_of, judge_criteria, runs_by_portal, valid_runs
from harness.scoring.changed_steps import StoppedVisits, faster_steps, find_what_stopped, without_failures
from harness.scoring.figures import MICROSECONDS, measured_mean
from harness.scoring.judge import median_of
from harness.scoring.rows import Integers
from harness.scoring.scorecard import CriterionScore, Scorecard
from harness.scoring.scored_units import Part
from harness.scoring.windows import (
    TabulatedRun,
    WindowValue,
    criterion_windows,
    plain,
    printable,
    regular_parts,
    regular_units,
    rule_of,
    window_figure,
)

WhatChanges = Literal["faster", "fewer_failures"]

FAILED_VISITS: Final = "failed visits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """The points that one change of one part of a portal would give, on one criterion and in all.

    ``faster``: ``metric`` and ``unit`` are the criterion's, and the values are the part's before and after, those of a mean as
    they were measured. ``fewer_failures``: ``metric`` is "failed visits", ``unit`` "%", and the values are the share of the
    journey's visits that the part stopped, and 0.
    """

    criterion: str
    part: Part  # journey, goal, step; goal and step are empty for whole visits
    change: WhatChanges
    metric: str
    unit: str
    value_from: float | None  # None where it is censored
    value_to: float | None
    points: float  # on the criterion
    points_total: float  # on the card's total, where other criteria may gain too


def gains_of_sweep(cards: Iterable[Scorecard], runs: Iterable[RunEvidence], criteria: CriteriaSet) -> Mapping[str, tuple[Gain, ...]]:
    """The gains of each card by portal, best first. ``runs`` are those that the cards were scored from, of all portals."""
    by_portal = runs_by_portal(runs)
    highest = common_highest_level(by_portal)
    return {card.portal: gains(card, by_portal[card.portal], criteria, highest_level=highest) for card in cards}


def gains(card: Scorecard, runs: Sequence[RunEvidence], criteria: CriteriaSet, *, highest_level: float | None = None) -> tuple[Gain, ...]:
    """What would gain the most points on a card: the largest gain of the total first, then by the order of criteria and parts.

    ``runs`` and ``highest_level`` are those that the card was scored from. A card without points has no gains.
    """
    if card.points is None:
        return ()
    runs = [run.under(criteria) for run in runs]
    valid = valid_runs(runs)
    measured = [find_what_stopped(run.measured(criteria)) for run in valid]
    context = context_of(runs, criteria, highest_level)
    judged = judge_criteria([each.run for each in measured], criteria, context)
    scored: dict[_Change, _After] = {}
    found: list[Gain] = []
    for criterion, score in zip(criteria.criteria, card.criteria, strict=True):
        if score.points is None or score.points >= score.points_max:
            continue
        changes: tuple[_Change, ...] = (*_faster(measured, criterion), *_mended(measured, criterion))
        for change in changes:
            if change not in scored:
                changed = [change.applied_to(run) for run in measured]
                known = {each.id: judged[each.id] for each in criteria.criteria if not change.touches(each)}
                scored[change] = _After(changed, card_of(valid, changed, criteria, context, known))
            after = scored[change]
            points = _more(after.score_of(criterion).points, score.points)
            if points > 0:
                total = _more(after.card.points, card.points)
                found.append(_gain(criterion, score, change, measured, after, criteria, points, total))
    return tuple(sorted(found, key=lambda gain: -gain.points_total))


@dataclass(frozen=True, slots=True)
class _After:
    """The runs after a change, and their card."""

    measured: Sequence[TabulatedRun]
    card: Scorecard

    def score_of(self, criterion: Criterion) -> CriterionScore:
        return next(score for score in self.card.criteria if score.id == criterion.id)


@dataclass(frozen=True, slots=True)
class _OfPart:
    """A change of one part in the windows of one stage."""

    part: Part
    stage: str

    def touches(self, criterion: Criterion) -> bool:
        """Whether the criterion reads steps or visits that change."""
        return criterion.select.stage == self.stage and self.part[0] in criterion.select.journey


@dataclass(frozen=True, slots=True)
class _Faster(_OfPart):
    owner: str
    of_visits: bool
    on_average: bool
    full_us: int
    what: WhatChanges = "faster"

    def applied_to(self, found: StoppedVisits) -> TabulatedRun:
        return faster_steps(found, self.part, self.stage, self._shorten, of_visits=self.of_visits, owner=self.owner)

    def _shorten(self, times_us: Integers) -> Integers:
        if not self.on_average:
            return np.minimum(times_us, self.full_us)
        total = int(times_us.sum())
        most = self.full_us * len(times_us)
        return times_us if total <= most else np.rint(times_us * (most / total)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Mended(_OfPart):
    what: WhatChanges = "fewer_failures"

    def applied_to(self, found: StoppedVisits) -> TabulatedRun:
        return without_failures(found, self.part, self.stage)


_Change = _Faster | _Mended


def _faster(measured: Sequence[StoppedVisits], criterion: Criterion) -> Iterator[_Faster]:
    full_s = _asked_s(criterion)
    if full_s is None:
        return
    metric, select = criterion.parsed, criterion.select
    parts = dict.fromkeys(part for each in measured for part, _ in regular_parts(each.run, criterion, each.run.windows_of(select.stage)))
    for part in parts:
        of_visits = part[1:] == ("", "")
        yield _Faster(part, select.stage, select.owner, of_visits, metric.figure == "mean", round(full_s * MICROSECONDS))


def _asked_s(criterion: Criterion) -> Decimal | None:
    """The time that full points ask of a step or visit; None where the figure has no time."""
    metric, curve = criterion.parsed, criterion.curve
    if metric.unit == "s":
        return curve.full if isinstance(curve, Linear) else curve.bands[0].limit if isinstance(curve, Bands) else curve.p10
    if metric.figure == "apdex":
        return metric.argument
    conditions = (
        (each.figure.figure, each.figure.argument if each.figure.figure == "apdex" else each.limit, each.figure.unit)
        for each in metric.conditions
    )
    return min((limit for figure, limit, unit in conditions if limit is not None and (unit == "s" or figure == "apdex")), default=None)


def _mended(measured: Sequence[StoppedVisits], criterion: Criterion) -> Iterator[_Mended]:
    stage = criterion.select.stage
    for journey in criterion.select.journey:
        for part in dict.fromkeys(part for each in measured for part in each.parts(journey, stage)):
            yield _Mended(part, stage)


def _gain(
    criterion: Criterion,
    score: CriterionScore,
    change: _Change,
    measured: Sequence[StoppedVisits],
    after: _After,
    criteria: CriteriaSet,
    points: float,
    total: float,
) -> Gain:
    before: float | None
    then: float | None
    if isinstance(change, _Mended):
        metric, unit, before, then = FAILED_VISITS, "%", _share_stopped(measured, change), 0.0
    else:
        runs = [each.run for each in measured]
        metric, unit = criterion.metric, criterion.parsed.unit
        if criterion.parsed.of_windows:
            pointed = _pointed(runs, criterion, criteria, change.part)
            before = _of_part(runs, criterion, criteria, change.part, pointed)
            then = _of_part(after.measured, criterion, criteria, change.part, pointed)
        else:
            before, then = score.value, after.score_of(criterion).value
    return Gain(
        criterion=criterion.id,
        part=change.part,
        change=change.what,
        metric=metric,
        unit=unit,
        value_from=before,
        value_to=then,
        points=points,
        points_total=total,
    )


def _pointed(measured: Sequence[TabulatedRun], criterion: Criterion, criteria: CriteriaSet, part: Part) -> Sequence[WindowValue]:
    """The windows that give the points, of nights that have the part.

    If the median window of all nights is of a night without the part, the median window of the nights that have it.
    """
    values = criterion_windows(measured, criterion, criteria).values
    having = [part in dict(regular_parts(run, criterion, run.windows_of(criterion.select.stage))) for run in measured]
    chosen = [value for value in values if having[value.run]]
    if criterion.over == "mean_of_windows":
        return chosen
    median = median_of(criterion, values)
    return (median if having[median.run] else median_of(criterion, chosen),)


def _share_stopped(measured: Sequence[StoppedVisits], change: _Mended) -> float:
    """The share of a journey's visits that a part stopped in the valid windows of a stage, in %."""
    stopped = visits = 0
    for each in measured:
        table, names = each.run.visits, each.run.visits.journeys
        valid = [window.window for window in each.run.facts.windows if window.verdict is Verdict.VALID]
        counted = np.isin(table.window, valid) & np.isin(table.window, each.run.windows_of(change.stage))
        visits += int((counted & (table.journey == (names.index(change.part[0]) if change.part[0] in names else -1))).sum())
        stopped += int((counted & each.stopped(change.part, change.stage)).sum())
    return plain(100 * stopped / visits)


def _of_part(
    measured: Sequence[TabulatedRun], criterion: Criterion, criteria: CriteriaSet, part: Part, pointed: Sequence[WindowValue]
) -> float | None:
    """The figure of one part in the windows that give the points, the mean over several windows; None if it is censored."""
    rule = rule_of(criterion, criteria)
    found = []
    for value in pointed:
        unit = dict(regular_units(measured[value.run], criterion, value.facts.window))[part]
        figure = (
            measured_mean(unit) if rule.metric.figure == "mean" else window_figure(unit, rule, value.facts.run, value.facts.window, part)
        )
        found.append(math.inf if figure is None else figure)
    return printable(math.fsum(found) / len(found))


def _more(after: float | None, before: float) -> float:
    return plain((after or 0.0) - before, 4)
