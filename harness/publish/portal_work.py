"""The items of one portal: a function for each kind, which reads the evidence and writes nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from harness.evidence.facts import Reason, UnprovenJourney, Verdict, WindowFacts
from harness.evidence.filed_dossiers import NEVER_TRIED, NO_WITHDRAWAL
from harness.evidence.reasons import Language
from harness.evidence.reasons import text as meaning
from harness.publish.criterion_words import name_text
from harness.publish.portal_evidence import PortalEvidence
from harness.publish.reason_details import detail_in_vietnamese
from harness.publish.reason_words import reason_figures, reason_text
from harness.publish.wording import Phrase, joined, numeral, phrase, same, worded
from harness.publish.work_item import (
    Counted,
    ShellWords,
    Sighting,
    WorkItem,
    WorkKind,
    short_subject,
    shortened,
    some,
)
from harness.records import Outcome, read_pages
from harness.scoring.maintenance import IN_TIME
from harness.scoring.scorecard import Scorecard
from harness.scoring.unproven import described

_ADDRESS_LIMIT: Final = "address_limit"
_OUR_FILES: Final = "our_own_files"
_REASONS_TOLD: Final = 3
_OWN_ITEMS: Final = frozenset({
    "journey_unproven", "settlement_proposed", "address_limit", "path_doubt", "announced_maintenance", "maintenance_announced_late",
    "maintenance_not_announced", "settled_as_portal", "settled_as_profile", "refusals_settled_as_portal", "refusals_settled_as_address",
    "slow_by_day",
})  # fmt: skip
"""Reasons that the item on too few windows leaves out: other items tell them, or they are no cause for it."""
_WALLS: Final = frozenset({Outcome.BLOCKED})
_REFUSALS: Final = frozenset({Outcome.BLOCKED, Outcome.NOT_SERVED})
_CONNECTIONS: Final = frozenset({Outcome.CONNECT, Outcome.DNS, Outcome.TLS, Outcome.TIMEOUT, Outcome.RESET})
_PROPOSED: Final = re.compile(r"(?P<subject>[^:]+): (?P<cause>\w+), (?P<who>.*)", re.DOTALL)
_SPAN: Final = re.compile(r"(?P<begin>\S+) – (?P<end>[^\s,;]+)")
_WINDOWS: Final = re.compile(r"windows (?P<numbers>[\d, ]+)$")
_ANNOUNCEMENT: Final = ("--announced-at", "TIME", "--document", "TEXT", "--attach", "FILE")


def portal_items(of: PortalEvidence) -> Iterator[WorkItem]:
    """All items of one portal, without criteria that were not assessed and what concerns the whole sweep."""
    to_decide = [*unproven(of), *address_limit(of)]
    yield from to_decide
    for found in (void, refused, late_maintenance, not_withdrawn):
        yield from found(of)
    yield from insufficient(of, waits=any(item.blocks_final for item in to_decide))


def unproven(of: PortalEvidence) -> Iterator[WorkItem]:
    """Journeys that no lone citizen got through: those that wait for two persons, and those that two persons have settled."""
    found = {each.journey: each for each in (*(of.run.unproven if of.run else ()), *of.card.unproven)}
    for each in found.values():
        met = Reason("journey_unproven", described(replace(each, page="", rule="")))
        times = _page_time(of, each) or _span(of.lone_windows)
        seen = replace(_seen(met, "walks", each.tries, *times), rule=short_subject(each.rule), page=each.page)
        yield _to_decide(of, "unproven", each.journey, seen, ("portal", "profile"))


def address_limit(of: PortalEvidence) -> Iterator[WorkItem]:
    """Windows in which the portal may have limited our address, one item for all of them."""
    met = [reason.detail for reason in (of.run or of.card).reasons if reason.code == _ADDRESS_LIMIT]
    if met:
        windows = [window for window in of.windows if any(reason.code == _ADDRESS_LIMIT for reason in window.reasons)]
        seen = _seen(Reason(_ADDRESS_LIMIT, "; ".join(met)), "windows", len(windows) or len(met), *_span(windows))
        seen = replace(seen, page=_page(of, _REFUSALS))
        yield _to_decide(of, "address_limit", _ADDRESS_LIMIT, seen, ("portal", "address"))


def void(of: PortalEvidence) -> Iterator[WorkItem]:
    """What a fault of ours spoiled: windows under load, and journeys that our own files kept from being loaded."""
    spoiled = [window for window in of.windows if window.verdict is Verdict.VOID]
    files = [reason for reason in of.card.reasons if reason.code == _OUR_FILES]
    is_void = of.card.verdict is Verdict.VOID
    if spoiled or files or is_void:
        causes = {reason.code: reason for reason in (*files, *(reason for window in spoiled for reason in window.reasons))}
        text = _reasons(list(causes.values()) or of.card.reasons, of.card)
        counted: Counted = "windows" if spoiled or not files else "walks"  # of lone citizens, where nothing was loaded
        where = spoiled if counted == "windows" else of.lone_windows
        seen = Sighting(text, counted, len(where), *_span(where))
        if is_void or files:
            yield of.item("void", "", seen, "evaluator", "measure_again", of.again())
        else:
            yield of.item("void", "", seen, "evaluator", "before_next", state="for_information")


def refused(of: PortalEvidence) -> Iterator[WorkItem]:
    """A portal that refused every lone citizen, or that none could connect to."""
    if of.card.verdict is Verdict.BLOCKED:
        yield of.item("blocked", "", _met(of, _WALLS), "operator", "blocked", of.again())
    if of.card.verdict is Verdict.UNREACHABLE:
        walk: ShellWords = ("walk", of.card.portal, *of.catalog)
        yield of.item("unreachable", "", _met(of, _CONNECTIONS), "network", "unreachable", (walk, *of.again()))


def insufficient(of: PortalEvidence, *, waits: bool) -> Iterator[WorkItem]:
    """A portal with too few valid windows or steps. ``waits``: two persons have to decide something else of it first."""
    if of.card.verdict is not Verdict.INSUFFICIENT:
        return
    valid = [window for window in of.windows if window.verdict is Verdict.VALID]
    reasons = [reason for reason in of.card.reasons if reason.code not in _OWN_ITEMS]
    told = _reasons(reasons, of.card) if reasons else phrase("verdict.insufficient.means")
    counts = [phrase("work.valid_windows").filled(str(len(valid)), str(len(of.windows)))] if of.windows else []
    seen = Sighting(joined(" ", [told, *counts]), "windows", len(valid), *_span(of.windows))
    if not of.is_complete:
        yield of.item("insufficient", "", seen, "evaluator", "resume", [of.about("resume")])
    elif waits:
        yield of.item("insufficient", "", seen, "evaluator", "settle_first")
    else:
        yield of.item("insufficient", "", seen, "evaluator", "insufficient", of.again())


def late_maintenance(of: PortalEvidence) -> Iterator[WorkItem]:
    """Maintenance that was announced too late, or of which nothing says when; settled where an announcement in time was supplied."""
    in_time = [_maintenance_span(reason) for reason in of.card.reasons if reason.code == IN_TIME]
    for reason in of.card.reasons:
        if reason.code not in {"maintenance_announced_late", "maintenance_not_announced"}:
            continue
        begin, end = _maintenance_span(reason)
        listed = _WINDOWS.search(reason.detail)
        seen = _seen(reason, "windows", listed["numbers"].count(",") + 1 if listed else 0, begin, end)
        if begin and any(first and _at(first) <= _at(begin) and _at(end) <= _at(last) for first, last in in_time):
            decided = phrase("work.announced")
            yield of.item("late_maintenance", f"{begin} – {end}", seen, "operator", "done", state="settled", decided=decided)
        elif reason.code == "maintenance_announced_late":
            yield of.item("late_maintenance", f"{begin} – {end}", seen, "operator", "maintenance_late", state="for_information")
        else:
            supply = of.about("supply", of.card.portal, "--maintenance", begin or "BEGIN", end or "END", *_ANNOUNCEMENT)
            yield of.item("late_maintenance", f"{begin} – {end}", seen, "operator", "maintenance", [supply, of.about("score")])


def not_withdrawn(of: PortalEvidence) -> Iterator[WorkItem]:
    """Test dossiers that still stand at the portal, one item for all of them."""
    portal, dossiers = of.card.portal, of.dossiers
    left = [filed.key for filed in dossiers.not_withdrawn() if filed.key.portal == portal]
    unseen = dossiers.unseen.get(portal, ())
    codes = [*(key.code for key in left), *unseen]
    if not codes:
        return
    why = Counter(dossiers.became.get(key, NEVER_TRIED) for key in left)
    reasons = [worded(partial(_not_withdrawn_because, reason)) for reason, _ in why.most_common(2)]
    reasons += [phrase("work.unseen")] if unseen else []
    filed = sum(key.portal == portal for key in dossiers.filed) + len(unseen)
    told = phrase("work.not_withdrawn.seen").filled(numeral(len(codes), 0), numeral(filed, 0), some(codes), joined("; ", reasons))
    times = sorted(filter(None, (dossiers.when.get(key, "") for key in left)))
    seen = Sighting(told, "dossiers", len(codes), times[0] if times else "", times[-1] if times else "")
    subject = codes[0] if len(codes) == 1 else f"{codes[0]} …"
    if why and all(reason.startswith(NO_WITHDRAWAL) for reason in why):
        yield of.item("not_withdrawn", subject, seen, "operator", "delete", [of.about("reconcile", "--truth", "FILE")])
    else:
        yield of.item("not_withdrawn", subject, seen, "evaluator", "withdraw", [of.about("withdraw")])


def _to_decide(of: PortalEvidence, kind: WorkKind, subject: str, seen: Sighting, causes: Sequence[str]) -> WorkItem:
    """An item that two persons decide. The reasons of the card say whether it is open, proposed or settled."""
    proposed = [found for each in of.card.reasons if each.code == "settlement_proposed" and (found := _PROPOSED.fullmatch(each.detail))]
    for found in proposed:
        if found["subject"] == subject:
            decided = phrase("work.suggested").filled(phrase(f"settled.{found['cause']}"), same(found["who"]))
            confirm = of.about("settle", of.card.portal, subject, "--confirm", "--by", "NAME")
            return of.item(kind, subject, seen, "two_persons", "confirm", [confirm], "proposed", decided)
    for cause in causes:
        if who := _settled_by(of.card, subject, cause):
            decided = phrase("work.decided").filled(phrase(f"settled.{cause}"), same(who))
            how, commands = ("settled_profile", of.again()) if cause == "profile" else ("settled", ())
            return of.item(kind, subject, seen, "two_persons", how, commands, "settled", decided)
    propose = [of.about("settle", of.card.portal, subject, "--as", cause, "--by", "NAME", "--reason", "TEXT") for cause in causes]
    return of.item(kind, subject, seen, "two_persons", kind, propose)


def _settled_by(card: Scorecard, subject: str, cause: str) -> str:
    """Who settled it as this cause; empty where nobody did."""
    if subject == _ADDRESS_LIMIT:
        code = f"refusals_settled_as_{cause}"
        return next((each.detail.partition(": round ")[0] for each in card.reasons if each.code == code), "")
    begins = f"{subject}: "
    code = f"settled_as_{cause}"
    return next((each.detail.removeprefix(begins) for each in card.reasons if each.code == code and each.detail.startswith(begins)), "")


def _page_time(of: PortalEvidence, journey: UnprovenJourney) -> tuple[str, str] | None:
    """When the saved page of a journey was received, as first and last time; None where no page says it."""
    entries = read_pages(of.folder.pages(of.card.portal)) if journey.page else ()
    return next(((entry.at_utc, entry.at_utc) for entry in entries if entry.file == journey.page and entry.at_utc), None)


def _met(of: PortalEvidence, outcomes: frozenset[Outcome]) -> Sighting:
    """What lone citizens met: the reasons of the card, and the most frequent failure with one of these outcomes."""
    text = _reasons(of.card.reasons, of.card)
    fault = next((each for each in of.faults.faults if each.outcome in outcomes), None)
    if fault is None:
        return Sighting(text, "walks", len(of.lone_windows), *_span(of.lone_windows))
    met = phrase("work.met").filled(phrase(f"fault.{fault.fault}"))
    times = (fault.first_utc, fault.last_utc) if fault.first_utc else _span(of.lone_windows)
    return Sighting(joined(" ", [text, met]), "failures", fault.count, *times, page=next(iter(fault.pages), ""))


def _page(of: PortalEvidence, outcomes: frozenset[Outcome]) -> str:
    """The first saved page of a failure with one of these outcomes; empty where none was saved."""
    return next((fault.pages[0] for fault in of.faults.faults if fault.outcome in outcomes and fault.pages), "")


def _reasons(reasons: Sequence[Reason], card: Scorecard) -> Phrase:
    """The first reasons, without repetitions, and how many more there are."""
    names = {each.id: name_text(each.name_vi, each.name_en) for each in card.criteria}
    different = list(dict.fromkeys(reasons))
    told = [shortened(worded(partial(reason_text, each, names=names)), 250) for each in different[:_REASONS_TOLD]]
    more = len(different) - _REASONS_TOLD
    return joined("", [joined(" ", told), *([phrase("work.more").filled(str(more))] if more > 0 else [])])


def _seen(reason: Reason, counted: Counted, count: int, first_utc: str, last_utc: str) -> Sighting:
    """A sighting of one reason: what it means, with its figures in a field of their own."""
    means = worded(partial(meaning, reason, detail=""))
    return Sighting(means, counted, count, first_utc, last_utc, shortened(worded(partial(reason_figures, reason))))


def _not_withdrawn_because(reason: str, language: Language) -> str:
    return detail_in_vietnamese("not_withdrawn", reason) if language == "vi" else reason


def _maintenance_span(reason: Reason) -> tuple[str, str]:
    """Beginning and end of the maintenance that a reason tells; empty where it tells none."""
    found = _SPAN.match(reason.detail)
    return (found["begin"], found["end"]) if found and _is_time(found["begin"]) and _is_time(found["end"]) else ("", "")


def _is_time(text: str) -> bool:
    try:
        return _at(text).tzinfo is not None
    except ValueError:
        return False


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _span(windows: Iterable[WindowFacts]) -> tuple[str, str]:
    """When the first and the last of some windows began; empty without any."""
    began = sorted(window.began_utc for window in windows)
    return (began[0], began[-1]) if began else ("", "")
