"""Where the portals of a sweep are: on the hosts that an authorisation names, or played by the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.catalog import Catalog, Portal, Target, authorised_target, embedded_target
from harness.catalog.authorisation import Authorisation
from harness.errors import AuthorisationError, EnvironmentFault, Problem
from harness.evidence import SweepFolder
from harness.operations.embedded import EmbeddedPortals, counts_of
from harness.operations.timetable import MeasuredPortal, longest_s, planned_s
from harness.records import Plan, PlannedTarget, StopLimits
from harness.records.files import write_json

PAYMENT = "pay"
"""The journey, and the goal, that pays."""
NOT_STATED = "not stated"


@dataclass
class PortalHosts:
    """The portals of a sweep and their hosts. The embedded ones run until ``stop``."""

    portals: tuple[MeasuredPortal, ...]
    embedded: EmbeddedPortals | None
    notes: tuple[str, ...] = ()  # for the evaluator, before anything is sent

    @property
    def control(self) -> str:
        """The origin of the embedded portals' control API; empty where there are none."""
        return self.embedded.control if self.embedded is not None else ""

    @property
    def vantage_points(self) -> dict[str, str]:
        """Where each portal is measured from."""
        return {one.portal.id: one.vantage_point for one in self.portals}

    @property
    def held_open(self) -> tuple[int, ...]:
        """Descriptors that keep the embedded portals up while a process has them open."""
        return () if self.embedded is None else (self.embedded.held_open,)

    def stop(self) -> None:
        """End the embedded portals."""
        if self.embedded is not None:
            self.embedded.stop()


def find_hosts(
    portals: Sequence[Portal], catalog: Catalog, moment: datetime, *, seed: int, cpu: int | None, vantage_point: str = ""
) -> PortalHosts:
    """Authorised hosts for every portal that the catalog holds an authorisation for, embedded portals for the rest.

    ``vantage_point`` says where authorised hosts are measured from; without it, their authorisations do. Raises
    AuthorisationError where the authorisations for a portal do not cover ``moment`` (aware): the simulator never
    takes the place of such a portal.
    """
    real = catalog.authorised_portals
    authorised = {portal.id: _authorised(portal, catalog, moment, vantage_point) for portal in portals if portal.id in real}
    played = [portal for portal in portals if portal.id not in real]
    embedded = EmbeddedPortals.start(played, seed=seed, cpu=cpu) if played else None
    measured = tuple(
        authorised[portal.id]
        if portal.id in authorised or embedded is None
        else MeasuredPortal(portal, portal.embedded_platform, embedded.origins(portal.id))
        for portal in portals
    )
    return PortalHosts(measured, embedded, tuple(_notes(authorised.values())))


def hosts_for_dry_run(portals: Iterable[Portal], catalog: Catalog, moment: datetime) -> PortalHosts:
    """Like ``find_hosts``, for a plan that is only printed: no simulator is started, and embedded portals have no hosts."""
    real = catalog.authorised_portals
    measured = tuple(
        _authorised(portal, catalog, moment) if portal.id in real else MeasuredPortal(portal, portal.embedded_platform, {})
        for portal in portals
    )
    return PortalHosts(measured, None)


def write_counts(folder: SweepFolder, control: str, progress: Callable[[str], None]) -> None:
    """Write what the embedded portals hold, by portal; an authorised portal is counted by its operator (`harness reconcile`).

    ``control`` is their control API, empty where there are none. If they do not answer, the sweep goes on without.
    """
    try:
        write_json(folder.counted, counts_of(control) if control else {})
    except EnvironmentFault as fault:
        progress(f"WARNING: {fault}")


def target_of_plan(catalog: Catalog, portal: str, origins: Mapping[str, str], authorisation: str) -> Target:
    """The hosts of a plan's portal: loopback, or what the caller's own catalog authorises now. A plan does not grant permission."""
    if not authorisation:
        return embedded_target(catalog.portals[portal], origins)
    named = [item for item in catalog.authorisations.values() if item.id == authorisation]
    return authorised_target(catalog.portals[portal], named, datetime.now(UTC))


