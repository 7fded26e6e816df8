"""Runs a plan: starts one Locust master and its workers as processes, and waits until they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from harness.errors import EnvironmentFault, EvidenceError, MeasurementError, Problem
from harness.evidence import SweepFolder
from harness.operations.ending import LIFELINE_FD, passed_on
from harness.operations.kept_process import await_end, running_process, write_process
from harness.operations.listening import Listening
from harness.operations.progress import PROGRESS_FD, show_progress
from harness.operations.shipped import locust_conf, scenarios_folder
from harness.records import Plan
from harness.records.files import write_whole

PID = "locust.pid"
"""In a sweep's folder while it is measured: the process that `harness stop` asks to end, and when it began."""
LONGEST_END_S = 900.0
"""The longest that Locust's end may take (assumed): the last requests and batches, sealing, and withdrawal if `harness` is gone."""


OPTION_VARIABLES = frozenset(f"HARNESS_{option}" for option in ("PORTAL", "WORKLOAD", "SEED", "RESULTS", "CATALOG", "PLAN", "CHANNEL_KEYS"))
"""Variables that stand for options of our Locust. Like Locust's own (LOCUST_…), they are for people who start Locust themselves."""


def run_locust(
    plan: Plan, *, workers: int, processor: int | None, catalog: Path | None, progress: Callable[[str], None],
    during: Callable[[SweepFolder, int], None] | None = None, keep_open: Sequence[int] = (),
    listening: Listening | None = None,
) -> SweepFolder:  # fmt: skip
    """Run every round of a plan that is not sealed yet; the folder then has the evidence, and Locust's own log.

    ``during`` is called in a thread with the folder and Locust's process id. Locust also holds the descriptors ``keep_open``: a process
    that ends when they are closed lives as long as Locust. ``listening``: workers on other machines take part, beside ``workers`` on this
    one. A signal ends Locust in good order, and so does the end of this process. Raises MeasurementError if the plan was not carried out
    to its end, and EnvironmentFault if this machine is the cause, for example by a full disk. Sealed rounds stay.
    """
    folder = SweepFolder(Path(plan.results))
    if not folder.journal.is_file():  # the plan of a sweep with a journal is fixed
        write_whole(folder.plan, plan.to_json())
    process, descriptor, lifeline = _start(folder, _fleet_options(workers, listening), processor, catalog, keep_open)
    write_process(folder.path / PID, process.pid)
    if during is not None:
        threading.Thread(target=during, args=(folder, process.pid), daemon=True).start()
    try:
        with passed_on(process):
            show_progress(descriptor, progress)
            code = process.wait()
    finally:
        os.close(lifeline)  # where something has failed here, Locust ends now
        process.wait(timeout=LONGEST_END_S)
    (folder.path / PID).unlink(missing_ok=True)
    if code != 0:
        raise _not_finished(folder, plan, code)
    return folder


def _fleet_options(workers: int, listening: Listening | None) -> list[str]:
    """Locust's options for the master's address and its workers."""
    if listening is not None:
        return listening.options(workers)
    port = str(_free_port())
    return ["--processes", str(workers), "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]


def _start(
    folder: SweepFolder, fleet: Sequence[str], processor: int | None, catalog: Path | None, keep_open: Sequence[int]
) -> tuple[subprocess.Popen[bytes], int, int]:
    """Start Locust in a session of its own, its output in the log. Answers the process, the pipe with its progress, and its lifeline."""
    command = [
        sys.executable, "-m", "locust", "--config", str(locust_conf()), "-f", str(scenarios_folder()), "--headless", "--only-summary",
        *fleet, "--plan", str(folder.plan), *(["--catalog", str(catalog)] if catalog else []),
    ]  # fmt: skip
    readable, writable = os.pipe()
    watched, lifeline = os.pipe()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_") and name not in OPTION_VARIABLES}
    environment = {**kept, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", PROGRESS_FD: str(writable), LIFELINE_FD: str(watched)}
    if processor is not None:
        environment["HARNESS_CPU"] = str(processor)
    try:
        with folder.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  (our own scenarios)
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                pass_fds=[writable, watched, *keep_open], start_new_session=True,
            )  # fmt: skip
    except OSError:
        os.close(readable)
        os.close(lifeline)
        raise
    finally:
        os.close(writable)
        os.close(watched)
    return process, readable, lifeline


def _not_finished(folder: SweepFolder, plan: Plan, code: int) -> MeasurementError | EnvironmentFault:
    sealed = folder.rounds()
    short = sum(round_.stopped for round_ in sealed)
    found = f"{len(sealed)} of {len(plan.rounds)} sealed, {short} of them cut short (Locust ended with {code})"
    goes_on = "`harness resume` goes on with it, and " if folder.journal.is_file() else ""
    remedy = f"Read {folder.log}; {goes_on}`harness score` uses what is sealed."
    problem = Problem(str(folder.path), "rounds", found, "all rounds of the plan", remedy)
    return EnvironmentFault(problem) if code == EnvironmentFault.exit_code else MeasurementError(problem)


def measuring(folder: SweepFolder) -> int | None:
    """The process that measures a sweep now; None if none does, whatever a crash has left behind."""
    process = measuring_process(folder)
    return process.pid if process is not None else None


def measuring_process(folder: SweepFolder) -> psutil.Process | None:
    """Like ``measuring``, but with the process itself instead of its number."""
    return running_process(folder.path / PID)


def require_not_measured(folder: SweepFolder) -> None:
    """Raise EvidenceError while a sweep is measured."""
    process = measuring(folder)
    if process is not None:
        found, remedy = f"process {process} still measures it", "Wait until it has ended, or end it with `harness stop`."
        raise EvidenceError(Problem(str(folder.path), "sweep", found, "a sweep that has ended", remedy))


def stop(folder: SweepFolder) -> int:
    """End a sweep that is under way: arrivals off, drained, sealed. Returns its process id once it has ended.

    Raises EvidenceError where none is under way, and MeasurementError where it has not ended within LONGEST_END_S.
    """
    path = folder.path / PID
    process = running_process(path)
    if process is None:
        raise EvidenceError.missing(path, "a sweep that is under way", "Nothing is to be stopped; the sweep has ended.")
    process.send_signal(signal.SIGINT)
    if not await_end(process, LONGEST_END_S):
        remedy = f"Read {folder.log}; `kill -9 {process.pid}` ends it at once, and what is sealed stays."
        raise MeasurementError(
            Problem(str(folder.path), "process", f"{process.pid}, which still runs", f"its end within {LONGEST_END_S:g} s", remedy)
        )
    return process.pid


def _free_port() -> int:
    """A port that was free a moment ago, for Locust's master (it cannot be given 0: its workers must know the number)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
