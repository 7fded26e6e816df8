"""A portal's page: what its run showed, why, and what would gain most."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import pandas as pd
from markupsafe import Markup

from harness.diagnosis import Diagnosis, Finding
from harness.evidence.facts import RunFacts, Verdict, WindowFacts
from harness.evidence.folder import REPORT_HTML
from harness.evidence.reasons import Language
from harness.publish import charts
from harness.publish.clock_charts import load_chart, timeline_chart
from harness.publish.gain_text import by_change
from harness.publish.over_time import clock_of, over_time
from harness.publish.portal_faults import PortalFaults
from harness.publish.portal_findings import conclusion_text, finding_text
from harness.publish.reduction import LEAST_VALUES, HostTime, StepSummary, host_times, measured, step_summaries
from harness.publish.rendering import render
from harness.publish.report_data import ReportExtras
from harness.publish.scoreboard import Standing
from harness.publish.step_charts import phases_chart, spread_chart, spread_range
from harness.publish.step_times import Funnel, StepSpread, funnels, step_phases, step_spreads
from harness.publish.threshold_track import points_track, value_track
from harness.publish.value_text import value_parts
from harness.publish.wording import LANGUAGES, Phrase, worded
from harness.records import COLUMNS, LONE
from harness.scoring import Gain, SlowVisit
from harness.scoring.rows import read_rows
from harness.scoring.scorecard import CriterionScore, SweepScores
from harness.scoring.scored_units import tabulate
from harness.visits.composing import visit_mark


@dataclass(frozen=True, slots=True)
class WordedFinding:
    """A finding in both languages."""

    statement: Phrase
    remedy: Phrase
    sureness: Phrase


@dataclass(frozen=True, slots=True)
class MarkedVisit:
    """A slow visit, with the marks in its requests by which operators find it in their logs."""

    visit: SlowVisit
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalPart:
    """What the page shows. Charts are None where there is nothing to draw."""

    standing: Standing
    anchor: str
    runs: tuple[RunFacts, ...]
    conclusion: Phrase | None
    improvements: tuple[Sequence[Gain], ...]  # by change, the best first: what each criterion would gain by it
    findings: tuple[WordedFinding, ...]
    open_questions: tuple[WordedFinding, ...]  # what the evidence cannot say
    doubted: tuple[WindowFacts, ...]  # loaded windows with a reason that the card does not give
    faults: PortalFaults | None  # None where they were not looked for
    points: Markup
    values: Mapping[str, tuple[Phrase, ...]]  # by criterion: its value, then what is to be said beside it
    tracks: Mapping[str, Markup]  # by criterion; empty where it has no thresholds
    steps: tuple[StepSummary, ...]
    hosts: tuple[HostTime, ...]
    funnels: tuple[Funnel, ...]
    spreads: tuple[tuple[str, tuple[Markup, ...]], ...]  # by journey
    phases: Markup | None
    timeline: Markup | None
    load: Markup | None
    slow_visits: tuple[MarkedVisit, ...]
    windows: Markup | None
    health: Markup | None

    @property
    def own_share(self) -> float:
        """The share of waiting at the portal's own hosts."""
        return 1 - sum(host.share for host in self.hosts)


def portal_page(
    standing: Standing, number: int, count: int, runs: Sequence[RunFacts], rows: pd.DataFrame | None, *,
    scores: SweepScores,
    about: ReportExtras,
    languages: Sequence[Language],
) -> str:  # fmt: skip
    """The page as HTML.

    ``number``: the portal's place on the scoreboard, from 1, of ``count``; ``runs``: of all portals or of this one; ``rows``: of
    this one, as judged, None where it has none.
    """
    mine = tuple(run for run in runs if run.portal == standing.card.portal)
    rows = _no_rows() if rows is None else rows
    part = _part(standing, f"p{number}", mine, rows, sweep=scores.sweep, about=about, languages=languages)
    return render(
        "portal_page.html.j2", languages, scores=scores, about=about, part=part, up=f"../{REPORT_HTML}", place=number, count=count,
        least_values=LEAST_VALUES, infinity=math.inf,
    )  # fmt: skip


