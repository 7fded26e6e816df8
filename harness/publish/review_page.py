"""The page of a sweep's worklist: what `harness review` prints, as a page that changes nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from harness.catalog.agency import Agency, agency_of
from harness.errors import HarnessError, Problem
from harness.evidence.folder import SweepFolder, packed_portal, results_around
from harness.publish.import_file import read_scores
from harness.publish.live_page import live_sweep
from harness.publish.printed_worklist import state_text, summary_text, until_text
from harness.publish.rendering import render
from harness.publish.report import PORTAL_PAGES
from harness.publish.scoreboard import standings
from harness.publish.wording import LANGUAGES, Phrase, phrase
from harness.publish.work_item import STATES, WorkItem
from harness.publish.worklist import counts_of, settle_until, worklist
from harness.records.live_state import LIVE_JSON
from harness.scoring.scorecard import SweepScores

SAVED_PAGE: Final = re.compile(r"pages/[a-z0-9][a-z0-9-]*/[a-z_]+-[a-z_]+-\d+\.html")
"""Names of saved pages that are linked. The evidence may hold any name."""


def review_page(results: Path, name: str) -> str:
    """The page as HTML. Where there is no list yet, it says why. ``name``: a sweep's folder in ``results``."""
    folder = SweepFolder(results / name)
    state = live_sweep(results, name).state if (folder.path / LIVE_JSON).is_file() else None
    if state is not None and not state.has_ended() and not state.is_stale(datetime.now(UTC)):
        return _without_list(name, phrase("work.measured"))
    if not folder.scores.is_file():
        return _without_list(name, phrase("work.not_scored").filled(f"`{shlex.join(['harness', 'score', str(folder.path)])}`"))
    try:
        return list_page(folder, read_scores(folder.scores), agency_of(results_around(results)))
    except HarnessError as error:
        return _without_list(name, phrase("work.unreadable"), error.problems)


def list_page(folder: SweepFolder, scores: SweepScores, agency: Agency | None) -> str:
    """The page of a sweep that is scored. Raises what ``worklist`` raises."""
    items, until = worklist(folder, scores, agency), settle_until(folder, agency)
    places = {standing.card.portal: f"{PORTAL_PAGES}/p{number}.html" for number, standing in enumerate(standings(scores), start=1)}
    return render(
        "review.html.j2", LANGUAGES, name=folder.path.name, scores=scores, parts=_parts(items), summary=summary_text(items),
        until=until_text(until), counts=counts_of(items), states=STATES, state_text=state_text, why=None, problems=(),
        share=packed_portal(folder), reports={portal: page for portal, page in places.items() if (folder.path / page).is_file()},
        pages={item.seen.page for item in items if SAVED_PAGE.fullmatch(item.seen.page) and (folder.path / item.seen.page).is_file()},
        typed=lambda command: shlex.join(["harness", *command]),
    )  # fmt: skip


def _parts(items: Sequence[WorkItem]) -> list[tuple[str, list[WorkItem]]]:
    """The items in their three parts, each with the key of its heading; empty parts are left out."""
    parts = {
        "work.to_settle": [item for item in items if item.blocks_final],
        "work.to_do": [item for item in items if item.is_open and not item.blocks_final],
        "work.others": [item for item in items if not item.is_open],
    }
    return [(key, found) for key, found in parts.items() if found]


def _without_list(name: str, why: Phrase, problems: Sequence[Problem | str] = ()) -> str:
    return render("review.html.j2", LANGUAGES, name=name, why=why, problems=[str(problem) for problem in problems])
