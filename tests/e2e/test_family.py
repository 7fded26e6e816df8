"""Whoever of the family of processes ends, and however: the load ends, nothing stays behind, no dossier is forgotten."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
import pytest

from harness.evidence import SweepFolder, Verdict, read_runs
from harness.records import LONE
from tests.e2e.commands import HARNESS, Running, spooled, started
from tests.e2e.evidence import ledger, load, only_folder

GONE_WITHIN_S = 90.0
IGNORING_SIGINT = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]


class Family:
    """A running `harness run`, its Locust master and worker, and its embedded portals."""

    def __init__(self, running: Running, results: Path) -> None:
        running.until(lambda: spooled(results, 20_000), "rows")
        self.harness = psutil.Process(running.process.pid)
        everybody = self.harness.children(recursive=True)
        self.portals = next(each for each in everybody if "harness.simulator" in each.cmdline())
        self.master = next(each for each in self.harness.children() if "locust" in each.cmdline())
        (self.worker,) = self.master.children()
        self.everybody = [self.harness, *everybody]
        self.control = load(only_folder(results) / "plan.json")["simulator_control"]

    def requests(self) -> int:
        """Requests that the portal has had; -1 once it is gone."""
        with suppress(httpx.HTTPError):
            return int(httpx.get(f"{self.control}/counts", timeout=10).json()["swift"]["requests"])
        return -1

    def left(self) -> list[str]:
        """The processes that still run after a while."""
        _, alive = psutil.wait_procs(self.everybody, timeout=GONE_WITHIN_S)
        return [" ".join(process.cmdline()) for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def to(name: str, number: int) -> Callable[[Family], None]:
    """Send a signal to one process, or to all of a group."""
    if name == "the group":
        return lambda family: os.killpg(family.harness.pid, number)
    if name == "Locust's group":
        return lambda family: os.killpg(family.master.pid, number)
    return lambda family: getattr(family, {"harness": "harness", "Locust": "master", "the worker": "worker"}[name]).send_signal(number)


class End(NamedTuple):
    """A signal, who gets it, and how often. ``in_background``: a script starts `harness` with ``&``, which then ignores SIGINT."""

    number: signal.Signals
    whom: str
    times: int = 1
    in_background: bool = False

    def __str__(self) -> str:
        return f"{self.number.name} to {self.whom}{', twice' if self.times == 2 else ''}{' (&)' if self.in_background else ''}"

    def happens(self, family: Family) -> None:
        """Send the signal. A process that has ended meanwhile gets no further one."""
        for _ in range(self.times):
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                to(self.whom, self.number)(family)
            time.sleep(0.3)


WHOM = ("harness", "Locust", "the worker", "the group", "Locust's group")
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENDS = [
    *(End(signal.SIGKILL, whom) for whom in WHOM),
    *(End(number, whom, times) for number in ENDING for whom in WHOM for times in (1, 2)),
    *(End(signal.SIGINT, whom, times, in_background=True) for whom in WHOM for times in (1, 2)),
    *(End(number, "harness", in_background=True) for number in (signal.SIGTERM, signal.SIGHUP)),
]
IN_EVERY_RUN = [End(signal.SIGKILL, "harness")]
AT_ONCE = 4
"""So many families at a time: each mostly waits."""


class Ended(NamedTuple):
    """What is left of a family."""

    folder: Path
    said: str
    left: list[str]
    errors: list[str]


def end_by(how: End, place: Path, catalog: Path) -> Ended:
    """Start a family, end it, and wait for everybody."""
    command = [HARNESS, "run", "swift", "--workload", "steady", "--criteria", "speed-only", "--catalog", str(catalog)]
    with started([*IGNORING_SIGINT, *command] if how.in_background else command, place) as running:
        family = Family(running, place / "results")
        how.happens(family)
        running.process.wait(GONE_WITHIN_S)
        return Ended(only_folder(place / "results"), running.said, family.left(), running.errors)


def assert_nothing_is_left(how: End, ended: Ended) -> None:
    """No process; and the portal's dossiers are those of the ledger, each withdrawn or listed."""
    folder, said = ended.folder, ended.said
    assert (ended.left, ended.errors) == ([], []), said
    assert "round 1 of 1: typical" in (folder / "locust.log").read_text(encoding="utf-8"), "the log is written line by line"
    filed = ledger(folder, "swift")["dossier"]
    assert filed > 0
    withdrawn = load(folder / "withdrawals.json") if (folder / "withdrawals.json").is_file() else {"withdrawn": 0, "not_withdrawn": filed}
    assert withdrawn["withdrawn"] + withdrawn["not_withdrawn"] == filed, said
    counted = load(folder / "counted.json")["swift"]
    unseen = counted["dossiers"] - filed  # their answer was on its way when the worker was killed: only the portal knows them
    assert unseen == 0 or (how.number is signal.SIGKILL and how.whom in ("the worker", "Locust's group") and unseen == 1)
    if how.number is not signal.SIGKILL or how.whom not in ("Locust", "Locust's group"):
        assert withdrawn["withdrawn"] == filed
    windows = json.dumps([json.loads(path.read_text()) for path in (folder / "rounds").glob("*.json")])
    assert '"visits_ok"' in windows
    (run,) = read_runs(SweepFolder(folder))
    for cut in (window for window in run.windows if window.stage != LONE):
        assert cut.verdict is Verdict.VOID
        if how.whom == "the worker":
            assert {reason.code for reason in cut.reasons} & {"worker_lost", "stopped_early"}, "Locust stops a test whose last worker quits"


@pytest.mark.parametrize("how", IN_EVERY_RUN, ids=str)
def test_whoever_ends_the_load_ends_and_nothing_is_left(tmp_path: Path, catalog: Path, how: End) -> None:
    assert_nothing_is_left(how, end_by(how, tmp_path, catalog))


@pytest.fixture(scope="module")
def ends(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, catalog: Path) -> Iterator[dict[End, Future[Ended]]]:
    """All ends that are asked for, some at a time."""
    asked = [item.callspec.params["how"] for item in request.session.items if getattr(item, "originalname", "") == EVERY_END]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {how: pool.submit(end_by, how, tmp_path_factory.mktemp("family"), catalog) for how in asked}
        pool.shutdown(cancel_futures=True)


EVERY_END = "test_whatever_the_signal_nothing_is_left"


@pytest.mark.slow
@pytest.mark.parametrize("how", [how for how in ENDS if how not in IN_EVERY_RUN], ids=str)
def test_whatever_the_signal_nothing_is_left(ends: dict[End, Future[Ended]], how: End) -> None:
    assert_nothing_is_left(how, ends[how].result())
