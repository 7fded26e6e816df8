"""Runs a plan: starts one Locust master and its workers as processes, and waits until they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from harness.errors import EvidenceError, MeasurementError, Problem
from harness.evidence import SweepFolder
from harness.operations.progress import PROGRESS_FD, show_progress
from harness.operations.shipped import locust_conf, scenarios_folder
from harness.records import Plan
from harness.records.files import write_whole

PID = "locust.pid"
"""In a sweep's folder while it is measured: the process that `harness stop` asks to end."""


OPTION_VARIABLES = frozenset(f"HARNESS_{option}" for option in ("PORTAL", "WORKLOAD", "SEED", "RESULTS", "CATALOG", "PLAN"))
"""Variables that stand for options of our Locust. Like Locust's own (LOCUST_…), they are for people who start Locust themselves."""


def run_locust(
    plan: Plan, *, workers: int, processor: int | None, catalog: Path | None, progress: Callable[[str], None],
    during: Callable[[SweepFolder, int], None] | None = None,
) -> SweepFolder:  # fmt: skip
    """Run every round of a plan that is not sealed yet; the folder then has the evidence, and Locust's own log.

    ``during`` is called in a thread with the folder and Locust's process id. Raises MeasurementError where the plan was not
    carried out to its end; the sealed rounds stay.
    """
    folder = SweepFolder(Path(plan.results))
    write_whole(folder.plan, plan.to_json())
    process, descriptor = _start(folder, workers, processor, catalog)
    write_whole(folder.path / PID, str(process.pid))
    if during is not None:
        threading.Thread(target=during, args=(folder, process.pid), daemon=True).start()
    try:
        # Ctrl-C at a terminal reaches Locust too: it drains and seals, and this process waits for that.
        show_progress(descriptor, progress, interrupted=lambda: progress("stopping: arrivals are off, visits under way may end"))
        code = process.wait()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=120)
    (folder.path / PID).unlink(missing_ok=True)
    if code != 0:
        raise _not_finished(folder, plan, code)
    return folder


def _start(folder: SweepFolder, workers: int, processor: int | None, catalog: Path | None) -> tuple[subprocess.Popen[bytes], int]:
    """Start Locust with its output in the log. Answers the process, and the end of the pipe to read its progress from."""
    port = _free_port()
    command = [
        sys.executable, "-m", "locust", "--config", str(locust_conf()), "-f", str(scenarios_folder()), "--headless", "--only-summary",
        "--processes", str(workers), "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port), "--master-port", str(port),
        "--plan", str(folder.plan), *(["--catalog", str(catalog)] if catalog else []),
    ]  # fmt: skip
    readable, writable = os.pipe()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_") and name not in OPTION_VARIABLES}
    environment = {**kept, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", PROGRESS_FD: str(writable)}
    if processor is not None:
        environment["HARNESS_CPU"] = str(processor)
    try:
        with folder.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  (our own scenarios)
                command, env=environment, stdout=log, stderr=subprocess.STDOUT, pass_fds=[writable]
            )
    except OSError:
        os.close(readable)
        raise
    finally:
        os.close(writable)
    return process, readable


def _not_finished(folder: SweepFolder, plan: Plan, code: int) -> MeasurementError:
    sealed = folder.rounds()
    short = sum(round_.stopped for round_ in sealed)
    found = f"{len(sealed)} of {len(plan.rounds)} sealed, {short} of them cut short (Locust ended with {code})"
    remedy = f"Read {folder.log}; `harness score` uses what is sealed."
    return MeasurementError(Problem(str(folder.path), "rounds", found, "all rounds of the plan", remedy))


def running_process(folder: SweepFolder) -> int | None:
    """The process that measures a sweep now; None if none does, even if a crash has left the file with its number."""
    path = folder.path / PID
    if not path.is_file():
        return None
    process = int(path.read_text(encoding="ascii"))
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it runs, and belongs to another user
    return process


def stop(folder: SweepFolder) -> int:
    """Ask a sweep that is under way to end: arrivals off, drained, sealed. Returns the process id; EvidenceError where none runs."""
    path = folder.path / PID
    if not path.is_file():
        raise EvidenceError.missing(path, "a sweep that is under way", "Nothing is to be stopped; the sweep has ended.")
    process = int(path.read_text(encoding="ascii"))
    os.kill(process, signal.SIGINT)
    return process


def _free_port() -> int:
    """A port that was free a moment ago, for Locust's master (it cannot be given 0: its workers must know the number)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
