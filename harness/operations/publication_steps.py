"""The steps by which two persons bring a sweep's scores from draft to final: sent, answered, final, and reopened.

A step is taken for all of the portals that it names, or for none. What is sent is what becomes final: where a card has changed since
it was sent, it is opened again with the cause and sent once more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from harness.catalog import Catalog
from harness.catalog.agency import AGENCY_FILE, Agency, read_agency
from harness.errors import EvidenceError, Problem, UsageError
from harness.evidence import SweepFolder
from harness.evidence.folder import results_around
from harness.evidence.publication import (
    AFTER,
    PortalPublication,
    PublicationStep,
    PublicationStepName,
    last_step,
    publication_of,
)
from harness.operations.locust_run import require_not_measured
from harness.operations.named_persons import person_problems, two_person_problems
from harness.operations.operator_answers import answers_in, keep_answers
from harness.operations.publication_record import append_step, checked_steps, last_digest, require_final_unchanged
from harness.operations.revisions import is_given_out
from harness.operations.score_folder import score_folder, scored_criteria
from harness.operations.selection import require_portals_of_sweep, select_criteria
from harness.operations.signing import usual_key
from harness.publish import read_scores
from harness.publish.import_file import card_digest, to_bytes
from harness.publish.sent_scores import difference, is_card_of, misfits
from harness.publish.worklist import worklist
from harness.records.permitted_hours import VIETNAM
from harness.scoring import Scorecard, SweepScores
from harness.scoring.scorecard import earlier_forms, with_publication

LONGEST_REASON: Final = 2_000
"""Characters (assumed: a reason is a sentence or two; a longer text is kept as a file)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntendedStep:
    """A step as two persons want to take it."""

    step: PublicationStepName
    by: str
    confirmed_by: str
    reason: str
    portals: tuple[str, ...] = ()  # empty: all of the sweep
    answer_by: date | None = None  # of ``sent``
    answer: Path | None = None  # of ``answered``, for one portal
    answers: Path | None = None  # of ``answered``: a folder with one file a portal
    no_answer: bool = False  # of ``answered``: the operator said nothing until the day that was set


def standings(folder: SweepFolder, portals: Sequence[str] = ()) -> dict[str, tuple[PortalPublication, list[PublicationStep]]]:
    """Where each portal stands, or each of those named, with its steps. Raises UsageError for unknown portals, EvidenceError for a broken record."""
    steps = checked_steps(folder)
    named = _named_portals(read_scores(folder.scores), portals)
    return {portal: (publication_of(steps, portal), [each for each in steps if portal in each.cards]) for portal in named}


def take_step(
    folder: SweepFolder, catalog: Catalog, intended: IntendedStep, *, names: Path | None = None, earlier: Sequence[SweepFolder] = (),
    now: datetime | None = None,
) -> SweepScores:  # fmt: skip
    """Take a step, and write the scores that say so, as a new revision. ``names``: the agency's names file, by default the one of the results.

    Raises UsageError for persons, portals or options that do not fit, EvidenceError where the scores in the folder are not those of the
    evidence, are not those that were sent, or leave something undecided. Nothing is written then.
    """
    require_not_measured(folder)
    moment = now or datetime.now(UTC)
    given, steps, previous = read_scores(folder.scores), checked_steps(folder), last_digest(folder)
    file = names or results_around(folder.path.parent) / AGENCY_FILE
    agency = _names(file)
    _refuse([*_persons(agency, file, intended), *_options(intended, given)])
    portals = _named_portals(given, intended.portals)
    answer_by = _answer_by(intended, agency, file, moment)
    _refuse(_order_problems(folder, steps, intended, portals))
    _refuse(_too_early(folder, steps, intended, portals, moment))
    cards = {card.portal: card for card in given.scorecards if card.portal in portals}
    answers = {} if intended.answer is None else {portals[0]: intended.answer}
    if intended.answers is not None:
        answers = answers_in(intended.answers, portals)

    def append(made: SweepScores) -> None:
        problems = _not_given_out(folder, given, steps) if intended.step == "reopened" else _other_bytes(folder, given, made, steps)
        if not (found := [*problems]) and intended.step in ("answered", "final"):
            found = [*_changed_since_sent(folder, given, steps, cards.values())]
        if not found and intended.step == "final":
            found = [*_undecided(folder, given, agency, cards)]
        if found:
            raise EvidenceError(*found)
        step = _step(given, intended, agency, moment, answer_by, cards, previous)
        require_final_unchanged(folder, made, [*steps, step])
        append_step(folder, _signed(replace(step, answers=keep_answers(folder, answers))))

    criteria = select_criteria(catalog, scored_criteria(folder, catalog))
    return score_folder(folder, catalog, criteria, check=True, earlier=earlier, take_step=append).scores


