"""An operator's own count of dossiers and payments, read from a file or address; all mistakes are reported at once."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.errors import Problem, UsageError
from harness.operations.supplied.endpoint import endpoint, fetch, shown_as

KINDS = ("dossier", "payment")
_TOTALS = {"dossier": "dossiers", "payment": "payments"}
_SHAPE = "columns portal,code[,kind] or portal,dossiers[,payments]; or JSON of the same, or as the simulator's /counts has it"


@dataclass
class OutsideCount:
    """The operator's count of one kind at one portal: codes, or only a total."""

    total: int = 0
    codes: list[str] | None = None
    duplicates: int = 0  # where only totals are known: rows minus distinct codes

    def add(self, code: str) -> None:
        """Count one more code."""
        self.codes = [] if self.codes is None else self.codes
        self.codes.append(code)
        self.total += 1


OutsideCounts = dict[tuple[str, str], OutsideCount]
"""Counts by portal and kind."""


@dataclass
class _Found:
    """The counts read so far, and the mistakes."""

    where: str
    counts: OutsideCounts = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, key: str, value: object, expected: str, line: int = 0) -> None:
        self.problems.append(Problem(self.where, key, repr(value), expected, "Mend the file; nothing was compared.", line))

    def code(self, portal: Any, code: Any, kind: Any, line: int = 0, at: str = "") -> None:
        kind = kind or "dossier"
        if not self._named(portal, line, at):
            return
        if not isinstance(code, str) or not code.strip():
            self.wrong(f"{at}code", code, "the code that the portal gave", line)
        elif kind not in KINDS:
            self.wrong(f"{at}kind", kind, f"one of {', '.join(KINDS)}", line)
        elif (held := self.counts.get((portal.strip(), kind))) is not None and held.codes is None:
            self.wrong(f"{at}code", code, f"codes or totals for {portal}, not both", line)
        else:
            self.counts.setdefault((portal.strip(), kind), OutsideCount()).add(code.strip())

    def total(self, portal: Any, kind: str, value: Any, line: int = 0, at: str = "", duplicates: Any = 0) -> None:
        if not self._named(portal, line, at):
            return
        number = _whole(value)
        if number is None:
            self.wrong(f"{at}{_TOTALS[kind]}", value, "a whole number from 0", line)
        elif (portal.strip(), kind) in self.counts:
            self.wrong(f"{at}portal", portal, "each portal once", line)
        else:
            self.counts[portal.strip(), kind] = OutsideCount(number, None, _whole(duplicates) or 0)

    def _named(self, portal: Any, line: int, at: str) -> bool:
        if isinstance(portal, str) and portal.strip():
            return True
        self.wrong(f"{at}portal", portal, "the id of a portal", line)
        return False


def outside_count(where: str, catalog: Catalog, moment: datetime) -> OutsideCounts:
    """The count in a file or at an address. Raises UsageError for unusable input, AuthorisationError, EvidenceError."""
    if "://" in where:
        target = endpoint(where, catalog, moment, option="--truth")
        return _read(fetch(target, what="a count as CSV or JSON").text, shown_as(target))
    try:
        text = Path(where).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        expected = "an http or https address, or a UTF-8 file of CSV or JSON"
        raise UsageError(Problem("command line", "--truth", f"{where} ({error})", expected, "Check the path.")) from error
    return _read(text, where)


def _read(text: str, where: str) -> OutsideCounts:
    found = _Found(where)
    if text.lstrip()[:1] in ("{", "["):
        _read_json(text, found)
    else:
        _read_csv(text.removeprefix("\ufeff"), found)
    if not found.problems and not found.counts:
        found.wrong("content", text[:60], _SHAPE, 1)
    if found.problems:
        raise UsageError(*found.problems)
    return found.counts


def _read_csv(text: str, found: _Found) -> None:
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in head and "," not in head else ",", strict=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    read = _row_reader(columns, found)
    if read is None:
        found.wrong("columns", head.strip()[:120], _SHAPE, 1)
        return
    try:
        for row in reader:
            read(row, reader.line_num, "")
    except csv.Error as error:
        found.wrong("line", str(error), "CSV", reader.line_num)


def _row_reader(columns: Any, found: _Found) -> Callable[[Mapping[str, Any], int, str], None] | None:
    """The reader of rows with these columns; None where they fit neither shape."""
    if "portal" not in columns or ("code" in columns) == ("dossiers" in columns):
        return None
    if "code" in columns:
        return lambda row, line, at: found.code(row["portal"], row["code"], row.get("kind"), line, at)

    def totals(row: Mapping[str, Any], line: int, at: str) -> None:
        for kind, name in _TOTALS.items():
            if name in columns:
                found.total(row["portal"], kind, row.get(name), line, at)

    return totals


def _read_json(text: str, found: _Found) -> None:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        found.wrong("content", error.msg, "JSON", error.lineno)
        return
    entries = data.items() if isinstance(data, dict) else enumerate(data)
    for name, entry in entries:
        if isinstance(data, list):
            read = _row_reader(entry, found) if isinstance(entry, dict) else None
            if read is None:
                found.wrong(f"[{name}]", entry, "an object with portal and code, or portal and dossiers")
            else:
                read(entry, 0, f"[{name}].")
        elif isinstance(entry, list):
            for number, code in enumerate(entry):
                given = code if isinstance(code, dict) else {"code": code}
                found.code(name, given.get("code"), given.get("kind"), 0, f"{name}[{number}].")
        elif isinstance(entry, dict) and "dossiers" in entry:
            found.total(name, "dossier", entry["dossiers"], 0, f"{name}.", entry.get("duplicates", 0))
            if "payments" in entry:
                paid = entry["payments"]
                found.total(name, "payment", paid.get("paid") if isinstance(paid, dict) else paid, 0, f"{name}.")
        elif not isinstance(entry, dict):
            found.total(name, "dossier", entry, 0, f"{name}.")
        elif "requests" not in entry:  # /counts lists identity provider and gateway too
            found.wrong(str(name), entry, "dossiers, and payments where they were counted")


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def counts_at(counts: OutsideCounts, portal: str) -> Iterator[tuple[str, OutsideCount]]:
    """The counts of one portal, dossiers first."""
    return ((kind, counts[portal, kind]) for kind in KINDS if (portal, kind) in counts)
