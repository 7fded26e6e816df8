"""The plan of a test that Locust's own options, or the form of its web page, ask for, of one portal; and what a test takes from any plan."""

from __future__ import annotations

import json
import logging
from argparse import Namespace
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import cast

from locust.env import Environment

from harness.catalog import Catalog
from harness.catalog.workload import HealthLimits, Workload
from harness.errors import Problem, UsageError
from harness.load import Schedule
from harness.operations.permitted_journeys import Goals
from harness.operations.permitted_load import within_permissions
from harness.operations.plan_summary import longer_windows, plan_in_words
from harness.operations.portal_hosts import PortalHosts, check_permitted, require_journeys
from harness.operations.provisions import check_provisions
from harness.operations.shared_hosts import with_shared_hosts
from harness.operations.shipped import DEFAULT_CRITERIA
from harness.operations.sweep_plan import closed_plan, make_plan, night_date, sweep_id
from harness.origins import locate, origin_of
from harness.records import Plan
from harness.visits import synthetic_person

logger = logging.getLogger(__name__)


def plan_of_options(environment: Environment, catalog: Catalog, hosts: PortalHosts, goals: Goals, loaded: Collection[str]) -> Plan:
    """The plan for the portal of ``hosts``; ``goals``: those of each journey that Locust's options leave of the ``loaded`` ones.

    Raises HarnessError where permission, our own files or Locust's options do not suffice for it.
    """
    options = cast("Namespace", environment.parsed_options)
    assert environment.runner is not None
    if options.workload:
        workload = _without_left_out(catalog.workloads[options.workload].spread_out(), goals, loaded)
        return _open_plan(options, catalog, hosts, goals, workload, environment.runner.target_user_count)
    return _closed_plan(options, catalog, hosts, goals)


def _without_left_out(workload: Workload, walked: Collection[str], loaded: Collection[str]) -> Workload:
    """The workload without the journeys that whoever started Locust has left out. UsageError where no other arrives.

    A journey that no loaded file has stays: nobody has chosen to leave it out.
    """
    left_out = sorted(set(workload.journeys) & set(loaded) - set(walked))
    if not left_out:
        return workload
    left = workload.without(left_out)
    if not left.journeys:
        expected = f"at least one of the journeys that you chose: {', '.join(sorted(walked))}"
        remedy = "Choose another class or tag (class names, -T, -E, the class picker), or take another workload."
        raise UsageError(Problem(f"workload {workload.id}", "journeys", ", ".join(workload.journeys), expected, remedy))
    logger.warning(
        "you left out %s: their citizens do not arrive, and workload %s is not loaded whole; criteria that need them are not assessed",
        " and ".join(left_out), workload.id,
    )  # fmt: skip
    return left


def _closed_plan(options: Namespace, catalog: Catalog, hosts: PortalHosts, goals: Goals) -> Plan:
    (portal,) = hosts.portals
    require_journeys(portal.authorisation, goals, portal.not_permitted)  # a closed run walks every journey that Locust loaded
    sweep = sweep_id(f"{options.portal}-closed", options.seed, Path(options.results))
    plan = closed_plan(
        sweep, portal, seed=options.seed, results=Path(options.results) / sweep, night=night_date(), health=HealthLimits().model_dump(),
        control=hosts.control,
    )  # fmt: skip
    check_provisions(plan, catalog)
    for line in plan_in_words(plan, goals):
        logger.info("%s", line)
    return plan


def _open_plan(options: Namespace, catalog: Catalog, hosts: PortalHosts, goals: Goals, workload: Workload, users: int) -> Plan:
    notes = len(hosts.notes)
    criteria = catalog.criteria[DEFAULT_CRITERIA]
    hosts = with_shared_hosts(hosts, catalog, criteria)
    ceiling = users if users > 1 else 0
    sweep, night = sweep_id(f"{options.portal}-{workload.id}", options.seed, Path(options.results)), night_date()

    def plan_on(hosts: PortalHosts) -> Plan:
        return make_plan(
            sweep, hosts.portals, workload, seed=options.seed, results=Path(options.results) / sweep, night=night, control=hosts.control,
            in_flight_ceiling=ceiling, contiguous=True, shared=criteria.shared,
        )  # fmt: skip

    hosts = within_permissions(hosts, plan_on(hosts), catalog, workload, criteria, goals)
    for note in hosts.notes[notes:]:
        logger.warning("%s", note)
    not_chosen = sorted({*catalog.workloads[workload.id].journeys} - {*workload.journeys})
    plan = replace(plan_on(hosts), journeys_not_chosen=tuple(not_chosen))
    check_permitted(plan, catalog, datetime.now(UTC))
    check_provisions(plan, catalog)
    for line in [*longer_windows(catalog.workloads[workload.id], workload), *plan_in_words(plan, goals)]:
        logger.info("%s", line)
    if ceiling:
        logger.info("open workload: at most %s citizens in flight", ceiling)
    if (options.spawn_rate or 1) != 1:  # Locust's default
        logger.warning("open workload %s sets the arrivals: -r is ignored", plan.workload)
    return plan


def check_host(host: str, portals: Sequence[str], catalog: Catalog) -> None:
    """Refuse Locust's ``host``, wherever it was given, if it is not a host of these portals: it would be ignored.

    Embedded portals begin on free ports with each test, so nobody can name one of them. Raises UsageError.
    """
    origins = {origin_of(each.origin) for item in catalog.authorisations.values() if item.portal in portals for each in item.hosts}
    named, _ = locate(host)
    if not host or (named is not None and named.text in origins):
        return
    where = f"by authorisation at {', '.join(sorted(origins))}" if origins else "embedded, on a free port of this machine"
    raise UsageError(
        Problem(
            "command line, LOCUST_HOST, locust.conf or form", "host", host, f"no host: what is loaded is {', '.join(portals)} ({where})",
            "Leave the host out. --portal (Portal in the form) chooses what is loaded; an authorisation in your catalog says which hosts a portal has.",
        )
    )  # fmt: skip


def without_portals(plan: Plan, left_out: Collection[str]) -> Plan:
    """The plan of an attempt that does not load these portals: their permission has ended before it begins."""
    targets = (replace(target, valid_to_s=1.0) if target.portal in left_out else target for target in plan.targets)
    return replace(plan, targets=tuple(targets))


def citizens_digest(seed: int, planned: Schedule) -> str:
    """SHA-256 over the synthetic citizens of every planned visit, and what each writes into forms."""
    digest = sha256()
    for arrival in sorted(planned.arrivals, key=lambda a: a.visit):
        person = synthetic_person(seed, planned.slot.run, arrival.visit)
        told = [arrival.visit, dict(person.values), person.dossier_for(None)]
        digest.update(json.dumps(told, sort_keys=True, ensure_ascii=False).encode())
    return digest.hexdigest()
