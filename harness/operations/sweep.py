"""A sweep from beginning to end: embedded portals up, plan, measurement, verdict, scores, report."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from harness.catalog import Catalog, Portal
from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.workload import Workload
from harness.errors import EnvironmentFault, MeasurementError, NoPointsError, Problem, UsageError
from harness.evidence import SweepFolder, Verdict
from harness.evidence.filed_dossiers import read_filed_dossiers
from harness.evidence.folder import results_around
from harness.evidence.reasons import text
from harness.operations.attempts import begin_attempt, command_about, end_attempt, only_attempt
from harness.operations.calibration.certificate import current
from harness.operations.disk_room import give_back, keep_room, make_folder
from harness.operations.embedded import separate_processors
from harness.operations.journeys import journeys_of_folder, require_walked
from harness.operations.listening import Listening
from harness.operations.locust_run import run_locust
from harness.operations.manifest import seal_manifests
from harness.operations.permitted_load import within_permissions
from harness.operations.plan_summary import longer_windows, plan_in_words
from harness.operations.portal_hosts import PortalHosts, check_permitted, find_hosts, write_counts
from harness.operations.provisions import check_provisions
from harness.operations.rules import fix_rules
from harness.operations.selection import select_criteria
from harness.operations.shared_hosts import with_shared_hosts
from harness.operations.shipped import DEFAULT_CRITERIA, scenarios_folder
from harness.operations.sweep_plan import make_plan, night_date, sweep_id
from harness.operations.sweep_result import SweepResult
from harness.operations.times_usage import factors
from harness.records import Plan, gather_ledgers
from harness.records.files import write_whole
from harness.records.sweep_journal import AttemptEvent, is_complete, last_attempt
from harness.scoring.scorecard import Scorecard

PORTALS_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class SweepSpec:
    """What a sweep measures, and how."""

    label: str
    portals: tuple[Portal, ...]
    workload: Workload
    seed: int
    results: Path
    workers: int = 1
    at_once: int = PORTALS_AT_ONCE
    criteria: str = DEFAULT_CRITERIA
    back_to_back: bool = False
    vantage_point: str = ""  # where authorised hosts are measured from; empty: their authorisations say it
    second_address: str = ""  # of this machine: a lone citizen walks from it after a refusal under load
    listening: Listening | None = None  # for workers on other machines


def check_workload(workload: Workload) -> None:
    """Raise UsageError where no scenario walks a journey of the workload."""
    remedy = f"Write its class into a file of {scenarios_folder()}, or take another workload."
    require_walked(workload.journeys, journeys_of_folder(scenarios_folder()), workload=workload.id, remedy=remedy)


def plan_sweep(spec: SweepSpec, hosts: PortalHosts, catalog: Catalog, sweep: str = "") -> tuple[Plan, PortalHosts]:
    """The plan of a sweep over portals on these hosts, and the hosts with what their authorisations do not cover.

    ``sweep``: its name, where it has one already.
    """
    goals = journeys_of_folder(scenarios_folder())
    criteria = select_criteria(catalog, spec.criteria)
    check_second_address(spec.second_address, spec.listening)
    hosts = with_shared_hosts(hosts, catalog, criteria)
    sweep = sweep or sweep_id(spec.label, spec.seed, spec.results)
    night, calibration = night_date(), current(results_around(spec.results))

    def plan_on(hosts: PortalHosts) -> Plan:
        return make_plan(
            sweep, hosts.portals, spec.workload, seed=spec.seed, results=spec.results / sweep, night=night, at_once=spec.at_once,
            criteria=spec.criteria, control=hosts.control, back_to_back=spec.back_to_back, calibration=calibration,
            maintenance_notice_h=criteria.maintenance_notice.hours if criteria.maintenance_notice is not None else 0.0,
            second_address=spec.second_address, shared=criteria.shared,
            path_doubt=None if criteria.path_doubt is None else criteria.path_doubt.limits,
        )  # fmt: skip

    hosts = within_permissions(hosts, plan_on(hosts), catalog, spec.workload, criteria, goals)
    return plan_on(hosts), hosts


def run_sweep(
    spec: SweepSpec, catalog: Catalog, progress: Callable[[str], None], *, during: Callable[[SweepFolder, int], None] | None = None
) -> SweepResult:
    """Measure authorised hosts and embedded portals and score them. ``during``: see ``run_locust``.

    Raises MeasurementError if the plan was not carried out to its end. What was sealed until then still gets manifests and the portals' counts.
    """
    from harness.operations.score_folder import score_folder  # noqa: PLC0415  (pandas loads for a second)
    from harness.operations.worker_figures import by_worker, in_words  # noqa: PLC0415  (as above)

    criteria = select_criteria(catalog, spec.criteria)  # first: a wrong name must not cost a night
    check_workload(spec.workload)
    _, portals_cpu = separate_processors()
    now = datetime.now(UTC)
    folder = SweepFolder(spec.results / sweep_id(spec.label, spec.seed, spec.results))
    check_second_address(spec.second_address, spec.listening)
    had_results = spec.results.exists()
    make_folder(folder)
    hosts = PortalHosts((), None)
    try:
        with only_attempt(folder):
            hosts = find_hosts(
                spec.portals,
                catalog,
                now,
                seed=spec.seed,
                cpu=portals_cpu,
                vantage_point=spec.vantage_point,
                second_address=spec.second_address,
                kept=folder.portals,
            )
            plan, hosts = plan_sweep(spec, hosts, catalog, folder.path.name)
            check_permitted(plan, catalog, now)
            check_provisions(plan, catalog)
            _announce(spec, catalog, hosts, plan, progress)
            measure_plan(folder, plan, hosts, spec, catalog, criteria, progress, during)
    finally:
        hosts.stop()
        forget_portals(folder)
        if last_attempt(folder.journal) is None:
            shutil.rmtree(folder.path, ignore_errors=True)  # nothing was begun
            if not had_results:
                with suppress(OSError):
                    spec.results.rmdir()  # it stays where something else is in it by now
    progress("scoring")
    result = score_folder(folder, catalog, criteria)
    for line in in_words(by_worker(folder.rounds())):
        progress(line)
    return result


def measure_plan(
    folder: SweepFolder, plan: Plan, hosts: PortalHosts, spec: SweepSpec, catalog: Catalog, criteria: CriteriaSet,
    progress: Callable[[str], None], during: Callable[[SweepFolder, int], None] | None = None,
) -> None:  # fmt: skip
    """Fix the rules of a plan that was checked, and carry it out in a folder that is there. Raises what ``run_locust`` raises."""
    keep_room(folder, plan, catalog, journeys_of_folder(scenarios_folder()))
    fix_rules(folder, plan, catalog, criteria)
    write_whole(folder.plan, plan.to_json())
    begin_attempt(folder, workers=spec.workers, catalog=catalog.extra_folder)
    generator_cpu, _ = separate_processors()
    carry_out(
        folder,
        plan,
        hosts,
        catalog,
        workers=spec.workers,
        processor=generator_cpu,
        progress=progress,
        listening=spec.listening,
        during=during,
    )


def carry_out(
    folder: SweepFolder, plan: Plan, hosts: PortalHosts, catalog: Catalog, *, workers: int, processor: int | None, progress: Callable[[str], None],
    listening: Listening | None = None, during: Callable[[SweepFolder, int], None] | None = None,
) -> None:  # fmt: skip
    """Carry out an attempt at a sweep: measure what is not sealed, write manifests, withdraw. Raises what ``run_locust`` raises."""
    event: AttemptEvent = "aborted"
    try:
        run_locust(
            plan, workers=workers, processor=processor if workers == 1 else None, catalog=catalog.extra_folder, progress=progress,
            during=during, keep_open=hosts.held_open, listening=listening,
        )  # fmt: skip
        event = "ended"
        _close(folder, hosts, catalog, progress)
    except (MeasurementError, EnvironmentFault, KeyboardInterrupt):
        if event == "aborted":
            _close(folder, hosts, catalog, progress)
        raise
    finally:
        end_attempt(folder, event)


def forget_portals(folder: SweepFolder) -> None:
    """Remove the embedded portals' database once the sweep is complete and everything is withdrawn."""
    if is_complete(folder.journal) and not read_filed_dossiers(folder).not_withdrawn():
        shutil.rmtree(folder.portals, ignore_errors=True)


