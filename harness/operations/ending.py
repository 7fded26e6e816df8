"""How a measurement ends early: signals are passed on to Locust, and Locust notices when the `harness` that started it is gone."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from types import FrameType

import psutil

from harness.errors import EvidenceError, Problem
from harness.records.files import write_whole

LIFELINE_FD = "HARNESS_LIFELINE_FD"
"""The environment variable with the descriptor of a pipe that only `harness` holds open: at its end, `harness` has ended."""

END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_on_signals() -> None:
    """Have SIGTERM and SIGHUP end a command as Ctrl-C does. SIGINT is heard where a script started us with `&`, SIGHUP is not under `nohup`."""
    for number in END_SIGNALS:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@contextmanager
def passed_on(process: Popen[bytes]) -> Iterator[None]:
    """While Locust measures, signals go to Locust, which ends in order at the first: arrivals off, drained, sealed."""

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        process.send_signal(signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are heard in the main thread only
        return
    before = {number: signal.getsignal(number) for number in END_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_process(path: Path, number: int) -> None:
    """Keep a process's number and when it began: another process may have the number later."""
    write_whole(path, f"{number} {psutil.Process(number).create_time()}\n")


def running_process(path: Path) -> psutil.Process | None:
    """The kept process, if it still runs. Raises EvidenceError for a file that is none."""
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        number, began = text.split()
        process = psutil.Process(int(number))
        return process if process.create_time() == float(began) and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None
    except ValueError:
        remedy = "Remove the file if nothing measures here."
        raise EvidenceError(Problem(str(path), "content", repr(text[:60]), "a process number and when it began", remedy)) from None


def await_end(process: psutil.Process, at_most_s: float) -> bool:
    """Wait for the end of a process, which may be a child of ours: it is looked at only, so that its parent gets its exit code."""
    end_s = time.monotonic() + at_most_s
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > end_s:
                return False
            time.sleep(0.1)
    return True
