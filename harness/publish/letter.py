"""The letter to the operator of one portal, on one A4 page: its points, where they come from, and how and by when to answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from harness.catalog.agency import Agency
from harness.errors import visible
from harness.evidence.facts import Reason, UnprovenJourney, Verdict
from harness.evidence.reasons import Language
from harness.publish.criterion_words import curve_text, name_text, version_text
from harness.publish.import_file import card_digest
from harness.publish.letter_facts import LetterFacts
from harness.publish.portal_faults import FaultCount
from harness.publish.provenance_words import vantage_text
from harness.publish.reason_words import because, reason_text
from harness.publish.rendering import render
from harness.publish.scoreboard import points_lost
from harness.publish.value_text import digits_of, value_text
from harness.publish.wording import Phrase, day_text, joined, moment_text, numeral, phrase, same, worded
from harness.records import LONE
from harness.records.permitted_hours import VIETNAM
from harness.records.plan import TimesUsage
from harness.scoring.final_states import states_of
from harness.scoring.scorecard import CriterionScore, CriterionState, Scorecard

MOST_CRITERIA: Final = 24
MOST_FAULTS: Final = 4
MOST_CODES: Final = 5
MOST_REASONS: Final = 3
"""How many of each a letter lists (assumed: with these a page is full). It says how many more there are, and where."""
_LONGEST_PLACE, _LONGEST_NAME, _LONGEST_CELL, _LONGEST_SENTENCE = 40, 90, 160, 400
"""The most characters of each (assumed: the fullest letter then fits on one sheet). Others write these texts, of any length."""
_LONG_TABLE: Final = 2_000
"""A table with more characters is set in smaller letters (assumed: fourteen criteria with usual names have some 1,200)."""
_LONGEST_CELL_OF_LONG_TABLE: Final = 72
"""The most characters of a cell in such a table (assumed: 24 lines then fit on one sheet)."""
_TOLD_ELSEWHERE: Final = frozenset(
    {
        "lone_citizen_refused",
        "lone_citizen_cannot_connect",
        "not_enough_windows",
        "not_enough_steps",
        "journey_unproven",
        "settlement_proposed",
    }
)
"""Reasons that are not printed as such.

The verdict's meaning, the table and the list of journeys say the same. A proposal of one person is no finding yet.
"""


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """One line of the table. Where ``threshold`` is None, ``value`` says why there is no value."""

    name: Phrase
    value: Phrase
    threshold: Phrase | None
    points: Phrase


@dataclass(frozen=True, slots=True)
class FaultLine:
    """A kind of fault or an unproven journey, with its saved page; ``page`` is empty where none was saved."""

    text: Phrase
    page: str
    further_pages: int = 0


def letter_page(facts: LetterFacts, language: Language) -> str:
    """The page as HTML. It runs no script, loads nothing, and prints on one A4 sheet."""
    card, agency = facts.card, facts.agency
    name = _name(card)
    lines, more = _criteria(card)
    codes = facts.standing[:MOST_CODES]
    return render(
        "letter.html.j2", (language,), facts=facts, card=card, scores=facts.scores, name=name, size="few" if not lines else "many" if _is_long(lines) else "",
        agency=None if agency is None else _named(agency.name_vi, agency.name_en),
        place_and_date=_place_and_date(facts), opening=_opening(facts, name), measured=[*_measured(facts), *_load(facts)],
        result=[*_result(card)], lines=lines, more_criteria=more, notes=[*_notes(facts)],
        unproven=[_unproven(each) for each in card.unproven[:MOST_REASONS]],
        asked=[phrase(f"letter.ask.{state}") for state in _states(card)],
        faults=[_fault(each) for each in facts.faults[:MOST_FAULTS]], more_faults=facts.faults[MOST_FAULTS:],
        codes=[_cut(code, 30) for code in codes], more_codes=len(facts.standing) - len(codes),
        folder=_cut(facts.scores.sweep, 80), answer=[*_answer(facts)], version=version_text(facts.scores.criteria_set.version),
        card_sha256=card_digest(card), words=_filled,
    )  # fmt: skip


def _filled(key: str, *parts: int | Phrase) -> Phrase:
    """A phrase with numbers and texts filled in, as the template asks for it."""
    return phrase(key).filled(*(numeral(part, 0) if isinstance(part, int) else part for part in parts))


def _is_long(lines: Sequence[CriterionLine]) -> bool:
    """Whether a table needs smaller letters."""
    cells = (cell for line in lines for cell in (line.name, line.value, line.threshold) if cell is not None)
    return sum(max(len(cell.vi), len(cell.en)) for cell in cells) > _LONG_TABLE


def _name(card: Scorecard | CriterionScore) -> Phrase:
    return _short(name_text(card.name_vi, card.name_en), _LONGEST_NAME)


def _short(words: Phrase, most: int) -> Phrase:
    """A text with at most so many characters."""
    return Phrase(_cut(words.vi, most), _cut(words.en, most))


def _cut(text: str, most: int) -> str:
    text = visible(text.strip())
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _named(vi: str, en: str) -> Phrase:
    """A name or title of the agency's file, which may have no English one."""
    return _short(Phrase(vi, en or vi), _LONGEST_NAME)


