"""How the rows led to the points, line by line, so that a reader can check a score by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from harness.catalog.criteria import Criterion
from harness.catalog.criteria_set import CriteriaSet
from harness.evidence.facts import Verdict
from harness.scoring.arithmetic import CENSORED, legend, number, of_mean_interval, of_parts, of_ranks, of_step, on_curve, quantity
from harness.scoring.availability import observe_windows
from harness.scoring.card import RunEvidence
from harness.scoring.concurrency import held_levels
from harness.scoring.final_states import states_of
from harness.scoring.judge import MEAN_INTERVAL, median_of
from harness.scoring.maintenance import announced_in_time
from harness.scoring.round_the_clock import Observed, observe_round_the_clock
from harness.scoring.run_criteria import limited_to
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard
from harness.scoring.total_interval import common_sums
from harness.scoring.unproven import described
from harness.scoring.windows import TabulatedRun, WindowValue, criterion_windows, regular_units, rule_of, window_figure

_STOPPED = "the portal is broken there, or our profile is out of date"
_AT_A_WALL = "the portal refuses this journey even to a lone citizen, or our rule mistakes an ordinary page for a wall"


def explain(card: Scorecard, runs: Sequence[RunEvidence], criteria: CriteriaSet, *, highest_level: float | None = None) -> Iterator[str]:
    """The path from rows to points. Whatever is printed can be computed from numbers in the lines above it, by the formula beside it.

    For each criterion: selection, windows, the steps of the windows that give the points, value, curve, points, interval, basis
    and source; then the sum. ``runs`` and ``highest_level`` are those that the card was scored from.
    """
    yield f"{card.portal}: {card.verdict.value}" + "".join(f"; {reason.code} {reason.detail}".rstrip() for reason in card.reasons)
    yield f"criteria set {criteria.id} {criteria.printed_version}, {'provisional, ' if criteria.provisional else ''}sha256 {criteria.sha256}"
    found = states_of(card)
    for name, state in criteria.states.items():
        if name in found:
            yield f"{name}: {state}"
    for journey in card.unproven:
        yield f"unproven: {described(journey)}; {_AT_A_WALL if journey.at_a_wall else _STOPPED}"
    runs = [run.under(criteria) for run in runs]
    measured = [run.measured(criteria) for run in runs if run.facts.verdict is Verdict.VALID]
    by_id = {criterion.id: criterion for criterion in criteria.criteria}
    for score in card.criteria:
        yield ""
        criterion = limited_to(by_id[score.id], highest_level)
        of_runs = list(_over_windows(criterion, runs, measured, criteria))
        yield from _criterion(score, criterion, measured, criteria, of_runs)
    yield ""
    yield from _total(card)
    yield from _without_make_up(card, runs)


def _criterion(
    score: CriterionScore, criterion: Criterion, measured: Sequence[TabulatedRun], criteria: CriteriaSet, of_runs: Sequence[str]
) -> Iterator[str]:
    """One criterion; ``of_runs`` are the lines on levels, nights or hours behind a figure that is not computed per window."""
    yield f"{score.id} ({score.name_en}; heading {score.heading})"
    yield f"  {score.metric} of {score.selection}"
    if score.per_window:
        yield "  windows: " + ", ".join(f"{window}: {quantity(value, score.unit)} (n {n})" for window, value, n in score.per_window)
    if score.state is not CriterionState.ASSESSED:
        yield f"  {score.state.value.replace('_', ' ')}: {score.reason.removeprefix('unproven: ')}"
        yield from of_runs
        return
    if score.judged_per_window:
        yield from _pointed_windows(score, criterion, measured, criteria)
    yield from of_runs
    yield f"  value {quantity(score.value, score.unit)}{_beside(score)}{_interval(score)}"
    yield f"  curve {score.curve}: {_points(score, criterion)} of {score.points_max} points{_points_interval(score, criterion)}"
    yield f"  {score.source}"


def _pointed_windows(score: CriterionScore, criterion: Criterion, measured: Sequence[TabulatedRun], criteria: CriteriaSet) -> Iterator[str]:
    """The windows that gave the points: their steps where the figure is of steps, and their points where all of them count."""
    metric = criterion.parsed
    values = criterion_windows(measured, criterion, criteria).values if metric.of_windows else ()
    if values:
        each = "the visits of a journey" if metric.subject == "visits" else "a step"
        yield f"  {metric.figure} of {each}: {legend(rule_of(criterion, criteria))}"
    if score.over == "mean_of_windows":
        yield "  over mean_of_windows: the points are the mean of the windows' points"
        for value in values:
            yield from _window("window", value, criterion, measured, criteria)
            yield f"    points: {on_curve(criterion, value.printed)}"
        for window, figure, _ in score.per_window[len(values) :]:
            yield f"  window {window}: {on_curve(criterion, figure)}"
        return
    ordered = sorted(
        (figure is None, -(figure or 0.0) if metric.higher_is_better else figure or 0.0, window) for window, figure, _ in score.per_window
    )
    in_order = ", ".join(f"{window}: {CENSORED if censored else number(abs(figure))}" for censored, figure, window in ordered)
    place = f"number {len(ordered) // 2 + 1} of {len(ordered)} from the best"
    yield f"  over median_window: the points are those of the median window, {place}: {in_order}"
    if values:
        yield from _window("median window", median_of(criterion, values), criterion, measured, criteria)


def _window(name: str, value: WindowValue, criterion: Criterion, measured: Sequence[TabulatedRun], criteria: CriteriaSet) -> Iterator[str]:
    rule, facts = rule_of(criterion, criteria), value.facts
    yield f"  {name} {facts.window} (night {facts.night}, round {facts.round}), combined by {criterion.combine}:"
    found = []
    for part, unit in regular_units(measured[value.run], criterion, facts.window):
        found.append(window_figure(unit, rule, facts.run, facts.window, part))
        yield f"    {'/'.join(name for name in part if name)}: {of_step(unit, rule, found[-1])}"
    if len(found) > 1:
        yield f"    {of_parts(criterion, found, value.value)}"


def _beside(score: CriterionScore) -> str:
    """What was measured beside the value, and how many steps or visits failed."""
    parts = ["a failure, or no end within the timeout"] if score.censored else []
    if score.zero_point_s is not None:
        parts.append(f"as measured, successes alone: {'none' if score.value_measured is None else quantity(score.value_measured, 's')}")
    if score.failures_of is not None:
        parts.append(f"{score.failures} of {score.failures_of} failed")
    return f" ({'; '.join(parts)})" if parts else ""


def _points(score: CriterionScore, criterion: Criterion) -> str:
    """The points by the curve, or as the mean of the windows' points."""
    if score.interval_kind.startswith("settled"):
        return number(score.points or 0.0)
    if score.over == "mean_of_windows" and score.judged_per_window:
        points = [number(points) for *_, points in score.points_per_window]
        return f"({' + '.join(points)}) / {len(points)} = {number(score.points or 0.0)}"
    return on_curve(criterion, score.value)


