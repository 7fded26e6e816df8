"""The options that the harness adds to Locust's, and Locust's own with safer defaults."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from locust.argument_parser import LocustArgumentParser

from harness.catalog import Catalog
from harness.errors import HarnessError
from harness.operations.number_options import SEED_NUMBER, WAIT_S, WORKERS_OR_NONE, of_argument
from harness.operations.shipped import shipped_catalog

DEFAULT_PORTAL = "ordinary"
WAIT_FOR_FLEET_S = 300.0
"""How long a master waits for the workers of its fleet (assumed: long enough to start them by hand on a few machines)."""
SAFE_DEFAULTS = {"web_host": "127.0.0.1", "master_bind_host": "127.0.0.1", "stop_timeout": "65"}
"""Locust's own defaults listen on every interface and end users at once. An option or a locust.conf overrides these."""


def add_options(parser: LocustArgumentParser, **_: Any) -> None:
    """Add the options; a catalog that cannot be read ends the process with its problems."""
    try:
        catalog = catalog_of(early_option("--catalog", "HARNESS_CATALOG"))
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
    parser.add_argument(
        "--seed", type=of_argument(SEED_NUMBER), default=1, env_var="HARNESS_SEED", help="Same seed, same schedule, citizens and forms"
    )
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
        "--fleet", type=of_argument(WORKERS_OR_NONE), default=0, include_in_web_ui=False,
        help="Workers to admit before anything is sent; used by `harness sweep --listen`",
    )  # fmt: skip
    parser.add_argument(
        "--fleet-within",
        type=of_argument(WAIT_S),
        default=WAIT_FOR_FLEET_S,
        include_in_web_ui=False,
        help="Seconds to wait for them; used with --fleet",
    )
    parser.add_argument(
        "--plan", default="", env_var="HARNESS_PLAN", include_in_web_ui=False, help="A plan that `harness` wrote; used by it"
    )


def early_option(option: str, variable: str) -> str:
    """An option that counts before the whole command line is parsed: choices of other options, or Locust's sockets, depend on it."""
    early = ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument(option, dest="value", default=os.environ.get(variable, ""))
    return str(early.parse_known_args(sys.argv[1:])[0].value)


def catalog_of(extra: str) -> Catalog:
    """The shipped catalog, and over it that of a folder where the option ``--catalog`` names one."""
    return shipped_catalog(Path(extra) if extra else None)
