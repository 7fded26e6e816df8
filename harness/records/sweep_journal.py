"""The journal of a sweep: one line when an attempt at it begins and one when it ends. Its rounds have records of their own.

journal.jsonl    lines are only ever added, each with the digest of the line before; an attempt that crashed has no end
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from harness.errors import Problem
from harness.records.chained_lines import last_line, line_bytes, line_digest, link_problems, read_chained
from harness.records.plain import to_plain

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
        facts = to_plain(replace(line, previous=line_digest(last_line(file))))
        if line.event != "begun":
            facts = {name: facts[name] for name in _OF_AN_END}
        file.write(line_bytes(facts) + b"\n")


def read_journal(path: Path) -> tuple[JournalLine, ...]:
    """The lines of a journal, none where there is no such file; EvidenceError for a line that is none."""
    return read_chained(JournalLine, path, "lines", _ARCHIVE)


def last_attempt(path: Path) -> JournalLine | None:
    """The beginning of the newest attempt; None where the sweep has no journal."""
    return next((line for line in reversed(read_journal(path)) if line.event == "begun"), None)


def is_complete(path: Path) -> bool:
    """Whether an attempt carried the plan out to its end; a sweep without a journal is not known to be."""
    return any(line.event == "ended" for line in read_journal(path)[-1:])


def journal_problems(path: Path) -> Iterator[Problem]:
    """What does not fit in a journal; nothing where there is none, as in evidence of an earlier version."""
    lines = read_journal(path)
    yield from link_problems(path, lines, _ARCHIVE)
    attempt, begun = 0, False
    for number, line in enumerate(lines, 1):
        expected = attempt + 1 if line.event == "begun" else attempt
        if line.attempt != expected or not (begun or line.event == "begun"):
            yield Problem(
                str(path), "attempt", f"{line.attempt} {line.event}", f"attempt {expected}, begun before it ends", _ARCHIVE, number
            )
        attempt, begun = line.attempt, line.event == "begun"
