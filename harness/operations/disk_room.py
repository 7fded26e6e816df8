"""Whether the results folder can take a plan's evidence, found before anything is sent; and room for the end on a full disk."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Mapping, Sequence

from harness.catalog import Catalog
from harness.errors import EnvironmentFault, Problem
from harness.evidence import SweepFolder
from harness.operations.permitted_load import rows_at_most
from harness.operations.timetable import longest_s
from harness.records import Plan
from harness.records.step_failures import PAGES_BYTES_PER_PORTAL

BYTES_PER_ROW = 350
"""In the spool and as Parquet together (measured: 150 to 190 with six portals; each metric of Server-Timing, at most 16 an answer, adds 9)."""
LONE_BYTES_PER_PORTAL = 2_000_000
"""For the lone walks of one portal (assumed: 20 walks of 100 kB, compressed; measured with 84 embedded portals: 1 to 20 kB a walk)."""
BYTES_PER_SECOND = 2_000
"""Of health, of the log and of the ledger (assumed)."""
RESERVE_BYTES = 16_000_000
"""Kept free for the last batches, for sealing and for the list of dossiers (assumed: a round's Parquet takes a tenth of its spool)."""

_MEASURED = ("samples", "server_timing", "health", "pages", "lone")
"""Folders with what an earlier attempt has written of the plan."""


def make_room(folder: SweepFolder, plan: Plan, catalog: Catalog, goals: Mapping[str, Sequence[str]]) -> None:
    """Make the folder and its reserve. Raises what ``make_folder`` and ``keep_room`` raise."""
    make_folder(folder)
    keep_room(folder, plan, catalog, goals)


def make_folder(folder: SweepFolder) -> None:
    """Make the folder; EnvironmentFault where another sweep has made it since it was named, or it cannot be written."""
    try:
        folder.path.mkdir(parents=True)
    except FileExistsError:
        found, remedy = "begun by another sweep at this moment", "Nothing was sent. Start it again; its folder has another name then."
        raise EnvironmentFault(Problem(str(folder.path), "folder", found, "a folder of its own", remedy)) from None
    except OSError as error:
        raise not_writable(folder, error) from error


def keep_room(folder: SweepFolder, plan: Plan, catalog: Catalog, goals: Mapping[str, Sequence[str]]) -> None:
    """Keep the reserve. Raises EnvironmentFault where the folder cannot be written, or the disk has no room for what the plan still writes."""
    rows, needed = written_at_most(plan, catalog, goals)
    needed -= sum(path.stat().st_size for room in _MEASURED for path in (folder.path / room).rglob("*") if path.is_file())
    try:
        free = shutil.disk_usage(folder.path).free
        if free >= needed:
            with folder.reserve.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
    except OSError as error:
        raise not_writable(folder, error) from error
    if free < needed:
        value, expected = f"{free / 1e6:.0f} MB free", f"{needed / 1e6:.0f} MB for at most {rows} rows of this plan"
        raise EnvironmentFault(
            Problem(str(folder.path), "disk", value, expected, "Nothing was sent. Make room, or name another --results.")
        )


def written_at_most(plan: Plan, catalog: Catalog, goals: Mapping[str, Sequence[str]]) -> tuple[int, int]:
    """The rows that a plan may write at most, and the bytes of all that it may write, the reserve included."""
    rows = rows_at_most(plan, catalog, goals)
    kept_of_portals = len(plan.targets) * (PAGES_BYTES_PER_PORTAL + LONE_BYTES_PER_PORTAL)
    return rows, rows * BYTES_PER_ROW + kept_of_portals + round(longest_s(plan)) * BYTES_PER_SECOND + RESERVE_BYTES


def give_back(folder: SweepFolder) -> None:
    """Remove the reserve at the end."""
    folder.reserve.unlink(missing_ok=True)


def hold(folder: SweepFolder) -> int:
    """Hold a sweep's folder while it is measured; answers the descriptor that holds it. EnvironmentFault where another process does."""
    descriptor = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno != errno.EWOULDBLOCK:
            raise not_writable(folder, error) from error
        remedy = "Nothing was sent. Wait until the other sweep has ended, or end it with `harness stop`."
        raise EnvironmentFault(Problem(str(folder.path), "folder", "measured by another process", "a folder of its own", remedy)) from None
    return descriptor


def not_writable(folder: SweepFolder, error: Exception) -> EnvironmentFault:
    """The error for a folder that cannot be written, before or while it is measured."""
    if isinstance(error, EnvironmentFault):
        return error
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return EnvironmentFault(
        Problem(str(folder.path), "folder", f"not writable ({cause})", "a folder that can be written", "Make room or mend the permissions.")
    )
