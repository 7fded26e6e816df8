"""How the rows led to the points, line by line, so that a reader can check a score by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.catalog.criteria import Criterion
from harness.catalog.criteria_set import CriteriaSet
from harness.evidence.facts import Verdict
from harness.scoring.availability import observe_windows
from harness.scoring.card import RunEvidence
from harness.scoring.concurrency import held_levels
from harness.scoring.figures import MICROSECONDS, FigureRule, Unit, mean_us
from harness.scoring.final_states import states_of
from harness.scoring.maintenance import announced_in_time
from harness.scoring.round_the_clock import Observed, observe_round_the_clock
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard
from harness.scoring.scored_units import Part
from harness.scoring.unproven import described
from harness.scoring.windows import TabulatedRun, WindowValue, criterion_windows, regular_parts, rule_of, units_of, window_figure

_STOPPED = "the portal is broken there, or our profile is out of date"
_AT_A_WALL = "the portal refuses this journey even to a lone citizen, or our rule mistakes an ordinary page for a wall"


def explain(card: Scorecard, runs: Sequence[RunEvidence], criteria: CriteriaSet) -> Iterator[str]:
    """Each criterion of a card: selection, windows, the steps of the median window, value, curve, points, basis and source."""
    yield f"{card.portal}: {card.verdict.value}" + "".join(f"; {reason.code} {reason.detail}" for reason in card.reasons)
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
        yield from _criterion(score, by_id[score.id], measured, criteria)
        yield from _over_windows(by_id[score.id], runs, measured, criteria)
    yield ""
    yield from _total(card)
    yield from _without_make_up(card, runs)


def _criterion(score: CriterionScore, criterion: Criterion, measured: Sequence[TabulatedRun], criteria: CriteriaSet) -> Iterator[str]:
    yield f"{score.id} ({score.name_en}; heading {score.heading})"
    yield f"  {score.metric} of {score.selection}"
    if score.per_window:
        yield "  windows: " + ", ".join(f"{window}: {_value(value, score.unit)} (n {n})" for window, value, n in score.per_window)
    if score.state is not CriterionState.ASSESSED:
        yield f"  {score.state.value.replace('_', ' ')}: {score.reason.removeprefix('unproven: ')}"
        return
    if criterion.parsed.of_windows:
        yield from _pointed_windows(score, criterion, measured, criteria)
    yield f"  value {_value(score.value, score.unit)}{_interval(score)}"
    yield f"  curve {score.curve} → {score.points} of {score.points_max} points" + (f", {list(score.interval)}" if score.interval else "")
    yield f"  {score.source}"


def _pointed_windows(score: CriterionScore, criterion: Criterion, measured: Sequence[TabulatedRun], criteria: CriteriaSet) -> Iterator[str]:
    """Which windows gave the points; the steps of the median window, or of the worst one where all windows count."""
    values = criterion_windows(measured, criterion, criteria).values
    if score.over == "mean_of_windows":
        pairs = zip(score.per_window, score.points_per_window, strict=True)
        each = ", ".join(f"{window}: {points[-1]}" for (window, _, _), points in pairs)
        yield f"  over mean_of_windows: the points are the mean of the windows' points: {each}"
        worst = min(values, key=lambda value: value.value if criterion.parsed.higher_is_better else -value.value)
        yield from _window("worst window", worst, criterion, measured, criteria)
        return
    shown = [value for value in values if value.printed == score.value]
    if shown:
        yield "  over median_window: the points are those of the median window"
        yield from _window("median window", shown[0], criterion, measured, criteria)


def _window(name: str, value: WindowValue, criterion: Criterion, measured: Sequence[TabulatedRun], criteria: CriteriaSet) -> Iterator[str]:
    rule, run = rule_of(criterion, criteria), measured[value.run]
    yield f"  {name} {value.facts.window} (night {value.facts.night}, round {value.facts.round}), combined by {criterion.combine}:"
    of_stage = {window.window for window in run.facts.windows if window.stage == criterion.select.stage}
    for part, unit in units_of(run, criterion, list(regular_parts(run, criterion, of_stage)), value.facts.window):
        yield f"    {'/'.join(name for name in part if name)}: {_steps(unit, part, rule, value.facts.run, value.facts.window)}"


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
        for night in sorted({each.night for each in seen}):
            of_night = [each for each in seen if each.night == night]
            counted = [each.up for each in of_night if not each.planned_maintenance]
            apart = len(of_night) - len(counted)
            yield f"  night {night}: {sum(counted)} of {len(counted)} windows up, {apart} in planned maintenance"


def _round_the_clock(observed: Observed) -> Iterator[str]:
    """Each day, and each hour of the day, that probes and windows saw."""
    for day in observed.days:
        of_day = [each.up for each in observed.observations if each.day == day]
        yield f"  day from noon of {day}: {sum(of_day)} of {len(of_day)} probes and windows up"
    hours = ((hour, [each.up for each in observed.observations if each.at.hour == hour]) for hour in range(24))
    yield "  by hour of the day: " + ", ".join(f"{hour} h {sum(ups)} of {len(ups)}" for hour, ups in hours if ups)


def _steps(unit: Unit, part: Part, rule: FigureRule, run: str, window: int) -> str:
    failures = len(unit) - int(unit.ok.sum())
    text = f"n {len(unit)}, {failures} failed"
    if rule.metric.figure == "mean":
        text += f", sum {mean_us(unit, rule.zero_us)} µs with failures at {rule.zero_us / MICROSECONDS:g} s or their elapsed time"
    value = window_figure(unit, rule, run, window, part)
    return f"{text} → {_value(value if value is None or value != float('inf') else None, rule.metric.unit)}"


def _value(value: float | None, unit: str) -> str:
    return "censored (a failure, or no end within the timeout)" if value is None else f"{value:.6g} {unit}".rstrip()


def _interval(score: CriterionScore) -> str:
    if score.value_interval is None:
        return ", no interval"
    low, high = ("∞" if end is None else f"{end:.6g}" for end in score.value_interval)
    level = f", {100 * score.interval_level:.4g} %" if score.interval_level is not None else ""
    return f", [{low}, {high}] by {score.interval_kind}{level}"


def _total(card: Scorecard) -> Iterator[str]:
    if card.points is None:
        yield f"no points: {card.verdict.value}"
        return
    yield f"total {card.points} of {card.points_max}, {card.points_assessed_max} assessed"
    if card.interval is not None:
        yield f"interval {list(card.interval)}: {card.interval_kind}"


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