def check_second_address(address: str, listening: Listening | None) -> None:
    """Raise UsageError where this machine cannot send from it, or a worker elsewhere would have to."""
    if not address:
        return
    if listening is not None:
        found, remedy = "given with --listen", "Leave one of the two out: workers elsewhere do not have this address."
        raise UsageError(Problem("command line", "--second-address", found, "workers on this machine only", remedy))
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as sock:
            sock.bind((str(ip_address(address)), 0))
    except (OSError, ValueError) as error:
        remedy = "Name an address that `ip address` shows, other than the one that measures, or leave the option out."
        raise UsageError(
            Problem("command line", "--second-address", f"{address} ({error})", "an IP address of this machine", remedy)
        ) from error


def require_points(result: SweepResult) -> None:
    """Raise NoPointsError where a portal has no points, whatever its verdict: for a run, which measures one portal."""
    _refuse(result, [card for card in result.scores.scorecards if not card.points_assessed_max])


def require_results(result: SweepResult) -> None:
    """Raise NoPointsError where a verdict is void or insufficient: for a sweep, of which blocked and unreachable are results."""
    _refuse(result, [card for card in result.scores.scorecards if card.verdict in {Verdict.VOID, Verdict.INSUFFICIENT}])


def _refuse(result: SweepResult, cards: Sequence[Scorecard]) -> None:
    if cards:
        found = ((card, "; ".join(text(reason, "en") for reason in card.reasons) or "no criterion was assessed") for card in cards)
        raise NoPointsError(
            *(
                Problem(
                    str(result.folder.scores), card.portal, f"{card.verdict.value}: {why}", "a valid verdict with points",
                    f"The report and `{command_about(result.folder.path, 'explain', result.folder.path, card.portal)}` tell the cause; measure again once it is gone.",
                )
                for card, why in found
            )
        )  # fmt: skip


