"""Files of JSON lines that are only ever added to. Each line holds, as ``previous``, the digest of the line before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar

from harness.errors import EvidenceError, Problem
from harness.records.files import drop_half_line, read_lines
from harness.records.plain import from_plain


class Chained(Protocol):
    """A line of such a file."""

    @property
    def previous(self) -> str:
        """SHA-256 of the line before it."""
        ...


Line = TypeVar("Line", bound=Chained)


def line_bytes(facts: Any) -> bytes:
    """A line without its end."""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()


def line_digest(line: bytes) -> str:
    """What the next line names as ``previous``; empty where there is no line."""
    return sha256(line).hexdigest() if line else ""


def last_line(file: BinaryIO) -> bytes:
    """The last line of a file that is open for reading and adding, empty where it has none. Half a line, which a crash left, is removed."""
    drop_half_line(file)
    file.seek(0)
    return (file.read().splitlines() or [b""])[-1]


def read_chained(kind: type[Line], path: Path, what: str, remedy: str) -> tuple[Line, ...]:
    """The lines of a file, without half a line that a crash left; none if there is no such file.

    Raises EvidenceError for a line that is not of this ``kind``. Its message names the lines as ``what`` (a plural) and says ``remedy``.
    """
    try:
        return tuple(from_plain(kind, value) for value in read_lines(path).values)
    except ValueError as error:
        raise EvidenceError(Problem(str(path), "line", str(error), f"{what} as they were written", remedy)) from error


def link_problems(path: Path, lines: Sequence[Chained], remedy: str, first: str = "") -> Iterator[Problem]:
    """The lines of a file that do not name the line before them; ``first``: what the first one has to name."""
    previous = first
    for number, (raw, line) in enumerate(zip(path.read_bytes().splitlines() if lines else (), lines, strict=False), 1):
        if line.previous != previous:
            yield Problem(str(path), "previous", line.previous or "empty", previous or "empty", remedy, number)
        previous = line_digest(raw)