def _place_and_date(facts: LetterFacts) -> Phrase:
    place = _short(same((facts.agency.place_vi if facts.agency else "") or "………"), _LONGEST_PLACE)
    day = facts.step_taken_on
    if day is None:
        return phrase("letter.place_and_no_date").filled(place)
    month = f"{day.month:02}" if day.month < 3 else str(day.month)  # as official letters write it
    return phrase("letter.place_and_date").filled(place, Phrase(f"{day.day:02} tháng {month} năm {day.year}", day_text(day.isoformat()).en))


def _opening(facts: LetterFacts, name: Phrase) -> Phrase:
    agency = facts.agency
    who = phrase("letter.we") if agency is None else _named(agency.name_vi, agency.name_en)
    key = "letter.opening.final" if facts.publication.state == "final" else "letter.opening"
    return phrase(key).filled(who, name, _short(same(facts.address or "–"), 80))


def _measured(facts: LetterFacts) -> Iterator[Phrase]:
    """When and from where it was measured, and with whose permission."""
    loaded = [window for window in facts.windows if window.stage != LONE]
    seen = loaded or [*facts.windows]
    if seen:
        begins = [datetime.fromisoformat(window.began_utc) for window in seen]
        ends = [begin + timedelta(seconds=window.duration_s) for begin, window in zip(begins, seen, strict=True)]
        span = _between(min(begins), max(ends))
        valid = sum(window.verdict is Verdict.VALID for window in loaded)
        yield phrase("letter.measured").filled(span, str(valid), str(len(loaded))) if loaded else phrase("letter.walked").filled(span)
    else:
        yield phrase("letter.not_measured")
    if len(facts.card.nights) > 1:
        nights = joined(", ", [day_text(night) for night in facts.card.nights[:MOST_CODES]])
        yield phrase("letter.nights").filled(str(len(facts.card.nights)), nights, "…" if len(facts.card.nights) > MOST_CODES else "")
    yield phrase("letter.from_where").filled(_short(vantage_text(facts.vantage_point), _LONGEST_NAME))
    if facts.permission is not None:
        given = facts.permission
        said = f"{given.reference}, {given.granted_by}" if given.reference else given.id
        yield phrase("letter.permission").filled(_short(same(said), _LONGEST_NAME))


def _between(first: datetime, last: datetime) -> Phrase:
    """Two moments, by the clock of Viet Nam. Where both are on one day, the day stands once."""
    first, last = first.astimezone(VIETNAM), last.astimezone(VIETNAM)
    begin, end = (moment_text(each.isoformat()) for each in (first, last))
    if begin == end:
        return phrase("letter.at").filled(begin)
    return phrase("letter.between").filled(begin, same(f"{last:%H:%M}") if first.date() == last.date() else end)


