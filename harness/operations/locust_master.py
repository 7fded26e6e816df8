"""The master in its Locust process, or a standalone Locust: reads or makes the plan of each test, carries it out, and closes its evidence."""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.runners import MasterRunner, Runner
from locust.stats import CSV_STATS_INTERVAL_SEC

from harness.catalog import Catalog
from harness.catalog.criteria_set import CriteriaSet
from harness.errors import EnvironmentFault, HarnessError, MeasurementError, UsageError
from harness.evidence import Spool, SweepFolder
from harness.load.arrivals import dispatcher_for, is_open
from harness.load.aside import in_a_thread
from harness.load.chosen_journeys import walked_journeys
from harness.load.citizens_tab import CitizensTab
from harness.load.clock import Clock
from harness.load.conductor import Conductor
from harness.load.lasting_master import LastingMaster
from harness.load.locust_channel import LocustChannel
from harness.load.members_only import refused_strangers
from harness.load.web_requests import refuse_foreign_requests, refuse_hosts
from harness.operations.attempts import end_attempt
from harness.operations.disk_room import give_back, hold, make_room, not_writable
from harness.operations.dossiers.night_count import dossiers_left
from harness.operations.dossiers.withdraw import withdraw
from harness.operations.embedded import raise_priority, separate_processors
from harness.operations.ending import end_in_order, is_ending, watch_lifeline
from harness.operations.journeys import journeys_of_plan, require_walked
from harness.operations.kept_evidence import kept_in_words
from harness.operations.live_writer import LiveWriter
from harness.operations.locust_plan import check_host, citizens_digest, plan_of_options, without_portals
from harness.operations.manifest import seal_manifests
from harness.operations.permitted_journeys import FILING
from harness.operations.portal_hosts import PortalHosts, check_plan, find_hosts, write_counts
from harness.operations.register import enter_beginning
from harness.operations.rules import fix_rules
from harness.operations.selection import select_criteria
from harness.operations.shipped import DEFAULT_CRITERIA
from harness.operations.supplied.operator_files import maintenance_over
from harness.operations.worker_setup import worker_setup
from harness.records import Plan, gather_ledgers, read_plan
from harness.records.files import write_whole
from harness.records.sweep_journal import last_attempt

logger = logging.getLogger(__name__)

CLOSED_WINDOW_S = 60.0
CLOSED_WINDOWS = 240  # four hours (assumed: nobody tries things out for longer); later rows count into the last window
LONGEST_CLOSE_S = 600.0  # to seal evidence and withdraw dossiers before the embedded portals end (assumed: a test takes some seconds)


