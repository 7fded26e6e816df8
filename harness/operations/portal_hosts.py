"""Where the portals of a sweep are: on the hosts that an authorisation names, or played by the simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.catalog import Catalog, Portal, Target, authorised_target, embedded_target
from harness.catalog.authorisation import Authorisation
from harness.catalog.gate import require_permitted
from harness.catalog.target import authorisation_at, target_of
from harness.errors import AuthorisationError, EnvironmentFault, Problem
from harness.evidence import SweepFolder
from harness.operations.embedded import EmbeddedPortals, counts_of
from harness.operations.journeys import journeys_of_folder
from harness.operations.journeys_without_goal import absent_goals
from harness.operations.measured_portal import MeasuredPortal
from harness.operations.permitted_journeys import Goals, journeys_left_out, why
from harness.operations.shipped import scenarios_folder
from harness.operations.timetable import last_ends_s, longest_s, planned_s
from harness.origins import is_loopback
from harness.records import NotPermitted, Plan, PlannedTarget, StopLimits, Terms
from harness.records.files import write_json
from harness.records.permitted_hours import in_vietnam, next_opening_s, permitted_until_s

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
    portals: Sequence[Portal],
    catalog: Catalog,
    moment: datetime,
    *,
    seed: int,
    cpu: int | None,
    vantage_point: str = "",
    second_address: str = "",
    goals: Goals | None = None,
    kept: Path | None = None,
) -> PortalHosts:
    """Authorised hosts for every portal that the catalog holds an authorisation for, embedded portals for the rest.

    ``vantage_point`` says where authorised hosts are measured from; without it, their authorisations do. ``second_address``:
    another address of this machine that citizens come from. ``goals``: of each journey; None: as the scenarios' folder has them.
    ``kept``: the folder that keeps the embedded portals' database.
    Raises AuthorisationError where a portal may not be sent requests at ``moment`` (aware): the simulator never takes its place.
    """
    real = catalog.authorised_portals
    for portal in portals:
        if portal.id in real:
            authorised_target(portal, list(catalog.authorisations.values()), moment, second_address=second_address)
    goals = goals or journeys_of_folder(scenarios_folder())
    authorised = {portal.id: _authorised(portal, catalog, moment, goals, vantage_point) for portal in portals if portal.id in real}
    played = [portal for portal in portals if portal.id not in real]
    embedded = EmbeddedPortals.start(played, seed=seed, cpu=cpu, kept=kept) if played else None
    measured = tuple(
        authorised[portal.id]
        if portal.id in authorised or embedded is None
        else _embedded(portal, catalog, goals, embedded.origins(portal.id))
        for portal in portals
    )
    return PortalHosts(measured, embedded, tuple(_notes(authorised.values())))


def hosts_for_dry_run(portals: Iterable[Portal], catalog: Catalog, moment: datetime) -> PortalHosts:
    """Like ``find_hosts``, for a plan that is only printed: hours do not matter, no simulator is started, embedded portals have no hosts."""
    real, goals = catalog.authorised_portals, journeys_of_folder(scenarios_folder())
    measured = tuple(
        _authorised(portal, catalog, moment, goals) if portal.id in real else _embedded(portal, catalog, goals, {}) for portal in portals
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


def target_of_plan(catalog: Catalog, portal: str, origins: Mapping[str, str], authorisation: str, *, second_address: str = "") -> Target:
    """The hosts of a plan's portal: loopback, or what the caller's own catalog permits now. A plan does not grant permission."""
    target = hosts_of_plan(catalog, portal, origins, authorisation)
    if target.authorisation is not None:
        require_permitted(target.authorisation, datetime.now(UTC), second_address=second_address)
    return target


def hosts_of_plan(catalog: Catalog, portal: str, origins: Mapping[str, str], authorisation: str) -> Target:
    """The hosts of a plan's portal. Hours and source addresses are not checked, so this permits no request."""
    if not authorisation:
        return embedded_target(catalog.portals[portal], origins)
    named = [item for item in catalog.authorisations.values() if item.id == authorisation]
    return target_of(catalog.portals[portal], authorisation_at(catalog.portals[portal], named, datetime.now(UTC)))


def target_of_planned(catalog: Catalog, planned: PlannedTarget) -> Target:
    """The hosts of a plan's portal, as ``target_of_plan`` finds them; what the plan does not list as shared is the portal's own."""
    target = target_of_plan(catalog, planned.portal, planned.origins, planned.authorisation)
    return target if planned.shared_hosts is None else target.sharing(planned.shared_hosts)


def check_permitted(plan: Plan, catalog: Catalog, moment: datetime) -> None:
    """Raise AuthorisationError where a sweep may outlast an authorisation that it needs, with everything that a night may add."""
    _check_hours(plan, catalog, moment)
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


