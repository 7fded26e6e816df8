"""What went wrong at each portal of a sweep: from the rounds' counts of failures, the ledger, and the pages that were kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from harness.evidence import SweepFolder
from harness.publish import Claim
from harness.publish.faults import DUPLICATE, LOST, TURNED_AWAY, Fault, PortalFaults
from harness.records import FAILURES_OF_THE_GENERATOR, STEP_KEYS, VISIT_ROW, FailureKind, Outcome
from harness.records.failure import unreadable_by_all
from harness.records.files import read_json

_OURS = FAILURES_OF_THE_GENERATOR | {Outcome.ABORTED}


def count_faults(folder: SweepFolder, rows: Mapping[str, pd.DataFrame], claims: Sequence[Claim]) -> tuple[PortalFaults, ...]:
    """One entry for each portal of which there are rows, ordered by id; what was our own fault is left out."""
    counts = _counts(folder)
    of_claims = {claim.portal: claim for claim in claims}
    return tuple(
        PortalFaults(portal, tuple(_faults(folder, portal, rows[portal], counts.get(portal, Counter()), of_claims.get(portal))))
        for portal in sorted(rows)
    )


def _faults(folder: SweepFolder, portal: str, rows: pd.DataFrame, counts: Counter[FailureKind], claim: Claim | None) -> Iterator[Fault]:
    if claim is not None and claim.duplicates:
        yield Fault(DUPLICATE, "file", "submit", "", "", len(claim.duplicates), claim.dossiers, codes=claim.duplicates)
    lost = tuple(code for code in claim.lost if code not in claim.duplicates) if claim is not None else ()
    if claim is not None and lost:
        yield Fault(LOST, "track", "track", "", "", len(lost), claim.dossiers, codes=lost)
    yield from _failed_steps(folder, portal, rows, counts)
    visits = rows[rows["request"] == VISIT_ROW]
    away = visits[(visits["outcome"] == Outcome.NOT_SERVED) & (visits["start_us"] == 0)]
    if len(away):
        journeys = Counter(str(journey) for journey in away["journey"])
        yield Fault(TURNED_AWAY, "", "", Outcome.NOT_SERVED, "", len(away), len(visits), dict(sorted(journeys.items())))


def _failed_steps(folder: SweepFolder, portal: str, rows: pd.DataFrame, counts: Counter[FailureKind]) -> Iterator[Fault]:
    """The kinds of failures of steps, over all journeys, the most frequent first."""
    begun = _begun(rows)
    pages = _pages(folder, portal)
    merged: dict[FailureKind, Counter[str]] = {}
    ours = _OURS - {Outcome.PROTOCOL} if unreadable_by_all((kind.outcome, kind.rule) for kind in counts) else _OURS
    for kind, count in counts.items():
        if kind.outcome not in ours:
            merged.setdefault(kind._replace(journey=""), Counter())[kind.journey] += count
    for kind, journeys in sorted(merged.items(), key=lambda item: (-item[1].total(), item[0])):
        name = kind.means or kind.outcome
        shown = tuple(page["file"] for page in pages if all(page[of] == getattr(kind, of) for of in ("goal", "step", "outcome", "rule")))
        of = begun.get((kind.goal, kind.step), 0)
        yield Fault(name, kind.goal, kind.step, kind.outcome, kind.rule, journeys.total(), of, dict(sorted(journeys.items())), (), shown)


def _counts(folder: SweepFolder) -> dict[str, Counter[FailureKind]]:
    found: dict[str, Counter[FailureKind]] = {}
    for name in folder.sealed_rounds():
        for slot in read_json(folder.round(name))["slots"]:
            counts = found.setdefault(slot["portal"], Counter())
            for window in slot["windows"]:
                for failure in window.get("failures", ()):  # rounds of an earlier version have none
                    counts[FailureKind(*(failure[field] for field in FailureKind._fields))] += failure["count"]
    return found


def _pages(folder: SweepFolder, portal: str) -> list[dict[str, Any]]:
    index = folder.pages(portal)
    return list(read_json(index)["pages"]) if index.is_file() else []


def _begun(rows: pd.DataFrame) -> dict[tuple[str, str], int]:
    """How often each step was begun, by goal and step."""
    requests = rows[(rows["request"] != VISIT_ROW) & (rows["outcome"] != Outcome.SKIPPED)]
    steps = requests[list(STEP_KEYS)].astype({"goal": str, "step": str, "journey": str}).drop_duplicates()
    return {(str(key[0]), str(key[1])): len(group) for key, group in steps.groupby(["goal", "step"])}