def _names(path: Path) -> Agency:
    if not path.exists() and not path.is_symlink():
        remedy = "Write it as docs/publication.md shows, or name another file with --agency."
        raise UsageError(Problem(str(path), "file", "not there", "the agency's names file: who evaluates and who confirms", remedy))
    return read_agency(path)


def _refuse(problems: Iterable[Problem]) -> None:
    if found := [*problems]:
        raise UsageError(*found)


def _persons(agency: Agency, file: Path, intended: IntendedStep) -> Iterator[Problem]:
    yield from person_problems(agency, file, "--by", intended.by, "evaluator")
    yield from person_problems(agency, file, "--confirmed-by", intended.confirmed_by, "confirmer")
    yield from two_person_problems(intended.by, intended.confirmed_by)


def _options(intended: IntendedStep, given: SweepScores) -> Iterator[Problem]:
    if not intended.reason.strip() or len(intended.reason) > LONGEST_REASON:
        found = f"{len(intended.reason)} characters" if intended.reason.strip() else "empty"
        yield Problem(
            "command line", "--reason", found, f"why the step is taken, in at most {LONGEST_REASON} characters", "Say it shortly."
        )
    if intended.answer_by is not None and intended.step != "sent":
        yield Problem("command line", "--answer-by", f"given with {intended.step}", "the step sent, which sets the day", "Leave it out.")
    answers = (intended.answer is not None) + (intended.answers is not None) + intended.no_answer
    options = "--answer, --answers, --no-answer"
    if answers and intended.step != "answered":
        yield Problem("command line", options, f"given with {intended.step}", "the step answered", "Leave them out.")
    if intended.step == "answered" and answers != 1:
        remedy = (
            "Name the file with the operator's answer, or the folder with all; --no-answer says that none came until the day that was set."
        )
        yield Problem("command line", options, "several" if answers else "none", "one of them", remedy)
    if intended.answer is not None and not intended.answer.is_file():
        yield Problem("command line", "--answer", str(intended.answer), "a file that can be read", "Check the path.")
    if intended.answer is not None and len(intended.portals or given.scorecards) != 1:
        yield Problem(
            "command line", "--answer", "given for several portals", "the answer of one operator", "Name its portal with --portal."
        )


def _named_portals(scores: SweepScores, portals: Sequence[str]) -> tuple[str, ...]:
    """The portals that were named, or all; UsageError for one that the sweep does not have."""
    known = [card.portal for card in scores.scorecards]
    require_portals_of_sweep(portals, known)
    return tuple(dict.fromkeys(portals)) or tuple(known)


def _order_problems(
    folder: SweepFolder, steps: Sequence[PublicationStep], intended: IntendedStep, portals: Sequence[str]
) -> Iterator[Problem]:
    states = {portal: publication_of(steps, portal).state for portal in portals}
    if wrong := [f"{portal} is {state}" for portal, state in states.items() if state not in AFTER[intended.step]]:
        expected = f"portals that are {' or '.join(AFTER[intended.step])}, for the step {intended.step}"
        fitting = [portal for portal, state in states.items() if state in AFTER[intended.step]]
        named = f"Name these with --portal: {', '.join(fitting)}. " if fitting else ""
        remedy = f"{named}Nothing was done; `harness publication {folder.path}` shows where each portal stands."
        yield Problem(str(folder.path), "publication", ", ".join(wrong), expected, remedy)


def _answer_by(intended: IntendedStep, agency: Agency, file: Path, moment: datetime) -> str:
    """The last day for an answer; empty for other steps."""
    if intended.step != "sent":
        return ""
    today = moment.astimezone(VIETNAM).date()
    if intended.answer_by is not None and intended.answer_by < today:
        expected = f"a day from {today} on"
        raise UsageError(Problem("command line", "--answer-by", str(intended.answer_by), expected, "Give the operators time to answer."))
    if intended.answer_by is None and agency.answer_within_days is None:
        remedy = "Give --answer-by DATE, or enter the agency's own rule as answer_within_days."
        raise UsageError(Problem(str(file), "answer_within_days", "not there", "until when operators may answer", remedy))
    return str(intended.answer_by or today + timedelta(days=agency.answer_within_days or 0))


