"""The ledger of a sweep: one line for everything that a portal acknowledged to a citizen, or showed again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import EvidenceError, Problem
from harness.records.files import drop_half_line, read_lines
from harness.records.plain import from_plain, to_plain


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One statement of a portal to one visit."""

    portal: str
    run: str
    visit: int
    code: str
    kind: str  # dossier, payment, withdrawal; found or missing where it was looked up afterwards
    journey: str = ""
    step: str = ""
    when_us: int = 0  # of the worker's monotonic clock
    kept: Mapping[str, str | int | float] | None = None  # what the profile says is needed to withdraw it; never a secret
    round: str = ""
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The lines of a ledger, in order."""

    lines: tuple[LedgerLine, ...]
    left_out: int = 0  # 1 where a crash cut off the last line

    def of_portal(self, portal: str) -> tuple[LedgerLine, ...]:
        """What one portal said."""
        return tuple(line for line in self.lines if line.portal == portal)


def append_to_ledger(path: Path, lines: Iterable[LedgerLine]) -> None:
    """Add lines. Half a line, which a crash left at the end, is removed first: a line added to it could not be read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        drop_half_line(file)
        for line in lines:
            file.write((json.dumps(_facts(line), ensure_ascii=False, sort_keys=True) + "\n").encode())


def worker_ledger(results: Path, worker: str) -> Path:
    """Where a worker keeps its lines until the master has them all; in a sweep's folder."""
    return results / "ledgers" / f"{worker}.jsonl"


def append_missing(ledger: Path, lines: Iterable[LedgerLine]) -> int:
    """Add the lines that the ledger does not hold yet. Answers their number."""
    known = set(map(_identity, read_ledger(ledger).lines))
    missing = [line for line in lines if _identity(line) not in known]
    append_to_ledger(ledger, missing)
    return len(missing)


def gather_ledgers(ledger: Path) -> int:
    """Add what only the workers' own ledgers hold, where a master was lost, and remove them. Answers the number of lines added."""
    kept = sorted(ledger.parent.glob("ledgers/*.jsonl"))
    if not kept:
        return 0
    added = append_missing(ledger, (line for path in kept for line in read_ledger(path).lines))
    for path in kept:
        path.unlink()
    return added


def _identity(line: LedgerLine) -> tuple[str, str, int, str, str, int]:
    return (line.portal, line.run, line.visit, line.kind, line.code, line.when_us)


def read_ledger(path: Path) -> Ledger:
    """The ledger, empty where there is none; EvidenceError where a line other than the last cannot be read."""
    found = read_lines(path)
    lines: list[LedgerLine] = []
    for number, value in enumerate(found.values, 1):
        try:
            lines.append(from_plain(LedgerLine, value))
        except ValueError as error:
            problem = Problem(str(path), "line", str(error), "a line as it was written", "Restore the ledger from the archive.", number)
            raise EvidenceError(problem) from error
    return Ledger(tuple(lines), found.left_out)


def _facts(line: LedgerLine) -> dict[str, Any]:
    facts: dict[str, Any] = to_plain(line)
    if line.kept is None:
        del facts["kept"]
    return facts
