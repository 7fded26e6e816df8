"""The worklist on a terminal or in a pipe: counts by kind, then the items."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from harness.errors import visible
from harness.evidence.reasons import Language
from harness.publish.scoreboard import print_heading
from harness.publish.terminal import TableColumn, in_languages, print_table, print_text
from harness.publish.wording import Phrase, day_text, joined, numeral, phrase, same
from harness.publish.work_item import NO_TEXT, STATES, WorkItem, WorkKind
from harness.publish.worklist import counts_of
from harness.scoring.scorecard import SweepScores

_INDENT: Final = 3


def print_worklist(
    scores: SweepScores, items: Sequence[WorkItem], until: date | None, console: Console, languages: Sequence[Language], folder: str
) -> None:
    """Prints counts by kind, then each item: what was seen, who settles it, how, and by when. A command stays on one line.

    Texts that several items share are printed with the first of them only: what the figures mean, and how it is settled.
    """
    print_heading(scores, console, languages, " · ".join(phrase("work.title").into(language) for language in languages))
    if not items:
        print_text(console, phrase("work.none"), languages)
        return
    print_text(console, summary_text(items), languages)
    print_text(console, joined(" ", [until_text(until), phrase("work.clock")]), languages)
    _print_counts(items, console, languages)
    meant: dict[Phrase, int] = {}
    ways: dict[tuple[WorkKind, Phrase], int] = {}
    for number, item in enumerate(items, start=1):
        seen, way = meant.setdefault(item.seen.text, number), ways.setdefault((item.kind, item.how), number)
        told = item.seen.told if seen == number or not item.seen.figures.en else item.seen.figures
        how = item.how if way == number else phrase("work.as_item").filled(str(way))
        _print_item(number, item, (told, how), console, languages, folder)


def summary_text(items: Sequence[WorkItem]) -> Phrase:
    """How many items there are, by what is to be done about them."""
    counts = (
        sum(item.is_open for item in items), sum(item.blocks_final for item in items), sum(item.state == "settled" for item in items),
        sum(item.state == "for_information" for item in items),
    )  # fmt: skip
    return phrase("work.summary").filled(*(numeral(count, 0) for count in counts))


def until_text(until: date | None) -> Phrase:
    """The date until which open items are to be settled, by the agency's own rule."""
    return phrase("work.no_rule") if until is None else phrase("work.until").filled(day_text(until.isoformat()))


def state_text(item: WorkItem) -> Phrase:
    """The state, and the date where it has one."""
    due = [phrase("work.until.short").filled(day_text(item.until.isoformat()))] if item.until is not None else []
    blocks = [phrase("work.blocks")] if item.blocks_final else []
    return joined("; ", [phrase(f"work.{item.state}"), *blocks, *due])


def _print_counts(items: Sequence[WorkItem], console: Console, languages: Sequence[Language]) -> None:
    columns = [
        TableColumn(in_languages(phrase("work.kind"), languages)),
        *(TableColumn(in_languages(phrase(f"work.{state}"), languages), is_right=True) for state in STATES),
    ]
    rows = [
        [in_languages(phrase(f"work.{kind}"), languages), *(Text(str(counts[state]) if counts[state] else "–") for state in STATES)]
        for kind, counts in counts_of(items).items()
    ]
    print_table(console, columns, rows)


def _print_item(
    number: int, item: WorkItem, words: tuple[Phrase, Phrase], console: Console, languages: Sequence[Language], folder: str
) -> None:
    """``words``: what was seen and how it is settled, as far as no item before says it."""
    told, how = words
    subject = [same(item.subject)] if item.subject not in ("", item.kind) else []
    head = joined(" · ", [joined(": ", [_portal(item), phrase(f"work.{item.kind}")]), *subject, state_text(item)])
    page = same(f"{folder}/{item.seen.page}") if item.seen.page else NO_TEXT
    counted = item.seen.counted_text if item.seen.count else NO_TEXT
    seen = [told, _joined("; ", (same(item.seen.rule), counted, item.seen.when, page))]
    lines = [*(text for text in seen if text.vi), _joined(". ", (item.decided,)), joined(": ", [phrase(f"work.{item.who}"), how])]
    say = _printer(console)
    for language in languages:
        say(f"{number}. {head.into(language)}", "bold" if item.is_open else "", 0)
        for line in lines:
            if line.into(language):
                say(line.into(language), "", _INDENT)
    for command in item.commands:
        console.out(
            " " * _INDENT + visible(shlex.join(["harness", *command])), highlight=False, style="cyan" if console.is_terminal else None
        )


def _printer(console: Console) -> Callable[[str, str, int], None]:
    """Prints a line with an indent, wrapped at a terminal's width only."""

    def say(text: str, style: str, indent: int) -> None:
        if console.is_terminal:
            console.print(Padding(Text(visible(text), style=style), (0, 0, 0, indent), expand=False))
        else:
            console.out(" " * indent + visible(text), highlight=False)

    return say


def _portal(item: WorkItem) -> Phrase:
    return joined("", [item.name, same(f" ({item.portal})" if item.portal else "")])


def _joined(between: str, parts: Sequence[Phrase]) -> Phrase:
    """The texts that are not empty, one after the other."""
    return joined(between, [part for part in parts if part.vi or part.en])