def target_of_planned(catalog: Catalog, planned: PlannedTarget) -> Target:
    """The hosts of a plan's portal, as ``target_of_plan`` finds them; what the plan does not list as shared is the portal's own."""
    target = target_of_plan(catalog, planned.portal, planned.origins, planned.authorisation)
    return target if planned.shared_hosts is None else target.sharing(planned.shared_hosts)


def check_permitted(plan: Plan, catalog: Catalog, moment: datetime) -> None:
    """Raise AuthorisationError where a sweep may outlast an authorisation that it needs, with everything that a night may add."""
    planned, end = (moment + timedelta(seconds=seconds) for seconds in (planned_s(plan), longest_s(plan)))
    named = {target.authorisation for target in plan.targets if target.authorisation}
    short = [item for item in catalog.authorisations.values() if item.id in named and not item.holds_at(end)]
    if short:
        raise AuthorisationError(
            *(
                Problem(
                    "authorisations/", f"{item.id}.valid_to", f"{item.valid_to:%Y-%m-%d %H:%M %z}", f"{end:%Y-%m-%d %H:%M %z} or later",
                    f"The sweep may last that long: its rounds end by {planned:%H:%M %z}, and further lone walks, checks after refusals and"
                    " make-up windows may follow. Begin earlier, take a smaller workload or fewer `spare_windows`, or have the"
                    " authorisation extended.",
                )
                for item in short
            )
        )  # fmt: skip


def _authorised(portal: Portal, catalog: Catalog, moment: datetime, vantage_point: str = "") -> MeasuredPortal:
    target = authorised_target(portal, list(catalog.authorisations.values()), moment)
    permission = target.authorisation
    assert permission is not None
    if target.platform not in catalog.platforms:
        known = ", ".join(sorted(catalog.platforms))
        raise AuthorisationError(
            Problem("authorisations/", f"{permission.id}.platform", target.platform, f"a platform with a profile: {known}", "Name one, or write its profile.")
        )  # fmt: skip
    return MeasuredPortal(
        portal,
        target.platform,
        dict(target.origins),
        permission.id,
        permission.citizens_in_flight_max,
        _limits(permission),
        permission.valid_to.timestamp(),
        permission.hosting_group,
        frozenset() if permission.payment_sandbox is not None else _paying(catalog, target.platform),
        vantage_point or permission.vantage_point or NOT_STATED,
        permission.dossiers_max or 0,
    )


def _limits(permission: Authorisation) -> StopLimits:
    safety = permission.safety
    return StopLimits(
        error_share=safety.error_share_max,
        refused_share=safety.overload_share_max,
        p95_ms=safety.p95_ms_max,
        span_s=safety.over_s,
        requests_per_s=permission.requests_per_s_max,
        failures_in_a_row=safety.failures_in_a_row_max,
    )


def _paying(catalog: Catalog, platform: str) -> frozenset[str]:
    """The journeys that would pay on this platform: ``pay``, and ``submit`` if the fee comes before submission."""
    profile = catalog.platforms[platform]
    if PAYMENT in profile.absent:
        return frozenset()
    return frozenset({PAYMENT, "submit"} if profile.reached_inside.get(PAYMENT) == "file" else {PAYMENT})


def _notes(measured: Iterable[MeasuredPortal]) -> Iterable[str]:
    for one in measured:
        yield f"{one.portal.id}: its own hosts, by authorisation {one.authorisation}, at most {one.in_flight_ceiling} citizens at once"
        if one.vantage_point == NOT_STATED:
            yield f"WARNING: {one.portal.id}: it is not stated where it is measured from; give --vantage-point, or `vantage_point` in {one.authorisation}"
        if one.left_out:
            yield f"{one.portal.id}: the authorisation names no payment sandbox: {' and '.join(sorted(one.left_out))} left out"
