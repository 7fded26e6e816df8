"""Claims of sweeps that a command has carried out in rounds; what a claim is and how it is checked stands in ``claims``."""

from __future__ import annotations

import pytest

from tests.e2e.claims import assert_claims, claimed
from tests.e2e.conftest import Sweep


@pytest.mark.parametrize("portal", ["swift", "sluggish"])
@pytest.mark.parametrize("which", [0, 1])
def test_dossiers_and_payments_are_the_same_to_everybody(small_sweeps: tuple[Sweep, Sweep], which: int, portal: str) -> None:
    assert_claims(small_sweeps[which].folder, portal)
    assert claimed(small_sweeps[which].folder, portal)[0] >= 4  # two journeys file, two of each in the window
