"""The changes from one sweep to another, as a table for each portal: criteria, then steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from harness.errors import visible
from harness.evidence.reasons import Language
from harness.publish.change_parts import print_parts
from harness.publish.change_text import (
    detail_text,
    effect_text,
    interval_text_of,
    missing_text,
    name_text_of,
    obstacle_text,
    p_text,
    place_text_of,
    value_of,
    void_text,
    word_text,
)
from harness.publish.criterion_words import metric_text, name_text
from harness.publish.movement_text import movement_text
from harness.publish.scoreboard import number_language
from harness.publish.terminal import TableColumn, in_languages, print_line, print_table, print_text
from harness.publish.value_text import quantity
from harness.publish.wording import LANGUAGES, Phrase, joined, phrase, same, worded
from harness.scoring import FEW_PORTALS, Change, ChangeWord, Comparison, MissingValues, WhyMissing
from harness.scoring.named_change import MeasureMovement
from harness.statistics.metric import parse_metric

_STYLES: Final = {
    ChangeWord.WORSE: "bold red",
    ChangeWord.BETTER: "bold green",
    ChangeWord.SPREAD_CHANGED: "yellow",
    ChangeWord.TINY: "",
    ChangeWord.NOT_SIGNIFICANT: "dim",
    ChangeWord.CANNOT_TELL: "magenta",
}
_OF_NOTE: Final = (ChangeWord.WORSE, ChangeWord.BETTER, ChangeWord.SPREAD_CHANGED, ChangeWord.TINY)
"""Where many portals are compared, only rows with these words are shown."""
_MOST_NAMED: Final = 5
"""Portals that a line names; the others are counted (assumed: more do not fit on a line)."""

_ONE_SWEEP_ONLY: Final = (WhyMissing.NOT_BEFORE, WhyMissing.NOT_AFTER)


def print_changes(found: Comparison, console: Console, languages: Sequence[Language] = LANGUAGES) -> None:
    """Prints how many changes were named, a table for each portal, and what limits them.

    Up to ``FEW_PORTALS`` portals have all their rows; of more only rows that say something are shown, and the rest is counted.
    """
    rows = [*found.changes, *found.steps]
    absent = [each for each in found.missing if each.criterion and each.why in _ONE_SWEEP_ONLY]
    missing = [each for each in found.missing if each not in absent]
    portals = {each.portal for each in rows} | {each.portal for each in missing}
    few = len(portals) <= FEW_PORTALS
    print_parts(found, console, languages)
    _print_conclusion(found, console, languages)
    for moved in _movements(found):
        print_text(console, moved, languages)
    for said in (*map(obstacle_text, found.obstacles), *map(void_text, found.void_windows)):
        print_text(console, said, languages, "bold yellow")
    for load in found.other_loads:
        words = phrase("changes.other_load").filled(load.portal, phrase(f"stage.{load.stage}"), _rate(load.before), _rate(load.after))
        print_text(console, words, languages, "bold yellow")
    shown = [each for each in rows if few or each.word in _OF_NOTE]
    for portal in sorted(portals):
        of_portal = [each for each in shown if each.portal == portal]
        _print_portal(portal, of_portal, [each for each in missing if few and each.portal == portal], console, languages)
    print_line(console, "")
    for note in _notes(found, absent, few=few):
        print_text(console, note, languages)


def _print_conclusion(found: Comparison, console: Console, languages: Sequence[Language]) -> None:
    named, all_rows = len(found.regressions) + len(found.improvements), len(found.changes) + len(found.steps)
    conclusion = phrase("changes.named").filled(str(named), str(all_rows), str(len(found.missing)))
    print_text(console, conclusion, languages, "bold")
    counted = [(len(found.of_word(word)), word_text(word)) for word in ChangeWord]
    if all_rows:
        print_text(console, joined(" · ", [joined(": ", [word, same(str(count))]) for count, word in counted if count]), languages)


def _rate(per_s: float) -> Phrase:
    return worded(lambda language: quantity(per_s, "", language))


def _movements(found: Comparison) -> Iterator[Phrase]:
    """What comparable portals moved in common on each criterion, and on each step that has a row of note."""
    taken_out = [each for each in found.movements if each.movement.kind != "none"]
    of_note = {_figure(change) for change in found.steps if change.word in _OF_NOTE}
    for each in taken_out:
        if not each.criterion and _figure(each) not in of_note:
            continue
        name = name_text(each.name_vi, each.name_en) if each.criterion else _step_name(each)
        yield joined(": ", [name, movement_text(parse_metric(each.metric), each.movement)])


def _figure(each: Change | MeasureMovement) -> tuple[str, ...]:
    return each.stage, each.journey, each.goal, each.step, each.metric


def _step_name(each: MeasureMovement) -> Phrase:
    parts = [phrase(f"stage.{each.stage}"), phrase(f"journey.{each.journey}"), phrase(f"step.{each.step}"), metric_text(each.metric)]
    return joined(" · ", parts)


def _print_portal(
    portal: str, changes: Sequence[Change], missing: Sequence[MissingValues], console: Console, languages: Sequence[Language]
) -> None:
    if not changes and not missing:
        return
    print_line(console, "")
    print_line(console, portal, "bold")
    reasons = {missing_text(each) for each in missing}
    if not changes and len(reasons) == 1:
        print_text(console, joined(": ", [word_text(ChangeWord.CANNOT_TELL), *reasons]), languages, _STYLES[ChangeWord.CANNOT_TELL])
        return
    stages = {each.stage for each in changes} | {each.stage for each in missing}
    for stage in sorted(stages):  # criteria have none, and stand first
        if stage:
            print_line(console, "")
            print_text(console, phrase(f"stage.{stage}"), languages, "dim")
        _print_rows([each for each in changes if each.stage == stage], console, languages)
        for each in missing:
            if each.stage == stage:
                print_text(console, _not_compared(each), languages, _STYLES[ChangeWord.CANNOT_TELL])


def _not_compared(missing: MissingValues) -> Phrase:
    place = [] if missing.criterion else [place_text_of(missing)]
    return joined(": ", [*place, name_text_of(missing), word_text(ChangeWord.CANNOT_TELL), missing_text(missing)])


def _print_rows(changes: Sequence[Change], console: Console, languages: Sequence[Language]) -> None:
    """A table of changes that are all of criteria, or all of steps."""
    if not changes:
        return
    title = phrase("report.criterion" if changes[0].criterion else "change.step")
    names = ("before", "after", "effect", "p", "word")
    columns = [TableColumn(in_languages(title, languages))]
    columns += [TableColumn(in_languages(phrase(f"change.{name}"), languages), is_right=name not in {"effect", "word"}) for name in names]
    print_table(console, columns, [[*_row(each, languages)] for each in changes])


def _row(change: Change, languages: Sequence[Language]) -> Iterator[Text]:
    numbers = number_language(languages)
    yield _above(name_text_of(change), place_text_of(change), languages)
    for value in (change.before, change.after):
        yield Text(value_of(change, value, numbers))
    yield Text(effect_text(change, numbers)).append(f"\n{interval_text_of(change, numbers)}", style="dim")
    yield Text(p_text(change.adjusted_p_value, numbers))
    yield _above(word_text(change.word), detail_text(change), languages, _STYLES[change.word])


def _above(first: Phrase, second: Phrase, languages: Sequence[Language], style: str = "") -> Text:
    """A text, and dimmed below it another where there is one."""
    text = in_languages(first, languages, style)
    return text.append("\n").append_text(in_languages(second, languages, "not bold dim")) if second.en else text


def _notes(found: Comparison, absent: Sequence[MissingValues], *, few: bool) -> Iterator[Phrase]:
    """What the table leaves out, and how it is to be read."""
    rows = (*found.changes, *found.steps)
    if not few:
        yield phrase("changes.of_note")
    if any(None in (each.before, each.after, each.effect, *each.interval) for each in rows):
        yield phrase("changes.infinite")
    if found.pairs < found.fewest_pairs:
        yield phrase("changes.too_few").filled(str(found.pairs), str(found.fewest_pairs))
    for why in _ONE_SWEEP_ONLY:
        portals = list(dict.fromkeys(visible(each.portal) for each in absent if each.why is why))
        if portals:
            more = [phrase("changes.more").filled(str(len(portals) - _MOST_NAMED))] if len(portals) > _MOST_NAMED else []
            listed = joined("", [same(", ".join(portals[:_MOST_NAMED])), *more])
            yield phrase(f"changes.portals.{why.name.lower()}").filled(listed)
    if found.movements and all(each.movement.kind == "none" for each in found.movements):
        most = max(found.movements, key=lambda each: each.movement.portals)
        yield movement_text(parse_metric(most.metric), most.movement)
    if found.why_no_steps is not None:
        yield phrase(f"changes.no_steps.{found.why_no_steps.name.lower()}")
    if rows:
        yield phrase("changes.meaning")
