"""The dossiers that portals acknowledged in a sweep, and whether each has been withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness.errors import EvidenceError, Problem
from harness.evidence.folder import SweepFolder
from harness.records import read_ledger
from harness.records.files import read_json

WITHDRAWALS = "withdrawals.json"
"""The outcome of the withdrawal of every dossier."""
NOT_WITHDRAWN = "not-withdrawn.csv"
"""For the portals' operators: the dossiers that are still there, and why."""
NEVER_TRIED = "never tried"
"""The reason of a dossier that no withdrawal has come to."""
NO_WITHDRAWAL = "the platform has no withdrawal: "
"""Begins the reason of a dossier that only the portal's operator can remove."""


class AcknowledgementKey(NamedTuple):
    """One acknowledgement; a portal may give two citizens the same code."""

    portal: str
    code: str
    run: str
    visit: int


@dataclass(frozen=True, slots=True)
class FiledDossier:
    """A dossier that a portal acknowledged to a citizen."""

    key: AcknowledgementKey
    journey: str
    kept: Mapping[str, str | int | float]  # values that the profile needs to withdraw it


@dataclass
class FiledDossiers:
    """The dossiers of a sweep; ``became`` is "" for one that was withdrawn, else the reason why not."""

    folder: SweepFolder
    filed: Mapping[AcknowledgementKey, FiledDossier]
    became: dict[AcknowledgementKey, str] = field(default_factory=dict)
    when: dict[AcknowledgementKey, str] = field(default_factory=dict)  # ISO 8601, UTC
    counted: dict[str, int] = field(default_factory=dict)  # portal → withdrawn dossiers in its own database
    lines_left_out: int = 0  # of the ledger, cut off by a crash
    unseen: Mapping[str, Sequence[str]] = field(default_factory=dict)  # embedded portal → codes that it stored and no citizen was told

    @property
    def operators_list(self) -> Path:
        """The path of the operators' list."""
        return self.folder.path / NOT_WITHDRAWN

    def not_withdrawn(self) -> tuple[FiledDossier, ...]:
        """The dossiers that have not been withdrawn, in the ledger's order."""
        return tuple(filed for key, filed in self.filed.items() if self.became.get(key, NEVER_TRIED) != "")


def read_filed_dossiers(folder: SweepFolder) -> FiledDossiers:
    """The dossiers of a sweep and the outcomes so far; EvidenceError where a file cannot be read."""
    filed: dict[AcknowledgementKey, FiledDossier] = {}
    became: dict[AcknowledgementKey, str] = {}
    ledger = read_ledger(folder.ledger)
    of_workers = (read_ledger(path) for path in sorted(folder.path.glob("ledgers/*.jsonl")))  # where the master was lost
    for line in (*ledger.lines, *(line for kept in of_workers for line in kept.lines)):
        key = AcknowledgementKey(line.portal, line.code, line.run, line.visit)
        if line.kind == "dossier":
            filed.setdefault(key, FiledDossier(key, line.journey, line.kept or {}))
        elif line.kind == "withdrawal":
            became[key] = ""  # withdrawn within its own journey
    when: dict[AcknowledgementKey, str] = {}
    counted: dict[str, int] = {}
    unseen: dict[str, Sequence[str]] = {}
    path = folder.path / WITHDRAWALS
    if path.is_file():
        facts = read_json(path)
        try:
            counted, unseen = facts["withdrawn_counted_by_portal"], facts.get("unseen", {})
            for outcome in facts["outcomes"]:
                key = AcknowledgementKey(outcome["portal"], outcome["code"], outcome["run"], outcome["visit"])
                became[key], when[key] = str(outcome["reason"]), str(outcome["at_utc"])
        except (AttributeError, KeyError, TypeError) as error:
            found = f"unreadable ({type(error).__name__}: {error})"
            raise EvidenceError(
                Problem(str(path), "content", found, "the file as it was written", "Restore it from the archive.")
            ) from error
    return FiledDossiers(
        folder, filed, {key: reason for key, reason in became.items() if key in filed}, when, counted, ledger.left_out, unseen
    )
