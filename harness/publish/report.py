"""``report.html``: one page that opens from disk, loads nothing else, and prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from harness.errors import Problem, UsageError
from harness.evidence.facts import RunFacts, Verdict
from harness.evidence.folder import REPORT_HTML
from harness.evidence.reasons import Language
from harness.publish import charts
from harness.publish.portal_faults import PortalFaults
from harness.publish.reduction import HostTime, StepSummary, host_times, outcomes_over_time, step_summaries, visits_over_time
from harness.publish.rendering import render
from harness.publish.report_data import HealthReading, Provenance, ReportExtras
from harness.publish.scoreboard import Standing, ranked_on, standings
from harness.publish.wording import LANGUAGES
from harness.records import COLUMNS
from harness.records.files import write_whole
from harness.scoring.scorecard import SweepScores

PORTAL_PAGES = "report"  # the folder of the portals' own pages, where there are many
MOST_ON_ONE_PAGE = 12  # about 2 MB; a larger page is slow on a phone


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One line of the page's scoreboard, and the link to its portal."""

    standing: Standing
    anchor: str
    link: str


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


def report(
    scores: SweepScores,
    runs: Sequence[RunFacts],
    charts_data: Mapping[str, pd.DataFrame],
    folder: Path,
    languages: Sequence[Language] = LANGUAGES,
    *,
    extras: ReportExtras | None = None,
) -> Path:
    """Writes ``report.html`` into ``folder`` and returns its path; many portals get pages of their own in ``report/``.

    ``charts_data``: the rows of the evidence by portal. It is read one portal at a time, so that a mapping that loads on
    demand needs little memory; a portal that is not in it has no charts. The page shows the first language first. Raises
    UsageError for unknown languages, EnvironmentFault where the page cannot be written.
    """
    _check_languages(languages)
    about = extras or ReportExtras()
    board = standings(scores, about.ranks)
    apart = len(board) > MOST_ON_ONE_PAGE
    lines = [
        BoardLine(standing, f"p{index}", f"{PORTAL_PAGES}/p{index}.html" if apart else f"#p{index}")
        for index, standing in enumerate(board, start=1)
    ]
    parts = (_portal_part(line, runs, charts_data, about=about, languages=languages) for line in lines)
    if apart:
        for part in parts:  # one at a time: no more than one portal's rows are in memory
            page = render("portal_page.html.j2", languages, scores=scores, about=about, part=part, up=f"../{REPORT_HTML}")
            write_whole(folder / PORTAL_PAGES / f"{part.anchor}.html", page.encode("utf-8"))
    page = render(
        "report.html.j2", languages, scores=scores, about=about, lines=lines, parts=parts, apart=apart, up="",
        ranked=any(standing.rank for standing in board), ranked_on=ranked_on(scores) if about.ranks is None else [],
        verdicts=[verdict for verdict in Verdict if any(card.verdict is verdict for card in scores.scorecards)],
        overview=Markup(charts.scoreboard_chart(board, scores.group.points_max, languages)),  # noqa: S704  (our own SVG, its texts escaped)
        manifest=_lines(about.provenance), criteria=max((card.criteria for card in scores.scorecards), key=len, default=()),
    )  # fmt: skip
    write_whole(folder / REPORT_HTML, page.encode("utf-8"))
    return folder / REPORT_HTML


def _check_languages(languages: Sequence[Language]) -> None:
    if not languages or set(languages) - set(LANGUAGES) or len(set(languages)) < len(languages):
        remedy = "Name one of them, or both in the order wanted."
        raise UsageError(Problem("report", "languages", repr(tuple(languages)), "vi, en or both, each once", remedy))


def _portal_part(
    line: BoardLine, runs: Sequence[RunFacts], charts_data: Mapping[str, pd.DataFrame], *,
    about: ReportExtras,
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
        yield "chart.visits", charts.visits_chart(visits, languages)
    if (outcomes := outcomes_over_time(rows)) is not None:
        yield "chart.outcomes", charts.outcomes_chart(outcomes, languages)
    if health:
        yield "chart.health", charts.health_chart(health, languages)


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({column.name: pd.Series(dtype=column.kind) for column in COLUMNS})


def _lines(provenance: Provenance | None) -> list[tuple[str, str]]:
    """One line a value; nested keys are joined by dots."""
    return [] if provenance is None else list(_flat(asdict(provenance)))


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list | tuple):
            yield name, ", ".join(str(item) for item in value) or "–"
        else:
            yield name, str(value)
