"""Starts citizens through Locust. In open workloads each worker has one arrivals User, whatever ``-u`` and ``-r`` say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

import gevent
from locust import User, task
from locust import __version__ as locust_version
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.exception import StopUser
from locust.rpc import Message
from locust.runners import WorkerNode, WorkerRunner

from harness.catalog import Target
from harness.client import LeanSession, Resolver, loopback_only
from harness.errors import HarnessError, Problem, UsageError
from harness.load.agent import Agent, Prepare, Walk
from harness.load.chosen_journeys import walked_journeys
from harness.load.citizen import Body, Citizen, give_visits
from harness.load.clock import Clock
from harness.load.ended_steps import EndedStep
from harness.load.health_monitor import HealthMonitor
from harness.load.lease import DESERTED_AFTER_S
from harness.load.locust_channel import LocustChannel
from harness.load.member_keys import WAIT_FOR_MASTER_S
from harness.load.members_only import master_is_elsewhere
from harness.load.portal_load import PortalLoad
from harness.load.reference import Reference
from harness.profiles import CompiledPlatform
from harness.records import Outcome, PlannedTarget

logger = logging.getLogger(__name__)

_AGENTS: WeakKeyDictionary[Environment, Agent] = WeakKeyDictionary()


class NotOk(Exception):  # noqa: N818  (Locust shows its text as the failure)
    """A step that failed, as Locust's statistics show it."""

    def __repr__(self) -> str:
        return str(self)


class Arrivals(User):
    """The only Locust User of a worker in an open workload. It runs the rounds; each citizen has a greenlet of its own."""

    fixed_count = 1

    @task
    def run_round(self) -> None:
        """Run one round."""
        try:
            _AGENTS[self.environment].run_next_round()
        except HarnessError as error:
            logger.error("%s", error)  # noqa: TRY400  (without a traceback: the problem says where and what)
            self.environment.process_exit_code = error.exit_code
            gevent.spawn(self.environment.runner.quit)
            raise StopUser from error


def start_agent(
    environment: Environment,
    platforms: Mapping[str, CompiledPlatform],
    targets: Callable[[PlannedTarget], Target],
    deserted: Callable[[], None],
    results: Path,
) -> Agent:
    """Make a Locust process generate citizens; ``targets`` finds a portal's hosts and secrets in this process.

    ``deserted`` is called where the master is gone for good. ``results``: where this process keeps its ledgers if it does not see
    the sweep's folder.
    """
    agent = _AGENTS[environment] = Agent(
        LocustChannel(environment),
        Clock(),
        HealthMonitor(lambda: Reference(lambda: LeanSession(loopback_only, Resolver()))),
        platforms,
        targets,
        lambda: _Walks(
            {journey: partial(_prepare, environment, user, user.body()) for journey, user in walked_journeys(environment).items()}
        ),
        partial(_tell_locust, environment),
        results,
    )
    give_visits(environment, agent.next_visit)
    gevent.spawn(agent.flush_for_ever)
    gevent.spawn(agent.watch_lease_for_ever, deserted, *_patience(environment))
    patience_s = environment.stop_timeout
    environment.events.test_start.add_listener(lambda environment, **_: let_arrive(environment))
    environment.events.test_start.add_listener(lambda environment, **_: setattr(environment, "stop_timeout", patience_s))
    environment.events.test_stopping.add_listener(lambda environment, **_: _stop(environment, agent.wind_down))
    environment.events.quitting.add_listener(lambda environment, **_: _stop(environment, agent.leave))
    return agent


def let_arrive(environment: Environment) -> None:
    """Have Locust's user classes hold the arrivals User in an open workload, and only there.

    It comes after Locust has applied its tags to the classes, and again where the class picker of Locust's page has replaced them.
    """
    others = [user for user in environment.user_classes if user is not Arrivals]
    environment.user_classes = [*others, Arrivals] if is_open(environment) else others


def _patience(environment: Environment) -> tuple[Callable[[], None], float]:
    """What a worker does while its master is silent, and for how many seconds it waits.

    A network that is cut may come back, so a worker on another machine announces itself again. A master on this machine that is silent is dead.
    """
    options, runner = environment.parsed_options, environment.runner
    if not isinstance(runner, WorkerRunner) or options is None or not master_is_elsewhere(options.master_host):
        return (lambda: None), DESERTED_AFTER_S

    def announce() -> None:
        logger.warning("the master is silent: arrivals are off, and this worker announces itself again")
        with suppress(Exception):  # whatever Locust's connection raises, the next try comes soon
            runner.client.send(Message("client_ready", locust_version, runner.client_id))

    return announce, WAIT_FOR_MASTER_S


def dispatcher_for(environment: Environment, default: type[UsersDispatcher]) -> type[UsersDispatcher]:
    """Locust's dispatcher, except that an open workload gets one arrivals User a worker and ``-u`` caps its citizens."""

    class CitizenDispatcher(default):  # type: ignore[valid-type, misc]
        def __init__(self, worker_nodes: list[WorkerNode], user_classes: list[type[User]]) -> None:
            self._open = is_open(environment)
            chosen = [Arrivals] if self._open else [user for user in user_classes if user is not Arrivals]
            super().__init__(worker_nodes=worker_nodes, user_classes=chosen)

        def new_dispatch(self, target_user_count: int, spawn_rate: float, user_classes: list[type[User]] | None = None) -> None:
            let_arrive(environment)
            if self._open:
                Arrivals.fixed_count = target_user_count = len(self._worker_nodes)
                spawn_rate, user_classes = 100.0, None
                if environment.runner is not None:
                    environment.runner.target_user_count = target_user_count
            super().new_dispatch(target_user_count, spawn_rate, user_classes)

    return CitizenDispatcher


class _Walks(dict[str, Prepare]):
    """What prepares each journey. A journey that is missing here raises UsageError: the worker has other scenarios than its master."""

    def __missing__(self, journey: str) -> Prepare:
        expected = f"journeys that a loaded class walks: {', '.join(self)}"
        remedy = "Start this worker with the same scenarios, classes and tags as its master."
        raise UsageError(Problem("worker", "journeys", f"{journey}, which nobody walks", expected, remedy))


def is_open(environment: Environment) -> bool:
    """Whether the options name an open workload or a plan."""
    options = environment.parsed_options
    return bool(options is not None and (getattr(options, "workload", "") or getattr(options, "plan", "")))


def _prepare(environment: Environment, user: type[Citizen], body: Body, load: PortalLoad, number: int, window: int, due_us: int) -> Walk:
    return partial(user(environment).prepare(load, number, window, due_us).walk_once, body)


def _stop(environment: Environment, wind_down: Callable[[], None]) -> None:
    wind_down()
    environment.stop_timeout = 0.0  # nothing is under way any more: Locust ends users that wait for orders at once


def _tell_locust(environment: Environment, prefix: str, ended: EndedStep) -> None:
    """Count a step in Locust's statistics. What the citizen did not reach, and what we cut off, says nothing about the portal."""
    if ended.outcome in (Outcome.SKIPPED, Outcome.ABORTED):
        return
    environment.events.request.fire(
        request_type="step" if ended.step else "visit",
        name=f"{prefix}{ended.name}",
        response_time=ended.took_us / 1000 if ended.step else None,  # a visit that did not begin has no time
        response_length=ended.bytes,
        exception=None if ended.outcome == Outcome.OK else NotOk(f"{ended.outcome} (status {ended.status})"),
        context={},
    )
