"""What a scenario imports. Importing it wires a Locust process: options, dispatcher, agent, conductor, evidence."""

from __future__ import annotations

import json
import logging
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import gevent
from gevent.event import Event
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from harness.catalog import Catalog, load_catalog
from harness.catalog.workload import HealthLimits, Workload
from harness.errors import AuthorisationError, HarnessError, MeasurementError, Problem
from harness.evidence import Spool, SweepFolder, read_runs
from harness.load import Schedule
from harness.load.agent import Agent
from harness.load.arrivals import AGENTS, Arrivals, dispatcher_for, is_open
from harness.load.citizen import Citizen, visit
from harness.load.citizens_tab import add_citizens_tab
from harness.load.conductor import Conductor
from harness.operations.dossiers.withdrawal import withdraw
from harness.operations.embedded import go_first, processors_apart
from harness.operations.manifest import write_manifests
from harness.operations.planning import Measured, closed_plan, factors, make_plan, sweep_id
from harness.operations.reaching import Reached, check_permitted, planned_target, reach
from harness.operations.shipped import scenarios_folder
from harness.profiles import compile_platform, load_functions
from harness.records import Plan, read_plan
from harness.records.files import write_json, write_whole
from harness.visits import synthetic_person

__all__ = ["Citizen", "visit"]

logger = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # each of our own questions to the embedded portals would be a line in Locust's log

DEFAULT_PORTAL = "ordinary"
CLOSED_WINDOW_S = 60.0
CLOSED_WINDOWS = 240  # four hours; what comes later counts into the last one
LONGEST_CLOSE_S = 600.0  # for evidence to be whole and dossiers to be withdrawn, before embedded portals are let go
SAFE = {"web_host": "127.0.0.1", "master_bind_host": "127.0.0.1", "stop_timeout": "65"}
"""Locust's own defaults are every interface and no time for what is under way; an option or a locust.conf wins over these."""


def _options(parser: LocustArgumentParser, **_: Any) -> None:
    try:
        catalog = _catalog(_catalog_folder())
    except HarnessError as error:
        parser.exit(error.exit_code, "".join(f"error: {problem}\n" for problem in error.problems))
    parser.set_defaults(**SAFE)
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
        "--plan", default="", env_var="HARNESS_PLAN", include_in_web_ui=False, help="A plan that `harness` wrote; used by it"
    )


def _wire(environment: Environment, **_: Any) -> None:
    options = environment.parsed_options
    assert options is not None
    catalog = _catalog(options.catalog)
    environment.user_classes = [*environment.user_classes, Arrivals]
    if not isinstance(environment.runner, MasterRunner):
        _wire_worker(environment, catalog)
    if not isinstance(environment.runner, WorkerRunner):
        _Master(environment, catalog).wire()


def _wire_worker(environment: Environment, catalog: Catalog) -> None:
    functions = load_functions(*catalog.folders)
    platforms = {name: compile_platform(platform, functions) for name, platform in catalog.platforms.items()}
    agent = AGENTS[environment] = Agent(
        environment, platforms, lambda data: planned_target(catalog, data["portal"], data["origins"], data["authorisation"])
    )
    processor = os.environ.get("HARNESS_CPU", "")
    if processor:
        os.sched_setaffinity(0, {int(processor)})
        go_first(0)
    environment.events.test_stopping.add_listener(lambda environment, **_: agent.wind_down())
    environment.events.quitting.add_listener(lambda environment, **_: agent.leave())


def _catalog_folder() -> str:
    """``--catalog``, before the command line is parsed as a whole: its portals and workloads are the choices of other options."""
    early = ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--catalog", default=os.environ.get("HARNESS_CATALOG", ""))
    return str(early.parse_known_args(sys.argv[1:])[0].catalog)


def _catalog(extra: str) -> Catalog:
    return load_catalog(scenarios_folder(), Path(extra) if extra else None)