def _check_hours(plan: Plan, catalog: Catalog, moment: datetime) -> None:
    """Raise AuthorisationError where the windows of a plan may not fit into the hours that an authorisation permits."""
    ends_s, begin_s = last_ends_s(plan), moment.timestamp()
    problems = []
    for target in plan.targets:
        until_s = permitted_until_s(target.terms.hours, begin_s)
        if until_s is not None and begin_s + ends_s.get(target.portal, 0.0) > until_s:
            item = catalog.authorisations[target.authorisation]
            problems.append(
                Problem(
                    "authorisations/", f"{item.id}.hours", ", ".join(target.terms.hours),
                    f"hours that last until {in_vietnam(begin_s + ends_s[target.portal])}",
                    f"Begun at {in_vietnam(begin_s)}, the windows of {target.portal} may last that long, the drain included. Begin earlier in"
                    " the hours, take a smaller workload or fewer portals, or have longer hours permitted.",
                )
            )  # fmt: skip
    if problems:
        raise AuthorisationError(*problems)


def earliest_begin(plan: Plan, moment: datetime) -> datetime:
    """The first moment from ``moment`` (aware) on at which the hours of all portals of a plan are open together.

    ``moment`` itself where they never are: a start at any time is then refused.
    """
    openings = [
        datetime.fromtimestamp(next_opening_s([each], moment.timestamp()), UTC) for target in plan.targets for each in target.terms.hours
    ]
    together = (
        each
        for each in [moment, *sorted(openings)]
        if all(permitted_until_s(target.terms.hours, each.timestamp()) is not None for target in plan.targets)
    )
    return next(together, moment)


def check_plan(plan: Plan, catalog: Catalog, moment: datetime, goals: Goals) -> None:
    """Raise AuthorisationError where a plan, whoever made it, would send now what the caller's own catalog does not permit."""
    for target in plan.targets:
        found = target_of_plan(catalog, target.portal, target.origins, target.authorisation, second_address=plan.second_address)
        if found.authorisation is None or found.platform not in catalog.platforms:
            continue
        lacking = journeys_left_out(found.authorisation, catalog.platforms[found.platform], goals)
        require_journeys(found.authorisation.id, plan.journeys_at(target.portal), lacking)


def require_journeys(authorisation: str, walked: Iterable[str], lacking: Sequence[NotPermitted]) -> None:
    """Raise AuthorisationError with every journey that would be walked and is not permitted."""
    chosen = [each for each in lacking if each.journey in set(walked)]
    if chosen:
        raise AuthorisationError(
            *(
                Problem(
                    "authorisations/", f"{authorisation}.{each.limit}", f"{why(each.limit)}, and {each.journey} would be walked",
                    f"a permission for {each.journey}",
                    "Add it, with the owner's consent, or load only other journeys, for example `-f scenarios/search.py`.",
                )
                for each in chosen
            )
        )  # fmt: skip


def _embedded(portal: Portal, catalog: Catalog, goals: Goals, origins: Mapping[str, str]) -> MeasuredPortal:
    name = portal.embedded_platform
    return MeasuredPortal(portal, name, origins, absent_goals=absent_goals(catalog.platforms[name], goals))


def _authorised(portal: Portal, catalog: Catalog, moment: datetime, goals: Goals, vantage_point: str = "") -> MeasuredPortal:
    permission = authorisation_at(portal, list(catalog.authorisations.values()), moment)
    target = target_of(portal, permission)
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
        vantage_point or permission.vantage_point or NOT_STATED,
        journeys_left_out(permission, catalog.platforms[target.platform], goals),
        terms=terms_of(permission),
        absent_goals=absent_goals(catalog.platforms[target.platform], goals),
    )


def terms_of(permission: Authorisation) -> Terms:
    """What an authorisation says besides limits of the load."""
    return Terms(
        hours=permission.hours or (),
        journeys=permission.journeys or (),
        source_addresses=tuple(map(str, permission.source_addresses or ())),
        contact=permission.contact or "",
        captcha_exemption=permission.captcha_exemption.reference if permission.captcha_exemption else "",
        emc_exclusion=permission.emc_exclusion.reference if permission.emc_exclusion else "",
        dossiers_max=permission.dossiers_max or 0,
        dossiers_per_night_max=permission.dossiers_per_night_max or 0,
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


def _notes(measured: Iterable[MeasuredPortal]) -> Iterable[str]:
    for one in measured:
        yield f"{one.portal.id}: its own hosts, by authorisation {one.authorisation}, at most {one.in_flight_ceiling} citizens at once"
        if one.vantage_point == NOT_STATED and not all(map(is_loopback, one.origins.values())):
            yield f"WARNING: {one.portal.id}: it is not stated where it is measured from; give --vantage-point, or `vantage_point` in {one.authorisation}"
        for key in dict.fromkeys(each.limit for each in one.not_permitted):
            journeys = sorted(each.journey for each in one.not_permitted if each.limit == key)
            yield f"{one.portal.id}: {why(key)}: {' and '.join(journeys)} left out"