def _announce(spec: SweepSpec, catalog: Catalog, hosts: PortalHosts, plan: Plan, progress: Callable[[str], None]) -> None:
    for note in hosts.notes:
        progress(note)
    embedded = sum(not one.authorisation for one in hosts.portals)
    progress(f"{embedded} embedded portals are up; evidence goes to {plan.results}")
    rates = (
        f"{journey} {rate.planned_per_s:.2f}/s ({rate})" for journey, rate in factors(spec.workload).items() if journey in plan.journeys
    )
    progress(f"visits a portal: {', '.join(rates) or 'none'}")
    written = catalog.workloads.get(spec.workload.id, spec.workload)
    for line in [*longer_windows(written, spec.workload), *plan_in_words(plan, journeys_of_folder(scenarios_folder()))]:
        progress(line)
    if spec.listening is not None and spec.listening.expected:
        progress(f"start {spec.listening.expected} workers on other machines, with the same --catalog: {spec.listening.in_words()}")


def _close(folder: SweepFolder, hosts: PortalHosts, catalog: Catalog, progress: Callable[[str], None]) -> None:
    """Ask the portals what they hold, write the manifests of what is sealed, and withdraw what was filed."""
    from harness.operations.dossiers.withdraw import withdraw  # noqa: PLC0415  (as above)

    give_back(folder)
    try:
        if found := gather_ledgers(folder.ledger):
            progress(f"{found} lines of the ledger came from workers that had lost their master")
        write_counts(folder, hosts.control, progress)
        seal_manifests(folder, catalog)
    finally:
        withdraw(folder, catalog, progress)
