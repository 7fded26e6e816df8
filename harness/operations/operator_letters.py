"""The letters to the operators of a sweep's portals: what each says, read from the sweep's folder, and its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from harness.catalog.agency import Agency
from harness.catalog.ids import is_id
from harness.errors import EvidenceError, Problem, UsageError
from harness.evidence import SweepFolder, read_runs
from harness.evidence.filed_dossiers import NOT_WITHDRAWN, read_filed_dossiers
from harness.evidence.folder import packed_portal
from harness.evidence.publication import FIRST_DRAFT, PortalPublication, PublicationStep, last_step, read_publication
from harness.evidence.reasons import Language
from harness.operations.given_permissions import permissions_of
from harness.operations.integrity import changed_files
from harness.operations.retention import removal_problem
from harness.operations.score_folder import read_sweep_scores
from harness.operations.sealed_evidence import check_seal
from harness.operations.selection import require_portals_of_sweep
from harness.publish.letter import letter_page
from harness.publish.letter_facts import LetterFacts
from harness.publish.pdf import CannotPrint, PdfPrinter, find_chromium, printer
from harness.publish.portal_faults import read_faults
from harness.publish.sent_scores import is_card_of
from harness.records import read_plan
from harness.records.files import digest, write_together
from harness.records.permitted_hours import VIETNAM
from harness.scoring.scorecard import Scorecard, SweepScores

LETTERS: Final = "letters"
"""The folder of letters in a sweep's folder. They are no evidence: like report.html they can be made again."""


@dataclass(frozen=True, slots=True)
class WrittenLetter:
    """The files of one letter."""

    portal: str
    paths: tuple[Path, ...]
    is_draft: bool
    is_changed: bool  # whether the portal's card is another than was sent
    replaced: bool  # whether an earlier letter stood there
    why_no_pdf: str  # empty where it was printed


def letter_facts(
    folder: SweepFolder, agency: Agency | None, portals: Sequence[str] = (), *, today: date | None = None
) -> Iterator[LetterFacts]:
    """What the letter to each operator says, in the order of portals; ``portals``: only these.

    A portal's share of a sweep gives only the letter to this portal. ``today``: the time for an answer runs from this day as long as nothing
    was sent.
    Raises UsageError for a portal without scores, and EvidenceError where evidence is missing, was changed or cannot be read.
    """
    share = packed_portal(folder)
    _check_unchanged(folder, share)
    scores, plan = read_sweep_scores(folder.path), read_plan(folder.plan)
    known = {card.portal: card for card in scores.scorecards if share in ("", card.portal)}
    require_portals_of_sweep(portals, known)
    sha256, dossiers = digest(folder.scores), read_filed_dossiers(folder)
    targets = {target.portal: target for target in plan.targets}
    runs = {run.portal: run for run in read_runs(folder)}
    permissions = permissions_of(folder, plan).by_portal
    faults = {each.portal: each.faults for each in read_faults(folder.path)}
    filed = Counter(key.portal for key in dossiers.filed)
    left: dict[str, list[str]] = {}
    for each in dossiers.not_withdrawn():
        left.setdefault(each.key.portal, []).append(each.key.code)
    steps = read_publication(folder)
    for portal in dict.fromkeys(portals or known):
        last = last_step(steps, portal)
        target = targets.get(portal)
        standing = [*left.get(portal, ()), *dossiers.unseen.get(portal, ())]
        yield LetterFacts(
            scores=scores, scores_sha256=sha256, card=known[portal], as_sent=_is_as_sent(scores, known[portal], last), agency=agency,
            no_answer=last is not None and last.step == "answered" and portal not in last.answers,
            answer_by=_answer_by(known[portal].publication, agency, today or datetime.now(VIETNAM).date()),
            address=target.origins.get("portal", "") if target else "", permission=permissions.get(portal),
            vantage_point=target.vantage_point if target else "", windows=runs[portal].windows if portal in runs else (),
            load=target.times_usage if target else (), faults=faults.get(portal, ()),
            dossiers=filed[portal], standing=tuple(standing),
            list_of_standing=NOT_WITHDRAWN if dossiers.operators_list.is_file() else folder.relative(folder.ledger), shortened=plan.shortened,
        )  # fmt: skip


