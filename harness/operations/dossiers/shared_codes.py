"""Dossier codes that a portal gave to several citizens: their submissions do not count as successes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from harness.evidence import SweepFolder
from harness.records import VISIT_ROW, Outcome, read_ledger
from harness.visits.receipts import judge_receipts

SHARED_CODES = "shared_codes"
"""The manifest's key: code → the visits that were given it."""


def shared_codes(folder: SweepFolder, portal: str) -> dict[str, list[int]]:
    """Codes that several visits were given, by the ledger: code → those visits."""
    found = judge_receipts(read_ledger(folder.ledger).of_portal(portal))
    return {duplicate.code: [visit for _, visit in duplicate.visits] for duplicate in found.duplicates}


def holders(manifest: Mapping[str, Any]) -> frozenset[int]:
    """The visits of a run with a code that others were given too; manifests of an earlier version name none."""
    return frozenset(visit for visits in manifest.get(SHARED_CODES, {}).values() for visit in visits)


def as_failures(rows: pa.Table, visits: frozenset[int]) -> pa.Table:
    """The rows as judged: submission and end of these visits have the outcome wrong_content."""
    if not visits:
        return rows
    outcome = pc.cast(rows["outcome"], pa.string())
    of_them = pc.is_in(rows["visit"], value_set=pa.array(sorted(visits), pa.int64()))
    filed = pc.or_(pc.equal(pc.cast(rows["step"], pa.string()), "submit"), pc.equal(rows["request"], VISIT_ROW))
    wrong = pc.and_(pc.and_(of_them, filed), pc.equal(outcome, Outcome.OK.value))
    judged = pc.if_else(wrong, Outcome.WRONG_CONTENT.value, outcome)
    return rows.set_column(rows.column_names.index("outcome"), "outcome", pc.dictionary_encode(judged))
