"""A portal that falls silent after it has stored: what it counts and what is claimed differ by exactly those steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.claims import assert_claims, given_up
from tests.e2e.commands import harness
from tests.e2e.evidence import ledger, load, only_folder, steps
from tests.e2e.small_catalog import write_catalog


@pytest.mark.slow
def test_a_citizen_who_gave_up_after_the_dossier_was_stored_is_told_apart(tmp_path: Path) -> None:
    catalog = write_catalog(tmp_path / "catalog")
    options = ("--workload", "impatient", "--criteria", "speed-only", "--catalog", str(catalog))
    finished = harness(tmp_path, "run", "silent", *options)
    assert finished.code == 0, finished.said
    folder = only_folder(tmp_path / "results")
    assert_claims(folder, "silent")
    unseen = sum(given_up(steps(folder, "silent", step))[0] for step in ("submit", "confirm_payment"))
    stored = load(folder / "counted.json")["silent"]
    assert stored["dossiers"] > 20
    assert unseen > 0  # of some 140 dossiers and 40 payments one in twenty
    held = ledger(folder, "silent")
    assert stored["dossiers"] + stored["payments"]["paid"] > held["dossier"] + held["payment"]
