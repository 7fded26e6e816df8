"""What an authorisation allows, compared with what the criteria need, before anything is sent.

Too small a permission is nobody's failure. The load that it does not cover is left out, and the criteria that need it are not
assessed. Turning citizens away at the ceiling instead would count against the portal.

How much a stage needs:

- citizens at once: arrivals per second × the length of a visit, over all journeys (Little's law). A visit is taken to be as long as
  on a portal that is just too slow for points: its thinks, and for each step the time from which the set gives none, at most
  `patience_s` in all. No more than the window is long, and no more citizens than the workload's own ceiling.
- requests per second: arrivals per second × the requests of a visit as its profile lists them.
- dossiers: the most visits of journeys that file, over the whole night: those of the plan, of further lone walks, of checks after a
  refusal, and of make-up windows. Those that earlier sweeps filed in the same night count for the night's limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.catalog import Catalog
from harness.catalog.authorisation import Authorisation
from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.platform import Platform, Step
from harness.catalog.workload import Stage, Think, Workload
from harness.load.further_windows import most_visits
from harness.operations.dossiers.night_count import filed_at_night
from harness.operations.journeys_without_goal import absent_goals
from harness.operations.measured_portal import MeasuredPortal
from harness.operations.permitted_journeys import FILING, Goals, journeys_left_out
from harness.operations.portal_hosts import PortalHosts
from harness.records import NotPermitted, Plan
from harness.records.plan import WITHOUT_NUMBER


def within_permissions(
    hosts: PortalHosts, whole: Plan, catalog: Catalog, workload: Workload, criteria: CriteriaSet, goals: Goals
) -> PortalHosts:
    """The portals with the load that their authorisations do not cover marked as such; ``make_plan`` leaves it out.

    ``whole`` is the plan with nothing left out but the journeys that are permitted under no load.
    """
    most = most_visits(whole)
    hosts = _with_dossiers_of_the_night(hosts, whole)
    portals = tuple(
        _within(one, catalog.platforms[one.platform], workload, criteria, goals, most[one.portal.id]) if one.authorisation else one
        for one in hosts.portals
    )
    # the notes of the hosts already name what the authorisation permits under no load
    notes = (
        f"{one.portal.id}: {each.in_words}: left out, and not assessed"
        for one in portals
        for each in one.not_permitted
        if each.limit not in WITHOUT_NUMBER
    )
    return replace(hosts, portals=portals, notes=(*hosts.notes, *notes))


def _with_dossiers_of_the_night(hosts: PortalHosts, plan: Plan) -> PortalHosts:
    """The portals with the dossiers that were filed there earlier in the plan's night, where an authorisation limits them."""
    if not any(one.terms.dossiers_per_night_max for one in hosts.portals):
        return hosts
    filed = filed_at_night(Path(plan.results).parent, plan.night)
    counted = (
        replace(one, terms=replace(one.terms, dossiers_before=filed[one.portal.id])) if one.terms.dossiers_per_night_max else one
        for one in hosts.portals
    )
    return replace(hosts, portals=tuple(counted))


@dataclass(frozen=True, slots=True)
class NeededAtMost:
    """What a night may bring a portal in all."""

    visits: int
    requests: int  # as the profile lists them; redirects and assets come on top
    dossiers: int


def needed_at_most(plan: Plan, catalog: Catalog, goals: Goals) -> dict[str, NeededAtMost]:
    """What a plan may need of each portal, with everything that a night may add to it."""
    most, needed = most_visits(plan), {}
    for target in plan.targets:
        visits, platform = most[target.portal], catalog.platforms[target.platform]
        requests = sum(count * _requests_of_visit(platform, steps_of(platform, goals.get(name, ()))) for name, count in visits.items())
        dossiers = sum(count for name, count in visits.items() if FILING in goals.get(name, ()))
        needed[target.portal] = NeededAtMost(visits.total(), requests, dossiers)
    return needed


def rows_at_most(plan: Plan, catalog: Catalog, goals: Goals) -> int:
    """The rows that a night may bring in all: those of requests, one that closes each visit, and as many again for redirects and polls."""
    most, rows = most_visits(plan), 0
    for target in plan.targets:
        platform = catalog.platforms[target.platform]
        for name, count in most[target.portal].items():
            rows += 2 * count * (1 + _requests_of_visit(platform, steps_of(platform, goals.get(name, ()))))
    return rows