def _too_early(
    folder: SweepFolder, steps: Sequence[PublicationStep], intended: IntendedStep, portals: Sequence[str], moment: datetime
) -> Iterator[Problem]:
    """Portals whose operators may still answer, where it is to be said that they did not."""
    today = str(moment.astimezone(VIETNAM).date())
    days = {portal: publication_of(steps, portal).answer_by for portal in portals} if intended.no_answer else {}
    if open_ := [f"{portal} until {day}" for portal, day in days.items() if today <= day]:
        yield Problem(str(folder.path), "--no-answer", ", ".join(open_), f"a day after these; today is {today}", "Wait for the answer.")


def _not_given_out(folder: SweepFolder, given: SweepScores, steps: Sequence[PublicationStep]) -> Iterator[Problem]:
    """Where scores.json is not what was written last.

    It need not be what the evidence gives now: other scores are a reason to open a portal again.
    """
    if not is_given_out(folder, given) or folder.scores.read_bytes() != to_bytes(given):
        yield _changed_by_hand(folder, "other bytes than were written last")
    yield from misfits(given, steps, folder.scores)


def _other_bytes(folder: SweepFolder, given: SweepScores, made: SweepScores, steps: Sequence[PublicationStep]) -> Iterator[Problem]:
    """Where scores.json is not what the evidence gives."""
    expected = with_publication(replace(made, revision=given.revision, supersedes=given.supersedes), steps)
    forms = (expected, *earlier_forms(expected))
    if folder.scores.read_bytes() in map(to_bytes, forms):
        return
    pairs = [zip(form.scorecards, given.scorecards, strict=False) for form in forms]
    other = min(([card.portal for card, there in each if card != there] for each in pairs), key=len)
    yield _changed_by_hand(folder, f"other bytes than the evidence gives ({', '.join(other) or 'the list of portals or the head'})")


def _changed_by_hand(folder: SweepFolder, found: str) -> Problem:
    remedy = f"Run `harness score {folder.path}` (with --with, where earlier nights count), and look at what it changes."
    return Problem(str(folder.scores), "content", found, "scores as they were made from the evidence", remedy)


def _changed_since_sent(
    folder: SweepFolder, given: SweepScores, steps: Sequence[PublicationStep], cards: Iterable[Scorecard]
) -> Iterator[Problem]:
    for card in cards:
        last = last_step(steps, card.portal)
        if last is not None and not is_card_of(last, card, given):
            found = f"another card than was {last.step} on {last.at_utc} (revision {last.revision}): {difference(last, card, given)}"
            remedy = (
                f"Open it again with the cause, and send it again: `harness publication {folder.path} reopened --portal {card.portal} …`."
            )
            yield Problem(str(folder.scores), card.portal, found, "what the operator was sent", remedy)


def _undecided(folder: SweepFolder, given: SweepScores, agency: Agency, portals: Collection[str]) -> Iterator[Problem]:
    """What two persons still have to decide before a portal's card is final, by the worklist."""
    items = [item for item in worklist(folder, given, agency) if item.blocks_final]
    for portal in portals:
        if open_ := [f"{item.kind} {item.subject} ({item.state})".replace("  ", " ") for item in items if item.portal == portal]:
            remedy = f"Settle it by two persons (`harness settle {folder.path} {portal} …`), and send the new scores."
            yield Problem(str(folder.scores), portal, ", ".join(open_), "nothing left to decide in a final score", remedy)


def _step(
    given: SweepScores, intended: IntendedStep, agency: Agency, moment: datetime, answer_by: str, cards: dict[str, Scorecard], previous: str
) -> PublicationStep:  # fmt: skip
    return PublicationStep(
        step=intended.step,
        cards={portal: card_digest(card) for portal, card in cards.items()},
        points={portal: card.points for portal, card in cards.items()},
        criteria_sha256=given.criteria_set.sha256,
        revision=given.revision,
        by=agency.entered(intended.by),
        confirmed_by=agency.entered(intended.confirmed_by),
        at_utc=moment.isoformat(timespec="seconds"),
        reason=intended.reason.strip(),
        previous=previous,
        answer_by=answer_by,
    )


def _signed(step: PublicationStep) -> PublicationStep:
    key = usual_key()
    return step if key is None else replace(step, signature=key.sign(step.signed_bytes()).hex())