def _load(facts: LetterFacts) -> Iterator[Phrase]:
    """The highest load of each journey, compared with the portal's own usage, and in a sentence of its own with the workload's.

    Nothing where there was no load.
    """
    was_loaded = any(window.stage != LONE for window in facts.windows)
    for own in (True, False):
        if found := [each for each in facts.load if was_loaded and each.own == own]:
            yield phrase("letter.load.own" if own else "letter.load.assumed").filled(joined("; ", [_of_journey(each) for each in found]))


def _of_journey(usage: TimesUsage) -> Phrase:
    rate = numeral(usage.planned_per_s, digits_of(usage.planned_per_s))
    journey = phrase(f"journey.{usage.journey}")
    if usage.times is None:
        return phrase("letter.load.no_usage").filled(journey, rate)
    return phrase("letter.load.journey").filled(journey, rate, numeral(usage.times, digits_of(usage.times)))


def _result(card: Scorecard) -> Iterator[Phrase]:
    """The total with its interval, or why there is none; then the reasons, and what is unproven."""
    if card.points is None:
        verdict = f"verdict.{card.verdict.value}"
        yield joined(" ", [phrase("letter.no_points").filled(phrase(verdict)), phrase(f"{verdict}.means")])
    else:
        ends = () if card.interval is None else tuple(numeral(end, 1) for end in card.interval)
        said = (numeral(card.points, 1), _most(card.points_assessed_max), _most(card.points_max))
        yield phrase("letter.points" if ends else "letter.points.no_interval").filled(*said, *ends)
    details: dict[str, dict[str, None]] = {}
    for each in card.reasons:
        if each.code not in _TOLD_ELSEWHERE:
            details.setdefault(each.code, {})[each.detail] = None
    reasons = [Reason(code, "; ".join(found)) for code, found in details.items()]
    names = {each.id: _name(each) for each in card.criteria}
    told = reasons[: 0 if card.verdict is Verdict.VOID else MOST_REASONS]  # a void run's are about our own machines
    for reason in told:
        yield _short(worded(partial(reason_text, reason, names=names)), _LONGEST_SENTENCE)
    if len(reasons) > len(told):
        yield phrase("letter.more_reasons").filled(str(len(reasons) - len(told)))
    if nothing := [each for each in card.criteria if each.state is CriterionState.UNPROVEN]:
        yield phrase("letter.unproven").filled(str(len(nothing)), _most(sum(each.points_max for each in nothing)))


def _most(points: float) -> Phrase:
    """A number of points with at most two decimals."""
    return numeral(points, next((digits for digits in (0, 1) if round(points, digits) == round(points, 2)), 2))


def _states(card: Scorecard) -> list[str]:
    """The states for which the letter asks the operator for something."""
    if card.verdict is Verdict.VOID:
        return ["void"]
    return [*(["insufficient"] if card.verdict is Verdict.INSUFFICIENT else []), *states_of(card)]


def _criteria(card: Scorecard) -> tuple[list[CriterionLine], CriterionLine | None]:
    """The lines of the table, and one line for the criteria beyond them. No lines where no criterion says more than the verdict."""
    if all(each.reason.startswith("verdict") for each in card.criteria):
        return [], None
    by_loss = sorted(card.criteria, key=lambda each: -points_lost(each) if each.points is not None else 0.0)
    shown = {each.id for each in (card.criteria if len(card.criteria) <= MOST_CRITERIA else by_loss[:MOST_CRITERIA])}
    beyond = [each for each in card.criteria if each.id not in shown]
    lines = [_line(each, _LONGEST_CELL) for each in card.criteria if each.id in shown]
    if _is_long(lines):
        lines = [_line(each, _LONGEST_CELL_OF_LONG_TABLE) for each in card.criteria if each.id in shown]
    if not beyond:
        return lines, None
    sums = _points(sum(each.points or 0.0 for each in beyond), sum(each.points_max for each in beyond))
    return lines, CriterionLine(phrase("letter.more_criteria").filled(str(len(beyond))), same(""), None, sums)