@dataclass
class _Master:
    """The master's, or the standalone Locust's, part: what starts and ends with a test."""

    environment: Environment
    catalog: Catalog
    portals: Reached | None = None
    kept: Event = field(default_factory=Event)  # whether the evidence of the last test is whole

    @property
    def options(self) -> Namespace:
        """The command line's, or what the web UI's form said last."""
        return cast("Namespace", self.environment.parsed_options)

    @property
    def runner(self) -> Runner:
        """Locust's."""
        assert self.environment.runner is not None
        return self.environment.runner

    def wire(self) -> None:
        """Listen to what Locust does."""
        environment = self.environment
        self.kept.set()
        self.conductor = Conductor(environment, _citizens_digest, lambda line: logger.info("%s", line))
        environment.dispatcher_class = dispatcher_for(environment, environment.dispatcher_class)
        if environment.web_ui is not None:
            add_citizens_tab(environment.web_ui, self.conductor.citizens)
        environment.events.test_start.add_listener(lambda environment, **_: self.begin())
        environment.events.test_stopping.add_listener(lambda environment, **_: self.wind_down())
        environment.events.quitting.add_listener(lambda environment, **_: self.leave())

    def begin(self) -> None:
        """A test starts: make or read its plan and lead it."""
        try:
            plan, cap = self._plan()
        except HarnessError as error:
            logger.error("%s", error)  # noqa: TRY400  (the problem itself says where and what; a traceback says nothing to its reader)
            self.environment.process_exit_code = error.exit_code
            gevent.spawn(self._end)
            return
        folder = SweepFolder(Path(plan.results))
        if not folder.plan.exists():
            write_whole(folder.plan, plan.to_json())
        self.conductor.take(plan, Spool(folder), frozenset(folder.sealed_rounds()))
        if is_open(self.environment):
            if cap:
                logger.info("open workload: at most %s citizens in flight", cap)
            if self.options.spawn_rate and not self.options.plan:
                logger.warning("open workload %s sets the arrivals: -r is ignored", plan.workload)
            gevent.spawn(self._conduct, plan, folder)
        else:
            gevent.spawn(self._lead, plan, folder, lambda: self.conductor.conduct_closed(CLOSED_WINDOW_S, CLOSED_WINDOWS))
        if not self.options.plan:
            logger.info("evidence goes to %s", folder.path)

    def wind_down(self) -> None:
        """Before Locust stops anybody: the handshake."""
        self.conductor.wind_down()

    def leave(self) -> None:
        """The process ends."""
        self.wind_down()
        self._let_go()

    def _let_go(self) -> None:
        if self.portals is not None:
            self.kept.wait(timeout=LONGEST_CLOSE_S)
            self.portals.stop()
            self.portals = None

    def _lead(self, plan: Plan, folder: SweepFolder, lead: Callable[[], None]) -> None:
        """Lead a test and keep what it leaves, so that it can be scored; for `harness`, which gave a plan, it does that itself."""
        self.kept.clear()
        try:
            lead()
            if self.portals is not None:
                write_json(folder.counted, self.portals.counts())
                workload = self.catalog.workloads.get(plan.workload)
                if folder.sealed_rounds():
                    write_manifests(folder, read_runs(folder), self.catalog, {"factors": factors(workload) if workload else {}})
        finally:
            if self.portals is not None and any(one.authorisation for one in self.portals.measured):
                self._withdraw(folder)  # what was filed with embedded portals goes with them
            self.kept.set()

    def _withdraw(self, folder: SweepFolder) -> None:
        """Take back what was filed; what Locust's end cuts short is left for `harness withdraw`."""
        try:
            withdraw(folder, self.catalog, lambda line: logger.info("%s", line))
        except HarnessError as error:
            logger.error("%s", error)  # noqa: TRY400  (as above)

    def _end(self) -> None:
        (self.runner.quit if self.options.headless else self.runner.stop)()

    def _conduct(self, plan: Plan, folder: SweepFolder) -> None:
        self._lead(plan, folder, self.conductor.conduct)
        if self.conductor.complete and self.options.plan:
            self.environment.process_exit_code = 0
        elif self.options.plan:
            self.environment.process_exit_code = MeasurementError.exit_code
        if self.conductor.stopping:
            return
        self._end()

    def _plan(self) -> tuple[Plan, int]:
        options = self.options
        if options.plan:
            return read_plan(Path(options.plan)), 0
        reached = self._reached(options.portal, options.seed)
        (one,) = reached.measured
        for note in reached.notes:
            logger.info("%s", note)
        night = f"{datetime.now():%Y-%m-%d}"  # noqa: DTZ005  (the evening where this machine stands)
        if not options.workload:
            sweep = _unused(Path(options.results), sweep_id(f"{options.portal}-closed", options.seed))
            limits = HealthLimits().model_dump()
            self._check_journeys(one)
            plan = closed_plan(
                sweep,
                one,
                seed=options.seed,
                results=Path(options.results) / sweep,
                night=night,
                health=limits,
                control=reached.control,
            )
            return plan, 0
        workload: Workload = self.catalog.workloads[options.workload]
        cap = self.runner.target_user_count if self.runner.target_user_count > 1 else 0
        sweep = _unused(Path(options.results), sweep_id(f"{options.portal}-{workload.id}", options.seed))
        plan = make_plan(
            sweep, [one], workload, seed=options.seed, results=Path(options.results) / sweep, night=night, control=reached.control,
            in_flight_ceiling=cap, contiguous=True,
        )  # fmt: skip
        check_permitted(plan, self.catalog, datetime.now(UTC))
        return plan, cap

    def _check_journeys(self, one: Measured) -> None:
        """A closed run walks every journey that Locust loaded; those that may not be walked there must not be among them."""
        loaded = {user.journey() for user in self.environment.user_classes if issubclass(user, Citizen)}
        if forbidden := sorted(loaded & one.left_out):
            raise AuthorisationError(
                Problem(
                    "authorisations/", f"{one.authorisation}.payment_sandbox", f"none, and {', '.join(forbidden)} would pay", "a payment sandbox",
                    "Name one, or load only other journeys, for example `-f scenarios/search.py`.",
                )
            )  # fmt: skip

    def _reached(self, name: str, seed: int) -> Reached:
        self._let_go()  # each test finds portals that are fresh: what they count is its own
        self.portals = reach([self.catalog.portals[name]], self.catalog, datetime.now(UTC), seed=seed, cpu=processors_apart()[1])
        return self.portals


def _citizens_digest(seed: int, planned: Schedule) -> str:
    """SHA-256 over the synthetic citizens of every planned visit, and what each writes into forms."""
    digest = sha256()
    for arrival in sorted(planned.arrivals, key=lambda a: a.visit):
        person = synthetic_person(seed, planned.slot.run, arrival.visit)
        told = [arrival.visit, dict(person.values), person.dossier_for(None)]
        digest.update(json.dumps(told, sort_keys=True, ensure_ascii=False).encode())
    return digest.hexdigest()


def _unused(results: Path, sweep: str) -> str:
    """The name, or with a number behind it where a folder of that name is there."""
    candidate, number = sweep, 2
    while (results / candidate).exists():
        candidate, number = f"{sweep}.{number}", number + 1
    return candidate


events.init_command_line_parser.add_listener(_options)
events.init.add_listener(_wire)
