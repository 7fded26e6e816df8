"""The faults of each portal of a sweep: from the rounds' counts of failures, the ledger, and the stored pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from harness.evidence import SweepFolder
from harness.publish import Claim
from harness.publish.portal_faults import DUPLICATE, LOST, TURNED_AWAY, FaultCount, PortalFaults
from harness.records import FAILURES_OF_THE_GENERATOR, STEP_KEYS, VISIT_ROW, FailureKind, Outcome, read_pages, unreadable_by_all

_OURS = FAILURES_OF_THE_GENERATOR | {Outcome.ABORTED}


def count_faults(folder: SweepFolder, rows: Mapping[str, pd.DataFrame], claims: Sequence[Claim]) -> tuple[PortalFaults, ...]:
    """One entry for each portal with rows, ordered by id; failures of the generator are left out."""
    counts = _counts(folder)
    of_claims = {claim.portal: claim for claim in claims}
    return tuple(
        PortalFaults(portal, tuple(_faults(folder, portal, rows[portal], counts.get(portal, Counter()), of_claims.get(portal))))
        for portal in sorted(rows)
    )


def _faults(
    folder: SweepFolder, portal: str, rows: pd.DataFrame, counts: Counter[FailureKind], claim: Claim | None
) -> Iterator[FaultCount]:
    if claim is not None and claim.duplicates:
        yield FaultCount(DUPLICATE, "file", "submit", "", "", len(claim.duplicates), claim.dossiers, codes=claim.duplicates)
    lost = tuple(code for code in claim.lost if code not in claim.duplicates) if claim is not None else ()
    if claim is not None and lost:
        yield FaultCount(LOST, "track", "track", "", "", len(lost), claim.dossiers, codes=lost)
    yield from _failed_steps(folder, portal, rows, counts)
    visits = rows[rows["request"] == VISIT_ROW]
    away = visits[(visits["outcome"] == Outcome.NOT_SERVED) & (visits["start_us"] == 0)]
    if len(away):
        journeys = Counter(str(journey) for journey in away["journey"])
        yield FaultCount(TURNED_AWAY, "", "", Outcome.NOT_SERVED, "", len(away), len(visits), dict(sorted(journeys.items())))


def _failed_steps(folder: SweepFolder, portal: str, rows: pd.DataFrame, counts: Counter[FailureKind]) -> Iterator[FaultCount]:
    """The kinds of failed steps, over all journeys, the most frequent first."""
    begun = _begun(rows)
    pages = read_pages(folder.pages(portal))
    merged: dict[FailureKind, Counter[str]] = {}
    ours = _OURS - {Outcome.PROTOCOL} if unreadable_by_all(counts) else _OURS
    for kind, count in counts.items():
        if kind.outcome not in ours:
            merged.setdefault(kind._replace(journey=""), Counter())[kind.journey] += count
    for kind, journeys in sorted(merged.items(), key=lambda item: (-item[1].total(), item[0])):
        name = kind.means or kind.outcome
        shown = tuple(
            page.file
            for page in pages
            if (page.goal, page.step, page.outcome, page.rule) == (kind.goal, kind.step, kind.outcome, kind.rule)
        )
        of = begun.get((kind.goal, kind.step), 0)
        yield FaultCount(
            name, kind.goal, kind.step, kind.outcome, kind.rule, journeys.total(), of, dict(sorted(journeys.items())), (), shown
        )


def _counts(folder: SweepFolder) -> dict[str, Counter[FailureKind]]:
    found: dict[str, Counter[FailureKind]] = {}
    for round_ in folder.rounds():
        for slot in round_.slots:
            counts = found.setdefault(slot.portal, Counter())
            for failure in (each for window in slot.windows for each in window.failures):
                counts[failure.kind] += failure.count
    return found


def _begun(rows: pd.DataFrame) -> dict[tuple[str, str], int]:
    """How often each step was started, by goal and step."""
    requests = rows[(rows["request"] != VISIT_ROW) & (rows["outcome"] != Outcome.SKIPPED)]
    steps = requests[list(STEP_KEYS)].astype({"goal": str, "step": str, "journey": str}).drop_duplicates()
    return {(str(key[0]), str(key[1])): len(group) for key, group in steps.groupby(["goal", "step"])}