def _interval(score: CriterionScore) -> str:
    if score.value_interval is None:
        return ", no interval"
    low, high = ("∞" if end is None else number(end) for end in score.value_interval)
    values = [value for _, value, _ in score.per_window if value is not None]
    if score.interval_kind == MEAN_INTERVAL:
        return f", [{low}, {high}]: {of_mean_interval(values, 100 if score.unit == '%' else 1)}"
    level = "" if score.interval_level is None else f", {100 * score.interval_level:.4g} %"
    if score.judged_per_window and len(score.per_window) > 1:
        level = f": {of_ranks(len(score.per_window))}"
    return f", [{low}, {high}] by {score.interval_kind}{level}"


def _points_interval(score: CriterionScore, criterion: Criterion) -> str:
    if score.interval is None:
        return ""
    how = ""
    if score.interval_kind == MEAN_INTERVAL:
        how = of_mean_interval([points for *_, points in score.points_per_window], float(criterion.points.value))
    elif score.value_interval is not None:
        how = "the curve at the ends of the value's interval"
    return f", {list(score.interval)}{f': {how}' if how else ''}"


def _over_windows(
    criterion: Criterion, runs: Sequence[RunEvidence], measured: Sequence[TabulatedRun], criteria: CriteriaSet
) -> Iterator[str]:
    """The levels or nights behind a figure that is not computed per window."""
    if criterion.parsed.figure == "sustained":
        for level in held_levels(measured, criterion, criteria):
            word = "passes" if level.passes else "fails" if level.fails else "undecided"
            yield f"  level {level.level:g} visits/s: {level.met} of {level.windows} windows met every condition, {word} (n {level.n})"
    if criterion.parsed.figure == "availability":
        unreachable = [run.facts for run in runs if run.facts.verdict is Verdict.UNREACHABLE]
        planned = announced_in_time([each for run in runs for each in run.maintenance], criteria.maintenance_notice)
        seen = observe_windows(measured, unreachable, criterion, criteria, planned)
        probes = {probe: None for run in runs for probe in run.probes}
        if criteria.probes is not None and probes:
            yield from _round_the_clock(observe_round_the_clock(probes, seen, [run.facts for run in runs], planned))
            return
        up = [each.up for each in seen if not each.planned_maintenance]
        for night in sorted({each.night for each in seen}):
            of_night = [each for each in seen if each.night == night]
            counted = [each.up for each in of_night if not each.planned_maintenance]
            apart = len(of_night) - len(counted)
            yield f"  night {night}: {sum(counted)} of {len(counted)} windows up, {apart} in planned maintenance"
        if up:
            yield f"  all nights: 100 × {sum(up)} / {len(up)} = {quantity(100 * sum(up) / len(up), '%')}"


