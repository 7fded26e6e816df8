"""The scorecard of a portal: verdict, criteria, total and interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from harness.catalog.criteria import Criterion
from harness.catalog.criteria_set import CriteriaSet
from harness.evidence.facts import Reason, RunFacts, Verdict
from harness.records.probe_history import ProbeLine
from harness.scoring.absent_goals import without_absent_goals
from harness.scoring.concurrency import highest_planned
from harness.scoring.efficiency import ServerFigure
from harness.scoring.judge import Judged, judge, line_of
from harness.scoring.maintenance import Maintenance, announced_in_time, without_maintenance
from harness.scoring.not_chosen import without_not_chosen
from harness.scoring.outages import STOPPED, outages, without_stopped
from harness.scoring.permission import without_permission
from harness.scoring.round_the_clock import day_and_night, finding
from harness.scoring.run_criteria import PortalContext, judge_availability, judge_server_cpu, judge_sustained
from harness.scoring.scorecard import (
    AppliedCriteria,
    CriterionScore,
    CriterionState,
    Evidence,
    PointsWithoutMakeUp,
    Scorecard,
    ScoredGroup,
    SweepScores,
)
from harness.scoring.total_interval import total_interval
from harness.scoring.unproven import unproven_reasons, without_unproven, zero_if_settled
from harness.scoring.windows import TabulatedRun, plain, tabulate_run


@dataclass(frozen=True, slots=True)
class PortalIdentity:
    """The portal that a card is about."""

    id: str
    name_vi: str
    name_en: str
    level: str  # ministry or province


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """The evidence of one run. ``rows`` may be a function that reads them, so that only one portal's rows are in memory."""

    portal: PortalIdentity
    facts: RunFacts
    rows: Any  # a pyarrow Table or pandas DataFrame with NEEDED_COLUMNS, or a function without arguments that gives one
    evidence: tuple[Evidence, ...] = ()
    efficiency: tuple[ServerFigure, ...] | None = None
    maintenance: tuple[Maintenance, ...] = ()
    probes: tuple[ProbeLine, ...] = ()  # of the portal's availability history

    def measured(self, criteria: CriteriaSet) -> TabulatedRun:
        """The rows as steps and visits, of hosts that the set charges to the portal."""
        return tabulate_run(self.rows() if callable(self.rows) else self.rows, self.facts, criteria.shared_owners)

    def under(self, criteria: CriteriaSet) -> RunEvidence:
        """The run without the windows that the set leaves out because of maintenance."""
        return replace(self, facts=without_maintenance(self.facts, self.maintenance, criteria.maintenance_notice))


def score_portal(runs: Sequence[RunEvidence], criteria: CriteriaSet, *, highest_level: float | None = None) -> Scorecard:
    """The card of one portal from the windows of all its runs, of one night or several.

    The order of the rows and their dictionary encoding do not change the card. Raises EvidenceError where columns are missing.
    """
    if not runs:
        raise ValueError("a card needs at least one run")
    runs = [run.under(criteria) for run in runs]
    context = context_of(runs, criteria, highest_level)
    compared = None if criteria.probes is None else day_and_night(context.probes, context.runs, context.maintenance, criteria.probes)
    found = _scored(runs, criteria, context)
    return replace(found, day_and_night=compared, reasons=(*found.reasons, *finding(compared)))


def context_of(runs: Sequence[RunEvidence], criteria: CriteriaSet, highest_level: float | None) -> PortalContext:
    """What is scored of one portal's runs besides the rows of the valid ones."""
    maintenance = announced_in_time([each for run in runs for each in run.maintenance], criteria.maintenance_notice)
    probes, facts = tuple(dict.fromkeys(probe for run in runs for probe in run.probes)), tuple(run.facts for run in runs)
    unreachable = tuple(each for each in facts if each.verdict is Verdict.UNREACHABLE)
    return PortalContext(_figures(runs), maintenance, highest_level, unreachable, probes, facts)


def _scored(runs: Sequence[RunEvidence], criteria: CriteriaSet, context: PortalContext) -> Scorecard:
    """The card without findings."""
    valid = valid_runs(runs)
    if not valid:
        return _without_points(runs, criteria)
    measured = [run.measured(criteria) for run in valid]
    found = card_of(valid, measured, criteria, context)
    made_up = sum(window.make_up and window.verdict is Verdict.VALID for run in valid for window in run.facts.windows)
    if not made_up:
        return found
    without = card_of(valid, [_without_make_up(run) for run in measured], criteria, context)
    points = PointsWithoutMakeUp(made_up, without.points, without.interval, without.points_assessed_max)
    return replace(found, without_make_up=points)


