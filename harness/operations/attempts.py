"""Attempts at a sweep: one at a time, each with its beginning and its end in the journal and in the register."""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil

from harness.errors import EnvironmentFault, Problem
from harness.evidence import SweepFolder
from harness.evidence.folder import catalog_option
from harness.load.clock_offset import machine_boot
from harness.operations.disk_room import not_writable
from harness.operations.register import enter_beginning, enter_end, enter_resumption
from harness.operations.sweep_plan import night_date
from harness.records.sweep_journal import AttemptEvent, JournalLine, append_to_journal, last_attempt, read_journal
from harness.version import __version__


@contextmanager
def only_attempt(folder: SweepFolder) -> Iterator[None]:
    """Hold a sweep's journal during an attempt. Raises EnvironmentFault, which names the process, where another one holds it."""
    try:
        file = os.open(folder.journal, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise not_writable(folder, error) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            attempt = last_attempt(folder.journal)
            who = f"process {attempt.process}" if attempt is not None else "another process"
            remedy = "Nothing was sent. Wait until it has ended, or end it with `harness stop`."
            raise EnvironmentFault(Problem(str(folder.path), "sweep", f"under way in {who}", "a sweep that has ended", remedy)) from None
        yield
    finally:
        os.close(file)


def is_under_way(folder: SweepFolder) -> bool:
    """Whether a process holds the sweep's journal now."""
    if not folder.journal.is_file():
        return False
    file = os.open(folder.journal, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def begin_attempt(
    folder: SweepFolder, *, workers: int, catalog: Path | None, recovered: Sequence[str] = (), left_out: Mapping[str, str] | None = None
) -> None:
    """Enter the beginning of an attempt. Raises EnvironmentFault where journal or register cannot be written."""
    before = last_attempt(folder.journal)
    line = JournalLine(
        attempt=1 if before is None else before.attempt + 1,
        event="begun",
        at_utc=_now(),
        process=os.getpid(),
        process_began_s=psutil.Process().create_time(),
        boot=machine_boot(),
        harness=__version__,
        workers=workers,
        catalog=str(catalog.absolute()) if catalog is not None else "",
        night=night_date(),
        recovered=tuple(recovered),
        left_out=left_out or {},
    )
    try:
        append_to_journal(folder.journal, line)
    except OSError as error:
        raise not_writable(folder, error) from error
    (enter_beginning if before is None else enter_resumption)(folder)


def command_about(sweep: Path, *command: str | Path) -> str:
    """A command about a sweep, with its catalog, as a shell takes it from where this one was started."""
    return shlex.join(("harness", *map(str, command), *catalog_option(sweep)))


def end_attempt(folder: SweepFolder, event: AttemptEvent) -> None:
    """Enter the end of the attempt under way, once."""
    lines = read_journal(folder.journal)
    if lines and lines[-1].event == "begun":
        try:
            append_to_journal(folder.journal, JournalLine(lines[-1].attempt, event, _now()))
        except OSError as error:
            raise not_writable(folder, error) from error
    enter_end(folder, event)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
