"""What may befall the machine that measures: a worker that stands still, no descriptors, no memory, a clock that is set, two at once."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.errors import EnvironmentFault, EvidenceError
from harness.evidence import SweepFolder
from harness.operations.kept_process import write_process
from harness.operations.locust_run import PID, stop
from tests.drill.guards import at_start
from tests.e2e.commands import HARNESS, Running, harness, invoke, spooled, started
from tests.e2e.evidence import load, only_folder, rows
from tests.e2e.small_catalog import WIDE_HEALTH, workload, write_catalog

pytestmark = pytest.mark.slow  # part of `make drill`

OPTIONS = ["--criteria", "speed-only", "--catalog", "catalog", "--seed", "3"]
RUN = [HARNESS, "run", "swift", "--workload", "brief", *OPTIONS]
AFTER_A_STALL = {"late_arrivals", "scheduler_lag", "worker_silent", "arrivals_dropped"}

STEPPING = """
import os, time
real = time.time
time.time = lambda: real() + (61.0 if os.path.exists({flag!r}) else 0.0)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the small catalog, and a workload of one window of twelve seconds that only a long stall voids."""
    catalog = write_catalog(tmp_path / "catalog")
    limits = {**WIDE_HEALTH, "scheduler_lag_ms": 4000, "silent_s": 5}
    brief: dict[str, Any] = {**workload("brief", 12, {"submit": 36, "pay": 12}, search_per_day=2 * 86_400), "health": limits}
    (catalog / "workloads" / "brief.yaml").write_text(json.dumps(brief), encoding="utf-8")
    return tmp_path


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


def assert_nobody_else_is_blamed(folder: Path) -> None:
    """The run is void, or nothing has failed that the portal answers for."""
    verdict, _ = judged(folder)
    outcomes = set(rows(folder, "swift")["outcome"])
    assert verdict == "void" or outcomes <= {"ok", "skipped"}, (verdict, outcomes)


def test_a_worker_that_stood_still_voids_the_window(place: Path) -> None:
    with started(RUN, place) as running:
        worker = worker_under_load(running, place)
        worker.suspend()
        time.sleep(6)
        worker.resume()
        running.ended()
    verdict, reasons = judged(only_folder(place / "results"))
    assert verdict == "void"
    assert reasons & AFTER_A_STALL


def test_a_worker_without_descriptors_voids_the_window(place: Path) -> None:
    with started(RUN, place) as running:
        worker = worker_under_load(running, place)
        worker.rlimit(resource.RLIMIT_NOFILE, (8, 8))
        running.ended()
    assert judged(only_folder(place / "results"))[0] == "void"


def test_a_worker_without_memory_blames_nobody_else(place: Path) -> None:
    with started(RUN, place) as running:
        worker = worker_under_load(running, place)
        worker.rlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20))  # what it has it keeps; it gets no more
        running.ended()
    assert_nobody_else_is_blamed(only_folder(place / "results"))


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


def test_control_by_its_number_alone_it_is_ended(tmp_path: Path, bystander: psutil.Process) -> None:
    write_process(tmp_path / PID, bystander.pid)  # what a check of the number alone would take for the sweep's
    stop(SweepFolder(tmp_path))
    assert bystander.status() == psutil.STATUS_ZOMBIE, "it has ended; its parent is this test"
