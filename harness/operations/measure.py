"""Carry out a plan: one Locust master and its workers, as a process of their own, watched until they are done."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from harness.errors import EvidenceError, MeasurementError, Problem
from harness.evidence import SweepFolder
from harness.operations.shipped import locust_conf, scenarios_folder
from harness.records import Plan
from harness.records.files import read_json, write_whole

PID = "locust.pid"
"""Stands in a sweep's folder while it is measured: the process that `harness stop` asks to end."""

_SAID = re.compile(r"^\[.*?\] .*?/(?P<level>\w+)/harness\.operations\.locustfile: (?P<text>.*)$")


def measure(
    plan: Plan, *, workers: int, processor: int | None, catalog: Path | None, progress: Callable[[str], None],
    during: Callable[[SweepFolder, int], None] | None = None,
) -> SweepFolder:  # fmt: skip
    """Run every round of a plan that is not sealed yet; answers the folder with the evidence.

    Locust's own words go to ``locust.log`` in that folder. Raises MeasurementError where the plan was not carried out
    to its end; what was sealed until then stays. ``during`` is called in a thread of its own with the folder and Locust's process id.
    """
    folder = SweepFolder(Path(plan.results))
    write_whole(folder.plan, plan.to_json())
    port = _free_port()
    command = [
        sys.executable, "-m", "locust", "--config", str(locust_conf()), "-f", str(scenarios_folder()), "--headless", "--only-summary",
        "--processes", str(workers), "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port), "--master-port", str(port),
        "--plan", str(folder.plan), *(["--catalog", str(catalog)] if catalog else []),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **({"HARNESS_CPU": str(processor)} if processor is not None else {})}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
    assert process.stdout is not None
    write_whole(folder.path / PID, str(process.pid))
    if during is not None:
        threading.Thread(target=during, args=(folder, process.pid), daemon=True).start()
    try:
        with folder.log.open("a", encoding="utf-8") as log:
            while True:
                try:
                    line = process.stdout.readline()
                except KeyboardInterrupt:  # Locust got it too: it drains and seals, and we wait for that
                    progress("stopping: arrivals are off, what is under way is awaited")
                    continue
                if not line:
                    break
                log.write(line)
                if (said := _SAID.match(line)) and said["level"] != "DEBUG":
                    progress(said["text"])
        code = process.wait()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=120)
        process.stdout.close()
    (folder.path / PID).unlink(missing_ok=True)
    if code != 0:
        sealed = [read_json(folder.round(name)) for name in folder.sealed_rounds()]
        short = sum(round_["stopped"] for round_ in sealed)
        raise MeasurementError(
            Problem(
                str(folder.path), "rounds", f"{len(sealed)} of {len(plan.rounds)} sealed, {short} of them cut short (Locust ended with {code})", "all rounds of the plan",
                f"Read {folder.log}; `harness score` uses what is sealed.",
            )
        )  # fmt: skip
    return folder


def stop(folder: SweepFolder) -> int:
    """Ask a sweep that is under way to end: arrivals off, drained, sealed. Answers the process id; EvidenceError where none is."""
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
