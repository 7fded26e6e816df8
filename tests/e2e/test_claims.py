"""Claims of sweeps that commands have carried out; what a claim is and how it is checked stands in ``claims``."""

from __future__ import annotations

import pytest

from tests.e2e.claims import assert_claims, claimed
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import ledger, load, steps

pytestmark = pytest.mark.alone

PORTALS = ("fast", "ordinary", "slow", "collapsing", "failing-payments", "refusing")


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