def _line(score: CriterionScore, longest: int) -> CriterionLine:
    """The line of one criterion; ``longest``: characters of a cell."""
    name, points = _name(score), _points(score.points, score.points_max)
    if score.state is not CriterionState.ASSESSED:
        why = joined(": ", [phrase(f"state.{score.state.value}"), because(score.reason)])
        return CriterionLine(name, _short(why, 2 * longest), None, points)
    value = _short(worded(lambda language: value_text(score, language)), longest)
    return CriterionLine(name, _unbroken(value), _unbroken(_short(curve_text(score.curve, score.unit), longest)), points)


def _unbroken(words: Phrase) -> Phrase:
    """A text whose numbers stay on one line with their units."""
    return Phrase(*(re.sub(r"([≤≥\d]) (?=\S)", "\\1\u00a0", each) for each in words))


def _points(points: float | None, most: float) -> Phrase:
    return joined(" / ", [same("–") if points is None else numeral(points, 2), _most(most)])


def _notes(facts: LetterFacts) -> Iterator[Phrase]:
    if facts.scores.criteria_set.provisional and facts.card.points is not None:
        yield phrase("note.provisional")
    if facts.shortened and facts.card.points is not None:
        yield phrase("note.shortened")
    for each in facts.publication.causes[-1:]:
        yield phrase("letter.reopened").filled(str(each.revision), _short(same(each.cause), _LONGEST_SENTENCE))


def _unproven(journey: UnprovenJourney) -> FaultLine:
    parts = (
        phrase(f"{group}.{name}") for group, name in (("journey", journey.journey), ("step", journey.step), ("outcome", journey.outcome))
    )
    return FaultLine(phrase("letter.unproven.journey").filled(*parts, str(journey.tries)), _cut(journey.page, _LONGEST_NAME))


def _fault(fault: FaultCount) -> FaultLine:
    what = _short(phrase(f"fault.{fault.fault}"), _LONGEST_NAME)
    where = joined("", [same(" ("), phrase(f"step.{fault.step}"), same(")")]) if fault.step else same("")
    text = phrase("letter.fault").filled(what, where, numeral(fault.count, 0), numeral(fault.of, 0))
    if fault.first_utc:
        text = joined("; ", [text, _between(datetime.fromisoformat(fault.first_utc), datetime.fromisoformat(fault.last_utc))])
    return FaultLine(text, _cut(fault.pages[0], _LONGEST_NAME) if fault.pages else "", max(0, len(fault.pages) - 1))


def _answer(facts: LetterFacts) -> Iterator[Phrase]:
    """How and by when to answer; afterwards what became of the answer."""
    state, day = facts.publication.state, facts.step_taken_on
    if day is not None and state in ("answered", "final"):
        key = "letter.final" if state == "final" else "letter.no_answer" if facts.no_answer else "letter.answered"
        yield phrase(key).filled(day_text(day.isoformat()))
    else:
        until = same("…… / …… / ………") if facts.answer_by is None else day_text(facts.answer_by.isoformat())
        yield phrase("letter.answer_by").filled(until)
    yield phrase("letter.contact").filled(_contact(facts.agency))


def _contact(agency: Agency | None) -> Phrase:
    person = None if agency is None else agency.contact
    if person is None:
        return same("…………………………")
    title = _named(person.title_vi, person.title_en)
    parts = (same(person.name), title, same(person.email), _unbroken(same(person.phone)))
    return joined(", ", [_short(part, _LONGEST_NAME) for part in parts if part.vi])
