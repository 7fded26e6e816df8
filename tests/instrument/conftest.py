"""The instrument against the simulator: real Locust, real HTTP, the server's log as the truth."""

from __future__ import annotations

import pytest

from harness.catalog import Portal
from harness.operations.night import catalog


@pytest.fixture(scope="session")
def calibration() -> Portal:
    return catalog(None).portals["calibration"]
