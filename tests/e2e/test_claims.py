"""What is claimed = what the portals stored = what citizens saw confirmed.

A visit that gave up after the portal had stored its dossier is told apart by its rows: the request that submits was
answered (its first hop is ok), a later hop of the same step was not. Such a dossier is at the portal and nobody holds its
receipt; it is counted here by those rows, never claimed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import Sweep
from tests.e2e.evidence import ledger, load, steps

PORTALS = ("fast", "ordinary", "slow", "collapsing", "failing-payments", "refusing")


def claimed(folder: Path, portal: str) -> tuple[int, int, int, int]:
    """Dossiers claimed and counted, payments claimed and counted, as the report's table has them."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    (row,) = re.findall(rf'<td class="title">{portal}</td>(.*?)</tr>', page, flags=re.DOTALL)
    numbers = [int(number) for number in re.findall(r'<td class="n"[^>]*><span class="v">(\d+)</span>', row)]
    dossiers, counted_dossiers, payments, counted_payments = numbers
    return dossiers, counted_dossiers, payments, counted_payments


@pytest.mark.parametrize("portal", PORTALS)
def test_dossiers_and_payments_are_the_same_to_everybody(demo: Sweep, portal: str) -> None:
    assert_claims(demo.folder, portal)


@pytest.mark.parametrize("portal", ["swift", "sluggish"])
@pytest.mark.parametrize("which", [0, 1])
def test_they_are_after_a_sweep_in_rounds(small_sweeps: tuple[Sweep, Sweep], which: int, portal: str) -> None:
    assert_claims(small_sweeps[which].folder, portal)
    assert claimed(small_sweeps[which].folder, portal)[0] >= 4  # two journeys file, two of each in the window


def test_some_were_filed_and_some_paid(demo: Sweep) -> None:
    for portal in set(PORTALS) - {"refusing"}:
        assert ledger(demo.folder, portal)["dossier"] > 20, portal
    assert ledger(demo.folder, "failing-payments")["payment"] < ledger(demo.folder, "fast")["payment"]
    assert not ledger(demo.folder, "refusing")


def test_payments_that_failed_were_seen_as_failed(demo: Sweep) -> None:
    confirmations = steps(demo.folder, "failing-payments", "confirm_payment")
    failed = load(demo.folder / "counted.json")["failing-payments"]["payments"]["failed"]
    assert failed > 0
    assert int((confirmations["outcome"] == "wrong_content").sum()) == failed


def assert_claims(folder: Path, portal: str) -> None:
    counted = load(folder / "counted.json")[portal]
    submitted, confirmed = steps(folder, portal, "submit"), steps(folder, portal, "confirm_payment")
    dossiers, payments = int(submitted["ok"].sum()), int(confirmed["ok"].sum())
    # Stored, and given up before the receipt was seen: a payment page that says no is a failed payment, not one of these.
    unseen = int((submitted["answered"] & ~submitted["ok"] & (submitted["outcome"] != "wrong_content")).sum())
    unseen_payments = int((confirmed["answered"] & ~confirmed["ok"] & (confirmed["outcome"] != "wrong_content")).sum())
    assert counted["dossiers"] == dossiers + unseen
    assert counted["payments"]["paid"] == payments + unseen_payments
    assert (ledger(folder, portal)["dossier"], ledger(folder, portal)["payment"]) == (dossiers, payments)
    assert claimed(folder, portal) == (dossiers, counted["dossiers"], payments, counted["payments"]["paid"])
    assert load(folder / "manifests" / f"{portal}.json")["claims"] == {
        "dossiers": {"acknowledged": dossiers, "counted_by_portal": counted["dossiers"]},
        "payments": {"acknowledged": payments, "counted_by_portal": counted["payments"]["paid"]},
    }
    assert counted["duplicates"] == 0
