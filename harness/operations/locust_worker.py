"""What a worker's Locust process does: it generates citizens, answers the master's roll calls, and ends where the master is gone for good."""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path

import gevent
from locust.env import Environment
from locust.runners import WorkerRunner

from harness.catalog import Catalog
from harness.errors import EnvironmentFault, MeasurementError
from harness.load.admission import answer_roll_calls
from harness.load.arrivals import start_agent
from harness.load.locust_channel import LocustChannel
from harness.operations.embedded import raise_priority
from harness.operations.ending import end_in_order
from harness.operations.portal_hosts import target_of_planned
from harness.operations.worker_setup import lacking, worker_setup
from harness.profiles import compile_platform, load_functions
from harness.records.fleet_messages import Refused

logger = logging.getLogger(__name__)


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


def start_worker(environment: Environment, catalog: Catalog) -> None:
    """Have this process generate citizens: a worker, or the only process of a standalone Locust."""
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
            worker_setup(catalog, environment.parsed_locustfiles or ()),
            lambda: agent.between_rounds,
            partial(lacking, catalog, platforms),
            refused,
        )
    processor = os.environ.get("HARNESS_CPU", "")
    if processor:
        os.sched_setaffinity(0, {int(processor)})
        raise_priority(0)
