"""The record of steps in a sweep's folder: read for scoring, guarded, and entered in the seal's addenda and the register."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from harness.errors import EvidenceError, Problem
from harness.evidence import SweepFolder
from harness.evidence.chain import changed
from harness.evidence.folder import portal_of
from harness.evidence.publication import ARCHIVE, PUBLICATION, PublicationStep, publication_of, read_publication, record_problems
from harness.operations.addenda import enter_addenda
from harness.operations.register import enter_publication
from harness.operations.signing import fingerprint, is_signed
from harness.publish import read_scores
from harness.publish.sent_scores import changed_finals, misfits
from harness.records.chained_lines import line_digest
from harness.records.files import locked, write_whole
from harness.scoring import SweepScores


def checked_steps(folder: SweepFolder) -> tuple[PublicationStep, ...]:
    """The steps of a sweep's publication so far; EvidenceError where the record of them is none."""
    if problems := [*record_problems(folder)]:
        raise EvidenceError(*problems)
    return read_publication(folder)


def last_digest(folder: SweepFolder) -> str:
    """What the next step names as the line before it; empty where there is none."""
    path = folder.path / PUBLICATION
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return line_digest(lines[-1]) if lines else ""


def append_step(folder: SweepFolder, step: PublicationStep) -> None:
    """Add a step to the record: the whole file appears with it, or stays as it was. EvidenceError where another step came in between."""
    path = folder.path / PUBLICATION
    with locked(folder.path):
        before = path.read_bytes() if path.is_file() else b""
        if last_digest(folder) != step.previous:
            remedy = f"Look at it with `harness publication {folder.path}`, and take this step again."
            raise EvidenceError(Problem(str(path), "last line", "another one than a moment ago", "no other step meanwhile", remedy))
        write_whole(path, before + step.line() + b"\n")


def enter_steps(folder: SweepFolder, steps: Sequence[PublicationStep]) -> None:
    """Enter steps in the seal's addenda and in the register, those too whose entry a crash has prevented; nothing without steps."""
    if not steps:
        return
    answers = (folder.path / answer.file for each in steps for answer in each.answers.values())
    enter_addenda(folder, "publication", [folder.path / PUBLICATION, *dict.fromkeys(answers)])
    enter_publication(folder)


def require_final_unchanged(folder: SweepFolder, made: SweepScores, steps: Sequence[PublicationStep]) -> None:
    """Raise EvidenceError where a portal is final and the evidence gives another card now: it is opened again first, with a cause."""
    if any(publication_of(steps, card.portal).state == "final" for card in made.scorecards):
        before = read_scores(folder.scores) if folder.scores.is_file() else None
        if problems := [*changed_finals(made, steps, folder.scores, before)]:
            raise EvidenceError(*problems)


def require_no_steps(folder: SweepFolder, what: str) -> None:
    """Raise EvidenceError where scores of a sweep have been sent; ``what`` cannot be done then."""
    steps = read_publication(folder)
    portals = dict.fromkeys(portal for step in steps for portal in step.cards)
    found = [f"{portal} is {state}" for portal in portals if (state := publication_of(steps, portal).state) != "draft"]
    if found:
        remedy = "Open them again first: `harness publication FOLDER reopened --by NAME --confirmed-by NAME --reason CAUSE`."
        raise EvidenceError(Problem(str(folder.path), "publication", ", ".join(found), f"drafts: {what}", remedy))


def publication_problems(folder: SweepFolder, signer: Ed25519PublicKey, portal: str = "") -> Iterator[Problem]:
    """What of a publication does not hold: the record, its signatures, the operators' answers, and the scores that it is about.

    ``portal``: only its answers are there, as in a pack.
    """
    path, steps = folder.path / PUBLICATION, read_publication(folder)
    yield from record_problems(folder)
    for number, each in enumerate(steps, 1):
        if each.signature and not is_signed(each.signed_bytes(), _from_hex(each.signature), signer):
            said, expected = "not of this line by this key", f"that of key {fingerprint(signer)}"
            yield Problem(str(path), f"signature of the step {each.step}", said, expected, ARCHIVE, number)
        for answer in each.answers.values():
            if portal in ("", portal_of(answer.file)):
                yield from changed(folder, answer, by=PUBLICATION)
    if folder.scores.is_file():
        yield from misfits(read_scores(folder.scores), steps, folder.scores)


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