def valid_runs(runs: Sequence[RunEvidence]) -> list[RunEvidence]:
    """Those that are scored."""
    return [run for run in runs if run.facts.verdict is Verdict.VALID]


def card_of(
    valid: Sequence[RunEvidence],
    measured: Sequence[TabulatedRun],
    criteria: CriteriaSet,
    context: PortalContext,
    known: Mapping[str, Judged] | None = None,
) -> Scorecard:
    """The card of valid runs from their steps and visits, without findings and make-up windows.

    ``known``: criteria by id that need not be judged again, as ``judge_criteria`` gave them.
    """
    latest = _latest(valid).facts
    found = judge_criteria(measured, criteria, context, known)
    judged = [without_unproven(each, found[each.id], latest.unproven) for each in criteria.criteria]
    judged = [zero_if_settled(each, line, latest.settled_as_portal) for each, line in zip(criteria.criteria, judged, strict=True)]
    judged = [without_stopped(each, line, latest.stopped_at_shared_host) for each, line in zip(criteria.criteria, judged, strict=True)]
    judged = [without_permission(each, line, latest.not_permitted) for each, line in zip(criteria.criteria, judged, strict=True)]
    judged = [without_absent_goals(each, line, latest.absent_goals) for each, line in zip(criteria.criteria, judged, strict=True)]
    not_chosen = {journey for run in valid for journey in run.facts.journeys_not_chosen}
    judged = [without_not_chosen(each, line, not_chosen) for each, line in zip(criteria.criteria, judged, strict=True)]
    return _card(valid, criteria, judged)


def judge_criteria(
    measured: Sequence[TabulatedRun], criteria: CriteriaSet, context: PortalContext, known: Mapping[str, Judged] | None = None
) -> dict[str, Judged]:
    """Each criterion by id, by its rows alone; those in ``known`` are taken from there."""
    known = known or {}
    return {each.id: known.get(each.id) or _judge(measured, each, criteria, context) for each in criteria.criteria}


def score_sweep(
    sweep: str,
    runs: Iterable[RunEvidence],
    criteria: CriteriaSet,
    *,
    revision: int = 1,
    supersedes: int | None = None,
    at_once: int = 1,
    only: str = "",
) -> SweepScores:
    """The cards of all portals of a sweep, or of several nights, ordered by portal. Runs of one portal are scored together.

    ``at_once``: how many portals are read and scored at the same time, in threads; it does not change the result.
    ``only``: the one portal whose rows are read and whose card is made; it is as it would be among all cards.
    """
    by_portal = runs_by_portal(runs)
    shared_failures = outages(run.facts for group in by_portal.values() for run in group)
    highest = common_highest_level(by_portal)

    def card(portal: str) -> Scorecard:
        return score_portal(by_portal[portal], criteria, highest_level=highest)

    portals = sorted(portal for portal in by_portal if only in ("", portal))
    if at_once > 1:
        with ThreadPoolExecutor(at_once) as pool:
            cards = tuple(pool.map(card, portals))
    else:
        cards = tuple(map(card, portals))
    return SweepScores(
        sweep=sweep,
        revision=revision,
        supersedes=supersedes,
        nights=tuple(sorted({night for card in cards for night in card.nights})),
        criteria_set=AppliedCriteria(criteria.id, criteria.printed_version, criteria.provisional, criteria.sha256),
        group=ScoredGroup(criteria.group.id, criteria.group.name_vi, criteria.group.name_en, float(criteria.group.points.value)),
        scorecards=cards,
        shared_failures=shared_failures,
    )


def runs_by_portal(runs: Iterable[RunEvidence]) -> dict[str, list[RunEvidence]]:
    """The runs of each portal, in the order given."""
    by_portal: dict[str, list[RunEvidence]] = {}
    for run in runs:
        by_portal.setdefault(run.portal.id, []).append(run)
    return by_portal


def common_highest_level(by_portal: Mapping[str, Sequence[RunEvidence]]) -> float | None:
    """The highest level of a ramp that every portal of a sweep was given; None without a ramp."""
    levels = [
        [(window.stage, window.level) for run in group for window in run.facts.windows]
        for group in by_portal.values()
        if not any(
            run.facts.unproven or run.facts.stopped_at_shared_host for run in group
        )  # fewer journeys make a lower level, which must not be what others are held to
    ]
    return highest_planned(levels)


_OF_RUNS: dict[str, Callable[[Sequence[TabulatedRun], Criterion, CriteriaSet, PortalContext], Judged]] = {
    "sustained": judge_sustained,
    "availability": judge_availability,
    "server_cpu": judge_server_cpu,
}