def _part(
    standing: Standing, anchor: str, runs: tuple[RunFacts, ...], rows: pd.DataFrame, *,
    sweep: str,
    about: ReportExtras,
    languages: Sequence[Language],
) -> PortalPart:  # fmt: skip
    card = standing.card
    diagnosis = next((each for each in about.diagnoses if each.portal == card.portal), None)
    health = [reading for reading in about.health if reading.run in {run.run for run in runs}]
    order = step_summaries(rows)
    steps, visits = tabulate(read_rows(measured(rows)))
    windows = [window for run in runs for window in run.windows]
    times = over_time(rows, visits, windows, clock_of(card.portal, about.rounds))
    void = [window.window for window in windows if window.verdict is not Verdict.VALID]
    ceiling = max((run.in_flight_ceiling for run in runs), default=0)
    phases = step_phases(rows, order)
    told = {reason.code for reason in card.reasons}
    return PortalPart(
        standing=standing, anchor=anchor, runs=runs,
        conclusion=None if diagnosis is None else worded(partial(conclusion_text, diagnosis)),
        improvements=tuple(by_change(about.gains.get(card.portal, ()))),
        findings=tuple(_worded(each) for each in _found(diagnosis) if each.sureness != "cannot_tell"),
        open_questions=tuple(_worded(each) for each in _found(diagnosis) if each.sureness == "cannot_tell"),
        doubted=tuple(window for window in windows if window.stage != LONE and {reason.code for reason in window.reasons} - told),
        faults=next((found for found in about.faults if found.portal == card.portal), None),
        points=_svg(points_track(card, languages)),
        values={criterion.id: _value(criterion) for criterion in card.criteria},
        tracks={criterion.id: _svg(value_track(criterion, languages)) for criterion in card.criteria},
        steps=tuple(order), hosts=tuple(host_times(rows)), funnels=tuple(funnels(rows, steps, order)),
        spreads=tuple(_spreads(step_spreads(steps, order), languages)),
        phases=_svg(phases_chart(phases, languages)) if phases else None,
        timeline=None if times is None else _svg(timeline_chart(times, ceiling, void, languages)),
        load=None if times is None else _svg(load_chart(times.sections, languages)),
        slow_visits=tuple(
            MarkedVisit(each, visit_mark(sweep, card.portal, each.visit)) for each in about.slow_visits.get(card.portal, ())
        ),
        windows=_svg(charts.windows_chart(card.criteria, languages)) if any(each.per_window for each in card.criteria) else None,
        health=_svg(charts.health_chart(health, languages)) if health else None,
    )  # fmt: skip


def _found(diagnosis: Diagnosis | None) -> tuple[Finding, ...]:
    return () if diagnosis is None else diagnosis.findings


def _worded(finding: Finding) -> WordedFinding:
    vi, en = finding_text(finding, "vi"), finding_text(finding, "en")
    return WordedFinding(*(Phrase(*pair) for pair in zip(vi, en, strict=True)))


def _value(criterion: CriterionScore) -> tuple[Phrase, ...]:
    vi, en = (value_parts(criterion, language) for language in LANGUAGES)
    return tuple(Phrase(*pair) for pair in zip(vi, en, strict=True))


def _spreads(spreads: Sequence[StepSpread], languages: Sequence[Language]) -> Iterator[tuple[str, tuple[Markup, ...]]]:
    limits = spread_range(spreads)
    for journey, found in groupby(spreads, key=lambda each: each.part[0]):
        yield journey, tuple(_svg(spread_chart(each, limits, languages)) for each in found)


def _svg(drawn: str) -> Markup:
    return Markup(drawn)  # noqa: S704  (our own SVG, its texts escaped)


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({column.name: pd.Series(dtype=column.kind) for column in COLUMNS})
