"""The journal of a sweep: one line when an attempt at it begins and one when it ends. Its rounds have records of their own.

journal.jsonl    lines are only ever added, each with the digest of the line before; an attempt that crashed has no end
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

from harness.errors import EvidenceError, Problem
from harness.records.files import drop_half_line, read_lines
from harness.records.plain import from_plain, to_plain

AttemptEvent = Literal["begun", "ended", "aborted"]
"""``ended``: the plan was carried out to its end; ``aborted``: somebody or something ended the attempt before, in order."""
_OF_AN_END = ("attempt", "event", "at_utc", "previous")
_ARCHIVE = "Restore the journal from the archive; lines are never changed or removed."


@dataclass(frozen=True, slots=True)
class JournalLine:
    """The beginning or the end of an attempt; the fields from ``process`` on are those of a beginning."""

    attempt: int  # from 1
    event: AttemptEvent
    at_utc: str  # ISO 8601
    previous: str = ""  # SHA-256 of the line before; empty in the first
    process: int = 0  # the `harness` that carries it out
    process_began_s: float = 0.0  # seconds since 1970: another process may have the number later
    boot: str = ""  # which boot of which machine
    harness: str = ""  # version
    workers: int = 1
    catalog: str = ""  # the folder of --catalog; empty: the default catalog alone
    night: str = ""  # the date of the evening on which the attempt's night began
    recovered: tuple[str, ...] = ()  # rounds that a crash had left open, sealed as incomplete before this attempt
    left_out: Mapping[str, str] = field(default_factory=dict)  # portal → why this attempt does not load it


def append_to_journal(path: Path, line: JournalLine) -> None:
    """Add a line; half a line, which a crash left, is removed first. OSError where it cannot be written."""
    with path.open("a+b") as file:
        drop_half_line(file)
        file.seek(0)
        lines = file.read().splitlines()
        facts = to_plain(replace(line, previous=sha256(lines[-1]).hexdigest() if lines else ""))
        if line.event != "begun":
            facts = {name: facts[name] for name in _OF_AN_END}
        file.write((json.dumps(facts, ensure_ascii=False, sort_keys=True) + "\n").encode())


def read_journal(path: Path) -> tuple[JournalLine, ...]:
    """The lines of a journal, none where there is no such file; EvidenceError for a line that is none."""
    try:
        return tuple(from_plain(JournalLine, value) for value in read_lines(path).values)
    except ValueError as error:
        raise EvidenceError(Problem(str(path), "line", str(error), "lines as they were written", _ARCHIVE)) from error


def last_attempt(path: Path) -> JournalLine | None:
    """The beginning of the newest attempt; None where the sweep has no journal."""
    return next((line for line in reversed(read_journal(path)) if line.event == "begun"), None)


def journal_problems(path: Path) -> Iterator[Problem]:
    """What does not fit in a journal; nothing where there is none, as in evidence of an earlier version."""
    raw, lines = path.read_bytes().splitlines() if path.is_file() else [], read_journal(path)
    previous, attempt, begun = "", 0, False
    for number, (text, line) in enumerate(zip(raw, lines, strict=False), 1):
        if line.previous != previous:
            yield Problem(str(path), "previous", line.previous or "empty", previous or "empty", _ARCHIVE, number)
        expected = attempt + 1 if line.event == "begun" else attempt
        if line.attempt != expected or not (begun or line.event == "begun"):
            yield Problem(
                str(path), "attempt", f"{line.attempt} {line.event}", f"attempt {expected}, begun before it ends", _ARCHIVE, number
            )
        previous, attempt, begun = sha256(text).hexdigest(), line.attempt, line.event == "begun"
