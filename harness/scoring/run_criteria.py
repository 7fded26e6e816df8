"""Criteria that are judged over whole runs: sustained concurrency, availability over nights, server efficiency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.catalog.criteria import Criterion, Linear
from harness.catalog.criteria_set import CriteriaSet, ProbeRule
from harness.evidence.facts import RunFacts
from harness.records.probe_history import ProbeLine
from harness.scoring.availability import observe_windows
from harness.scoring.concurrency import held_levels, sustained
from harness.scoring.efficiency import ServerFigure, load_in_windows
from harness.scoring.judge import Judged, judge_values, line_of, not_assessed, points_of, with_interval
from harness.scoring.maintenance import Maintenance
from harness.scoring.round_the_clock import Observed, observe_round_the_clock
from harness.scoring.scorecard import CriterionState
from harness.scoring.windows import TabulatedRun, WindowValue, printable, usable
from harness.statistics.share import clustered_share


@dataclass(frozen=True, slots=True)
class PortalContext:
    """The input of scoring besides rows: operator figures, planned maintenance, unreachable runs, the common highest level."""

    server_figures: tuple[ServerFigure, ...] | None = None
    maintenance: tuple[Maintenance, ...] = ()
    highest_level: float | None = None  # the lowest top level planned in the set; None where a portal is scored by itself
    unreachable: tuple[RunFacts, ...] = ()
    probes: tuple[ProbeLine, ...] = ()
    runs: tuple[RunFacts, ...] = ()  # all of the portal, valid or not


def judge_sustained(measured: Sequence[TabulatedRun], criterion: Criterion, criteria: CriteriaSet, context: PortalContext) -> Judged:
    """The points are those of the last level that passed; the interval reaches to the first level that failed."""
    quota = criteria.quota_of(criterion)
    levels = held_levels(measured, criterion, criteria)
    windows = sum(level.windows for level in levels)
    if not any(window.stage == criterion.select.stage for run in measured for window in run.facts.windows):
        return not_assessed(criterion, "no_windows_of_stage", lacks_data=criterion.required == "always")
    if windows < quota.windows:
        reason = f"too_few_windows: {windows} of {quota.windows} with at least {quota.n} steps"
        return not_assessed(criterion, reason, lacks_data=criterion.required != "never")
    found = sustained(levels)
    asked = limited_to(criterion, context.highest_level)
    upper = found.first_fail if found.first_fail is not None else found.last_pass
    line = replace(
        line_of(criterion),
        state=CriterionState.ASSESSED,
        points=points_of(asked, found.last_pass),
        value=printable(found.last_pass),
        windows=windows,
        n=sum(level.n for level in levels),
        interval_kind="last level passed to first level failed" if found.first_fail is not None else "no level failed",
        curve=str(asked.curve),
    )
    line = with_interval(asked, line, upper, found.last_pass, None)
    if found.first_fail is None:
        line = replace(line, value_interval=(line.value, None))  # "at least" this value
    return Judged(line)


def judge_availability(measured: Sequence[TabulatedRun], criterion: Criterion, criteria: CriteriaSet, context: PortalContext) -> Judged:
    """The share of windows in which the portal was up; the interval accounts for the dependence of windows of one night."""
    quota = criteria.quota_of(criterion)
    seen = observe_windows(measured, context.unreachable, criterion, criteria, context.maintenance)
    if criteria.probes is not None and context.probes:
        observed = observe_round_the_clock(context.probes, seen, context.runs, context.maintenance)
        return _judge_round_the_clock(observed, criterion, criteria, criteria.probes)
    counted = [each for each in seen if not each.planned_maintenance]
    nights = sorted({each.night for each in counted})
    if len(nights) < quota.nights or len(counted) < quota.windows:
        reason = f"too_few_nights: {len(nights)} of {quota.nights}, {len(counted)} of {quota.windows} windows"
        return not_assessed(criterion, reason, lacks_data=criterion.required == "always")
    by_night = [[each.up for each in counted if each.night == night] for night in nights]
    share = clustered_share([sum(ups) for ups in by_night], [len(ups) for ups in by_night])
    line = replace(
        line_of(criterion),
        state=CriterionState.ASSESSED,
        points=points_of(criterion, 100 * share.share),
        value=printable(100 * share.share),
        windows=len(counted),
        n=sum(each.n for each in counted),
        interval_kind=f"share of windows, clustered by night; {len(seen) - len(counted)} in planned maintenance left out",
    )
    return Judged(with_interval(criterion, line, 100 * share.high, 100 * share.low, 0.95))


def _judge_round_the_clock(observed: Observed, criterion: Criterion, criteria: CriteriaSet, rule: ProbeRule) -> Judged:
    """The share of the time of a day in which the portal was up, by probes and windows."""
    quota, seen, days = criteria.quota_of(criterion), len(observed.observations), len(observed.days)
    reason = ""
    if days < quota.nights or seen < quota.windows:
        reason = f"too_few_nights: {days} of {quota.nights}, {seen} of {quota.windows} probes and windows"
    elif observed.hours < rule.hours:
        reason = f"too_few_hours: {observed.hours} of {rule.hours} hours of the day"
    if reason:
        return not_assessed(criterion, reason, lacks_data=criterion.required == "always")
    share = observed.share
    line = replace(
        line_of(criterion),
        state=CriterionState.ASSESSED,
        points=points_of(criterion, 100 * share.share),
        value=printable(100 * share.share),
        windows=seen - observed.probes,
        n=observed.steps + observed.probes,
        interval_kind=f"share of a day, each hour alike, clustered by day: {observed.probes} probes and {seen - observed.probes} windows"
        f" of {days} days, {observed.hours} of 24 hours; {observed.planned} in planned maintenance left out, {observed.not_counted} probes not counted",
    )
    return Judged(with_interval(criterion, line, 100 * share.high, 100 * share.low, None))


def judge_server_cpu(measured: Sequence[TabulatedRun], criterion: Criterion, criteria: CriteriaSet, context: PortalContext) -> Judged:
    """The operator's figures, window by window. Without them the criterion is not assessed."""
    if context.server_figures is None:
        return not_assessed(criterion, "no_operator_figures", lacks_data=criterion.required == "always")
    quota = criteria.quota_of(criterion)
    values = [
        WindowValue(index, load.window, load.cpu_percent, load.n)
        for index, run in enumerate(measured)
        for load in load_in_windows(
            context.server_figures, [w for w in run.facts.windows if w.stage == criterion.select.stage and usable(w, quota)], quota.n
        )
    ]
    values.sort(key=lambda each: (each.replicate, each.run, each.facts.window))
    if len(values) < quota.windows:
        reason = f"too_few_windows: {len(values)} of {quota.windows} with {quota.n} figures of each role"
        return not_assessed(criterion, reason, lacks_data=criterion.required == "always", values=values)
    return judge_values(criterion, values)


def limited_to(criterion: Criterion, highest: float | None) -> Criterion:
    """Limits the level for full points to the highest level that all portals of a set were given."""
    curve = criterion.curve
    if highest is None or not isinstance(curve, Linear) or highest >= float(curve.full) or highest <= float(curve.none):
        return criterion
    lowered = curve.model_copy(update={"full": type(curve.full)(repr(highest))})
    return criterion.model_copy(update={"curve": lowered})
