"""What a night asks of the machine, from its workload and its plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from harness.catalog import Catalog
from harness.catalog.workload import Workload
from harness.operations.disk_room import written_at_most
from harness.operations.journeys import journeys_of_folder
from harness.operations.portal_hosts import hosts_for_dry_run
from harness.operations.shipped import scenarios_folder
from harness.operations.sweep import SweepSpec, check_workload, plan_sweep
from harness.origins import locate_origin
from harness.records import PlannedWindow

OF_EMBEDDED = 3
"""Connections of a citizen of an embedded portal: to the portal, the login and the payment gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineNeeds:
    """What a night asks of the machine; None where no workload says it."""

    workers: int = 1
    embedded: bool = True  # portals are played on this machine
    names: bool = False  # some hosts have a name that is looked up
    citizens: int | None = None  # at once, of all portals that are measured together
    arrivals_per_s: float | None = None  # the most, of the same portals
    connections_each: int = OF_EMBEDDED  # of one citizen
    disk_bytes: int | None = None
    steal_percent: float = 5.0  # the limit of the workload


def needs_of_workload(workload: Workload, *, workers: int, at_once: int) -> MachineNeeds:
    """What a workload asks for on any ``at_once`` portals, each with its most citizens."""
    rates = [
        sum(workload.rate_per_s(journey, stage, number) * stage.curve_mean(number) for journey in workload.journeys)
        for stage in workload.stages
        for number in range(stage.windows)
    ]
    return MachineNeeds(
        workers=workers, citizens=at_once * workload.in_flight_ceiling, arrivals_per_s=at_once * max(rates),
        steal_percent=workload.health.steal_percent,
    )  # fmt: skip


def needs_of_sweep(spec: SweepSpec, catalog: Catalog) -> MachineNeeds:
    """What a sweep asks for, by the plan that it would have. Sends nothing. Raises what ``plan_night`` raises of workload and permissions."""
    check_workload(spec.workload)
    plan, _ = plan_sweep(spec, hosts_for_dry_run(spec.portals, catalog, datetime.now(UTC)), catalog)
    loaded = [each for each in plan.rounds if not each.alone]
    embedded = any(not target.authorisation for target in plan.targets)
    connections = [len({*target.origins.values()}) for target in plan.targets if target.authorisation]
    return MachineNeeds(
        workers=max(1, spec.workers),
        embedded=embedded,
        names=any(_is_name(origin) for target in plan.targets for origin in target.origins.values()),
        citizens=max(sum(slot.in_flight_ceiling for slot in each.slots) for each in loaded),
        arrivals_per_s=max(sum(max(map(_rate_per_s, slot.windows)) for slot in each.slots) for each in loaded),
        connections_each=max([*connections, *([OF_EMBEDDED] if embedded else [])]),
        disk_bytes=written_at_most(plan, catalog, journeys_of_folder(scenarios_folder()))[1],
        steal_percent=spec.workload.health.steal_percent,
    )


def _rate_per_s(window: PlannedWindow) -> float:
    """The highest rate of a window."""
    mean = sum(window.rates_per_s.values()) + sum(window.quota.values()) / window.duration_s
    return mean * max((factor for _, factor in window.curve), default=1.0)


def _is_name(origin: str) -> bool:
    """Whether the host of an origin has to be looked up."""
    found = locate_origin(origin)
    return found is not None and found.address is None and not found.is_loopback
