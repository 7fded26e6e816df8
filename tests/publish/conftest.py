from __future__ import annotations

import pytest

from harness.scoring.scorecard import SweepScores
from tests.publish import simulated_night


@pytest.fixture(scope="session")
def scores() -> SweepScores:
    return simulated_night.sweep_scores()