def _round_the_clock(observed: Observed) -> Iterator[str]:
    """Each day, and each hour of the day, that probes and windows saw."""
    for day in observed.days:
        of_day = [each.up for each in observed.observations if each.day == day]
        yield f"  day from noon of {day}: {sum(of_day)} of {len(of_day)} probes and windows up"
    hours = [(hour, ups) for hour in range(24) if (ups := [each.up for each in observed.observations if each.at.hour == hour])]
    yield "  by hour of the day: " + ", ".join(f"{hour} h {sum(ups)} of {len(ups)}" for hour, ups in hours)
    if hours:
        mean = math.fsum(sum(ups) / len(ups) for _, ups in hours) / len(hours)
        yield f"  the mean of the shares of {len(hours)} hours = {quantity(100 * mean, '%')}"


def _total(card: Scorecard) -> Iterator[str]:
    if card.points is None:
        yield f"no points: {card.verdict.value}"
        return
    points = " + ".join(number(score.points) for score in card.criteria if score.points is not None)
    yield f"total {points} = {card.points} of {card.points_max}, {card.points_assessed_max} assessed"
    if card.interval is None:
        return
    yield f"interval {list(card.interval)}: {card.interval_kind}"
    for over, sums in common_sums(card.criteria).items():
        most = math.fsum(score.points_max for score in card.criteria if score.points_per_window and score.over == over)
        how = of_ranks(len(sums)) if over == "median_window" else of_mean_interval(sums, most)
        yield f"  sums by window of the criteria of the {over.replace('_', ' ')}: {', '.join(map(number, sums))}; {how}"
    if others := [score.id for score in card.criteria if score.points is not None and not score.points_per_window]:
        yield f"  to these the ends of the intervals of {', '.join(others)} are added"


def _without_make_up(card: Scorecard, runs: Sequence[RunEvidence]) -> Iterator[str]:
    """The make-up windows that count, and the points without them."""
    without = card.without_make_up
    if without is None:
        return
    windows = [window for run in runs for window in run.facts.windows if window.make_up and window.verdict is Verdict.VALID]
    yield "make-up windows: " + ", ".join(f"{window.window} for {window.make_up_of}" for window in windows)
    if without.points is None:
        yield "without them: no points, too few windows"
    else:
        interval = f", interval {list(without.interval)}" if without.interval else ""
        yield f"without them: {without.points} of {card.points_max}, {without.points_assessed_max} assessed{interval}"
