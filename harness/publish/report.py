"""``report.html``, the page of a sweep, and a page for each portal in ``report/``. They open from disk, load nothing else, and print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from harness.errors import Problem, UsageError
from harness.evidence.facts import RunFacts
from harness.evidence.folder import REPORT_HTML
from harness.evidence.reasons import Language
from harness.publish.portal_page import portal_page
from harness.publish.report_data import ReportExtras
from harness.publish.scoreboard import standings
from harness.publish.sweep_page import sweep_page
from harness.publish.wording import LANGUAGES
from harness.records.files import write_whole
from harness.scoring.scorecard import SweepScores

PORTAL_PAGES = "report"
"""The folder of the portals' pages: ``p<N>.html`` for the portal in place N of the scoreboard."""


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
    for number, standing in enumerate(board, start=1):  # one at a time: no more than one portal's rows are in memory
        rows = charts_data.get(standing.card.portal)
        page = portal_page(standing, number, len(board), runs, rows, scores=scores, about=about, languages=languages)
        write_whole(folder / PORTAL_PAGES / f"p{number}.html", page.encode("utf-8"))
    page = sweep_page(scores, board, runs, about=about, languages=languages)
    write_whole(folder / REPORT_HTML, page.encode("utf-8"))
    return folder / REPORT_HTML


def _check_languages(languages: Sequence[Language]) -> None:
    if not languages or set(languages) - set(LANGUAGES) or len(set(languages)) < len(languages):
        remedy = "Name one of them, or both in the order wanted."
        raise UsageError(Problem("report", "languages", repr(tuple(languages)), "vi, en or both, each once", remedy))
