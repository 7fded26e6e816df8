"""A process that is known by its number and its beginning, kept in a file: another process may have the number later."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil

from harness.errors import EvidenceError, Problem
from harness.records.files import write_whole


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
