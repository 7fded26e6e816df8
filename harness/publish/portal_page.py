"""A portal's page: what its run showed, why, and what would gain most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from harness.evidence.facts import RunFacts
from harness.evidence.folder import REPORT_HTML
from harness.evidence.reasons import Language
from harness.publish import charts
from harness.publish.portal_faults import PortalFaults
from harness.publish.reduction import HostTime, StepSummary, host_times, outcomes_over_time, step_summaries, visits_over_time
from harness.publish.rendering import render
from harness.publish.report_data import HealthReading, ReportExtras
from harness.publish.scoreboard import Standing
from harness.records import COLUMNS
from harness.scoring.scorecard import SweepScores


@dataclass(frozen=True, slots=True)
class PortalPart:
    """The part of the report about one portal."""

    standing: Standing
    anchor: str
    runs: tuple[RunFacts, ...]
    steps: tuple[StepSummary, ...]
    hosts: tuple[HostTime, ...]
    charts: tuple[tuple[str, Markup], ...]  # key of the caption's texts, SVG
    faults: PortalFaults | None  # None where they were not looked for


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
    part = portal_part(standing, f"p{number}", runs, rows, about=about, languages=languages)
    return render(
        "portal_page.html.j2", languages, scores=scores, about=about, part=part, up=f"../{REPORT_HTML}", place=number, count=count
    )


def portal_part(
    standing: Standing, anchor: str, runs: Sequence[RunFacts], rows: pd.DataFrame | None, *,
    about: ReportExtras,
    languages: Sequence[Language],
) -> PortalPart:  # fmt: skip
    """What the page shows, from the same values."""
    portal = standing.card.portal
    mine = tuple(run for run in runs if run.portal == portal)
    rows = _no_rows() if rows is None else rows
    names = {run.run for run in mine}
    health = [reading for reading in about.health if reading.run in names]
    steps = tuple(step_summaries(rows))
    drawn = tuple((key, Markup(svg)) for key, svg in _charts(standing, mine, rows, steps, health=health, languages=languages))  # noqa: S704  (our own SVG)
    faults = next((found for found in about.faults if found.portal == portal), None)
    return PortalPart(standing, anchor, mine, steps, tuple(host_times(rows)), drawn, faults)


def _charts(
    standing: Standing, runs: Sequence[RunFacts], rows: pd.DataFrame, steps: Sequence[StepSummary], *,
    health: Sequence[HealthReading],
    languages: Sequence[Language],
) -> Iterator[tuple[str, str]]:  # fmt: skip
    timeout_s = max((run.timeout_s for run in runs), default=60.0)
    if any(step.n for step in steps):
        yield "chart.steps", charts.steps_chart([step for step in steps if step.n], timeout_s, languages)
    if any(criterion.per_window for criterion in standing.card.criteria):
        yield "chart.windows", charts.windows_chart(standing.card.criteria, languages)
    if (visits := visits_over_time(rows)) is not None:
        yield "chart.visits", charts.visits_chart(visits, languages)
    if (outcomes := outcomes_over_time(rows)) is not None:
        yield "chart.outcomes", charts.outcomes_chart(outcomes, languages)
    if health:
        yield "chart.health", charts.health_chart(health, languages)


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({column.name: pd.Series(dtype=column.kind) for column in COLUMNS})
