"""What may befall the machine that measures: a worker that stands still, no descriptors, no memory, a clock that is set, two at once."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.errors import EnvironmentFault, EvidenceError
from harness.evidence import SweepFolder, window_verdict
from harness.operations import kept_process
from harness.operations.locust_run import PID, stop
from harness.records.files import write_json
from tests.drill.guards import at_start, guard_off
from tests.drill.test_guard_ledger import OF_WINDOWS
from tests.e2e.commands import HARNESS, LOCUST, Running, free_port, harness, invoke, spooled, started
from tests.e2e.evidence import load, only_folder, rows
from tests.e2e.small_catalog import WIDE_HEALTH, workload, write_catalog
from tests.e2e.test_disk import measured as measured_on
from tests.recorded.conftest import RECORDED

pytestmark = pytest.mark.slow  # part of `make drill`

OPTIONS = ["--criteria", "speed-only", "--catalog", "catalog", "--seed", "3"]
RUN = [HARNESS, "run", "swift", "--workload", "brief", *OPTIONS]
SLOW_S = 0.3
"""The mean of a search that stood still with its worker; the portal answers within 8 ms."""

STEPPING = """
import os, time
real = time.time
time.time = lambda: real() + (61.0 if os.path.exists({flag!r}) else 0.0)
"""


def small_place(folder: Path) -> Path:
    """A folder with the small catalog, and a workload of one window of twelve seconds that only a long stall voids."""
    catalog = write_catalog(folder / "catalog")
    limits = {**WIDE_HEALTH, "scheduler_lag_ms": 4000, "silent_s": 5}
    brief: dict[str, Any] = {**workload("brief", 12, {"submit": 36, "pay": 12}, search_per_day=2 * 86_400), "health": limits}
    (catalog / "workloads" / "brief.yaml").write_text(json.dumps(brief), encoding="utf-8")
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A small place for one test."""
    return small_place(tmp_path)


def worker_under_load(running: Running, place: Path) -> psutil.Process:
    """The one worker of a run, once its window is in full swing."""
    running.until(lambda: spooled(place / "results", 20_000), "rows")
    master = next(each for each in psutil.Process(running.process.pid).children() if "locust" in each.cmdline())
    (worker,) = master.children()
    return worker


def judged(folder: Path) -> tuple[str, set[str]]:
    """The verdict, and the reasons of its window."""
    (score,) = load(folder / "scores.json")["scores"]
    return score["verdict"], {code for reason in score["reasons"] for code in reason["detail"].split(", ")}


def stands_still(worker: psutil.Process) -> None:
    """It does nothing for six seconds, as under a debugger or on a machine that swaps."""
    worker.suspend()
    time.sleep(6)
    worker.resume()


def lacks_descriptors(worker: psutil.Process) -> None:
    """It keeps the descriptors that it has, and gets no more."""
    worker.rlimit(resource.RLIMIT_NOFILE, (8, 8))


def lacks_memory(worker: psutil.Process) -> None:
    """It keeps the memory that it has, and gets no more."""
    worker.rlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20))


BEFALL = {"still": stands_still, "descriptors": lacks_descriptors, "memory": lacks_memory}
"""What befalls the one worker in the middle of its window."""


