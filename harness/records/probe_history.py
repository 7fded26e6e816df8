"""The availability history of one portal: a line for each probe, a lone citizen who searched once.

results/availability/<portal>.jsonl    lines are only ever added, each with the digest of the line before
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from harness.errors import EnvironmentFault, EvidenceError, Problem
from harness.records.chained_lines import last_line, line_bytes, line_digest, link_problems, read_chained
from harness.records.plain import from_plain, to_plain

AVAILABILITY = "availability"
"""The folder of the histories, in the results folder."""
MISSED, NOT_PERMITTED = "missed", "not_permitted"
"""Outcomes of probes that were not sent: the moment passed while we were busy, or nothing permitted them."""

_ARCHIVE = "Restore the history from the archive; lines are never changed or removed."


class ProbeBlame(StrEnum):
    """Whose fault it is that a probe did not get through."""

    NOBODY = "nobody"  # it got through
    PORTAL = "portal"
    MAINTENANCE = "maintenance"  # the portal shows a maintenance page
    BLOCKED = "blocked"  # a firewall, a challenge or a captcha
    SHARED_HOST = "shared_host"  # a host that portals share
    UNEXPLAINED = "unexplained"  # the portal is broken there, or our profile is out of date
    PATH = "path"  # nearly all portals failed together: our uplink
    OURS = "ours"  # not sent, or cut off by us


@dataclass(frozen=True, slots=True)
class ProbeLine:
    """One probe, or several in a row that were not sent."""

    portal: str
    journey: str
    at_utc: str  # ISO 8601, by the wall clock, when it began
    anchor_utc: str  # the wall clock when the prober started
    since_anchor_s: float  # since then, by the monotonic clock
    step_s: float  # the wall clock minus (anchor_utc + since_anchor_s): where it changes, the clock was set
    outcome: str  # of the visit; or missed, not_permitted
    blame: ProbeBlame
    every_s: float  # between two probes; 0: a single one
    duration_s: float = 0.0  # of the visit's requests, without our own work between them
    requests: int = 0
    goal: str = ""  # where it failed
    step: str = ""
    rule: str = ""  # that was not met, in words
    status: int = 0  # of the answer that ended it; 0 without one
    host: str = ""  # origin of the portal
    addresses: tuple[str, ...] = ()  # that the names of hosts led to
    authorisation: str = ""  # id; empty for an embedded portal
    count: int = 1  # of probes in a row that were not sent
    previous: str = ""  # SHA-256 of the line before; empty in the first

    @property
    def at(self) -> datetime:
        """When it began (aware)."""
        return datetime.fromisoformat(self.at_utc).astimezone(UTC)

    @property
    def in_words(self) -> str:
        """The probe on one line."""
        if self.blame is ProbeBlame.NOBODY:
            said = f"up  {self.duration_s:.3f} s in {self.requests} requests"
        else:
            place = "/".join(filter(None, (self.goal, self.step)))
            times = f"{self.count} turns " if self.count > 1 else ""
            said = f"{self.blame}: {times}{' '.join(filter(None, (self.outcome, place, self.rule)))}"
        return f"{self.at_utc}  {self.portal:24} {said}"

    def line(self) -> bytes:
        """The line without its end."""
        return line_bytes(to_plain(self))


class ProbeHistory:
    """The file of one portal, open for adding by one prober."""

    def __init__(self, path: Path, descriptor: int, last: bytes) -> None:
        self.path = path
        self._descriptor = descriptor
        self._previous = line_digest(last)
        self.last = _probe(path, last) if last else None

    def add(self, probe: ProbeLine) -> ProbeLine:
        """Add a line, whole and on disk, or leave the file as it was; answers the line. Raises EnvironmentFault."""
        added = replace(probe, previous=self._previous)
        data, before = added.line(), os.fstat(self._descriptor).st_size
        try:
            rest = memoryview(data + b"\n")
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, before)
            raise _not_writable(self.path, error) from error
        self._previous, self.last = line_digest(data), added
        return added


@contextmanager
def open_history(path: Path) -> Iterator[ProbeHistory]:
    """The history of one portal, for one prober alone; half a line that a crash left is removed. Raises EnvironmentFault."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise _not_writable(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "End the other prober, or wait for it."
            raise EnvironmentFault(Problem(str(path), "file", "in use by another prober", "one prober for each portal", remedy)) from None
        try:
            last = last_line(file)
        except OSError as error:
            raise _not_writable(path, error) from error
        yield ProbeHistory(path, file.fileno(), last)


def read_history(path: Path) -> tuple[ProbeLine, ...]:
    """The lines of a history, without half a line that a crash left. EvidenceError for a line that is no probe, or that names another line before it."""
    probes = read_chained(ProbeLine, path, "probes", _ARCHIVE)
    first = probes[0].previous if probes else ""  # a part of a history begins with any
    for problem in link_problems(path, probes, _ARCHIVE, first):
        raise EvidenceError(problem)
    return probes


def _probe(path: Path, line: bytes) -> ProbeLine:
    try:
        return from_plain(ProbeLine, json.loads(line))
    except ValueError as error:
        raise EvidenceError(Problem(str(path), "last line", str(error), "a probe as it was written", _ARCHIVE)) from error


def _not_writable(path: Path, error: OSError) -> EnvironmentFault:
    remedy = "Make room or mend the permissions, then start the prober again; what is there stays."
    return EnvironmentFault(Problem(str(path), "file", f"not writable ({error.strerror})", "a file that can be added to", remedy))
