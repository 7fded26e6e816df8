"""Compares the ledger and rows of a sweep with an operator's own count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow.compute as pc

from harness.catalog import Catalog
from harness.errors import EvidenceError, Problem, UsageError
from harness.evidence import SweepFolder
from harness.evidence.parquet import read_part
from harness.operations.dossiers.outside_count import KINDS, OutsideCount, outside_count
from harness.records import STEP_KEYS, VISIT_ROW, Outcome, read_ledger, read_plan

_STORES = {"dossier": "submit", "payment": "confirm_payment"}
UNITS = {
    "acknowledged": "citizens", "counted": "dossiers or payments", "missing": "citizens", "unknown": "codes", "unseen": "steps",
    "duplicates": "codes",
}  # fmt: skip
"""What each number of a difference counts."""
SHOWN = 10
"""Codes that are printed of each list; JSON has all of them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The ledger and the outside count of one kind at one portal."""

    portal: str
    kind: str  # dossier or payment
    acknowledged: int  # citizens
    counted: int  # dossiers or payments outside
    missing: int  # citizens who were told of one that is not stored: of each code, those beyond what is stored under it
    unknown: int  # codes that are stored and were told to nobody; of totals, dossiers or payments
    unseen: int  # steps whose end no citizen saw: so many codes may be unknown without a fault
    duplicates: int  # codes told to several citizens or stored more than once; of totals, what is stored beyond the first of each code
    missing_codes: tuple[str, ...] = ()  # only where the outside count has codes
    unknown_codes: tuple[str, ...] = ()
    duplicate_codes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether nothing is missing or doubled, and the unseen steps explain what is unknown."""
        return not self.missing and not self.duplicates and self.unknown <= self.unseen

    def lines(self) -> Iterator[str]:
        """The difference as lines of text."""
        yield (
            f"{self.portal} {self.kind}s: {self.acknowledged} acknowledged to citizens, {self.counted} counted outside; missing outside:"
            f" {_count(self.missing, 'citizen')}; unknown to us: {_count(self.unknown, 'code')} (end not seen: {_count(self.unseen, 'step')});"
            f" given twice: {_count(self.duplicates, 'code')}: {'agree' if self.agrees else 'DIFFER'}"
        )
        for name in ("missing", "unknown", "duplicate"):
            codes = getattr(self, f"{name}_codes")
            if codes:
                more = f" … and {len(codes) - SHOWN} more" if len(codes) > SHOWN else ""
                yield f"  {name}: {', '.join(codes[:SHOWN])}{more}"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A sweep compared with an outside count."""

    differences: tuple[Difference, ...]
    not_counted: tuple[str, ...]  # portals of the sweep without a count
    not_ours: tuple[str, ...]  # portals of the count that are not in the sweep

    @property
    def agrees(self) -> bool:
        """Whether all counts agree."""
        return all(each.agrees for each in self.differences)

    def to_dict(self) -> dict[str, Any]:
        """The comparison as data for JSON."""
        return {
            "agrees": self.agrees,
            "units": UNITS,
            "portals": [{**asdict(each), "agrees": each.agrees} for each in self.differences],
            "not_counted": self.not_counted,
            "not_ours": self.not_ours,
        }


def reconcile(folder: SweepFolder, truth: str, catalog: Catalog) -> Reconciliation:
    """Compare a sweep with the count in a file or at an address.

    An address is asked only on loopback or where an authorisation covers its host now: AuthorisationError otherwise. UsageError
    for a count that cannot be used, or names none of the sweep's portals.
    """
    counts = outside_count(truth, catalog, datetime.now(UTC))
    portals = sorted(target.portal for target in read_plan(folder.plan).targets)
    named = {portal for portal, _ in counts}
    if not named & set(portals):
        remedy = "Name portals as the sweep does, or give the count of this sweep."
        raise UsageError(Problem(truth, "portal", ", ".join(sorted(named)), f"some of {', '.join(portals)}", remedy))
    given = _acknowledged(folder)
    return Reconciliation(
        tuple(
            _difference(portal, kind, given.get((portal, kind), []), counts[portal, kind], _unseen(folder, portal, _STORES[kind]))
            for portal in portals
            for kind in KINDS
            if (portal, kind) in counts
        ),
        tuple(portal for portal in portals if portal not in named),
        tuple(sorted(named - set(portals))),
    )


def require_agreement(found: Reconciliation, folder: SweepFolder) -> None:
    """Raise EvidenceError with one problem for each difference."""
    wrong = [each for each in found.differences if not each.agrees]
    if wrong:
        raise EvidenceError(
            *(
                Problem(
                    str(folder.ledger), f"{each.portal} {each.kind}s",
                    f"{each.acknowledged} acknowledged to citizens, those of {_count(each.missing, 'citizen')} missing outside,"
                    f" {_count(each.unknown, 'code')} unknown to us, {_count(each.duplicates, 'code')} given twice",
                    f"the {each.counted} that were counted outside", "Take a list of portal,code from the operator: it says which.",
                )
                for each in wrong
            )
        )  # fmt: skip


def _difference(portal: str, kind: str, ours: list[str], count: OutsideCount, unseen: int) -> Difference:
    told = Counter(ours)
    twice_told = {code for code, times in told.items() if times > 1}
    if count.codes is None:
        excess = count.total - len(ours)
        duplicates = max(count.duplicates, len(twice_told))
        return Difference(
            portal, kind, len(ours), count.total, max(0, -excess), max(0, excess), unseen, duplicates, (), (), tuple(sorted(twice_told))
        )
    stored = Counter(count.codes)
    twice = {code for code, times in stored.items() if times > 1} | twice_told
    missing, unknown = told - stored, set(stored) - set(told)
    return Difference(
        portal, kind, len(ours), count.total, missing.total(), len(unknown), unseen, len(twice), tuple(sorted(missing)), tuple(sorted(unknown)),
        tuple(sorted(twice)),
    )  # fmt: skip


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _acknowledged(folder: SweepFolder) -> Mapping[tuple[str, str], list[str]]:
    """Codes by portal and kind; each acknowledgement to a citizen counts once."""
    found: dict[tuple[str, str], dict[tuple[str, str, int], str]] = {}
    for line in read_ledger(folder.ledger).lines:
        if line.kind in KINDS:
            told = found.setdefault((line.portal, line.kind), {})
            told.setdefault((line.code, line.run, line.visit), line.code)
    return {key: list(codes.values()) for key, codes in found.items()}


def _unseen(folder: SweepFolder, portal: str, step: str) -> int:
    """How often a step was started and did not succeed for the citizen; the portal may have stored its result all the same."""
    unseen = 0
    for part in folder.parts(portal):
        rows = read_part(part, [*STEP_KEYS, "request", "start_us", "outcome"])
        chosen = pc.and_(pc.equal(pc.cast(rows["step"], "string"), step), pc.greater(rows["request"], VISIT_ROW))
        mine = rows.filter(chosen).to_pandas()
        if len(mine):
            steps = [mine[name] for name in STEP_KEYS]
            begun = (mine["start_us"] > 0).groupby(steps, observed=True).any()
            well = (mine["outcome"] == Outcome.OK).groupby(steps, observed=True).all()
            unseen += int((begun & ~well).sum())
    return unseen
