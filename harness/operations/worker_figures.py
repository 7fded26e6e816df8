"""Failures and lateness by worker, where several took part: one that fails more often than the others points to its own network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from harness.evidence.generator import share_of
from harness.publish import WorkerFigures
from harness.records import LONE, RoundRecord, WindowRecord
from harness.records.round import WorkerShare

_LONG_NAME = re.compile(r"(.+_[0-9a-f]{8})[0-9a-f]{24}")
"""Locust names a worker by its machine and 32 hexadecimal digits."""


def by_worker(rounds: Sequence[RoundRecord], portal: str = "") -> tuple[WorkerFigures, ...]:
    """The figures of each worker over the loaded rounds, at one portal or at all.

    Empty if one worker did everything, and for evidence of an earlier version, whose windows do not say what each worker did.
    """
    loaded = [each for each in rounds if each.slots[0].windows[0].stage != LONE]
    shares: dict[str, list[WorkerShare]] = {}
    for record in loaded:
        for window in _windows(record, portal):
            for share in _shares(record, window):
                shares.setdefault(share.worker, []).append(share)
    named = {member.worker for record in loaded for member in record.members}
    if len(named) < 2 or not shares:
        return ()
    return tuple(_figures(worker, shares[worker], loaded) for worker in sorted(shares))


def in_words(figures: Iterable[WorkerFigures]) -> Iterator[str]:
    """One line a worker, for a terminal."""
    for each in figures:
        lost = f"; lost in {each.lost} of {each.rounds} rounds" if each.lost else ""
        yield (
            f"worker {each.worker}: {each.visits} visits in {each.windows} windows, {each.failed} failed ({each.failed_percent:.1f} %),"
            f" {each.ours} dropped or cut off by us; begun late by {each.late_p99_ms:.1f} ms at p99 and {each.late_max_ms:.1f} ms at most;"
            f" busy {each.busy_percent:.0f} %{lost}"
        )


def _windows(record: RoundRecord, portal: str) -> Iterator[WindowRecord]:
    return (window for slot in record.slots if portal in ("", slot.portal) for window in slot.windows)


def _shares(record: RoundRecord, window: WindowRecord) -> Sequence[WorkerShare]:
    """The shares of a window; of its only worker, all of it."""
    if window.shares or len(record.members) != 1:
        return window.shares
    visits = {name.removeprefix("visits_"): count for name, count in window.counts.items() if name.startswith("visits_")}
    return (share_of(record.members[0].worker, visits, window.health),)


def _figures(worker: str, shares: Sequence[WorkerShare], loaded: Sequence[RoundRecord]) -> WorkerFigures:
    outcomes = [outcome for record in loaded for outcome in record.outcome if outcome.worker == worker]
    short = _LONG_NAME.fullmatch(worker)
    return WorkerFigures(
        worker=short[1] if short else worker,
        rounds=len(outcomes),
        lost=sum(not outcome.complete for outcome in outcomes),
        windows=len(shares),
        visits=sum(share.visits for share in shares),
        failed=sum(share.failed for share in shares),
        ours=sum(share.ours for share in shares),
        late_p99_ms=max(share.late_p99_us for share in shares) / 1000,
        late_max_ms=max(share.late_max_us for share in shares) / 1000,
        busy_percent=max(share.busy_percent for share in shares),
    )
