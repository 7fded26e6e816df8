"""The faults of each portal of a sweep: from the rounds' counts of failures, the rows, the ledger, and the stored pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from harness.evidence import SweepFolder
from harness.publish import Claim
from harness.publish.portal_faults import DUPLICATE, LOST, PAID_TWICE, TURNED_AWAY, FaultCount, PortalFaults
from harness.records import (
    FAILURES_OF_THE_GENERATOR,
    STEP_KEYS,
    VISIT_ROW,
    FailureKind,
    LedgerLine,
    Outcome,
    PageEntry,
    RoundRecord,
    read_ledger,
    read_pages,
    read_plan,
    unreadable_by_all,
)

_OURS = FAILURES_OF_THE_GENERATOR | {Outcome.ABORTED}
_OURS_BEFORE = _OURS | {Outcome.PROTOCOL}
"""In evidence of an earlier version, where no other client rejected the answers too."""


def count_faults(folder: SweepFolder, rows: Mapping[str, pd.DataFrame], claims: Sequence[Claim]) -> tuple[PortalFaults, ...]:
    """One entry for each portal with rows, ordered by id; failures of the generator and of shared hosts are left out."""
    rounds = folder.rounds()
    shared = {target.portal: target.shared_hosts or () for target in read_plan(folder.plan).targets} if folder.plan.is_file() else {}
    times = _Times({member.worker: round_ for round_ in reversed(rounds) for member in round_.members})
    of_claims = {claim.portal: claim for claim in claims}
    ledger = read_ledger(folder.ledger)
    found = []
    for portal in sorted(rows):
        frame, pages = rows[portal], read_pages(folder.pages(portal))
        ours = _OURS if any(round_.second_parser for round_ in rounds) or unreadable_by_all(_counts(rounds, portal)) else _OURS_BEFORE
        faults = _of_claim(of_claims[portal], ledger.of_portal(portal), times) if portal in of_claims else ()
        steps = _failed_steps(frame, _counts(rounds, portal), pages, times, shared.get(portal, ()), ours)
        found.append(PortalFaults(portal, (*faults, *steps, *_turned_away(frame, times))))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Times:
    """Wall clock of what workers saw. A worker's clock does not stop between rounds: one record of it is enough."""

    of_worker: Mapping[str, RoundRecord]

    def of_rows(self, rows: pd.DataFrame) -> tuple[str, str]:
        """The first and the last start of some rows; what never started counts from when it was due."""
        moments = rows["start_us"].where(rows["start_us"] > 0, rows["intended_us"])
        ends = moments.groupby(rows["worker"].astype(str)).agg(["min", "max"])
        return self._span((str(worker), int(us)) for worker, row in ends.iterrows() for us in row)

    def of_lines(self, lines: Iterable[LedgerLine]) -> tuple[str, str]:
        """The first and the last of some lines of the ledger."""
        return self._span((line.worker, line.when_us) for line in lines)

    def _span(self, moments: Iterable[tuple[str, int]]) -> tuple[str, str]:
        found = sorted(self.of_worker[worker].utc_of(worker, us) for worker, us in moments if worker in self.of_worker)
        return (found[0], found[-1]) if found else ("", "")


def _of_claim(claim: Claim, lines: Sequence[LedgerLine], times: _Times) -> Iterator[FaultCount]:
    """What only the ledger shows: codes given twice, and dossiers that were not found again."""

    def dated(fault: FaultCount, kind: str) -> FaultCount:
        first, last = times.of_lines(line for line in lines if line.kind == kind and line.code in fault.codes)
        return replace(fault, first_utc=first, last_utc=last)

    if claim.duplicates:
        fault = FaultCount(DUPLICATE, "file", "submit", "", "", len(claim.duplicates), claim.dossiers, codes=claim.duplicates)
        yield dated(fault, "dossier")
    if claim.paid_twice:
        fault = FaultCount(PAID_TWICE, "pay", "confirm_payment", "", "", len(claim.paid_twice), claim.payments, codes=claim.paid_twice)
        yield dated(fault, "payment")
    if lost := tuple(code for code in claim.lost if code not in claim.duplicates):
        yield dated(FaultCount(LOST, "track", "track", "", "", len(lost), claim.dossiers, codes=lost), "missing")


def _failed_steps(
    rows: pd.DataFrame,
    counts: Mapping[FailureKind, Counter[int]],
    pages: Sequence[PageEntry],
    times: _Times,
    shared_hosts: Collection[str],
    ours: frozenset[Outcome],
) -> Iterator[FaultCount]:
    """The kinds of failed steps, over all journeys, the most frequent first, without those that only happened at shared hosts."""
    begun = _begun(rows)
    requests = rows[rows["request"] != VISIT_ROW]
    merged: dict[FailureKind, Counter[str]] = {}
    windows: dict[FailureKind, set[int]] = {}
    for kind, by_window in counts.items():
        if kind.outcome not in ours:
            of_all = kind._replace(journey="")
            merged.setdefault(of_all, Counter())[kind.journey] += by_window.total()
            windows.setdefault(of_all, set()).update(by_window)
    for kind, journeys in sorted(merged.items(), key=lambda item: (-item[1].total(), item[0])):
        shown = tuple(
            page.file
            for page in pages
            if (page.goal, page.step, page.outcome, page.rule) == (kind.goal, kind.step, kind.outcome, kind.rule)
        )
        of = begun.get((kind.goal, kind.step), 0)
        alike = (requests["goal"] == kind.goal) & (requests["step"] == kind.step) & (requests["outcome"] == kind.outcome)
        failed = requests[alike & requests["window"].isin(windows[kind])]
        if shared_hosts and len(failed) and failed["host"].isin(list(shared_hosts)).all():
            continue
        first, last = times.of_rows(failed)
        yield FaultCount(
            kind.means or kind.outcome, kind.goal, kind.step, kind.outcome, kind.rule, journeys.total(), of, dict(sorted(journeys.items())), (),
            shown, first, last,
        )  # fmt: skip


def _turned_away(rows: pd.DataFrame, times: _Times) -> Iterator[FaultCount]:
    """Visits that never began."""
    visits = rows[rows["request"] == VISIT_ROW]
    away = visits[(visits["outcome"] == Outcome.NOT_SERVED) & (visits["start_us"] == 0)]
    if len(away):
        journeys = dict(sorted(Counter(str(journey) for journey in away["journey"]).items()))
        first, last = times.of_rows(away)
        yield FaultCount(
            TURNED_AWAY, "", "", Outcome.NOT_SERVED, "", len(away), len(visits), journeys, first_utc=first, last_utc=last,
        )  # fmt: skip


def _counts(rounds: Sequence[RoundRecord], portal: str) -> dict[FailureKind, Counter[int]]:
    """How often each kind of failure came, by window."""
    found: dict[FailureKind, Counter[int]] = {}
    for window in (window for round_ in rounds for slot in round_.slots if slot.portal == portal for window in slot.windows):
        for failure in window.failures:
            found.setdefault(failure.kind, Counter())[window.window] += failure.count
    return found


def _begun(rows: pd.DataFrame) -> dict[tuple[str, str], int]:
    """How often each step was started, by goal and step."""
    requests = rows[(rows["request"] != VISIT_ROW) & (rows["outcome"] != Outcome.SKIPPED)]
    steps = requests[list(STEP_KEYS)].astype({"goal": str, "step": str, "journey": str}).drop_duplicates()
    return {(str(key[0]), str(key[1])): len(group) for key, group in steps.groupby(["goal", "step"])}
