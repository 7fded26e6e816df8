"""A Locust process of the harness: its options, and what listens to Locust's events in a worker and in the master."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import gevent
import gevent.event
from gevent.event import Event
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from harness.catalog import Catalog
from harness.catalog.workload import HealthLimits
from harness.errors import EnvironmentFault, HarnessError, MeasurementError, Problem, UsageError
from harness.evidence import Spool, SweepFolder
from harness.load import Schedule
from harness.load.admission import answer_roll_calls
from harness.load.arrivals import Arrivals, dispatcher_for, is_open, start_agent, walked_journeys
from harness.load.aside import in_a_thread
from harness.load.citizens_tab import add_citizens_tab
from harness.load.clock import Clock
from harness.load.conductor import Conductor
from harness.load.lasting_master import LastingMaster, let_masters_last
from harness.load.locust_channel import LocustChannel
from harness.load.members_only import close_channel, refused_strangers
from harness.load.web_requests import refuse_foreign_requests
from harness.operations.attempts import end_attempt
from harness.operations.disk_room import give_back, hold, make_room, not_writable
from harness.operations.dossiers.night_count import dossiers_left
from harness.operations.dossiers.withdraw import withdraw
from harness.operations.embedded import raise_priority, separate_processors
from harness.operations.ending import LIFELINE_FD, end_forked_with_this
from harness.operations.journeys import journeys_of_plan, require_walked
from harness.operations.locust_log import clean_log
from harness.operations.manifest import seal_manifests
from harness.operations.permitted_journeys import FILING
from harness.operations.permitted_load import within_permissions
from harness.operations.plan_summary import longer_windows, plan_in_words
from harness.operations.portal_hosts import (
    PortalHosts,
    check_permitted,
    check_plan,
    find_hosts,
    require_journeys,
    target_of_planned,
    write_counts,
)
from harness.operations.progress import PROGRESS_FD, ProgressPipe
from harness.operations.provisions import check_provisions
from harness.operations.register import enter_beginning
from harness.operations.rules import fix_rules
from harness.operations.shared_hosts import with_shared_hosts
from harness.operations.shipped import DEFAULT_CRITERIA, shipped_catalog
from harness.operations.supplied.operator_files import maintenance_over
from harness.operations.timetable import MeasuredPortal, closed_plan, make_plan, night_date, sweep_id
from harness.operations.worker_setup import lacking, worker_setup
from harness.origins import locate, origin_of
from harness.profiles import compile_platform, load_functions
from harness.records import Plan, gather_ledgers, read_plan
from harness.records.files import write_whole
from harness.records.fleet_messages import Refused, WorkerSetup
from harness.records.sweep_journal import last_attempt
from harness.visits import synthetic_person
from harness.visits.blanking import secrets_of_catalog

logger = logging.getLogger(__name__)

DEFAULT_PORTAL = "ordinary"
CLOSED_WINDOW_S = 60.0
CLOSED_WINDOWS = 240  # four hours; later rows count into the last window
LONGEST_CLOSE_S = 600.0  # for evidence to be sealed and dossiers to be withdrawn before the embedded portals end
WAIT_FOR_FLEET_S = 300.0
"""How long a master waits for the workers of its fleet (assumed: long enough to start them by hand on a few machines)."""
SAFE_DEFAULTS = {"web_host": "127.0.0.1", "master_bind_host": "127.0.0.1", "stop_timeout": "65"}
"""Locust's own defaults listen on every interface and end users at once. An option or a locust.conf overrides these."""


