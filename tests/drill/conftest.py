"""The fixtures of the rooms whose guards are switched off here."""

from __future__ import annotations

from tests.client.conftest import citizen, new_citizen
from tests.e2e.conftest import catalog
from tests.publish.conftest import scores
from tests.recorded.conftest import chained, folder
from tests.recorded.test_rules import measured
from tests.recorded.test_seal import kept, sealed
from tests.visits.conftest import site, walker

__all__ = ["catalog", "chained", "citizen", "folder", "kept", "measured", "new_citizen", "scores", "sealed", "site", "walker"]
