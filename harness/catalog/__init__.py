"""Portals, platforms, workloads, authorisations and criteria: read, checked, frozen."""

from harness.catalog.authorisation import Authorisation, Host, PaymentSandbox, SafetyLimits
from harness.catalog.catalog import Catalog, load_catalog, read_catalog
from harness.catalog.platform import GOALS, Goal, Platform, Step
from harness.catalog.portal import DailyFigure, Portal, PortalSet
from harness.catalog.target import Target, authorised_target, embedded_target
from harness.origins import is_loopback, origin_of

__all__ = [
    "GOALS",
    "Authorisation",
    "Catalog",
    "DailyFigure",
    "Goal",
    "Host",
    "PaymentSandbox",
    "Platform",
    "Portal",
    "PortalSet",
    "SafetyLimits",
    "Step",
    "Target",
    "authorised_target",
    "embedded_target",
    "is_loopback",
    "load_catalog",
    "origin_of",
    "read_catalog",
]
