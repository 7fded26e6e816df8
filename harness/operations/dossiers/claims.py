"""Dossiers and payments of a sweep by our rows, our ledger, and the portals' own count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.evidence import SweepFolder
from harness.publish import Claim
from harness.records import STEP_KEYS, VISIT_ROW, Ledger, Outcome, read_ledger
from harness.records.files import read_json
from harness.visits.receipts import judge_receipts


def claims(folder: SweepFolder, rows: Mapping[str, pd.DataFrame]) -> tuple[Claim, ...]:
    """One entry for each portal with rows, ordered by id."""
    ledger = read_ledger(folder.ledger)
    counted = read_json(folder.counted) if folder.counted.is_file() else {}
    return tuple(_claim(portal, rows[portal], ledger, counted.get(portal)) for portal in sorted(rows))


def steps_that_ended_well(rows: pd.DataFrame, step: str) -> int:
    """How often a step was done with all of its requests ok."""
    mine = rows[(rows["step"] == step) & (rows["request"] != VISIT_ROW)]
    return int((mine["outcome"] == Outcome.OK).groupby([mine[name] for name in STEP_KEYS], observed=True).all().sum())


def _claim(portal: str, rows: pd.DataFrame, ledger: Ledger, counted: Mapping[str, Any] | None) -> Claim:
    findings = judge_receipts(ledger.of_portal(portal))
    return Claim(
        portal=portal,
        dossiers=steps_that_ended_well(rows, "submit"),
        payments=steps_that_ended_well(rows, "confirm_payment"),
        counted_dossiers=None if counted is None else int(counted["dossiers"]),
        counted_payments=None if counted is None else int(counted["payments"]["paid"]),
        duplicates=tuple(duplicate.code for duplicate in findings.duplicates),
        lost=tuple(code for _, code in findings.lost),
        paid_twice=tuple(duplicate.code for duplicate in findings.paid_twice),
    )