def listen() -> None:
    """Make this Locust process one of the harness; called once, when a scenario is imported."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script that starts Locust with `&` has it ignore SIGINT
    end_forked_with_this()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO each question to the embedded portals is a line of Locust's log
    if descriptor := os.environ.get(PROGRESS_FD):
        logger.addHandler(ProgressPipe(int(descriptor)))
    keys = _early_option("--channel-keys", "HARNESS_CHANNEL_KEYS")
    close_channel(Path(keys) if keys else None)
    let_masters_last()
    events.init_command_line_parser.add_listener(_add_options)
    events.init.add_listener(_start)


def _add_options(parser: LocustArgumentParser, **_: Any) -> None:
    try:
        catalog = _catalog(_early_option("--catalog", "HARNESS_CATALOG"))
    except HarnessError as error:
        parser.exit(error.exit_code, "".join(f"error: {problem}\n" for problem in error.problems))
    parser.set_defaults(**SAFE_DEFAULTS)
    parser.add_argument(
        "--portal", default=DEFAULT_PORTAL, choices=sorted(catalog.portals), env_var="HARNESS_PORTAL",
        help="The portal to visit; without an authorisation it is the embedded one of that name",
    )  # fmt: skip
    parser.add_argument(
        "--workload", default="", choices=["", *sorted(catalog.workloads)], env_var="HARNESS_WORKLOAD",
        help="An open workload: it sets the arrivals, -u caps citizens in flight, -r is ignored. Empty: closed, -u citizens",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, env_var="HARNESS_SEED", help="Same seed, same schedule, citizens and forms")
    parser.add_argument(
        "--results", default="results", env_var="HARNESS_RESULTS", include_in_web_ui=False, help="Where evidence is written"
    )
    parser.add_argument(
        "--catalog", default="", env_var="HARNESS_CATALOG", include_in_web_ui=False, help="A folder with a catalog of your own"
    )
    parser.add_argument(
        "--channel-keys", default="", env_var="HARNESS_CHANNEL_KEYS", include_in_web_ui=False,
        help="A file of `harness keys`, for a master and workers on several machines; on one machine they need none",
    )  # fmt: skip
    parser.add_argument(
        "--fleet", type=int, default=0, include_in_web_ui=False,
        help="Workers to admit before anything is sent; used by `harness sweep --listen`",
    )  # fmt: skip
    parser.add_argument(
        "--fleet-within", type=float, default=WAIT_FOR_FLEET_S, include_in_web_ui=False, help="Seconds to wait for them; used with --fleet"
    )
    parser.add_argument(
        "--plan", default="", env_var="HARNESS_PLAN", include_in_web_ui=False, help="A plan that `harness` wrote; used by it"
    )


def _early_option(option: str, variable: str) -> str:
    """An option that counts before the whole command line is parsed: choices of other options, or Locust's sockets, depend on it."""
    early = ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument(option, dest="value", default=os.environ.get(variable, ""))
    return str(early.parse_known_args(sys.argv[1:])[0].value)


def _catalog(extra: str) -> Catalog:
    return shipped_catalog(Path(extra) if extra else None)


def _start(environment: Environment, **_: Any) -> None:
    assert environment.parsed_options is not None
    gevent.signal_handler(signal.SIGINT, end_in_order)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        gevent.signal_handler(signal.SIGHUP, end_in_order)
    catalog = _catalog(environment.parsed_options.catalog)
    clean_log(secrets_of_catalog(catalog))
    environment.user_classes = [*environment.user_classes, Arrivals]
    if not isinstance(environment.runner, MasterRunner):
        _start_worker(environment, catalog)
    if not isinstance(environment.runner, WorkerRunner):
        _Master(environment, catalog).listen()
    gevent.get_hub().loop.update_now()  # Locust counts its run time from here; the loop's clock stood still while all was loaded


def end_in_order() -> None:
    """Raise Ctrl-C in Locust's main greenlet, once: a second one would cut off the sealing.

    Python raises it in whichever greenlet runs: that one ends, and with it the reading of batches.
    """
    if _ending:
        logger.info("stopping already: visits under way may end, and what was measured is sealed")
    else:
        _ending.append(True)
        logger.info("stopping: arrivals are off, visits under way may end")
        gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())


_ending: list[bool] = []


