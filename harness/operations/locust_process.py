"""A Locust process of the harness: its setup before and after Locust reads its options."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from harness.errors import HarnessError
from harness.load.chosen_journeys import leave_out_by_tags, loaded_journeys
from harness.load.lasting_master import let_masters_last
from harness.load.members_only import close_channel
from harness.operations.ending import end_forked_with_this, end_in_order
from harness.operations.locust_log import clean_log
from harness.operations.locust_master import LocustMaster
from harness.operations.locust_options import add_options, catalog_of, early_option
from harness.operations.locust_worker import start_worker
from harness.operations.progress import PROGRESS_FD, ProgressPipe
from harness.visits.blanking import secrets_of_catalog

logger = logging.getLogger(__name__)


def listen() -> None:
    """Make this Locust process one of the harness; called once, when a scenario is imported."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script that starts Locust with `&` has it ignore SIGINT
    end_forked_with_this()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO each question to the embedded portals is a line of Locust's log
    if descriptor := os.environ.get(PROGRESS_FD):
        logging.getLogger(__package__).addHandler(ProgressPipe(int(descriptor)))
    keys = early_option("--channel-keys", "HARNESS_CHANNEL_KEYS")
    close_channel(Path(keys) if keys else None)
    let_masters_last()
    events.init_command_line_parser.add_listener(add_options)
    events.init.add_listener(_start)


def _start(environment: Environment, **_: Any) -> None:
    assert environment.parsed_options is not None
    gevent.signal_handler(signal.SIGINT, end_in_order)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        gevent.signal_handler(signal.SIGHUP, end_in_order)
    catalog = catalog_of(environment.parsed_options.catalog)
    clean_log(secrets_of_catalog(catalog))
    loaded = loaded_journeys(environment)
    try:
        leave_out_by_tags(environment)
    except HarnessError as error:
        if not isinstance(environment.runner, WorkerRunner):
            for problem in error.problems:
                logger.error("%s", problem)  # noqa: TRY400  (without a traceback: the problem says what and why)
        sys.exit(error.exit_code)
    if not isinstance(environment.runner, MasterRunner):
        start_worker(environment, catalog)
    if not isinstance(environment.runner, WorkerRunner):
        LocustMaster(environment, catalog, loaded).listen()
    gevent.get_hub().loop.update_now()  # Locust counts its run time from here; the loop's clock stood still while all was loaded
