"""Receipts: what portals acknowledged. Across all visits, they show codes given twice and dossiers that are lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from harness.records import LedgerLine

ReceiptKind = Literal["dossier", "payment", "withdrawal", "found", "missing"]


class Receipt(TypedDict):
    """One statement of a portal to one visit: it acknowledged something, or showed it again (found), or did not (missing)."""

    code: str
    kind: str  # a ReceiptKind
    step: str
    when_us: int  # of the worker's monotonic clock
    kept: NotRequired[dict[str, str | int | float]]  # values that a withdrawal needs; never a secret


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One dossier code that a portal gave to several visits."""

    portal: str
    code: str
    visits: tuple[tuple[str, int], ...]  # (run, visit), in order


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with the receipts of a sweep; both are empty where nothing is wrong."""

    duplicates: tuple[Duplicate, ...]
    lost: tuple[tuple[str, str], ...]  # (portal, code): acknowledged, looked up, and not shown


def judge_receipts(lines: Iterable[LedgerLine]) -> Findings:
    """Duplicates and losses among lines of a ledger, in any order."""
    given: dict[tuple[str, str], set[tuple[str, int]]] = {}
    missing: set[tuple[str, str]] = set()
    for line in lines:
        key = (line.portal, line.code)
        if line.kind == "dossier":
            given.setdefault(key, set()).add((line.run, line.visit))
        elif line.kind == "missing":
            missing.add(key)
    duplicates = tuple(Duplicate(*key, tuple(sorted(visits))) for key, visits in sorted(given.items()) if len(visits) > 1)
    return Findings(duplicates, tuple(sorted(key for key in missing if key in given)))
