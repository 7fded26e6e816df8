"""The families of portals: one module each, with its own pages, token rules, redirects and error habits."""

from __future__ import annotations

from collections.abc import Callable

from harness.simulator.configuration import PortalConfig
from harness.simulator.families.eform import Eform
from harness.simulator.families.igate_formio import IgateFormio
from harness.simulator.families.igate_php import IgatePhp
from harness.simulator.families.liferay import Liferay
from harness.simulator.families.national import National
from harness.simulator.families.opencps import OpenCps
from harness.simulator.portal import Portal, Surroundings

PLAYERS: dict[str, Callable[[PortalConfig, Surroundings], Portal]] = {
    "liferay": Liferay,
    "opencps": OpenCps,
    "igate-formio": IgateFormio,
    "igate-php": IgatePhp,
    "national": National,
    "eform": Eform,
}
"""Family -> what plays it; calibration is no portal and stands apart."""
