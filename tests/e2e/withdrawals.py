"""A sweep's folder after withdrawal: every dossier that it filed is taken back."""

from __future__ import annotations

from pathlib import Path

from harness.evidence.filed_dossiers import NOT_WITHDRAWN, WITHDRAWALS
from tests.e2e.evidence import ledger, load


def assert_withdrawn(folder: Path, portal: str, *, at_least: int) -> None:
    """Each dossier of the ledger is withdrawn, as the portal counts it too; its own count was taken before."""
    filed = ledger(folder, portal)["dossier"]
    assert filed >= at_least
    assert load(folder / "counted.json")[portal]["withdrawn"] == 0
    facts = load(folder / WITHDRAWALS)
    assert [item["withdrawn"] for item in facts["outcomes"] if item["portal"] == portal] == [True] * filed
    assert facts["withdrawn_counted_by_portal"][portal] == filed
    assert not (folder / NOT_WITHDRAWN).exists()