def _check_unchanged(folder: SweepFolder, share: str) -> None:
    """Raise EvidenceError where a file is not as it was sealed. Letters read no rows, so these may have been removed after their time."""
    if removal_problem(folder) is not None:
        return
    if problems := changed_files(folder, share):
        raise EvidenceError(*problems)
    check_seal(folder, share)


def write_letters(
    folder: SweepFolder,
    letters: Sequence[LetterFacts],
    out: Path | None = None,
    *,
    languages: Sequence[Language] = ("vi",),
    browser: str | None = None,
) -> Iterator[WrittenLetter]:
    """Write the letters, one after the other: of each all files or none. By default into the folder's own ``letters``.

    There an earlier letter of a portal is replaced, whole. Another folder must not hold one, and lies outside of the evidence:
    UsageError. ``browser``: that prints; by default the one of this machine, and empty for none.
    """
    own = folder.path / LETTERS
    target = out or own
    _require_free(folder, target, letters)
    with ExitStack() as stack:
        prints: PdfPrinter | None = None
        why_not = ""
        try:
            chosen = find_chromium() if browser is None else browser
            prints = stack.enter_context(printer(chosen)) if chosen else None
            why_not = "" if chosen else "this machine has no Chromium"
        except CannotPrint as error:
            why_not = str(error)
        for facts in letters:
            yield _write(facts, target, languages, prints, why_not)


def _write(facts: LetterFacts, target: Path, languages: Sequence[Language], prints: PdfPrinter | None, why_not: str) -> WrittenLetter:
    contents: dict[str, bytes] = {}
    for language in languages:
        html, pdf = _names(facts.card.portal, language)
        page = letter_page(facts, language)
        contents[html] = page.encode("utf-8")
        if prints is not None and not why_not:
            try:
                contents[pdf] = prints.print_sheet(page)
            except CannotPrint as error:
                why_not = str(error)
    earlier = [path for path in _paths(target, facts.card.portal) if path.is_file()]
    write_together(target, contents)
    for path in earlier:
        if path.name not in contents:
            path.unlink(missing_ok=True)  # it told of other numbers than the files beside it
    paths = tuple(target / name for name in contents)
    return WrittenLetter(facts.card.portal, paths, facts.is_draft, not facts.as_sent, bool(earlier), why_not)


def _names(portal: str, language: Language) -> tuple[str, str]:
    stem = portal if language == "vi" else f"{portal}.{language}"
    return f"{stem}.html", f"{stem}.pdf"


def _paths(target: Path, portal: str) -> list[Path]:
    languages: tuple[Language, ...] = ("vi", "en")
    return [target / name for language in languages for name in _names(portal, language)]


def _require_free(folder: SweepFolder, target: Path, letters: Sequence[LetterFacts]) -> None:
    for facts in letters:
        if not is_id(facts.card.portal):
            raise EvidenceError(Problem(str(folder.scores), "portal", facts.card.portal, "a portal's id", "Score the sweep again."))
    own = folder.path / LETTERS
    if own.is_symlink():
        raise UsageError(Problem(str(own), "path", "a link", "a folder", "Remove the link: letters are replaced where it leads to."))
    where = target.resolve()
    if where == own.resolve():
        return
    if any(SweepFolder(around).plan.is_file() for around in (where, *where.parents)):
        expected, remedy = f"{own}, or a folder outside of any sweep", "Name another folder: nothing else is written into evidence."
        raise UsageError(Problem("command line", "--out", str(target), expected, remedy))
    for path in (path for facts in letters for path in _paths(target, facts.card.portal)):
        if path.exists():
            remedy = f"Name another folder, or move it away; letters are replaced only in {own}."
            raise UsageError(Problem("command line", "--out", str(path), "a folder without this letter", remedy))


def _is_as_sent(scores: SweepScores, card: Scorecard, last: PublicationStep | None) -> bool:
    """Whether the last step of a portal was taken on this card. A card that counts as sent without any step is not."""
    if card.where_it_stands == FIRST_DRAFT:
        return True
    return last is not None and is_card_of(last, card, scores)


def _answer_by(publication: PortalPublication | None, agency: Agency | None, today: date) -> date | None:
    """The day that was fixed when it was sent; before that, what the agency's own rule would give today."""
    if publication is not None and publication.answer_by:
        return date.fromisoformat(publication.answer_by)
    within = agency.answer_within_days if agency else None
    return None if within is None else today + timedelta(days=within)