def _judge(measured: Sequence[TabulatedRun], criterion: Criterion, criteria: CriteriaSet, context: PortalContext) -> Judged:
    of_runs = _OF_RUNS.get(criterion.parsed.figure)
    return judge(measured, criterion, criteria) if of_runs is None else of_runs(measured, criterion, criteria, context)


def _card(runs: Sequence[RunEvidence], criteria: CriteriaSet, judged: Sequence[Judged]) -> Scorecard:
    lacking = [each.score for each in judged if each.lacks_data]
    card = _blank(runs, criteria)
    if lacking:
        reasons = tuple(Reason(_code(score), f"{score.id}: {score.reason}") for score in lacking)
        stripped = tuple(_without_its_points(each.score, Verdict.INSUFFICIENT) for each in judged)
        return replace(card, verdict=Verdict.INSUFFICIENT, reasons=card.reasons + reasons, criteria=stripped)
    scores = tuple(each.score for each in judged)
    if card.unproven and all(score.state is not CriterionState.ASSESSED for score in scores):
        return replace(card, verdict=Verdict.INSUFFICIENT, criteria=scores)  # nothing could be measured: no points, not zero points
    points = plain(math.fsum(score.points or 0.0 for score in scores), 4)
    interval, kind = total_interval(scores, points)
    assessed = math.fsum(score.points_max for score in scores if score.state is CriterionState.ASSESSED)
    return replace(
        card,
        points=points,
        interval=interval,
        interval_kind=kind,
        points_assessed_max=plain(assessed, 4),
        criteria=scores,
    )


def _without_make_up(run: TabulatedRun) -> TabulatedRun:
    windows = tuple(window for window in run.facts.windows if not window.make_up)
    return replace(run, facts=replace(run.facts, windows=windows))


def _without_points(runs: Sequence[RunEvidence], criteria: CriteriaSet) -> Scorecard:
    """The card of a portal without a valid run: the latest run's verdict, and no points (not zero points)."""
    latest = _latest(runs)
    card = _blank([latest], criteria)
    lines = [
        without_permission(each, without_unproven(each, Judged(line_of(each)), latest.facts.unproven), latest.facts.not_permitted).score
        for each in criteria.criteria
    ]
    scores = tuple(_without_its_points(line, card.verdict) for line in lines)
    return replace(card, criteria=scores, nights=_all_nights(runs), evidence=_evidence(runs))


def _blank(runs: Sequence[RunEvidence], criteria: CriteriaSet) -> Scorecard:
    portal, unproven = runs[0].portal, _latest(runs).facts.unproven
    told = [reason for run in runs for reason in run.facts.reasons if reason.code != "journey_unproven"]
    return Scorecard(
        portal=portal.id,
        name_vi=portal.name_vi,
        name_en=portal.name_en,
        level=portal.level,
        verdict=runs[-1].facts.verdict,
        reasons=(*dict.fromkeys(told), *unproven_reasons(unproven)),
        points=None,
        interval=None,
        points_max=float(criteria.group.points.value),
        points_assessed_max=0.0,
        criteria=(),
        nights=_all_nights(runs),
        evidence=_evidence(runs),
        unproven=unproven,
    )


def _latest(runs: Sequence[RunEvidence]) -> RunEvidence:
    """The run of the last night; what was unproven on earlier ones does not count."""
    return max(runs, key=lambda run: (_nights(run.facts), run.facts.run))


def _without_its_points(score: CriterionScore, verdict: Verdict) -> CriterionScore:
    """The criterion without points but with its measured values, for a card without points."""
    if score.state is CriterionState.UNPROVEN:
        return score
    return replace(
        score,
        state=CriterionState.NOT_ASSESSED,
        reason=score.reason or f"verdict: {verdict.value}",
        points=None,
        interval=None,
        points_per_window=(),
    )


def _code(score: CriterionScore) -> str:
    if score.reason.startswith(STOPPED):
        return "shared_failure"
    return "not_enough_steps" if score.reason.startswith(("too_few_windows: 0 ", "not_measured")) else "not_enough_windows"


def _figures(runs: Sequence[RunEvidence]) -> tuple[ServerFigure, ...] | None:
    given = [run.efficiency for run in runs if run.efficiency is not None]
    return None if not given else tuple(dict.fromkeys(figure for figures in given for figure in figures))


def _nights(facts: RunFacts) -> tuple[str, ...]:
    return tuple(sorted({window.night for window in facts.windows}))


def _all_nights(runs: Sequence[RunEvidence]) -> tuple[str, ...]:
    return tuple(sorted({night for run in runs for night in _nights(run.facts)}))


def _evidence(runs: Sequence[RunEvidence]) -> tuple[Evidence, ...]:
    return tuple(sorted({file for run in runs for file in run.evidence}, key=lambda each: (each.file, each.sha256)))
