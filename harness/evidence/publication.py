"""Where the scores of each portal stand between the night and their publication: the record, and what follows from it.

    publication.jsonl    in the sweep's folder: one line a step, each with the digest of the line before, signed where a key is given
    publication/…        the operators' answers

The states are ``draft``, ``sent``, ``answered`` and ``final``, in this order. The step ``reopened`` leads back to ``draft``; its
reason is the cause that a later revision of a portal's scores has, and stays with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Final, Literal

from pydantic import Field

from harness.catalog.agency import same_person
from harness.errors import Problem
from harness.evidence.chain import SealedFile
from harness.evidence.folder import SweepFolder
from harness.records.chained_lines import line_bytes, link_problems, read_chained
from harness.records.files import read_lines
from harness.records.plain import to_plain

PUBLICATION: Final = "publication.jsonl"
ANSWERS: Final = "publication"
"""The folder of the operators' answers."""
ARCHIVE: Final = "Restore the file from the archive; steps are never changed or removed."
PublicationState = Literal["draft", "sent", "answered", "final"]
PublicationStepName = Literal["sent", "answered", "final", "reopened"]
STATES: Final[tuple[PublicationState, ...]] = ("draft", "sent", "answered", "final")
AFTER: Final[Mapping[PublicationStepName, tuple[PublicationState, ...]]] = {
    "sent": ("draft",),
    "answered": ("sent",),
    "final": ("answered",),
    "reopened": ("sent", "answered", "final"),
}
"""The states from which each step may be taken."""


@dataclass(frozen=True, slots=True)
class PublicationStep:
    """One line of ``publication.jsonl``: a step that two persons took for some portals of the sweep."""

    step: PublicationStepName
    cards: Mapping[str, str]  # portal → digest of its scorecard without its publication (``harness.publish.import_file.card_digest``)
    points: Mapping[str, float | None]  # portal → the points of that card; None where it has none
    criteria_sha256: str  # of the criteria set behind these cards
    revision: int  # of the scores that the step was taken on
    by: str  # evaluator
    confirmed_by: str  # confirmer, another person
    at_utc: str  # ISO 8601
    reason: str
    previous: str  # SHA-256 of the line before; empty in the first
    answer_by: str = ""  # of ``sent``: the last day for an answer, in Viet Nam, ISO 8601
    answers: Mapping[str, SealedFile] = field(default_factory=dict)  # of ``answered``: portal → what its operator said; empty: nothing
    signature: str = ""  # hexadecimal, of the line without it; empty: not signed

    def signed_bytes(self) -> bytes:
        """What the signature is of."""
        return line_bytes(to_plain(replace(self, signature="")))

    def line(self) -> bytes:
        """The line without its end."""
        return line_bytes(to_plain(self))


@dataclass(frozen=True, slots=True)
class ReopeningCause:
    """Why a portal's scores were opened again after they had been sent."""

    revision: Annotated[int, Field(ge=1)]  # of the scores that were opened again
    cause: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class PortalPublication:
    """Where one portal of a sweep stands; it is a field of its scorecard, too."""

    state: PublicationState
    since_utc: Annotated[str, Field(exclude_if=lambda text: not text)] = ""  # of the step that led here, ISO 8601; empty in a first draft
    answer_by: Annotated[str, Field(exclude_if=lambda text: not text)] = ""  # the last day for an answer, once it is sent
    causes: Annotated[tuple[ReopeningCause, ...], Field(exclude_if=lambda causes: not causes)] = ()


FIRST_DRAFT: Final = PortalPublication("draft")
"""Where a portal stands before any step."""


def read_publication(folder: SweepFolder) -> tuple[PublicationStep, ...]:
    """The steps so far, none where there is no record; EvidenceError for a line that is none."""
    return read_chained(PublicationStep, folder.path / PUBLICATION, "steps", ARCHIVE)


def publication_of(steps: Iterable[PublicationStep], portal: str) -> PortalPublication:
    """Where a portal stands after these steps."""
    found = FIRST_DRAFT
    for each in steps:
        if portal not in each.cards:
            continue
        if each.step == "reopened":
            causes = (*found.causes, ReopeningCause(each.revision, each.reason))
            found = PortalPublication("draft", causes=causes)
        else:
            found = replace(found, state=each.step, since_utc=each.at_utc, answer_by=each.answer_by or found.answer_by)
    return found


def last_step(steps: Iterable[PublicationStep], portal: str) -> PublicationStep | None:
    """The last step of a portal; None where there is none."""
    return next((each for each in reversed(tuple(steps)) if portal in each.cards), None)


def record_problems(folder: SweepFolder) -> Iterator[Problem]:
    """What is wrong with the record of steps: its chain, half a line at its end, or a step by one person, without a reason or out of order."""
    path, steps = folder.path / PUBLICATION, read_publication(folder)
    yield from link_problems(path, steps, ARCHIVE)
    if read_lines(path).left_out:
        yield Problem(str(path), "last line", "cut off", "a whole line", ARCHIVE, len(steps) + 1)
    for number, each in enumerate(steps, 1):
        names = f"{each.by or 'nobody'} and {each.confirmed_by or 'nobody'}"
        if not each.by.strip() or not each.confirmed_by.strip() or same_person(each.by, each.confirmed_by):
            yield Problem(str(path), f"persons of the step {each.step}", names, "two persons", ARCHIVE, number)
        if not each.reason.strip():
            yield Problem(str(path), f"reason of the step {each.step}", "empty", "why it was taken", ARCHIVE, number)
        for portal in each.cards:
            state = publication_of(steps[: number - 1], portal).state
            if state not in AFTER[each.step]:
                expected = f"a step that may follow: {each.step} is taken from {' or '.join(AFTER[each.step])}"
                yield Problem(str(path), portal, f"{each.step} while it was {state}", expected, ARCHIVE, number)
