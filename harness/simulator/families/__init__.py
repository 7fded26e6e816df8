"""The families of portals: one module each, with its own pages, token rules, redirects and error messages."""

from __future__ import annotations

from collections.abc import Callable

from harness.simulator.configuration import PortalConfig
from harness.simulator.families.eform import Eform
from harness.simulator.families.igate_formio import IgateFormio
from harness.simulator.families.igate_php import IgatePhp
from harness.simulator.families.liferay import Liferay
from harness.simulator.families.national import National
from harness.simulator.families.opencps import OpenCps
from harness.simulator.portal import SharedServices, SimulatedPortal

PORTAL_CLASSES: dict[str, Callable[[PortalConfig, SharedServices], SimulatedPortal]] = {
    "liferay": Liferay,
    "opencps": OpenCps,
    "igate-formio": IgateFormio,
    "igate-php": IgatePhp,
    "national": National,
    "eform": Eform,
}
"""Family → its class; calibration is not a portal and is missing here."""
