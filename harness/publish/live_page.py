"""The page of a sweep while it is measured, from its live state; points only once the sweep has ended and is scored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from markupsafe import Markup

from harness.errors import EvidenceError
from harness.evidence.folder import REPORT_HTML, SCORES_JSON
from harness.publish.import_file import read_scores
from harness.publish.rendering import render
from harness.publish.wording import LANGUAGES, moment_text, phrase
from harness.records.live_state import LIVE_JSON, LiveState, read_live
from harness.scoring.scorecard import SweepScores


@dataclass(frozen=True, slots=True)
class LiveSweep:
    """A sweep's folder and its live state; ``trouble`` says why there is none."""

    name: str
    state: LiveState | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class LiveView:
    """What listeners are shown: the part of the page that changes, and whether it is the last of it."""

    html: str
    final: bool


def live_sweeps(folder: Path) -> list[LiveSweep]:
    """The sweeps of a results folder that are under way or fell silent in the middle, newest first."""
    names = sorted((path.parent.name for path in folder.glob(f"*/{LIVE_JSON}") if not path.parent.is_symlink()), reverse=True)
    found = [live_sweep(folder, name) for name in names]
    return [sweep for sweep in found if sweep.state is None or not sweep.state.has_ended()]


def live_sweep(folder: Path, name: str) -> LiveSweep:
    """One sweep of a results folder."""
    try:
        return LiveSweep(name, read_live(folder / name))
    except EvidenceError as error:
        return LiveSweep(name, None, str(error))


def live_view(folder: Path, name: str, now: datetime | None = None) -> LiveView:
    """The changing part of a sweep's page. It stays the same while nothing new is known."""
    sweep = live_sweep(folder, name)
    state = sweep.state
    scores = scores_once_ended(folder / name, state) if state is not None else None
    cards = {card.portal: card for card in scores.scorecards} if scores is not None else {}
    clock = partial(moment_text, seconds=True)
    at = clock(state.at_utc) if state is not None else ""
    report = bool(cards) and (folder / name / REPORT_HTML).is_file()  # it is written after the scores
    html = render(
        "live_state.html.j2", LANGUAGES, sweep=sweep, state=state, cards=cards, stale=state is not None and state.is_stale(now or datetime.now(UTC)),
        news_of=phrase("live.news_of").filled(at), no_news=phrase("live.no_news").filled(at), clock=clock,
        report=report,
    )  # fmt: skip
    return LiveView(html, report)


def live_page(folder: Path, name: str) -> str:
    """The whole page of a sweep; without a script it says how things were when it was loaded."""
    return render("live.html.j2", LANGUAGES, name=name, state=Markup(live_view(folder, name).html))  # noqa: S704  (our own page, its texts escaped)


def scores_once_ended(folder: Path, state: LiveState) -> SweepScores | None:
    """The scores of a sweep that has ended and is scored. Nobody is to steer a sweep by its points."""
    if not state.has_ended() or not (folder / SCORES_JSON).is_file():
        return None
    try:
        return read_scores(folder / SCORES_JSON)
    except EvidenceError:
        return None  # the index says why