@pytest.fixture(scope="module")
def befallen(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a sweep in which the named fault befell the worker. It is measured once, so tests must not change it."""

    @cache
    def measured(what: str) -> Path:
        place = small_place(tmp_path_factory.mktemp(what))
        with started(RUN, place) as running:
            BEFALL[what](worker_under_load(running, place))
            running.ended()
        return only_folder(place / "results")

    return measured


def test_a_worker_that_stood_still_voids_the_window(befallen: Callable[[str], Path]) -> None:
    verdict, reasons = judged(befallen("still"))
    assert verdict == "void"
    assert reasons & {"late_arrivals", "scheduler_lag", "worker_silent", "arrivals_dropped"}


def test_a_worker_without_descriptors_voids_the_window(befallen: Callable[[str], Path]) -> None:
    verdict, reasons = judged(befallen("descriptors"))
    assert (verdict, "arrivals_dropped" in reasons) == ("void", True)
    assert set(rows(befallen("descriptors"), "swift")["outcome"]) <= {"ok", "skipped", "dropped", "aborted"}


TO_THE_PORTAL = """
connect = Connection.connect
def blamed(self, *given):
    try:
        connect(self, *given)
    except ExchangeError as error:
        raise ExchangeError(Outcome.CONNECT, error.error) from None
Connection.connect = blamed
"""


def test_without_the_look_at_the_cause_the_portal_is_charged_with_our_descriptors(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_off(monkeypatch, place / "start", "harness.client.connection", TO_THE_PORTAL)
    with started(RUN, place) as running:
        lacks_descriptors(worker_under_load(running, place))
        running.ended()
    folder = only_folder(place / "results")
    (score,) = load(folder / "scores.json")["scores"]
    assert score["verdict"] == "valid"
    assert set(rows(folder, "swift")["outcome"]) >= {"ok", "connect"}


def test_a_worker_without_memory_voids_the_window_and_blames_nobody_else(befallen: Callable[[str], Path]) -> None:
    verdict, reasons = judged(befallen("memory"))
    assert verdict == "void"
    assert reasons & {"arrivals_dropped", "visits_unaccounted", "rows_lost", "guard_without_data", "worker_lost", "no_health"}
    assert set(rows(befallen("memory"), "swift")["outcome"]) <= {"ok", "skipped", "dropped", "aborted"}


@pytest.mark.parametrize("what", ["still", "memory"])
def test_without_the_guards_such_a_window_is_valid(
    befallen: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A portal that answers within 8 ms is called slow, or a window that lost visits is scored as a whole one."""
    folder = shutil.copytree(befallen(what), tmp_path / "results" / befallen(what).name)
    for name in (*OF_WINDOWS, "without_data"):
        monkeypatch.setattr(window_verdict, name, lambda *_, **__: ())
    done = invoke(befallen(what).parents[1], "score", str(folder), "--criteria", "speed-only", "--catalog", "catalog")
    assert done.code == 0, done.said
    (score,) = load(folder / "scores.json")["scores"]
    ended = [window["counts"] for window in load(folder / "rounds" / "round-001-00.json")["slots"][0]["windows"]]
    whole = sum(counts.get("visits_ok", 0) for counts in ended) == 12 * 2 + 36 + 12
    assert score["verdict"] == "valid"
    assert not whole or score["criteria"][0]["value"] > SLOW_S


def test_a_step_of_the_clock_changes_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = place / "the clock is set"
    at_start(monkeypatch, place / "start", STEPPING.format(flag=str(step)))
    with started(RUN, place) as running:
        worker_under_load(running, place)
        step.touch()
        assert running.ended() == 0, running.said
    folder = only_folder(place / "results")
    assert judged(folder)[0] == "valid"
    assert set(rows(folder, "swift")["outcome"]) == {"ok"}


def test_without_the_anchor_a_step_of_the_clock_ends_the_load(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = place / "the clock is set"
    at_start(monkeypatch, place / "start", STEPPING.format(flag=str(step)))
    guard_off(monkeypatch, place / "start", "harness.load.locust_channel", "locust.runners.MASTER_HEARTBEAT_TIMEOUT = 60")
    guard_off(monkeypatch, place / "start", "harness.load.clock", "Clock.utc_s = lambda self: time.time()")
    with started(RUN, place) as running:
        worker_under_load(running, place)
        step.touch()
        running.ended()
    folder = only_folder(place / "results")
    if not (folder / "scores.json").exists():  # Locust gave up its last worker before the plan was at its end
        done = invoke(place, "score", str(folder), "--criteria", "speed-only", "--catalog", "catalog")
        assert done.code == 0, done.said
    assert judged(folder)[0] == "void"
    assert set(rows(folder, "swift")["outcome"]) - {"ok", "skipped"}, "visits were cut off"


def test_two_at_once_share_no_folder(place: Path) -> None:
    tiny = ["run", "swift", "--workload", "tiny", *OPTIONS]
    with ThreadPoolExecutor() as both:
        finished = list(both.map(lambda _: harness(place, *tiny), range(2)))
    refused = [one for one in finished if one.code != 0]
    folders = list((place / "results").glob("*/"))
    assert [judged(folder)[0] for folder in folders] == ["valid"] * len(folders)
    assert len(folders) + len(refused) == 2
    for one in refused:
        assert (one.code, "begun by another sweep" in one.err) == (EnvironmentFault.exit_code, True), one.said


def test_what_is_still_measured_is_not_scored(place: Path) -> None:
    with started(RUN, place) as running:
        worker_under_load(running, place)
        done = invoke(place, "score", str(only_folder(place / "results")), "--catalog", "catalog")
        assert (done.code, "still measures it" in done.err) == (EvidenceError.exit_code, True), done.said
        assert running.ended() == 0, running.said


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    """A process of somebody else."""
    with subprocess.Popen(
        [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(100)"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield psutil.Process(process.pid)
        process.kill()


def test_a_process_that_has_the_number_of_an_ended_sweep_is_left_alone(tmp_path: Path, bystander: psutil.Process) -> None:
    (tmp_path / PID).write_text(f"{bystander.pid} {bystander.create_time() - 100}\n", encoding="utf-8")
    with pytest.raises(EvidenceError, match="a sweep that is under way"):
        stop(SweepFolder(tmp_path))
    assert bystander.is_running()


def test_by_its_number_alone_a_strangers_process_is_ended(
    tmp_path: Path, bystander: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = bystander.create_time() - 100
    (tmp_path / PID).write_text(f"{bystander.pid} {began}\n", encoding="utf-8")
    monkeypatch.setattr(kept_process.psutil.Process, "create_time", lambda _: began)  # it is not looked at
    stop(SweepFolder(tmp_path))
    assert bystander.status() == psutil.STATUS_ZOMBIE, "it has ended; its parent is this test"


def test_without_the_look_at_the_disk_the_load_begins(tmp_path: Path, catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_off(monkeypatch, tmp_path / "start", "harness.operations.disk_room", "rows_at_most = longest_s = lambda *_: 0\nRESERVE_BYTES = 1")
    code, errors = measured_on(tmp_path, catalog, "8m", "fill")
    assert (code, len(errors)) == (EnvironmentFault.exit_code, 1)
    folder = only_folder(tmp_path / "kept")
    assert load(folder / "counted.json")["swift"]["dossiers"] > 0, "dossiers are filed on a disk that cannot keep them"


def test_without_the_reserve_a_full_disk_takes_the_round(tmp_path: Path, catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_off(monkeypatch, tmp_path / "start", "harness.operations.disk_room", "RESERVE_BYTES = 1")
    measured_on(tmp_path, catalog, "60m", "fill")
    folder = only_folder(tmp_path / "kept")
    assert not (folder / "rounds" / "round-001-00.json").exists()
    assert not (folder / "withdrawals.json").exists(), "what was filed stays with the portal"


def test_without_the_hold_a_second_locust_measures_into_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_off(monkeypatch, tmp_path / "start", "harness.operations.disk_room", "hold = lambda folder: os.open(folder.path, os.O_RDONLY)")
    plan = load(RECORDED / "plan.json")
    for target in plan["targets"]:
        target["origins"] = dict.fromkeys(target["origins"], "http://127.0.0.1:9")  # nothing listens there
    write_json(tmp_path / "plan.json", plan | {"results": str(tmp_path)})
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with started([*LOCUST, "--headless", "--plan", str(tmp_path / "plan.json"), "--web-port", free_port()], tmp_path) as second:
        second.until(lambda: list(tmp_path.glob("rounds/round-*.json")), "a round in a folder that another measures into")
    os.close(held)
