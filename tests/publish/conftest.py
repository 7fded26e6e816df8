from __future__ import annotations

import pytest
import simulated_night

from harness.scoring.scorecard import SweepScores


@pytest.fixture(scope="session")
def scores() -> SweepScores:
    return simulated_night.sweep_scores()
