"""Receipts: what portals acknowledged. Across all visits, they show codes given twice and dossiers that are lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from harness.records import LedgerLine

ReceiptKind = Literal["dossier", "payment", "withdrawal", "found", "missing"]


class Receipt(TypedDict):
    """One statement of a portal to one visit. It acknowledged something, showed it when it was looked up (found), or did not (missing)."""

    code: str
    kind: str  # a ReceiptKind
    step: str
    when_us: int  # of the worker's monotonic clock
    kept: NotRequired[dict[str, str | int | float]]  # values that a withdrawal needs; never a secret


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One code that a portal gave to several visits, for a dossier or for a payment."""

    portal: str
    code: str
    visits: tuple[tuple[str, int], ...]  # (run, visit), in order


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with the receipts of a sweep; all are empty where nothing is wrong."""

    duplicates: tuple[Duplicate, ...]
    lost: tuple[tuple[str, str], ...]  # (portal, code): acknowledged, looked up, and not shown
    paid_twice: tuple[Duplicate, ...] = ()  # without the payments of dossiers whose own code was given twice


_Visits = dict[tuple[str, str], set[tuple[str, int]]]
"""By portal and code, the visits that were given it: (run, visit)."""


def judge_receipts(lines: Iterable[LedgerLine]) -> Findings:
    """Duplicates and losses among lines of a ledger, in any order."""
    given: _Visits = {}
    paid: _Visits = {}
    missing: set[tuple[str, str]] = set()
    for line in lines:
        key = (line.portal, line.code)
        if line.kind == "dossier":
            given.setdefault(key, set()).add((line.run, line.visit))
        elif line.kind == "payment":
            paid.setdefault(key, set()).add((line.run, line.visit))
        elif line.kind == "missing":
            missing.add(key)
    duplicates = _given_twice(given)
    of_dossiers = {(each.portal, each.code) for each in duplicates}
    paid_twice = tuple(each for each in _given_twice(paid) if (each.portal, each.code) not in of_dossiers)
    return Findings(duplicates, tuple(sorted(key for key in missing if key in given)), paid_twice)


def _given_twice(given: _Visits) -> tuple[Duplicate, ...]:
    return tuple(Duplicate(*key, tuple(sorted(visits))) for key, visits in sorted(given.items()) if len(visits) > 1)
