"""One item of a worklist: what was seen on a portal, who can settle it, how, and by when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal, get_args

from harness.publish.wording import Phrase, joined, moment_text, numeral, phrase, same

WorkKind = Literal[
    "unproven", "address_limit", "void", "blocked", "unreachable", "insufficient", "shared_failure", "path_doubt", "late_maintenance",
    "not_withdrawn", "not_assessed",
]  # fmt: skip
KINDS: Final[tuple[WorkKind, ...]] = get_args(WorkKind)
WorkState = Literal["open", "proposed", "settled", "for_information"]
STATES: Final[tuple[WorkState, ...]] = get_args(WorkState)
Settler = Literal["two_persons", "evaluator", "operator", "shared_host_owner", "network", "agency"]
Counted = Literal["walks", "failures", "windows", "visits", "dossiers", "criteria"]

ShellWords = tuple[str, ...]
"""A command without the name of the program; words in capitals stand for what only a person knows."""

NO_TEXT: Final = Phrase("", "")

LONGEST_TEXT: Final = 500
"""Characters of what was seen in one language (assumed: the longest reason of ours has about 400)."""
LONGEST_SUBJECT: Final = 120
NAMED: Final = 5
"""Portals, codes or criteria that a text names; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the evidence shows about an item."""

    text: Phrase  # what it means, the same for all items of one cause
    counted: Counted
    count: int
    first_utc: str = ""  # ISO 8601; empty where the evidence does not say it
    last_utc: str = ""
    figures: Phrase = NO_TEXT  # of this item alone
    rule: str = ""  # of an unproven journey: the rule that was not met, in the profile's words
    page: str = ""  # a saved page, relative to the sweep's folder; empty where none was saved

    @property
    def told(self) -> Phrase:
        """The text, with the figures behind it."""
        return joined("", [self.text, Phrase(*(f" ({each})" if each else "" for each in self.figures))])

    @property
    def when(self) -> Phrase:
        """First and last time by the clock of Viet Nam; empty where nothing says it."""
        if not self.first_utc:
            return NO_TEXT
        first, last = _clock(self.first_utc), _clock(self.last_utc or self.first_utc)
        if first == last:
            return first
        same_day = first.vi.partition(" ")[0] == last.vi.partition(" ")[0]  # 25/11/2026 22:05
        return joined(" – ", [first, same(last.vi.rpartition(" ")[2]) if same_day else last])

    @property
    def counted_text(self) -> Phrase:
        """The count, with what it counts."""
        return phrase(f"work.count.{self.counted}").filled(numeral(self.count, 0))


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Something that a person has to settle or should know before the scores of a sweep are published."""

    portal: str  # empty: it concerns the whole sweep
    name: Phrase  # of the portal
    kind: WorkKind
    subject: str  # journey, criterion, host, span of time or dossiers; empty where the kind says it all
    seen: Sighting
    who: Settler
    how: Phrase
    commands: tuple[ShellWords, ...]
    state: WorkState
    decided: Phrase = NO_TEXT  # of what is proposed or settled: as what, and by whom
    until: date | None = None  # None where it is not open, or the agency's own rule names no date
    touches: tuple[str, ...] = ()  # of the whole sweep: the portals that it concerns

    @property
    def portals(self) -> tuple[str, ...]:
        """Every portal that it concerns."""
        return (self.portal,) if self.portal else self.touches

    @property
    def blocks_final(self) -> bool:
        """Whether two persons still have to decide it, so that the portal's score cannot be final."""
        return self.who == "two_persons" and self.is_open

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in ("open", "proposed")

    def due(self, until: date | None) -> WorkItem:
        """The item with the date until which it is to be settled, where it is open."""
        return replace(self, until=until) if self.is_open else self


def sweep_item(
    kind: WorkKind, subject: str, seen: Sighting, who: Settler, how: str, portals: Iterable[str], state: WorkState,
    commands: Iterable[ShellWords] = (),
) -> WorkItem:  # fmt: skip
    """An item of the whole sweep. ``how``: a key of the phrases under ``work.how``; ``portals``: those that it concerns."""
    return WorkItem(
        "", phrase("work.whole_sweep"), kind, short_subject(subject), replace(seen, text=shortened(seen.text)), who, phrase(f"work.how.{how}"),
        tuple(commands), state, touches=tuple(portals),
    )  # fmt: skip


def _clock(utc: str) -> Phrase:
    """A moment by the clock of Viet Nam; a text that is no time stays as it is."""
    try:
        return moment_text(utc)
    except ValueError:
        return same(short_subject(utc))


def shortened(text: Phrase, most: int = LONGEST_TEXT) -> Phrase:
    """A text of bounded length: portals write parts of it."""
    return Phrase(_cut(text.vi, most), _cut(text.en, most))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def short_subject(text: str) -> str:
    """A subject of bounded length."""
    return _cut(text, LONGEST_SUBJECT)


def some(names: Sequence[str]) -> Phrase:
    """The first names of a list, and how many more there are."""
    shown = ", ".join(_cut(name, LONGEST_SUBJECT) for name in names[:NAMED])
    more = phrase("work.more").filled(str(len(names) - NAMED)) if len(names) > NAMED else NO_TEXT
    return Phrase(shown + more.vi, shown + more.en)
