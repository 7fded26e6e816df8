"""The faults of each portal, by kind: ``faults.json``, and the lines of ``explain``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from harness.records.files import write_whole
from harness.records.plain import read_record

FAULTS_JSON: Final = "faults.json"
SCHEMA: Final = "portal-faults/1"

DUPLICATE: Final = "code_given_twice"
PAID_TWICE: Final = "payment_code_given_twice"
LOST: Final = "acknowledged_not_found"
TURNED_AWAY: Final = "turned_away"


@dataclass(frozen=True, slots=True)
class FaultCount:
    """One kind of fault at one portal, and how often it occurred.

    ``fault``: the name that the profile gives the broken rule, or else the outcome; or one of the constants above for faults
    that only the ledger or the arrivals show.
    """

    fault: str
    goal: str
    step: str
    outcome: str  # of the rows; empty where the rows do not show the fault
    rule: str
    count: int
    of: int  # out of how many: steps begun, dossiers acknowledged, or visits
    journeys: Mapping[str, int] = field(default_factory=dict)
    codes: tuple[str, ...] = ()  # the dossiers concerned, if any
    pages: tuple[str, ...] = ()  # relative to the sweep's folder
    first_utc: str = ""  # wall clock, ISO 8601: the first and the last time; empty where the evidence does not say it
    last_utc: str = ""

    @property
    def when(self) -> str:
        """First and last time in UTC, as text: ``2026-11-26 01:02:03–01:05:06 UTC``."""
        first, last = (each[:19].replace("T", " ") for each in (self.first_utc, self.last_utc))
        if first == last:
            return f"{first} UTC" if first else ""
        return f"{first}–{last[11:] if last[:10] == first[:10] else last} UTC"


@dataclass(frozen=True, slots=True)
class PortalFaults:
    """All faults of one portal, the most frequent first."""

    portal: str
    faults: tuple[FaultCount, ...]


def write_faults(sweep: str, found: Sequence[PortalFaults], folder: Path) -> Path:
    """Writes ``faults.json`` into ``folder`` and returns its path."""
    document = {"schema": SCHEMA, "sweep": sweep, "portals": [asdict(portal) for portal in found]}
    path = folder / FAULTS_JSON
    write_whole(path, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))
    return path


@dataclass(frozen=True, slots=True)
class FaultsRecord:
    """The contents of ``faults.json``."""

    portals: tuple[PortalFaults, ...]


def read_faults(folder: Path) -> tuple[PortalFaults, ...]:
    """The faults of each portal of a sweep; none where the folder has no ``faults.json``. EvidenceError where it cannot be read."""
    path = folder / FAULTS_JSON
    return read_record(FaultsRecord, path).portals if path.is_file() else ()


def explain_faults(found: PortalFaults) -> Iterator[str]:
    """The faults as text, a line each."""
    if not found.faults:
        yield "nothing went wrong"
        return
    yield "went wrong, in all windows, the warm-up and the lone citizen's walk included:"
    for fault in found.faults:
        why = "; ".join(part for part in (fault.outcome, fault.rule) if part)
        page = f", page {fault.pages[0]}" if fault.pages else ""
        codes = f": {', '.join(fault.codes[:5])}{' …' if len(fault.codes) > 5 else ''}" if fault.codes else ""
        where, reason = f" at {fault.step}" if fault.step else "", f" ({why})" if why else ""
        when = f", {fault.when}" if fault.when else ""
        yield f"  {fault.fault}{where}: {fault.count} of {fault.of}{reason}{codes}{when}{page}"
