"""The tables of docs/reference/: names and figures as the program has them, and beside each name what a person wrote about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from harness.catalog.criteria import plain_number
from harness.catalog.criteria_set import CriteriaSet
from harness.evidence import Reason, reasons
from harness.evidence.parquet import SERVER_TIMINGS
from harness.operations.dossiers import operators_list
from harness.operations.shipped import shipped_catalog
from harness.operations.supplied.operator_files import MAINTENANCE_COLUMNS
from harness.publish import history, tables
from harness.publish.criterion_words import curve_text
from harness.publish.exports import totals_table
from harness.publish.step_table import SCHEMA
from harness.publish.wording import PHRASES
from harness.records import COLUMNS
from harness.records.server_timing import SERVER_TIMING_COLUMNS
from harness.scoring.efficiency import CSV_COLUMNS
from harness.scoring.evaluation import Totals
from harness.scoring.named_change import ChangeWord
from harness.statistics.metric import FigureName, Metric
from tests.docs.tables import tables_in

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
_CODES = ("reason", "in English", "in Vietnamese")
_BLOCK = re.compile(r"<!-- table: (?P<name>[^\n]*?) -->\n(?P<table>.*?)<!-- end -->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ReferenceTable:
    """One table: its heads, the program's cells of each row (the first one is the name), and the heads of what a person writes."""

    name: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    written: tuple[str, ...] = ()

    def printed(self, before: str) -> str:
        """The table in Markdown; what was written about a name in the table ``before`` stays beside it."""
        kept = {row[self.heads[0]]: row for row in rows_of(before)}
        lines = [self.heads + self.written, ("---",) * len(self.heads + self.written)]
        lines += [(*row, *(kept.get(row[0], {}).get(head, "") for head in self.written)) for row in self.rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def undocumented(self, shown: str) -> list[str]:
        """The names that a table in Markdown does not have, or about which nobody has written anything."""
        there = {row[self.heads[0]]: row for row in rows_of(shown)}
        return [row[0] for row in self.rows if row[0] not in there or not all(there[row[0]].get(head) for head in self.written)]


def rows_of(table: str) -> Iterator[Mapping[str, str]]:
    """The rows of a table in Markdown, each by the table's heads."""
    for heads, *rows in tables_in(table):
        for row in rows:
            yield dict(zip(heads, row, strict=False))


def tables_of(page: str) -> dict[str, str]:
    """The tables of a page by name."""
    return {found["name"]: found["table"] for found in _BLOCK.finditer(page)}


def regenerated_tables(page: str, known: Mapping[str, ReferenceTable]) -> str:
    """The page with every table as the program has it now; KeyError for one that the program does not have."""
    return _BLOCK.sub(lambda found: f"<!-- table: {found['name']} -->\n{known[found['name']].printed(found['table'])}<!-- end -->", page)


def reference_tables() -> dict[str, ReferenceTable]:
    """Every table by name."""
    return {table.name: table for table in (*_columns(), *_reasons(), *_criteria(), _figures())}


def _named(name: str, columns: tuple[str, ...]) -> ReferenceTable:
    return ReferenceTable(name, ("column",), tuple((f"`{column}`",) for column in columns), ("meaning",))


def _columns() -> Iterator[ReferenceTable]:
    typed = ("column", "type", "unit")
    yield ReferenceTable("samples", typed, tuple((f"`{name}`", kind, unit) for name, kind, unit in COLUMNS), ("meaning",))
    assert [name for name, _, _ in SERVER_TIMING_COLUMNS] == SERVER_TIMINGS.schema.names
    yield ReferenceTable(
        "server_timing", typed, tuple((f"`{name}`", kind, unit) for name, kind, unit in SERVER_TIMING_COLUMNS), ("meaning",)
    )
    steps = tuple((f"`{field.name}`", str(field.type).partition("<")[0]) for field in SCHEMA)
    yield ReferenceTable("steps.parquet", ("column", "type"), steps, ("meaning",))
    yield _named("scores.csv", (*tables._SWEEP, *tables._PORTAL, "row", *tables._CRITERION, "points_assessed_max", "publication"))
    yield _named("nights.csv", history._COLUMNS)
    yield _named("totals.csv", totals_table(Totals(rule="lower", systems=(), distribution=(), unknown=())).columns)
    yield _named("not-withdrawn.csv", operators_list._COLUMNS)
    yield _named("servers.csv", CSV_COLUMNS)
    yield _named("maintenance.csv", MAINTENANCE_COLUMNS)


def _reasons() -> Iterator[ReferenceTable]:
    of_runs = tuple((f"`{code}`", *(reasons.text(Reason(code), language) for language in ("en", "vi"))) for code in sorted(reasons.CODES))
    yield ReferenceTable("reasons", _CODES, of_runs, ("whose fault", "what follows"))
    because = sorted(name.removeprefix("because.") for name in PHRASES if name.startswith("because."))
    yield ReferenceTable("criteria without points", _CODES, _phrases("because", because), ("what to do",))
    words = sorted(ChangeWord)
    yield ReferenceTable("words for changes", ("word", *_CODES[1:]), _phrases("change.word", words), ("means",))
    lacking = sorted(name.removeprefix("change.lacking.") for name in PHRASES if name.startswith("change.lacking."))
    yield ReferenceTable("not compared", _CODES, _phrases("change.lacking", lacking), ("what to do",))


def _phrases(group: str, codes: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Codes with their phrases in both languages; the placeholder of a figure is shown as …"""
    found = ((code, PHRASES[f"{group}.{code}"]) for code in codes)
    return tuple((f"`{code}`", words.en.replace("{}", "…"), words.vi.replace("{}", "…")) for code, words in found)


def _criteria() -> Iterator[ReferenceTable]:
    for identity, each in shipped_catalog(None).criteria.items():
        if "@" in identity:
            yield _criteria_of(identity, each)


def _criteria_of(identity: str, criteria: CriteriaSet) -> ReferenceTable:
    rows = tuple(
        (
            f"`{each.id}`",
            each.name_en,
            plain_number(each.points.value),
            f"`{each.metric}`" + ("" if each.over == "median_window" else ", mean of windows"),
            str(each.select).replace("; the portal's own time", ""),
            curve_text(str(each.curve), each.parsed.unit).en,
            f"{each.quota.windows} windows, {each.quota.n} in each" + (f", {each.quota.nights} nights" if each.quota.nights > 1 else ""),
            each.basis,
        )
        for each in criteria.criteria
    )
    return ReferenceTable(identity, ("criterion", "name", "points", "metric", "of what", "curve", "needs", "basis"), rows)


def _figures() -> ReferenceTable:
    figures = tuple((f"`{name}`", Metric(name).unit, "more" if Metric(name).higher_is_better else "less") for name in get_args(FigureName))
    return ReferenceTable("figures", ("figure", "unit", "what is better"), figures, ("written as", "meaning"))
