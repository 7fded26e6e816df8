"""The instrument against the simulator: real Locust, real HTTP, the server's log as the truth."""

from __future__ import annotations

import pytest

from harness.catalog import Portal
from harness.operations.shipped import shipped_catalog


@pytest.fixture(scope="session")
def calibration() -> Portal:
    return shipped_catalog(None).portals["calibration"]
