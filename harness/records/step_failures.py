"""Failures of steps: the kind that they are counted by, the pages on which they show, and how many of those are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.records.files import write_json
from harness.records.outcome import Outcome
from harness.records.plain import read_record, to_plain

PAGES_PER_KIND = 3  # kept of the first failures of each kind
PAGES_PER_KIND_IN_ALL = 6  # including the first page of each later incident
INCIDENT_PAUSE_S = 10.0  # without a failure of a kind; the next failure is another incident
PAGES_PER_PORTAL = 24
PAGE_BYTES = 256_000  # of one page; longer pages are cut off
PAGES_BYTES_PER_PORTAL = 2_000_000
KINDS_PER_PORTAL = 100  # of one worker; further failures are counted without their rule
RULE_LENGTH = 200

WITH_PAGE = frozenset(
    {Outcome.WRONG_CONTENT, Outcome.EXTRACTION, Outcome.HTTP_ERROR, Outcome.BLOCKED, Outcome.NOT_SERVED, Outcome.PROTOCOL}
)
"""The outcomes with an answer of the portal that can be shown."""


class FailureKind(NamedTuple):
    """The kind by which failures are counted; ``means`` is the profile's name for the rule, or empty."""

    journey: str
    goal: str
    step: str
    outcome: str
    means: str
    rule: str


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How often one kind of failure happened in a window."""

    journey: str
    goal: str
    step: str
    outcome: str
    means: str
    rule: str
    count: int

    @property
    def kind(self) -> FailureKind:
        """What was counted."""
        return FailureKind(self.journey, self.goal, self.step, self.outcome, self.means, self.rule)


@dataclass(frozen=True, slots=True)
class FailedPage:
    """A page on which a step failed, as a worker hands it over."""

    kind: FailureKind
    visit: int
    url: str
    status: int
    bytes: int  # of the whole page
    markup: bool
    text: str
    truncated: bool
    when_us: int = 0  # of the worker's monotonic clock


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page that was kept: an entry of ``pages/<portal>/index.json``."""

    portal: str
    round: int
    part: str
    window: int
    stage: str
    journey: str
    goal: str
    step: str
    outcome: str
    means: str
    rule: str
    visit: int
    url: str
    status: int
    bytes: int
    truncated: bool
    number: int = 0  # from 1, of the pages of this step and outcome
    bytes_kept: int = 0
    file: str = ""  # relative to the sweep's folder
    sha256: str = ""
    at_utc: str = ""  # when the step failed; empty in evidence of an earlier version


@dataclass(frozen=True, slots=True)
class PageIndex:
    """The pages that were kept of one portal."""

    portal: str
    pages: tuple[PageEntry, ...] = ()


def read_pages(path: Path) -> tuple[PageEntry, ...]:
    """The pages of an index; none where there is no index."""
    return read_record(PageIndex, path).pages if path.is_file() else ()


def write_pages(path: Path, index: PageIndex) -> None:
    """Write the index of one portal's pages."""
    facts = to_plain(index)
    facts["pages"] = [{name: value for name, value in page.items() if name != "at_utc" or value} for page in facts["pages"]]
    write_json(path, facts)


def has_room(kept: int, pause_s: float) -> bool:
    """Whether another page of a kind is kept: one of the first, or the first after a pause without failures of this kind."""
    return kept < PAGES_PER_KIND or (kept < PAGES_PER_KIND_IN_ALL and pause_s >= INCIDENT_PAUSE_S)


SECOND_CLIENT = "httpx "
"""How the rule of a failure begins in evidence of an earlier version, if another client was asked about the answer. Its verdict follows."""


def unreadable_by_all(failures: Iterable[FailureKind | FailureCount]) -> bool:
    """Whether another client, asked about answers that ours could not read, rejected them too; for evidence of an earlier version."""
    said = [
        failure.rule.removeprefix(SECOND_CLIENT)
        for failure in failures
        if failure.outcome == Outcome.PROTOCOL and failure.rule.startswith(SECOND_CLIENT)
    ]
    return any(opinion.startswith("rejects") for opinion in said) and not any(opinion.startswith("accepts") for opinion in said)
