"""What the nights of one table say: each night's common movement, and the nights of portals that stand out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.errors import visible
from harness.evidence.reasons import Language
from harness.publish.criterion_words import name_text
from harness.publish.history import SweepHistory, applied_to
from harness.publish.movement_text import movement_number, movement_text, night_change_text
from harness.publish.wording import Phrase, day_text, joined, phrase, same
from harness.scoring.common_movement import LEAST_PORTALS
from harness.scoring.night_changes import ChangesOverNights, changes_over_nights
from harness.statistics.metric import parse_metric


@dataclass(frozen=True, slots=True)
class MovementRow:
    """One criterion: what the portals moved in each night of the board; an empty text on the first night and where it was not measured."""

    criterion: str
    name: Phrase
    moved: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class NightBoard:
    """The nights of one table in words."""

    nights: tuple[str, ...]  # from the second on
    rows: tuple[MovementRow, ...]
    changes: tuple[Phrase, ...]
    too_few_nights: Phrase | None  # from which night on the change of one portal can be named, where there are fewer


def night_board(table: SweepHistory) -> NightBoard:
    """The board of a table."""
    over, names = changes_over_nights(table.sweeps), _names(table)
    nights = tuple(sorted({each.night for each in over.movements}))
    moved = {(each.criterion, each.night): movement_number(parse_metric(each.metric), each.movement) for each in over.movements}
    criteria = dict.fromkeys(each.criterion for each in over.movements)
    rows = tuple(MovementRow(each, names[each], tuple(moved.get((each, night), same("")) for night in nights)) for each in criteria)
    too_few = phrase("nights.fewest").filled(str(over.fewest_nights)) if len(nights) + 1 < over.fewest_nights else None
    return NightBoard(nights, rows, tuple(_changes(table, over)), too_few)


def movement_note() -> Phrase:
    """What the numbers of the common movement mean, and how it is treated."""
    return phrase("nights.movement_how").filled(str(LEAST_PORTALS))


def nights_in_lines(tables: Sequence[SweepHistory], portals: Sequence[str], language: Language) -> Iterator[str]:
    """For a terminal: each movement that was taken out, and each night that stands out of the named portals or all."""
    for table in tables:
        over, names = changes_over_nights(table.sweeps), _names(table)
        for each in over.movements:
            if each.movement.kind != "none":
                moved = movement_text(parse_metric(each.metric), each.movement)
                yield visible(joined(": ", [day_text(each.night), names[each.criterion], moved]).into(language))
        if any(each.movement.kind == "none" for each in over.movements):
            yield phrase("nights.not_taken_out").filled(str(LEAST_PORTALS)).into(language)
        for words in _changes(table, over, portals):
            yield visible(words.into(language))


def night_facts(tables: Sequence[SweepHistory]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """For a row of ``harness nights --json``: what the portals moved in common in its night, and its portal's changes from this night on."""
    over = {table.criteria_set: changes_over_nights(table.sweeps) for table in tables}

    def of_row(row: Mapping[str, Any]) -> dict[str, Any]:
        found = over[applied_to(row)]
        moved = [{"criterion": each.criterion, **asdict(each.movement)} for each in found.movements if each.night == row["night"]]
        changes = [asdict(each) for each in found.changes if (each.portal, each.night) == (row["portal"], row["night"])]
        return {"common_movement": moved, "changes": changes}

    return of_row


def _changes(table: SweepHistory, over: ChangesOverNights, portals: Sequence[str] = ()) -> Iterator[Phrase]:
    of_portals, names = {each.portal: name_text(each.name_vi, each.name_en) for each in table.portals}, _names(table)
    for each in over.changes:
        if not portals or each.portal in portals:
            yield joined(": ", [of_portals[each.portal], day_text(each.night), names[each.criterion], night_change_text(each)])


def _names(table: SweepHistory) -> dict[str, Phrase]:
    return {each.id: name_text(each.name_vi, each.name_en) for sweep in table.sweeps for card in sweep.scorecards for each in card.criteria}
