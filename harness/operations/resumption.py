"""`harness resume`: what is sealed stays, what was half done is measured once more, by the rules that were fixed before the first packet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.catalog import Catalog
from harness.catalog.criteria_set import CriteriaSet
from harness.errors import AuthorisationError, CatalogError, EnvironmentFault, EvidenceError, HarnessError, Problem, UsageError
from harness.evidence import SweepFolder
from harness.evidence.filed_dossiers import read_filed_dossiers
from harness.evidence.spool import recover_rounds
from harness.load.earlier_attempts import EarlierAttempts
from harness.operations.addenda import SEAL
from harness.operations.attempts import begin_attempt, only_attempt
from harness.operations.disk_room import give_back, keep_room
from harness.operations.embedded import EmbeddedPortals, end_earlier, ports_of, separate_processors
from harness.operations.journeys import journeys_of_folder
from harness.operations.kept_process import await_end
from harness.operations.listening import Listening
from harness.operations.locust_run import LONGEST_END_S, measuring_process
from harness.operations.portal_hosts import PortalHosts, check_plan
from harness.operations.provisions import check_provisions
from harness.operations.publication_record import require_no_steps
from harness.operations.retention import removal_problem
from harness.operations.rules import require_same_rules
from harness.operations.selection import select_criteria
from harness.operations.shipped import DEFAULT_CRITERIA, scenarios_folder, shipped_catalog
from harness.operations.sweep import carry_out, check_second_address, forget_portals
from harness.operations.sweep_result import SweepResult
from harness.operations.timetable import longest_make_up_s, planned_s
from harness.records import Plan, append_to_ledger, gather_ledgers, read_plan
from harness.records.sweep_journal import JournalLine, is_complete, last_attempt

_AGAIN = "Start it anew with `harness sweep` or `harness run`."


def resume_sweep(
    folder: SweepFolder,
    progress: Callable[[str], None],
    *,
    catalog_folder: Path | None = None,
    workers: int = 0,
    listening: Listening | None = None,
    during: Callable[[SweepFolder, int], None] | None = None,
) -> tuple[SweepResult, bool]:
    """Go on with a sweep to the end of its plan, and score it. Returns the result, and whether the sweep was already complete.

    ``catalog_folder`` and ``workers``: those of the last attempt where they are not given; ``listening``: for workers on other machines,
    which the last attempt may have had, too. Raises EvidenceError where the folder holds no
    sweep that can go on, EnvironmentFault where it is under way, UsageError where catalog, criteria or version differ from its rules;
    otherwise as ``run_sweep``, ``during`` too.
    """
    from harness.operations.score_folder import measured_criteria, score_folder  # noqa: PLC0415  (pandas loads for a second)

    if (removed := removal_problem(folder)) is not None:
        raise EvidenceError(removed)
    attempt = _last_attempt(folder)
    with only_attempt(folder):
        if (folder.path / SEAL).is_file() and not is_complete(folder.journal):
            raise EvidenceError(Problem(str(folder.path / SEAL), "file", "there", "a sweep that is not sealed: a seal is final", _AGAIN))
        if not is_complete(folder.journal):
            require_no_steps(folder, "what is measured now would change them")
        catalog = shipped_catalog(catalog_folder or (Path(attempt.catalog) if attempt.catalog else None))
        _await_orphan(folder, progress)
        complete = is_complete(folder.journal)
        if complete:
            progress("the sweep is complete: nothing is measured")
            _withdraw_rest(folder, catalog, progress)
            criteria = select_criteria(catalog, measured_criteria(folder, catalog))
        else:
            own = workers if listening is not None else workers or attempt.workers
            if not own and listening is None:
                remedy = "Give --listen and --channel-keys as before, or --workers."
                raise UsageError(Problem(str(folder.path), "workers", "all on other machines", "workers of this attempt", remedy))
            criteria = _go_on(folder, catalog, own, progress, listening, during)
    progress("scoring")
    return score_folder(folder, catalog, criteria, check=complete), complete


def _last_attempt(folder: SweepFolder) -> JournalLine:
    plan, attempt = read_plan(folder.plan), last_attempt(folder.journal)
    if attempt is None:
        found = "a closed run, which has no rounds" if not plan.rounds else "no journal"
        raise EvidenceError(Problem(str(folder.path), "sweep", found, "a sweep that `harness sweep` or `harness run` began", _AGAIN))
    return attempt


def _await_orphan(folder: SweepFolder, progress: Callable[[str], None]) -> None:
    """A measurement that has lost its `harness` ends by itself, in order; wait for that."""
    orphan = measuring_process(folder)
    if orphan is None:
        return
    progress(f"process {orphan.pid} has lost its harness, and is ending: waiting for it")
    if not await_end(orphan, LONGEST_END_S):
        remedy = f"Read {folder.log}; `kill -9 {orphan.pid}` ends it at once, and what is sealed stays."
        raise EnvironmentFault(
            Problem(str(folder.path), "process", f"{orphan.pid}, which still runs", f"its end within {LONGEST_END_S:g} s", remedy)
        )


def _go_on(
    folder: SweepFolder, catalog: Catalog, workers: int, progress: Callable[[str], None], listening: Listening | None,
    during: Callable[[SweepFolder, int], None] | None,
) -> CriteriaSet:  # fmt: skip
    plan = replace(read_plan(folder.plan), results=str(folder.path))
    criteria = select_criteria(catalog, plan.criteria or DEFAULT_CRITERIA)
    require_same_rules(folder, read_plan(folder.plan), catalog, criteria)
    check_second_address(plan.second_address, listening)
    recovered = _recover(folder)
    for name in recovered:
        progress(f"round {name} was cut off by a crash: what came until then is kept, and it is measured once more")
    left_out = portals_left_out(folder, plan, catalog)
    for portal, why in left_out.items():
        progress(f"WARNING: {portal} is left out: {why}")
    generator_cpu, portals_cpu = separate_processors()
    hosts = _bring_back(folder, plan, catalog, portals_cpu, progress)
    try:
        give_back(folder)
        keep_room(folder, plan, catalog, journeys_of_folder(scenarios_folder()))
        begin_attempt(folder, workers=workers, catalog=catalog.extra_folder, recovered=recovered, left_out=left_out)
        progress(f"{len(folder.sealed_rounds())} rounds are sealed and stay as they are; the sweep goes on in {folder.path}")
        carry_out(
            folder, plan, hosts, catalog, workers=workers, processor=generator_cpu, progress=progress, listening=listening, during=during
        )  # fmt: skip
    finally:
        hosts.stop()
        forget_portals(folder)
    return criteria


def _recover(folder: SweepFolder) -> tuple[str, ...]:
    """Seal what a crash left open. Manifests no longer list everything, so they are removed here and written again at the end."""
    if folder.ledger.is_file():
        append_to_ledger(folder.ledger, ())  # removes half a line, before a link of the chain covers it
    gather_ledgers(folder.ledger)
    for path in folder.manifests():
        path.unlink()
    return recover_rounds(folder)


def _bring_back(folder: SweepFolder, plan: Plan, catalog: Catalog, cpu: int | None, progress: Callable[[str], None]) -> PortalHosts:
    """The embedded portals of a plan on their ports, with their database."""
    played = [catalog.portals[target.portal] for target in plan.targets if not target.authorisation]
    if not played:
        return PortalHosts((), None)
    if not (folder.portals / "portals.sqlite").is_file():
        found, expected = "without the embedded portals' database", f"{folder.portals / 'portals.sqlite'}"
        raise EvidenceError(Problem(str(folder.path), "folder", found, expected, f"Restore it. {_AGAIN}"))
    end_earlier(folder.portals, progress)
    try:
        return PortalHosts((), EmbeddedPortals.start(played, seed=plan.seed, cpu=cpu, ports=ports_of(plan), kept=folder.portals))
    except EnvironmentFault as fault:
        remedy = "End what holds their ports, then repeat `harness resume`."
        back = Problem(str(folder.plan), "embedded portals", "not to be had on their ports", "the same ports as before", remedy)
        raise EnvironmentFault(*fault.problems, back) from fault


def _withdraw_rest(folder: SweepFolder, catalog: Catalog, progress: Callable[[str], None]) -> None:
    """Withdraw what the last attempt could not."""
    from harness.operations.dossiers.withdraw import withdraw  # noqa: PLC0415  (as above)

    if not read_filed_dossiers(folder).not_withdrawn():
        return
    plan = read_plan(folder.plan)
    hosts = _bring_back(folder, plan, catalog, None, progress) if folder.portals.is_dir() else PortalHosts((), None)
    try:
        withdraw(folder, catalog, progress)
    finally:
        hosts.stop()
        forget_portals(folder)


def portals_left_out(folder: SweepFolder, plan: Plan, catalog: Catalog) -> dict[str, str]:
    """The portals that this attempt may not load any more, each with the reason."""
    now, rounds, goals = datetime.now(UTC), folder.rounds(), journeys_of_folder(scenarios_folder())
    end = now + timedelta(seconds=_left_s(plan, EarlierAttempts(plan, rounds)))
    found: dict[str, str] = {}
    for target in plan.targets:
        permission = catalog.authorisations.get(target.authorisation)
        try:
            check_plan(replace(plan, targets=(target,)), catalog, now, goals)
        except AuthorisationError as error:
            found[target.portal] = _first_line(error)
        else:
            if permission is not None and not permission.holds_at(end):
                found[target.portal] = (
                    f"{permission.id} ends at {permission.valid_to:%Y-%m-%d %H:%M %z}; the sweep may last until {end:%Y-%m-%d %H:%M %z}"
                )
    allowed = replace(plan, targets=tuple(target for target in plan.targets if target.portal not in found))
    check_provisions(allowed, catalog)
    for target in allowed.targets:
        try:
            check_provisions(replace(plan, targets=(target,)), catalog, rounds)
        except CatalogError as error:  # rows of a pool that suffice for the plan and not for what is measured once more
            found[target.portal] = _first_line(error)
    return found


def _left_s(plan: Plan, earlier: EarlierAttempts) -> float:
    """The longest that the rest of the plan may take."""
    return planned_s(replace(plan, rounds=earlier.left_of_plan())) + longest_make_up_s(plan)


def _first_line(error: HarnessError) -> str:
    return str(error).splitlines()[0]
