"""The families of portals: one module each, with its own pages, token rules, redirects and error habits."""

from __future__ import annotations

from collections.abc import Callable

from harness.simulator.configuration import PortalConfig
from harness.simulator.families.liferay import Liferay
from harness.simulator.portal import Portal, Surroundings

PLAYERS: dict[str, Callable[[PortalConfig, Surroundings], Portal]] = {"liferay": Liferay}
"""Family -> what plays it; calibration is no portal and stands apart."""