def _watch_lifeline(ended: Callable[[], None]) -> None:
    """Call ``ended`` once the `harness` that started this process has ended, however it did."""
    if descriptor := os.environ.get(LIFELINE_FD):
        watcher = gevent.get_hub().loop.io(int(descriptor), 1)

        def at_end() -> None:
            watcher.stop()
            ended()

        watcher.start(at_end)


def _setup(environment: Environment, catalog: Catalog) -> WorkerSetup:
    return worker_setup(catalog, environment.parsed_locustfiles or ())


def _leave_refused(environment: Environment, said: Refused) -> None:
    """The master does not admit this worker; where that is for good, the process ends."""
    logger.error("the master refuses this worker: %s", said.reason)
    if said.for_good and environment.runner is not None:
        environment.process_exit_code = EnvironmentFault.exit_code
        gevent.spawn(environment.runner.quit)


def _leave_deserted(environment: Environment) -> None:
    logger.error("the master stays silent: this worker ends, and has to be started again (a supervisor does it)")
    environment.process_exit_code = MeasurementError.exit_code
    end_in_order()


def _start_worker(environment: Environment, catalog: Catalog) -> None:
    functions = load_functions(*catalog.folders)
    platforms = {name: compile_platform(platform, functions) for name, platform in catalog.platforms.items()}
    options = environment.parsed_options
    assert options is not None
    agent = start_agent(
        environment, platforms, lambda planned: target_of_planned(catalog, planned), partial(_leave_deserted, environment),
        Path(options.results).absolute(),
    )  # fmt: skip
    if isinstance(environment.runner, WorkerRunner):
        refused = partial(_leave_refused, environment)
        answer_roll_calls(
            LocustChannel(environment),
            _setup(environment, catalog),
            lambda: agent.between_rounds,
            partial(lacking, catalog, platforms),
            refused,
        )
    processor = os.environ.get("HARNESS_CPU", "")
    if processor:
        os.sched_setaffinity(0, {int(processor)})
        raise_priority(0)