def needed_limits(
    permission: Authorisation, platform: Platform, workload: Workload, criteria: CriteriaSet, goals: Goals
) -> tuple[int, int]:
    """The citizens at once and the requests per second that an authorisation must allow, so that no stage of a workload is left out.

    ``workload`` has its windows as long as they are sent. Journeys that are permitted under no load, or whose goal is absent, need nothing.
    """
    left_out = {each.journey for each in journeys_left_out(permission, platform, goals)}
    left_out |= {each.journey for each in absent_goals(platform, goals)}
    journeys = {journey: steps_of(platform, goals.get(journey, ())) for journey in workload.journeys if journey not in left_out}
    citizens = max(_citizens(stage, workload, criteria, journeys) for stage in workload.stages)
    return citizens, max(_requests(stage, workload, platform, journeys) for stage in workload.stages)


def _within(
    one: MeasuredPortal, platform: Platform, workload: Workload, criteria: CriteriaSet, goals: Goals, visits: Mapping[str, int]
) -> MeasuredPortal:
    found = [each for each in one.not_permitted if each.journey in workload.journeys]
    left_out = one.left_out
    filing = [journey for journey in workload.journeys if FILING in goals.get(journey, ()) and journey not in left_out]
    dossiers = sum(visits.get(journey, 0) for journey in filing)
    if 0 < one.terms.dossiers_max < dossiers:
        found += [NotPermitted("dossiers_max", one.terms.dossiers_max, dossiers, journey=journey) for journey in filing]
        left_out |= frozenset(filing)
    needed, most = dossiers + one.terms.dossiers_before, one.terms.dossiers_per_night_max
    if 0 < most < needed:
        found += [NotPermitted("dossiers_per_night_max", most, needed, journey=journey) for journey in filing]
        left_out |= frozenset(filing)
    journeys = {journey: steps_of(platform, goals.get(journey, ())) for journey in workload.journeys if journey not in left_out}
    for name in dict.fromkeys(stage.stage for stage in workload.stages):
        stages = [stage for stage in workload.stages if stage.stage == name]
        citizens = max(_citizens(stage, workload, criteria, journeys) for stage in stages)
        requests = max(_requests(stage, workload, platform, journeys) for stage in stages)
        if one.in_flight_ceiling < citizens:
            found.append(NotPermitted("citizens_in_flight_max", one.in_flight_ceiling, citizens, stage=name))
        if one.safety.requests_per_s < requests:
            found.append(NotPermitted("requests_per_s_max", one.safety.requests_per_s, requests, stage=name))
    return replace(one, not_permitted=tuple(found))


def _rates(stage: Stage, workload: Workload, journey: str) -> float:
    """The highest mean rate of a journey in a window of the stage."""
    return max(workload.rate_per_s(journey, stage, number) * stage.curve_mean(number) for number in range(stage.windows))


def _citizens(stage: Stage, workload: Workload, criteria: CriteriaSet, journeys: Mapping[str, Sequence[Step]]) -> int:
    no_points_s = _no_points_s(criteria, workload.timeout_s)
    needed = 0.0
    for journey, steps in journeys.items():
        answers_s = min(len(steps) * no_points_s, workload.patience_s)
        needed += _rates(stage, workload, journey) * min(answers_s + _thinks_s(steps, workload), stage.window_s)
    return min(math.ceil(needed), workload.in_flight_ceiling)


def _requests(stage: Stage, workload: Workload, platform: Platform, journeys: Mapping[str, Sequence[Step]]) -> int:
    return math.ceil(sum(_rates(stage, workload, journey) * _requests_of_visit(platform, steps) for journey, steps in journeys.items()))


def _requests_of_visit(platform: Platform, steps: Sequence[Step]) -> int:
    """The requests that a profile lists for these steps."""
    return sum(len(platform.flows[step.use]) if step.use else len(step.requests) for step in steps)


def steps_of(platform: Platform, goals: Sequence[str]) -> list[Step]:
    """The steps of a journey on a platform, those of goals that are reached inside another one included."""
    return [step for goal in goals if goal in platform.goals for step in platform.goals[goal].steps]


def _no_points_s(criteria: CriteriaSet, otherwise_s: float) -> float:
    """The mean time of a step from which a set gives no points."""
    return max(_ends(criteria), default=otherwise_s)


def _ends(criteria: CriteriaSet) -> Iterator[float]:
    for criterion in criteria.criteria:
        if criterion.parsed.figure == "mean" and criterion.parsed.unit == "s":
            curve = criterion.curve
            if curve.kind != "log_normal":
                yield float(curve.none if curve.kind == "linear" else curve.bands[-1].limit)


def mean_thinks_s(platform: Platform, goals: Sequence[str], workload: Workload) -> float:
    """The mean of all thinks of a visit that pursues these goals."""
    return _thinks_s(steps_of(platform, goals), workload)


def _thinks_s(steps: Iterable[Step], workload: Workload) -> float:
    return sum(
        _mean_s(think) for step in steps if step.think and (think := workload.think.get(step.think) or workload.think.get("default"))
    )


def _mean_s(think: Think) -> float:
    return min(think.max_s, think.median_s * math.exp(think.sigma**2 / 2))
