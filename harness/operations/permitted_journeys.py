"""Journeys that an authorisation does not permit on a portal, under any load.

- A journey that is not among its `journeys`, where it names some.
- A journey that pays, without a `payment_sandbox`.
- A journey that files, without a `captcha_exemption` or a `payment_sandbox`: forms of real portals ask for a captcha, and what is
  filed there is a real dossier. A portal that hands its citizens to a payment sandbox is a test system itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.catalog.authorisation import Authorisation
from harness.catalog.platform import Platform
from harness.records import NotPermitted

FILING = "file"
"""The goal that leaves a dossier."""
PAYMENT = "pay"
"""The goal that pays."""

Goals = Mapping[str, Sequence[str]]
"""The goals of each journey."""

_WHY = {
    "journeys": "the authorisation does not name these journeys",
    "payment_sandbox": "the authorisation names no payment sandbox",
    "captcha_exemption": "the authorisation names neither a captcha exemption nor a sandbox",
}


def journeys_left_out(permission: Authorisation, platform: Platform, goals: Goals) -> tuple[NotPermitted, ...]:
    """The journeys that are not permitted, each with the key of the authorisation that is the reason."""
    reasons = ((journey, _reason(permission, platform, journey, pursued)) for journey, pursued in sorted(goals.items()))
    return tuple(NotPermitted(reason, 0, 1, journey=journey) for journey, reason in reasons if reason)


def why(key: str) -> str:
    """Why journeys are left out, by the key of the authorisation."""
    return _WHY[key]


def _reason(permission: Authorisation, platform: Platform, journey: str, goals: Sequence[str]) -> str:
    files = FILING in goals and FILING not in platform.absent
    pays = PAYMENT not in platform.absent and (PAYMENT in goals or (files and platform.reached_inside.get(PAYMENT) == FILING))
    if permission.journeys and journey not in permission.journeys:
        return "journeys"
    if permission.payment_sandbox is not None:
        return ""
    if pays:
        return "payment_sandbox"
    return "captcha_exemption" if files and permission.captcha_exemption is None else ""