@dataclass
class _Master:
    """Starts and ends tests in Locust's master, or in a standalone Locust."""

    environment: Environment
    catalog: Catalog
    hosts: PortalHosts | None = None
    deserted: bool = False  # the `harness` that gave the plan has ended
    unwritable: bool = False  # the evidence could not be written
    held: int | None = None  # the descriptor that holds the folder of the test
    finished: Event = field(default_factory=Event)  # set while no test is under way: the evidence of the last one is complete

    @property
    def options(self) -> Namespace:
        """The options of the command line, as the web UI's form has changed them."""
        return cast("Namespace", self.environment.parsed_options)

    @property
    def runner(self) -> Runner:
        """Locust's runner."""
        assert self.environment.runner is not None
        return self.environment.runner

    def listen(self) -> None:
        """Listen to Locust's events."""
        environment = self.environment
        self.finished.set()
        if os.environ.get("HARNESS_CPU"):
            raise_priority(0)  # as the worker's, which ends its load where the lease is late
        setup = _setup(environment, self.catalog) if isinstance(self.runner, MasterRunner) else None
        self.conductor = Conductor(LocustChannel(environment), Clock(), _citizens_digest, lambda line: logger.info("%s", line), setup)
        gevent.spawn(self.conductor.renew_lease_for_ever)
        environment.dispatcher_class = dispatcher_for(environment, environment.dispatcher_class)
        if environment.web_ui is not None:
            refuse_foreign_requests(environment.web_ui)
            add_citizens_tab(environment.web_ui, self.conductor.citizens)
        environment.events.test_start.add_listener(lambda environment, **_: self.begin())
        environment.events.test_stopping.add_listener(lambda environment, **_: self.conductor.wind_down())
        environment.events.quitting.add_listener(lambda environment, **_: self.quit())
        _watch_lifeline(self.desert)
        if self.options.fleet:
            self.assemble()

    def assemble(self) -> None:
        """Wait for the workers of a fleet, before Locust begins a test; without them the process ends."""
        assert isinstance(self.runner, LastingMaster)
        self.runner.lasting = True
        try:
            self.conductor.assemble(read_plan(Path(self.options.plan)), self.options.fleet, self.options.fleet_within)
        except HarnessError as error:
            self._say_error(error)
            code = error.exit_code
        except KeyboardInterrupt:
            logger.info("stopped while waiting for workers; nothing was sent to a portal")
            code = MeasurementError.exit_code
        else:
            self.options.expect_workers = 0  # Locust waits for new workers only: one that an earlier master has started counts too
            return
        self.runner.quit()
        sys.exit(code)

    def begin(self) -> None:
        """A test starts: read or make its plan, and carry it out."""
        try:
            plan, folder = self._plan()
        except HarnessError as error:
            self._say_error(error)
            self.environment.process_exit_code = error.exit_code
            gevent.spawn(self._end_test)
            return
        attempt = last_attempt(folder.journal)
        night = attempt.night if attempt is not None and attempt.night != plan.night else ""
        spool = Spool(
            folder, lambda: maintenance_over(folder, plan.maintenance_notice_h, datetime.now(UTC), logger.warning),
            lambda error: self._end_unwritable(folder, error), in_a_thread, night,
        )  # fmt: skip
        files = frozenset(journey for journey, goals in self._goals().items() if FILING in goals)
        loaded = _without(plan, attempt.left_out if attempt is not None else ())
        self.conductor.prepare(loaded, spool, folder.rounds(), dossiers_left=lambda: self._dossiers_left(plan), files=files)
        gevent.spawn(self._run_open if is_open(self.environment) else self._run_closed, plan, folder)
        if not self.options.plan:
            logger.info("evidence goes to %s", folder.path)

    def desert(self) -> None:
        """`harness` has ended: end in order, and do what it would have done."""
        logger.warning("the harness that started this measurement has ended: arrivals are off")
        self.deserted = True
        gevent.spawn(end_in_order)

    def quit(self) -> None:
        """The process ends."""
        self.conductor.wind_down()
        if refused := refused_strangers():
            logger.warning("the master refused %s connections of strangers", refused)
        self.finished.wait(timeout=LONGEST_CLOSE_S)
        self._stop_embedded()

    def _run_open(self, plan: Plan, folder: SweepFolder) -> None:
        try:
            self._run(plan, folder, self.conductor.run_rounds)
        except MeasurementError as error:
            self._say_error(error)
        if self.options.plan:
            self.environment.process_exit_code = 0 if self.conductor.complete else MeasurementError.exit_code
        if self.unwritable:
            self.environment.process_exit_code = EnvironmentFault.exit_code
        if not self.conductor.stopping or (self.options.plan and not _ending):  # Locust stops a test without workers, and does not end
            self._end_test()

    def _run_closed(self, plan: Plan, folder: SweepFolder) -> None:
        self._run(plan, folder, lambda: self.conductor.run_closed(CLOSED_WINDOW_S, CLOSED_WINDOWS))

    def _run(self, plan: Plan, folder: SweepFolder, carry_out: Callable[[], None]) -> None:
        """Carry out a test, then write its manifests and withdraw what it filed; `harness`, which gave a plan, does both itself."""
        self.finished.clear()
        try:
            carry_out()
            gather_ledgers(folder.ledger)
            if self.hosts is not None:
                write_counts(folder, self.hosts.control, lambda line: logger.warning("%s", line))
                seal_manifests(folder, self.catalog)
        except (OSError, EnvironmentFault) as error:
            self._end_unwritable(folder, error)
        finally:
            give_back(folder)
            if self.deserted:
                gather_ledgers(folder.ledger)
                write_counts(folder, plan.simulator_control, lambda line: logger.warning("%s", line))
                seal_manifests(folder, self.catalog)
            if self.deserted or (self.hosts is not None and any(one.authorisation for one in self.hosts.portals)):
                self._withdraw(folder)  # the database of embedded portals ends with them
            if self.deserted or not self.options.plan:
                self._enter_end(folder)
            self.finished.set()

    def _enter_end(self, folder: SweepFolder) -> None:
        try:
            end_attempt(folder, "ended" if self.conductor.complete and not self.deserted else "aborted")
        except HarnessError as error:
            self._say_error(error)

    def _withdraw(self, folder: SweepFolder) -> None:
        """Withdraw what was filed; `harness withdraw` does the rest where Locust's end cuts this short."""
        try:
            withdraw(folder, self.catalog, lambda line: logger.info("%s", line))
        except HarnessError as error:
            self._say_error(error)

    def _end_unwritable(self, folder: SweepFolder, error: Exception) -> None:
        """The evidence cannot be written: say so, once, and end in order."""
        if not self.unwritable:
            self.unwritable = True
            self._say_error(not_writable(folder, error))
            gevent.spawn(end_in_order)

    def _say_error(self, error: HarnessError) -> None:
        for problem in error.problems:
            logger.error("%s", problem)  # without a traceback: the problem says where and what

    def _dossiers_left(self, plan: Plan) -> dict[str, int]:
        """How many more dossiers may be filed, by portal; none where they cannot be counted any more: the load goes on without filing."""
        try:
            return dossiers_left(plan)
        except HarnessError as error:
            self._say_error(error)
            return {target.portal: 0 for target in plan.targets if target.terms.limits_dossiers}

    def _end_test(self) -> None:
        (self.runner.quit if self.options.headless else self.runner.stop)()

    def _plan(self) -> tuple[Plan, SweepFolder]:
        """The plan of this test, as it lies in its folder."""
        plan = read_plan(Path(self.options.plan)) if self.options.plan else self._make_plan()
        self._check_host(plan)
        if is_open(self.environment):
            remedy = "Load all scenario files, name no class, leave out -T and -E, or take another workload."
            require_walked(journeys_of_plan(plan), self._goals(), workload=plan.workload, remedy=remedy)
        folder = SweepFolder(Path(self.options.plan).parent if self.options.plan else Path(plan.results))
        plan = replace(plan, results=str(folder.path))  # the folder may have been moved since it was planned
        attempt = last_attempt(folder.journal)
        left_out = attempt.left_out if attempt is not None else {}
        loaded = replace(plan, targets=tuple(target for target in plan.targets if target.portal not in left_out))
        check_plan(loaded, self.catalog, datetime.now(UTC), self._goals())
        if not self.options.plan:
            make_room(folder, plan, self.catalog, self._goals())
        if self.held is not None:
            os.close(self.held)
        self.held = hold(folder)
        if not self.options.plan:
            fix_rules(folder, plan, self.catalog, self.catalog.criteria[DEFAULT_CRITERIA])
            enter_beginning(folder)
        if not folder.plan.exists():
            write_whole(folder.plan, plan.to_json())
        return plan, folder

    def _make_plan(self) -> Plan:
        options = self.options
        self._stop_embedded()  # each test has new portals: they count from nothing
        self.hosts = find_hosts(
            [self.catalog.portals[options.portal]], self.catalog, datetime.now(UTC), seed=options.seed, cpu=separate_processors()[1],
            goals=self._goals(),
        )  # fmt: skip
        for note in self.hosts.notes:
            logger.info("%s", note)
        return self._make_open_plan(self.hosts) if options.workload else self._make_closed_plan(self.hosts)

    def _make_closed_plan(self, hosts: PortalHosts) -> Plan:
        options = self.options
        (portal,) = hosts.portals
        self._check_journeys(portal)
        sweep = sweep_id(f"{options.portal}-closed", options.seed, Path(options.results))
        plan = closed_plan(
            sweep, portal, seed=options.seed, results=Path(options.results) / sweep, night=night_date(), health=HealthLimits().model_dump(),
            control=hosts.control,
        )  # fmt: skip
        check_provisions(plan, self.catalog)
        for line in plan_in_words(plan, self._goals()):
            logger.info("%s", line)
        return plan

    def _make_open_plan(self, hosts: PortalHosts) -> Plan:
        options = self.options
        workload, notes = self.catalog.workloads[options.workload].spread_out(), len(hosts.notes)
        criteria = self.catalog.criteria[DEFAULT_CRITERIA]
        hosts = with_shared_hosts(hosts, self.catalog, criteria)
        ceiling = self.runner.target_user_count if self.runner.target_user_count > 1 else 0
        sweep, night = sweep_id(f"{options.portal}-{workload.id}", options.seed, Path(options.results)), night_date()

        def plan_on(hosts: PortalHosts) -> Plan:
            return make_plan(
                sweep, hosts.portals, workload, seed=options.seed, results=Path(options.results) / sweep, night=night, control=hosts.control,
                in_flight_ceiling=ceiling, contiguous=True, shared=criteria.shared,
            )  # fmt: skip

        hosts = within_permissions(hosts, plan_on(hosts), self.catalog, workload, criteria, self._goals())
        for note in hosts.notes[notes:]:
            logger.warning("%s", note)
        plan = plan_on(hosts)
        check_permitted(plan, self.catalog, datetime.now(UTC))
        check_provisions(plan, self.catalog)
        for line in [*longer_windows(self.catalog.workloads[workload.id], workload), *plan_in_words(plan, self._goals())]:
            logger.info("%s", line)
        if ceiling:
            logger.info("open workload: at most %s citizens in flight", ceiling)
        if options.spawn_rate:
            logger.warning("open workload %s sets the arrivals: -r is ignored", plan.workload)
        return plan

    def _check_host(self, plan: Plan) -> None:
        """Refuse Locust's `-H`, or the host of the form, where it names another host than the plan: it would be ignored."""
        origins = {role: origin for target in plan.targets for role, origin in target.origins.items()}
        host = self.environment.host or ""
        named, _ = locate(host)
        if host and (named is None or named.text not in {origin_of(origin) for origin in origins.values()}):
            expected = f"no host, or one of those that --portal stands for: {', '.join(origins.values())}"
            remedy = "Leave it out; an authorisation in your catalog says which hosts a portal has."
            raise UsageError(Problem("command line or form", "host", host, expected, remedy))

    def _check_journeys(self, portal: MeasuredPortal) -> None:
        """A closed run walks every journey that Locust loaded: none of them may be one that is not permitted there."""
        require_journeys(portal.authorisation, self._goals(), portal.not_permitted)

    def _goals(self) -> dict[str, tuple[str, ...]]:
        """The goals of each journey that Locust's options leave."""
        return {journey: user.goals for journey, user in walked_journeys(self.environment).items()}

    def _stop_embedded(self) -> None:
        if self.hosts is not None:
            self.finished.wait(timeout=LONGEST_CLOSE_S)
            self.hosts.stop()
            self.hosts = None


def _without(plan: Plan, left_out: Collection[str]) -> Plan:
    """The plan of an attempt that does not load these portals: their permission has ended before it begins."""
    targets = (replace(target, valid_to_s=1.0) if target.portal in left_out else target for target in plan.targets)
    return replace(plan, targets=tuple(targets))


def _citizens_digest(seed: int, planned: Schedule) -> str:
    """SHA-256 over the synthetic citizens of every planned visit, and what each writes into forms."""
    digest = sha256()
    for arrival in sorted(planned.arrivals, key=lambda a: a.visit):
        person = synthetic_person(seed, planned.slot.run, arrival.visit)
        told = [arrival.visit, dict(person.values), person.dossier_for(None)]
        digest.update(json.dumps(told, sort_keys=True, ensure_ascii=False).encode())
    return digest.hexdigest()
