"""Codes that a portal gave to several citizens: the steps that gave them do not count as successes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from harness.evidence import SweepFolder
from harness.records import VISIT_ROW, Outcome, read_ledger
from harness.visits.receipts import Duplicate, judge_receipts

SHARED_CODES = "shared_codes"
SHARED_PAYMENT_CODES = "shared_payment_codes"
"""The manifest's keys for dossiers and for payments: code → the visits that were given it."""


@dataclass(frozen=True, slots=True)
class Holders:
    """The visits of a run with a code that others were given too."""

    of_dossiers: frozenset[int] = frozenset()
    of_payments: frozenset[int] = frozenset()


def shared_codes(folder: SweepFolder, portal: str) -> dict[str, dict[str, list[int]]]:
    """Codes that several visits were given, by the ledger, under the manifest's keys."""
    found = judge_receipts(read_ledger(folder.ledger).of_portal(portal))
    return {SHARED_CODES: _visits(found.duplicates), SHARED_PAYMENT_CODES: _visits(found.paid_twice)}


def _visits(duplicates: tuple[Duplicate, ...]) -> dict[str, list[int]]:
    return {duplicate.code: [visit for _, visit in duplicate.visits] for duplicate in duplicates}


def holders(manifest: Mapping[str, Any]) -> Holders:
    """The visits whose codes are shared; manifests of an earlier version name none."""
    of_dossiers, of_payments = (
        frozenset(visit for visits in manifest.get(key, {}).values() for visit in visits) for key in (SHARED_CODES, SHARED_PAYMENT_CODES)
    )
    return Holders(of_dossiers, of_payments)


def as_failures(rows: pa.Table, held: Holders) -> pa.Table:
    """The rows as judged: the step that gave a shared code, and the end of its visit, have the outcome wrong_content."""
    steps = (("submit", held.of_dossiers), ("confirm_payment", held.of_payments))
    for step, visits in steps:
        if visits:
            rows = _fail(rows, step, visits)
    return rows


def _fail(rows: pa.Table, step: str, visits: frozenset[int]) -> pa.Table:
    outcome = pc.cast(rows["outcome"], pa.string())
    of_them = pc.is_in(rows["visit"], value_set=pa.array(sorted(visits), pa.int64()))
    given = pc.or_(pc.equal(pc.cast(rows["step"], pa.string()), step), pc.equal(rows["request"], VISIT_ROW))
    wrong = pc.and_(pc.and_(of_them, given), pc.equal(outcome, Outcome.OK.value))
    judged = pc.if_else(wrong, Outcome.WRONG_CONTENT.value, outcome)
    return rows.set_column(rows.column_names.index("outcome"), "outcome", pc.dictionary_encode(judged))
