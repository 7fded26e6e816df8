"""What a plan says of each portal before anything is sent: the terms of its authorisation, and its load beside its own usage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from harness.catalog.workload import Workload
from harness.operations.journeys_without_goal import absent_in_words
from harness.operations.permitted_journeys import FILING, Goals
from harness.records import Plan, PlannedTarget, Terms, TimesUsage
from harness.records.plan import ABOVE_USAGE


def plan_in_words(plan: Plan, goals: Goals) -> Iterator[str]:
    """What a plan says of each portal, then of the loads.

    Of a portal: what its authorisation says besides limits, what that lacks, and which goals its profile declares absent. Of a load: how it
    compares with usage.
    """
    for target in plan.targets:
        if target.authorisation:
            yield from _of_authorisation(target, plan, goals)
        yield from absent_in_words(target.portal, target.absent_goals)
    yield from _beside_usage(plan)


def longer_windows(written: Workload, sent: Workload) -> Iterator[str]:
    """A line if windows became longer than the workload says, to keep the load within ten times usage."""
    lengths = {(before.stage, before.window_s, after.window_s) for before, after in zip(written.stages, sent.stages, strict=True)}
    changed = sorted(f"{stage} {after_s:g} s instead of {before_s:g} s" for stage, before_s, after_s in lengths if after_s != before_s)
    if changed:
        yield f"longer windows, at a lower rate for the same visits, so that no load need be above ten times usage: {', '.join(changed)}"


def terms_in_words(terms: Terms) -> str:
    """What an authorisation says besides limits of the load; empty where that is nothing."""
    parts = {
        f"only at {', '.join(terms.hours)} in Viet Nam": terms.hours,
        f"only the journeys {', '.join(terms.journeys)}": terms.journeys,
        f"only from {', '.join(terms.source_addresses)}": terms.source_addresses,
        f"at most {terms.dossiers_max} dossiers a sweep": terms.dossiers_max,
        f"at most {terms.dossiers_per_night_max} dossiers a night, {terms.dossiers_before} of them filed before": terms.dossiers_per_night_max,
        f"contact {terms.contact} in the User-Agent": terms.contact,
        f"without captcha by {terms.captcha_exemption}": terms.captcha_exemption,
        f"left out of the monitoring system (EMC) by {terms.emc_exclusion}": terms.emc_exclusion,
    }
    return "; ".join(words for words, given in parts.items() if given)


def _of_authorisation(target: PlannedTarget, plan: Plan, goals: Goals) -> Iterator[str]:
    if words := terms_in_words(target.terms):
        yield f"{target.portal}: terms of {target.authorisation}: {words}"
    if not target.terms.contact and not target.is_on_this_machine:
        yield f"WARNING: {target.portal}: {target.authorisation} names no `contact`: whoever reads the portal's log does not know whom to ask"
    walked = plan.journeys_at(target.portal) if plan.rounds else goals  # a closed run walks whatever Locust has loaded
    filing = sorted(journey for journey in walked if FILING in goals.get(journey, ()))
    if filing and not target.terms.emc_exclusion and not target.is_on_this_machine:
        yield (
            f"WARNING: {target.portal}: {target.authorisation} has no `emc_exclusion`: {' and '.join(filing)} may count as real dossiers in the"
            " monitoring system (EMC) and what is synchronised with it"
        )


def _beside_usage(plan: Plan) -> Iterator[str]:
    """The highest load of each journey beside usage; portals with the same load share a line.

    Flagged is only what has a usage: a portal with daily figures of its own, or one that is not on this machine.
    """
    alike: dict[tuple[tuple[TimesUsage, ...], bool], list[str]] = defaultdict(list)
    for target in plan.targets:
        if target.times_usage:
            alike[target.times_usage, target.is_on_this_machine].append(target.portal)
    for (loads, is_here), portals in alike.items():
        whose = portals[0] if len(portals) == 1 else f"{len(portals)} portals"
        yield f"{whose}: at most {', '.join(map(str, loads))}"
        if above := [each.journey for each in loads if each.is_above and (each.own or not is_here)]:
            yield (
                f"{whose}: ABOVE {ABOVE_USAGE:g} TIMES USAGE: {', '.join(above)}; longer windows would need a lower rate for the same visits"
                " (`window_s_max` of the workload)"
            )
