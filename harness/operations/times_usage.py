"""How many times real usage the planned load of each journey is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.catalog import Portal
from harness.catalog.workload import SECONDS_PER_DAY, Workload
from harness.operations.measured_portal import MeasuredPortal
from harness.records import SCORED_STAGES, PlannedWindow, Slot, TimesUsage


@dataclass(frozen=True, slots=True)
class JourneyFactor:
    """Arrivals per second of a journey in real usage and in the first scored stage, and how many times usage that is."""

    usage_per_s: float
    planned_per_s: float
    factor: float | None  # None where usage has none of this journey

    def __str__(self) -> str:
        return "no usage figure" if self.factor is None else f"{self.factor:.1f} × usage"


def factors(workload: Workload) -> dict[str, JourneyFactor]:
    """How the planned load of each journey compares with real usage."""
    stage = workload.first_scored
    return {
        journey: JourneyFactor(
            workload.usage.rate_per_s(journey), workload.rate_per_s(journey, stage, 0), workload.raised_by(journey, stage)
        )
        for journey in workload.journeys
    }


_DAILY: Mapping[str, tuple[Literal["dossiers", "online_dossiers", "payments", "visits"], ...]] = {
    "search": ("visits",), "submit": ("online_dossiers", "dossiers"), "pay": ("payments",),
}  # fmt: skip
"""The daily figures of a portal that a journey's usage is taken from; the first one that the portal has counts."""


def _own_per_day(portal: Portal) -> dict[str, float]:
    """The visits of each journey in a day, by the portal's own figures."""
    daily = portal.daily
    figures = {journey: next((daily[name] for name in names if name in daily), None) for journey, names in _DAILY.items()}
    return {journey: figure.per_day for journey, figure in figures.items() if figure is not None}


def with_own_usage(windows: tuple[PlannedWindow, ...], one: MeasuredPortal, workload: Workload) -> tuple[PlannedWindow, ...]:
    """The windows, with the portal's own daily figures where the workload asks for them and the catalog has them."""
    if not workload.per_portal:
        return windows
    usual = workload.usage.per_day
    own = {journey: per_day / usual[journey] for journey, per_day in _own_per_day(one.portal).items() if usual.get(journey)}
    return tuple(
        replace(window, rates_per_s={journey: rate * own.get(journey, 1.0) for journey, rate in window.rates_per_s.items()})
        for window in windows
    )


def planned_times_usage(one: MeasuredPortal, workload: Workload, slots: Sequence[Slot]) -> tuple[TimesUsage, ...]:
    """The highest load of each journey in a scored window, beside the usage of the busy hour: the portal's own where the catalog has it."""
    own, factor = _own_per_day(one.portal), workload.usage.busy_hour_factor / SECONDS_PER_DAY
    planned: dict[str, float] = {}
    for window in (window for slot in slots for window in slot.windows if window.stage in SCORED_STAGES):
        for journey in window.journeys:
            rate = window.rates_per_s.get(journey, 0.0) + window.quota.get(journey, 0) / window.duration_s
            planned[journey] = max(planned.get(journey, 0.0), rate)
    return tuple(
        TimesUsage(journey, rate, factor * own[journey] if journey in own else workload.usage.rate_per_s(journey), own=journey in own)
        for journey, rate in sorted(planned.items())
    )
