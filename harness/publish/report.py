"""``report.html``: one page that opens from disk, asks nobody for anything, and prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from harness.errors import Problem, UsageError
from harness.evidence.facts import RunFacts, Verdict
from harness.evidence.folder import REPORT_HTML
from harness.evidence.reasons import Language
from harness.publish import charts, charts_over_time
from harness.publish.background import Background, HealthReading
from harness.publish.faults import PortalFaults
from harness.publish.pages import render
from harness.publish.reduction import HostTime, StepSummary, host_times, outcomes_over_time, step_summaries, visits_over_time
from harness.publish.standing import Standing, ranked_on, standings
from harness.publish.texts import LANGUAGES
from harness.records import COLUMNS
from harness.records.files import write_whole
from harness.scoring.scorecard import SweepScores

PORTAL_PAGES = "report"  # the folder beside it, where there are many portals
MOST_ON_ONE_PAGE = 12  # about 2 MB; beyond, a browser on a phone has trouble


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page's scoreboard, and where it leads."""

    standing: Standing
    anchor: str
    link: str


@dataclass(frozen=True, slots=True)
class PortalPart:
    """What is said of one portal."""

    standing: Standing
    anchor: str
    runs: tuple[RunFacts, ...]
    steps: tuple[StepSummary, ...]
    hosts: tuple[HostTime, ...]
    charts: tuple[tuple[str, Markup], ...]  # key of the caption's texts, SVG
    faults: PortalFaults | None  # None where nobody looked


def report(
    scores: SweepScores,
    runs: Sequence[RunFacts],
    charts_data: Mapping[str, pd.DataFrame],
    folder: Path,
    languages: Sequence[Language] = LANGUAGES,
    *,
    background: Background | None = None,
) -> Path:
    """Writes ``report.html`` into ``folder`` and answers its path; many portals get pages of their own in ``report/``.

    ``charts_data`` holds, by portal, the rows of the evidence; it is asked for one portal at a time, so that a mapping
    that loads on demand keeps memory small. Portals that it lacks have no charts. The first language is the one shown
    first. Raises UsageError for languages that are not known, EnvironmentFault where the page cannot be written.
    """
    _check_languages(languages)
    about = background or Background()
    board = standings(scores, about.ranks)
    apart = len(board) > MOST_ON_ONE_PAGE
    lines = [
        Line(standing, f"p{index}", f"{PORTAL_PAGES}/p{index}.html" if apart else f"#p{index}")
        for index, standing in enumerate(board, start=1)
    ]
    parts = (_portal_part(line, runs, charts_data, about=about, languages=languages) for line in lines)
    if apart:
        for part in parts:  # one at a time: no more than one portal's rows are in memory
            page = render("portal_page.html.j2", languages, scores=scores, about=about, part=part, up=f"../{REPORT_HTML}")
            write_whole(folder / PORTAL_PAGES / f"{part.anchor}.html", page.encode("utf-8"))
    page = render(
        "report.html.j2", languages, scores=scores, about=about, lines=lines, parts=parts, apart=apart, up="",
        ranked=any(standing.rank for standing in board), ranked_on=ranked_on(scores) if about.ranks is None else None,
        verdicts=[verdict for verdict in Verdict if any(card.verdict is verdict for card in scores.scorecards)],
        overview=Markup(charts.scoreboard_chart(board, scores.points_max, languages)),  # noqa: S704  (our own SVG, its texts escaped)
        manifest=list(_flat(about.manifest)), criteria=max((card.criteria for card in scores.scorecards), key=len, default=()),
    )  # fmt: skip
    write_whole(folder / REPORT_HTML, page.encode("utf-8"))
    return folder / REPORT_HTML


def _check_languages(languages: Sequence[Language]) -> None:
    if not languages or set(languages) - set(LANGUAGES) or len(set(languages)) < len(languages):
        remedy = "Name one of them, or both in the order wanted."
        raise UsageError(Problem("report", "languages", repr(tuple(languages)), "vi, en or both, each once", remedy))


def _portal_part(
    line: Line, runs: Sequence[RunFacts], charts_data: Mapping[str, pd.DataFrame], *,
    about: Background,
    languages: Sequence[Language],
) -> PortalPart:  # fmt: skip
    portal = line.standing.card.portal
    mine = tuple(run for run in runs if run.portal == portal)
    found = charts_data.get(portal)  # `in` would load the rows a second time
    rows = _no_rows() if found is None else found
    names = {run.run for run in mine}
    health = [reading for reading in about.health if reading.run in names]
    steps = tuple(step_summaries(rows))
    drawn = tuple((key, Markup(svg)) for key, svg in _charts(line.standing, mine, rows, steps, health=health, languages=languages))  # noqa: S704  (our own SVG)
    faults = next((found for found in about.faults if found.portal == portal), None)
    return PortalPart(line.standing, line.anchor, mine, steps, tuple(host_times(rows)), drawn, faults)


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
        yield "chart.visits", charts_over_time.visits_chart(visits, languages)
    if (outcomes := outcomes_over_time(rows)) is not None:
        yield "chart.outcomes", charts_over_time.outcomes_chart(outcomes, languages)
    if health:
        yield "chart.health", charts_over_time.health_chart(health, languages)


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({column.name: pd.Series(dtype=column.kind) for column in COLUMNS})


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """A manifest as lines: nested keys joined by dots, lists on one line."""
    for key, value in values.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list | tuple):
            yield name, ", ".join(str(item) for item in value) or "–"
        else:
            yield name, str(value)
