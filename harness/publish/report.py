"""``report.html``, the page of a sweep, and a page for each portal in ``report/``. They open from disk, load nothing else, and print."""

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
from harness.publish.portal_page import portal_page
from harness.publish.rendering import render
from harness.publish.report_data import Provenance, ReportExtras
from harness.publish.scoreboard import Standing, ranked_on, standings
from harness.publish.wording import LANGUAGES
from harness.records.files import write_whole
from harness.scoring.scorecard import SweepScores

PORTAL_PAGES = "report"
"""The folder of the portals' pages: ``p<N>.html`` for the portal in place N of the scoreboard."""


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One line of the page's scoreboard, and the link to its portal."""

    standing: Standing
    anchor: str
    link: str


def report(
    scores: SweepScores,
    runs: Sequence[RunFacts],
    charts_data: Mapping[str, pd.DataFrame],
    folder: Path,
    languages: Sequence[Language] = LANGUAGES,
    *,
    extras: ReportExtras | None = None,
) -> Path:
    """Writes ``report.html`` and a page for each portal into ``folder``, and returns the path of the former.

    ``charts_data``: the rows of the evidence by portal. It is read one portal at a time, so that a mapping that loads on
    demand needs little memory; a portal that is not in it has no charts. A page shows the first language first. Raises
    UsageError for unknown languages, EnvironmentFault where a page cannot be written.
    """
    _check_languages(languages)
    about = extras or ReportExtras()
    board = standings(scores, about.ranks)
    lines = [BoardLine(standing, f"p{number}", f"{PORTAL_PAGES}/p{number}.html") for number, standing in enumerate(board, start=1)]
    for number, line in enumerate(lines, start=1):  # one at a time: no more than one portal's rows are in memory
        rows = charts_data.get(line.standing.card.portal)
        page = portal_page(line.standing, number, len(lines), runs, rows, scores=scores, about=about, languages=languages)
        write_whole(folder / line.link, page.encode("utf-8"))
    page = render(
        "report.html.j2", languages, scores=scores, about=about, lines=lines,
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
