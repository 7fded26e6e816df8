"""The fixtures of the rooms whose guards are switched off here."""

from __future__ import annotations

from tests.client.conftest import new_citizen
from tests.e2e.conftest import catalog
from tests.recorded.conftest import folder
from tests.recorded.test_seal import kept, sealed
from tests.visits.conftest import walker
from tests.visits.test_flow import site

__all__ = ["catalog", "folder", "kept", "new_citizen", "sealed", "site", "walker"]
