"""The morning after a night in which one of everything happened that a person has to look at: a sweep's folder with rounds, scores and a ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness import publish
from harness.evidence import Reason, RunFacts, SweepFolder, Verdict, read_runs
from harness.publish import FaultCount
from harness.publish.import_file import to_bytes
from harness.records import LONE, LedgerLine, LoneWalk, PageEntry, PathLimits, PlannedTarget, RoundRecord, SlotRecord, WindowRecord
from harness.records.ledger import append_to_ledger
from harness.records.round import write_sealed
from harness.records.step_failures import PageIndex, write_pages
from harness.records.sweep_journal import JournalLine, append_to_journal
from harness.scoring.outages import outages
from harness.scoring.scorecard import Scorecard, SweepScores
from harness.scoring.unproven import unproven_reasons
from tests.evidence.judged import SHARED_PLAN, STOPPED, WINDOW, lone, lost, round_
from tests.publish import simulated_night as night

LOADED = ("few", "fine", "limited", "login", "stopped", "void")
PORTALS = (*LOADED, "away", "walled")
LIMITS = PathLimits(portals=3, share=0.8, windows=2, slower=1.5, added_ms=50.0, unreached=0.1)
PAGE = "pages/stopped/submit-extraction-1.html"
REFUSAL = "pages/limited/search-not_served-1.html"
MAINTENANCE = "2026-11-22T22:01:00+07:00 – 2026-11-22T22:30:00+07:00"


def write_morning(folder: Path) -> SweepScores:
    """Writes the folder, and returns the scores that it holds."""
    sweep = SweepFolder(folder)
    plan = replace(
        SHARED_PLAN,
        targets=tuple(PlannedTarget(portal, "liferay", {}) for portal in PORTALS),
        path_doubt=LIMITS,
        workload="nightly",
        criteria="own",
    )
    for path in (sweep.round("x"), sweep.pages("stopped")):
        path.parent.mkdir(parents=True)
    sweep.plan.write_text(plan.to_json(), encoding="utf-8")
    for record in (*map(_lone, range(3)), *map(_loaded, range(1, 6)), _recheck()):
        write_sealed(sweep.round(record.name), record)
    entry = PageEntry(
        "stopped", 0, "000-00", 0, "lone", "submit", "file", "submit", "extraction", "", "name token", 1, "http://127.0.0.1:1/", 200, 9,
        truncated=False, number=1, file=PAGE, at_utc="2026-11-22T15:00:05+00:00",
    )  # fmt: skip
    write_pages(sweep.pages("stopped"), PageIndex("stopped", (entry,)))
    (folder / PAGE).write_text("<!DOCTYPE html><title>a page</title>", encoding="utf-8")
    wall = FaultCount(
        "firewall", "find", "search", "blocked", "status 403", 3, 3, {"search": 3}, (), ("pages/walled/search-blocked-1.html",),
        "2026-11-22T15:00:01+00:00", "2026-11-22T15:00:03+00:00",
    )  # fmt: skip
    limit = replace(wall, fault="overloaded", outcome="not_served", rule="status 429", count=40, of=180, pages=(REFUSAL,))
    publish.write_faults(plan.sweep, [publish.PortalFaults("limited", (limit,)), publish.PortalFaults("walled", (wall,))], folder)
    append_to_ledger(sweep.ledger, [LedgerLine("fine", "fine-seed1", visit, f"H-{visit}", "dossier") for visit in (1, 2, 3)])
    append_to_journal(sweep.journal, JournalLine(1, "begun", "2026-11-22T14:50:00+00:00"))
    append_to_journal(sweep.journal, JournalLine(1, "ended", "2026-11-22T18:30:00+00:00"))  # 01:30 of the 23rd in Viet Nam
    runs = read_runs(sweep)
    cards = tuple(map(_card, runs))
    scores = replace(night.sweep_scores(), scorecards=cards, shared_failures=outages(runs))
    sweep.scores.write_bytes(to_bytes(scores))
    return scores


def with_reasons(scores: SweepScores, portal: str, *reasons: Reason) -> SweepScores:
    """The scores with more reasons on one card."""
    cards = tuple(replace(card, reasons=(*card.reasons, *reasons)) if card.portal == portal else card for card in scores.scorecards)
    return replace(scores, scorecards=cards)


def _lone(number: int) -> RoundRecord:
    walks = [LoneWalk(portal, "search", "ok") for portal in LOADED]
    walks += [replace(STOPPED, portal="stopped", page=PAGE if number == 0 else "")]
    walks += [LoneWalk("walled", "search", "blocked", "find", "search", 403, rule="status 403"), LoneWalk("away", "search", "connect")]
    slots = tuple(
        SlotRecord(portal, f"{portal}-seed1", 1, (replace(WINDOW, stage=LONE, window=0, round=0, counts={}, planned=1),))
        for portal in PORTALS
    )
    return replace(lone(*walks), slots=slots, part=number, name=f"000-{number:02d}", began_utc=f"2026-11-22T15:00:0{number}+00:00")


def _loaded(number: int) -> RoundRecord:
    slots = tuple(SlotRecord(portal, f"{portal}-seed1", 50, (_window(portal, number),)) for portal in LOADED)
    return round_(round=number, name=f"{number:03d}-00", slots=slots, began_utc=f"2026-11-22T15:{number:02d}:00+00:00")


def _window(portal: str, number: int) -> WindowRecord:
    window = replace(WINDOW, window=number, round=number, mean_us=900_000 if number == 5 else 100_000)
    if (portal, number) == ("limited", 1):
        return replace(window, counts={"visits_ok": 140, "visits_not_served": 40, "requests_not_served": 40, "refused": 40})
    if (portal, number) == ("void", 2):
        return replace(window, counts={"visits_ok": 177, "visits_dropped": 3})
    if (portal, number) == ("login", 3):
        (slot,) = lost(30).slots
        return replace(window, counts=slot.windows[0].counts, shared_failures=slot.windows[0].shared_failures)
    return window


def _recheck() -> RoundRecord:
    walks = (LoneWalk("limited", "search", "ok"), LoneWalk("limited", "pay", "ok"))
    return round_(round=1, part=50, name="001-50", slots=(), lone_walks=walks, checks="001-00", began_utc="2026-11-22T15:01:30+00:00")


def _card(run: RunFacts) -> Scorecard:
    """The card of a run; its figures are those of another night."""
    verdict, more = run.verdict, ()
    if run.portal == "few":
        verdict, more = Verdict.INSUFFICIENT, (Reason("not_enough_windows", "average-search: too_few_windows: 4 of 6"),)
    if run.portal == "fine":
        more = (Reason("maintenance_not_announced", f"{MAINTENANCE}; windows 1, 2, 3"),)
    card = night.scorecard(night.PORTALS[0])
    told = tuple(reason for reason in run.reasons if reason.code != "journey_unproven")
    points = card.points if verdict is Verdict.VALID else None
    return replace(
        card, portal=run.portal, name_vi=f"Cổng {run.portal}", name_en=f"Portal {run.portal}", verdict=verdict, unproven=run.unproven,
        reasons=(*told, *unproven_reasons(run.unproven), *more), points=points, interval=card.interval if points is not None else None,
    )  # fmt: skip
