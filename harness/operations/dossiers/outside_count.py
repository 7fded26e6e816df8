"""An operator's own count of dossiers and payments, read from a file or address; all mistakes are reported at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.catalog import Catalog
from harness.catalog.csv_file import read_csv_text, whole_number
from harness.catalog.json_file import read_json_text
from harness.catalog.text_file import required_text
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


OutsideCounts = dict[tuple[str, str], OutsideCount]
"""Counts by portal and kind."""


def outside_count(where: str, catalog: Catalog, moment: datetime) -> OutsideCounts:
    """The count in a file or at an address. Raises UsageError for unusable input, AuthorisationError, EvidenceError."""
    if "://" in where:
        target = endpoint(where, catalog, moment, option="--truth")
        return _read(fetch(target, what="a count as CSV or JSON").text, shown_as(target))
    return _read(required_text(where, "an http or https address, or a file of CSV or JSON", option="--truth"), where)


def _read(text: str, where: str) -> OutsideCounts:
    found = _Found(where)
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("{", "["):
        found.read_json(text)
    else:
        found.read_csv(text)
    if not found.problems and not found.counts:
        found.wrong("content", text[:60], _SHAPE, 1)
    if found.problems:
        raise UsageError(*found.problems)
    return found.counts


@dataclass
class _Found:
    """The counts read so far, and the mistakes."""

    where: str
    counts: OutsideCounts = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, key: str, value: object, expected: str, line: int = 0) -> None:
        self.problems.append(Problem(self.where, key, repr(value), expected, "Mend the file; nothing was compared.", line))

    def read_csv(self, text: str) -> None:
        table = read_csv_text(text, self.where, self.problems, may_be_empty=True) if text.strip() else None
        if table is None or not _fits(table.columns):
            if not self.problems:
                head = text.strip().partition("\n")[0].strip()[:120]
                separated = f"; found are {table.header}" if table is not None else ""
                self.wrong("columns", head, f"{_SHAPE}{separated}", 1)
            return
        for line, row in table.numbered:
            self.add(row, line=line)

    def read_json(self, text: str) -> None:
        data = read_json_text(text, self.where, self.problems)
        if self.problems:
            return
        if isinstance(data, list):
            for number, entry in enumerate(data):
                if isinstance(entry, dict) and _fits(entry):
                    self.add(entry, at=f"[{number}].")
                else:
                    self.wrong(f"[{number}]", entry, "an object with portal and code, or portal and dossiers")
            return
        for portal, entry in data.items():
            if isinstance(entry, list):
                for number, code in enumerate(entry):
                    self.add({**(code if isinstance(code, dict) else {"code": code}), "portal": portal}, at=f"{portal}[{number}].")
            elif not isinstance(entry, dict):
                self.add({"portal": portal, "dossiers": entry}, at=f"{portal}.")
            elif "dossiers" in entry:
                paid = entry.get("payments")
                payments = {"payments": paid.get("paid") if isinstance(paid, dict) else paid} if "payments" in entry else {}
                self.add({**entry, **payments, "portal": portal}, at=f"{portal}.")
            elif "requests" not in entry:  # /counts lists identity provider and gateway too
                self.wrong(str(portal), entry, "dossiers, and payments where they were counted")

    def add(self, row: Mapping[str, Any], *, line: int = 0, at: str = "") -> None:
        """Count a row of codes, or of totals; ``at`` says where it is in JSON."""
        portal = row["portal"]
        if not isinstance(portal, str) or not portal.strip():
            self.wrong(f"{at}portal", portal, "the id of a portal", line)
        elif "dossiers" not in row:
            self._add_code(portal.strip(), row.get("code"), row.get("kind") or "dossier", line, at)
        else:
            for kind, name in _TOTALS.items():
                if name in row:
                    self._add_total(portal.strip(), kind, row, line, at)

    def _add_code(self, portal: str, code: object, kind: str, line: int, at: str) -> None:
        if not isinstance(code, str) or not code.strip():
            self.wrong(f"{at}code", code, "the code that the portal gave", line)
        elif kind not in KINDS:
            self.wrong(f"{at}kind", kind, f"one of {', '.join(KINDS)}", line)
        elif (held := self.counts.setdefault((portal, kind), OutsideCount(codes=[]))).codes is None:
            self.wrong(f"{at}code", code, f"codes or totals for {portal}, not both", line)
        else:
            held.codes.append(code.strip())
            held.total += 1

    def _add_total(self, portal: str, kind: str, row: Mapping[str, Any], line: int, at: str) -> None:
        number = _whole(row[_TOTALS[kind]])
        if number is None:
            self.wrong(f"{at}{_TOTALS[kind]}", row[_TOTALS[kind]], "a whole number from 0, digits only", line)
        elif (portal, kind) in self.counts:
            self.wrong(f"{at}portal", portal, "each portal once", line)
        else:
            duplicates = _whole(row.get("duplicates") or 0) if kind == "dossier" else 0
            if duplicates is None:
                self.wrong(f"{at}duplicates", row["duplicates"], "a whole number from 0, digits only", line)
            self.counts[portal, kind] = OutsideCount(number, None, duplicates or 0)


def _fits(columns: Collection[str]) -> bool:
    """Whether rows with these names are of one of the two shapes."""
    return "portal" in columns and ("code" in columns) != ("dossiers" in columns)


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        return whole_number(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
