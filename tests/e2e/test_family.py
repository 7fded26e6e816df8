"""Whoever of the family of processes ends, and however: the load ends, nothing stays behind, no dossier is forgotten."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from harness.evidence import SweepFolder, Verdict, read_runs
from harness.records import LONE
from tests.e2e.commands import HARNESS, Running, spooled, started
from tests.e2e.evidence import ledger, load, only_folder

GONE_WITHIN_S = 90.0


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


def kill(number: int, *whom: Callable[[Family], psutil.Process], times: int = 1) -> Callable[[Family], None]:
    def ends(family: Family) -> None:
        for _ in range(times):
            for process in whom:
                with suppress(psutil.NoSuchProcess):
                    process(family).send_signal(number)
            time.sleep(0.3)

    return ends


def the_harness(family: Family) -> psutil.Process:
    return family.harness


def the_master(family: Family) -> psutil.Process:
    return family.master


def the_worker(family: Family) -> psutil.Process:
    return family.worker


def everyone_of_the_group(number: int) -> Callable[[Family], None]:
    return lambda family: os.killpg(family.harness.pid, number)


ENDS = {
    "SIGKILL to harness": kill(signal.SIGKILL, the_harness),
    "SIGTERM to harness": kill(signal.SIGTERM, the_harness),
    "SIGINT to harness alone, twice": kill(signal.SIGINT, the_harness, times=2),
    "SIGHUP to the group": everyone_of_the_group(signal.SIGHUP),
    "SIGTERM to the group": everyone_of_the_group(signal.SIGTERM),
    "SIGTERM to Locust": kill(signal.SIGTERM, the_master),
    "SIGKILL to Locust": kill(signal.SIGKILL, the_master),
    "SIGKILL to the worker": kill(signal.SIGKILL, the_worker),
    "SIGTERM to the worker": kill(signal.SIGTERM, the_worker),
    "SIGINT to the worker": kill(signal.SIGINT, the_worker),
    "SIGKILL to the group": everyone_of_the_group(signal.SIGKILL),
}
IN_EVERY_RUN = {"SIGKILL to harness", "SIGTERM to the worker"}


@pytest.mark.parametrize("how", [how if how in IN_EVERY_RUN else pytest.param(how, marks=pytest.mark.slow) for how in ENDS])
def test_whoever_ends_the_load_ends_and_nothing_is_left(tmp_path: Path, catalog: Path, how: str) -> None:
    command = [HARNESS, "run", "swift", "--workload", "steady", "--criteria", "speed-only", "--catalog", str(catalog)]
    with started(command, tmp_path) as running:
        family = Family(running, tmp_path / "results")
        ENDS[how](family)
        running.process.wait(GONE_WITHIN_S)
        assert family.left() == []
        assert running.errors == []
        said = running.said
    folder = only_folder(tmp_path / "results")
    filed = ledger(folder, "swift")["dossier"]
    assert filed > 0
    withdrawn = load(folder / "withdrawals.json") if (folder / "withdrawals.json").is_file() else {"withdrawn": 0, "not_withdrawn": filed}
    assert withdrawn["withdrawn"] + withdrawn["not_withdrawn"] == filed, said
    counted = load(folder / "counted.json")["swift"]
    assert counted["dossiers"] == filed
    if how != "SIGKILL to Locust":
        assert withdrawn["withdrawn"] == filed
    windows = json.dumps([json.loads(path.read_text()) for path in (folder / "rounds").glob("*.json")])
    assert '"visits_ok"' in windows
    if how == "SIGTERM to the worker":
        (run,) = read_runs(SweepFolder(folder))
        (cut,) = (window for window in run.windows if window.stage != LONE)
        assert cut.verdict is Verdict.VOID
        assert {reason.code for reason in cut.reasons} & {"worker_lost", "stopped_early"}, "Locust stops a test whose last worker quits"