@dataclass
class LocustMaster:
    """Starts and ends tests in Locust's master, or in a standalone Locust."""

    environment: Environment
    catalog: Catalog
    loaded: frozenset[str]  # the journeys of the loaded files, chosen or not
    hosts: PortalHosts | None = None
    deserted: bool = False  # the `harness` that gave the plan has ended
    unwritable: bool = False  # the evidence could not be written
    held: int | None = None  # the descriptor that holds the folder of the test
    tab: CitizensTab | None = None  # where there is a page
    kept: str = ""  # what the last test has left behind, in a line
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
        setup = worker_setup(self.catalog, environment.parsed_locustfiles or ()) if isinstance(self.runner, MasterRunner) else None
        self.conductor = Conductor(LocustChannel(environment), Clock(), citizens_digest, lambda line: logger.info("%s", line), setup)
        gevent.spawn(self.conductor.renew_lease_for_ever)
        environment.dispatcher_class = dispatcher_for(environment, environment.dispatcher_class)
        if environment.web_ui is not None:
            refuse_foreign_requests(environment.web_ui)
            refuse_hosts(environment.web_ui, self._why_no_host)
            self.tab = CitizensTab(environment.web_ui, self.conductor.live)
        environment.events.test_start.add_listener(lambda environment, **_: self.begin())
        environment.events.test_stopping.add_listener(lambda environment, **_: self.conductor.wind_down())
        environment.events.quitting.add_listener(lambda environment, **_: self.quit())
        environment.events.quit.add_listener(lambda exit_code, **_: self._say_kept(at_quit=True))
        watch_lifeline(self.desert)
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
        if self.tab is not None:
            self.tab.begin(plan, str(folder.path))
        files = frozenset(journey for journey, goals in self._goals().items() if FILING in goals)
        loaded = without_portals(plan, attempt.left_out if attempt is not None else ())
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
        if self.options.csv_prefix:
            gevent.sleep(CSV_STATS_INTERVAL_SEC + 0.5)  # Locust writes these files once a second, and not at its end

    def _run_open(self, plan: Plan, folder: SweepFolder) -> None:
        try:
            self._run(plan, folder, self.conductor.run_rounds)
        except MeasurementError as error:
            self._say_error(error)
        if self.options.plan:
            self.environment.process_exit_code = 0 if self.conductor.complete else MeasurementError.exit_code
        if self.unwritable:
            self.environment.process_exit_code = EnvironmentFault.exit_code
        if not self.conductor.stopping or (self.options.plan and not is_ending()):  # Locust stops a test without workers, and does not end
            self._end_test()

    def _run_closed(self, plan: Plan, folder: SweepFolder) -> None:
        self._run(plan, folder, lambda: self.conductor.run_closed(CLOSED_WINDOW_S, CLOSED_WINDOWS))

    def _run(self, plan: Plan, folder: SweepFolder, carry_out: Callable[[], None]) -> None:
        """Carry out a test, then write its manifests and withdraw what it filed; `harness`, which gave a plan, does both itself."""
        self.finished.clear()
        news = LiveWriter(folder, plan, self.conductor.live, self.catalog.portals, self._criteria(plan))
        try:
            carry_out()
            gather_ledgers(folder.ledger)
            if self.hosts is not None:
                write_counts(folder, self.hosts.control, lambda line: logger.warning("%s", line))
                seal_manifests(folder, self.catalog)
        except (OSError, EnvironmentFault) as error:
            self._end_unwritable(folder, error)
        finally:
            news.end("ended" if self.conductor.complete else "aborted")
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
        if self.deserted or not self.options.plan:
            self.kept = kept_in_words(folder, plan, self.options.catalog)
            self._say_kept(at_quit=False)

    def _criteria(self, plan: Plan) -> CriteriaSet | None:
        """The criteria set whose thresholds the live state names; None where its file cannot be read: a sweep does not need it yet."""
        try:
            return select_criteria(self.catalog, plan.criteria or DEFAULT_CRITERIA)
        except HarnessError as error:
            logger.warning("the live state names no thresholds: %s", error)
            return None

    def _say_kept(self, *, at_quit: bool) -> None:
        """Print the line after the tables that Locust prints when it quits (if it has no page)."""
        if self.kept and at_quit == (self.environment.web_ui is None):
            logger.info("%s", self.kept)
            if self.tab is not None:
                self.tab.say(self.kept)

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
        if self.tab is not None:
            self.tab.say(str(error))

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
        plan = self._given_plan() if self.options.plan else self._make_plan()
        if is_open(self.environment):
            remedy = "Load all scenario files, or take another workload."
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

    def _given_plan(self) -> Plan:
        plan = read_plan(Path(self.options.plan))
        check_host(self.environment.host or "", [target.portal for target in plan.targets], self.catalog)
        return plan

    def _make_plan(self) -> Plan:
        options = self.options
        check_host(self.environment.host or "", [options.portal], self.catalog)
        self._stop_embedded()  # each test has new portals: they count from nothing
        self.hosts = find_hosts(
            [self.catalog.portals[options.portal]], self.catalog, datetime.now(UTC), seed=options.seed, cpu=separate_processors()[1],
            goals=self._goals(),
        )  # fmt: skip
        for note in self.hosts.notes:
            logger.info("%s", note)
        return plan_of_options(self.environment, self.catalog, self.hosts, self._goals(), self.loaded)

    def _why_no_host(self, host: str, portal: str) -> str:
        """Why the host of the page's form is refused; empty where it is not."""
        try:
            check_host(host, [portal or self.options.portal], self.catalog)
        except UsageError as error:
            return str(error)
        return ""

    def _goals(self) -> dict[str, tuple[str, ...]]:
        """The goals of each journey that Locust's options leave."""
        return {journey: user.goals for journey, user in walked_journeys(self.environment).items()}

    def _stop_embedded(self) -> None:
        if self.hosts is not None:
            self.finished.wait(timeout=LONGEST_CLOSE_S)
            self.hosts.stop()
            self.hosts = None
