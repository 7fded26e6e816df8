"""A night of portals that write whatever does harm into every text that is theirs: a payload each, or the same night with harmless words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

from harness import publish
from harness.diagnosis import Diagnosis, Finding, FindingFigure, FindingSubject
from harness.diagnosis.finding import FindingCode
from harness.evidence import SweepFolder
from harness.evidence.facts import Reason, RunFacts, SharedHostFailure, UnprovenJourney
from harness.evidence.round_failures import RoundFailures
from harness.publish.portal_faults import FaultCount, PortalFaults
from harness.publish.wording import PHRASES
from harness.records import FailureKind, WindowKey
from harness.records.fleet_messages import BatchContents
from harness.records.step_failures import FailedPage
from harness.scoring.scorecard import SweepScores
from tests.publish import simulated_night as night
from tests.publish.live import live_state, write_state

PAYLOADS = (
    "<script>window.hit=1</script>",
    '"><img src=x onerror="window.hit=1">',
    "' onmouseover='window.hit=1' autofocus onfocus='window.hit=1",
    "</script><script>window.hit=1</script><!--",
    "</style></svg></title></textarea><svg onload=window.hit=1>",
    "=cmd|'/c calc'!A1",
    "@SUM(1)+cmd",
    "-1+cmd|' /C calc'!A0",
    "one line\r\ntwo lines\nthree\u2028four\x85five",
    "\x1b[2J\x1b]0;owned\x07\x1b[31mred",
    "\u202egnp.exe\u2066 \u200bhidden",
    "{{ 7*7 }} {% raw %} ${7*7} [bold red]markup[/bold red]",
    "javascript:window.hit=1",
    "w" * 200,
)
_CODES: tuple[FindingCode, ...] = ("failing_step", "slow_host", "server_part", "slow_worker", "large_page")
_NAMES = {"journey", "step", "phase", "fault", "host", "part", "worker", "minute_utc", "owner", "window", "share"}
_FIGURES = {
    name
    for key, words in PHRASES.items()
    if key.removeprefix("finding.") in _CODES
    for _, name, _, _ in Formatter().parse(words.en)
    if name
} - _NAMES
Says = Callable[[int], str]
"""Gives the text of a place, by its number."""


def hostile(place: int) -> str:
    """Another payload in each place."""
    return PAYLOADS[place % len(PAYLOADS)]


def harmless(place: int) -> str:
    """Another word in each place."""
    return f"word{place % len(PAYLOADS)}"


def scores_of(scores: SweepScores, say: Says) -> SweepScores:
    """Scores whose portals' names, reasons and reasons of criteria are such texts."""
    cards = [
        replace(
            card, name_vi=say(number), name_en=say(number), reasons=(Reason("safety_stop", say(number + 6)), Reason("left_out", say(number + 7)), *card.reasons),
        )
        for number, card in enumerate(scores.scorecards)
    ]  # fmt: skip
    return replace(scores, scorecards=tuple(cards))


def runs_of(say: Says) -> list[RunFacts]:
    """Runs with journeys that nobody explains and a shared host that failed, told in such texts."""
    return [
        replace(
            night.run_facts(person),
            unproven=(UnprovenJourney("submit", "file", "log_in", "wrong_content", say(number + 8), "pages/x/y-z-1.html", 3),),
            shared_failures=(SharedHostFailure("https://" + say(number + 4), say(number + 5), "2026-11-21T22:00:00+00:00", 3),),
        )
        for number, person in enumerate(night.PORTALS)
    ]


def extras_of(say: Says) -> publish.ReportExtras:
    """Faults, findings, claims and workers in such texts."""
    names = [(number, person.portal) for number, person in enumerate(night.PORTALS)]
    subjects = [
        (portal, FindingSubject(step="submit", path_template="/" + say(number), host="https://" + say(number + 1), fault=say(number + 2), part=say(number + 3), worker=say(number + 4)))
        for number, portal in names
    ]  # fmt: skip
    figures = tuple(FindingFigure(name, 0.5, "s") for name in sorted(_FIGURES))
    findings = {
        portal: tuple(Finding(code=code, sureness="measured", subject=subject, figures=figures, share=0.5) for code in _CODES)
        for portal, subject in subjects
    }
    return publish.ReportExtras(
        faults=tuple(
            PortalFaults(portal, (FaultCount(say(n), "file", "submit", "wrong_content", say(n + 1), 3, 20, {"submit": 3}, (say(n + 2), say(n + 3)), ()),))
            for n, portal in names
        ),
        diagnoses=tuple(Diagnosis(portal, found) for portal, found in findings.items()),
        claims=tuple(publish.Claim(portal, 3, 1, 4, 1, (say(n),), (say(n + 1),), (say(n + 2),)) for n, portal in names),
        workers=(publish.WorkerFigures(say(1), 2, 0, 2, 10, 1, 0, 0.1, 0.2, 10.0), publish.WorkerFigures(say(2), 2, 0, 2, 10, 1, 0, 0.1, 0.2, 10.0)),
        provenance=replace(night.PROVENANCE, vantage_point=say(3)),
    )  # fmt: skip


def write_night(results: Path, scores: SweepScores, say: Says) -> None:
    """A results folder: two scored nights, a report with a saved page, and a sweep under way."""
    bad = scores_of(scores, say)
    for name in ("night", "night-2"):
        publish.export(replace(bad, sweep=name), results / name)
    first = night.PORTALS[0]
    publish.report(
        replace(bad, sweep="night"), runs_of(say), {first.portal: night.frame(first, windows=2, window_s=10)}, results / "night",
        extras=extras_of(say),
    )  # fmt: skip
    failures = RoundFailures()
    kind = FailureKind("submit", "file", "submit", "wrong_content", say(0), say(1))
    key = WindowKey("night", 1, "run", 1, "portal", "typical", say(2))
    body = "".join(f"<p>{say(number)}</p>" for number in range(len(PAYLOADS)))
    pages = tuple(
        (0, FailedPage(kind, visit, f"http://127.0.0.1/{say(3)}", 200, 9, markup, body, False)) for visit, markup in ((1, True), (2, False))
    )
    failures.take(BatchContents({0: key}, [], pages=pages))
    failures.write_pages(SweepFolder(results / "night"), "001-00")
    write_state(
        results / "under-way",
        live_state([(person.portal, say(n), say(n)) for n, person in enumerate(night.PORTALS)], at=datetime(2100, 1, 1, tzinfo=UTC)),
    )
