"""Generator health of one window: the worst of its workers, from their lines of each second; and what each of several workers did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from statistics import fmean, median
from typing import Any

from harness.records import HealthLine, Outcome, RoundRecord, WindowHealth, WindowRecord
from harness.records.round import WorkerShare


def summarise(health: Sequence[HealthLine], round_: RoundRecord, window: WindowRecord) -> WindowHealth:
    """Each figure's worst worker in the window's seconds; without figures where no second was recorded."""
    per_worker = list(_by_worker(health, round_, window).values())
    if not per_worker:
        return WindowHealth()
    figures = {field.name: [getattr(each, field.name) for each in per_worker] for field in fields(WindowHealth)}
    worst: dict[str, Any] = {name: max((value for value in values if value is not None), default=None) for name, values in figures.items()}
    return replace(WindowHealth(**worst), workers=len(per_worker), seconds=min(each.seconds for each in per_worker))


def shares(
    visits: Mapping[str, Mapping[str, int]], health: Sequence[HealthLine], round_: RoundRecord, window: WindowRecord
) -> tuple[WorkerShare, ...]:
    """What each worker did in a window; ``visits``: by worker, how many ended with each outcome. Nothing where one worker did all."""
    if len(round_.members) < 2:
        return ()
    found = _by_worker(health, round_, window)
    return tuple(
        share_of(member.worker, visits.get(member.worker, {}), found.get(member.worker, WindowHealth())) for member in round_.members
    )


def share_of(worker: str, visits: Mapping[str, int], health: WindowHealth) -> WorkerShare:
    """What a worker did in a window; ``visits``: how many of its visits ended with each outcome."""
    ended, ours = sum(visits.values()), sum(visits.get(outcome, 0) for outcome in (Outcome.DROPPED, Outcome.ABORTED))
    failed = ended - ours - visits.get(Outcome.OK, 0)
    return WorkerShare(worker, ended, failed, ours, health.late_p99_us, health.late_max_us, health.busy_percent, health.seconds)


def _by_worker(health: Sequence[HealthLine], round_: RoundRecord, window: WindowRecord) -> dict[str, WindowHealth]:
    found = {}
    for member in round_.members:
        begin_us = round_.start_us + member.offset_us + window.begin_s * 1e6
        end_us = begin_us + window.duration_s * 1e6
        seconds = [line for line in health if line.worker == member.worker and begin_us < line.at_us <= end_us + 1e6]
        if seconds:
            found[member.worker] = _of_worker(seconds)
    return found


def _of_worker(seconds: Sequence[HealthLine]) -> WindowHealth:
    lags = sorted(lag for line in seconds for lag in line.lag_us)
    late = sorted(lag for line in seconds for lag in line.late_us)
    references = [abs(line.reference_us) for line in seconds if line.reference_us is not None]
    return WindowHealth(
        cpu_percent=round(fmean(line.cpu_percent for line in seconds), 2),
        busy_percent=round(fmean(line.busy_percent for line in seconds), 2),
        steal_percent=round(fmean(line.steal_percent for line in seconds), 2),
        lag_max_us=max(line.lag_max_us for line in seconds),
        lag_p99_us=_rank(lags, 0.99),
        late_max_us=max(line.late_max_us for line in seconds),
        late_p99_us=_rank(late, 0.99),
        unread_max_us=max(line.unread_max_us for line in seconds),
        gc_max_us=max(line.gc_max_us for line in seconds),
        parsing_us=sum(line.parsing_us for line in seconds),
        sockets=max(line.sockets for line in seconds),
        rss_bytes=max(line.rss_bytes for line in seconds),
        in_flight=max(line.in_flight for line in seconds),
        reference_error_us=int(median(references)) if references else None,
        reference_failures=sum(line.reference_us is None for line in seconds),
        seconds=len(seconds),
    )


def _rank(ordered: Sequence[int], share: float) -> int:
    """The value at index ``share × n``, rounded down, at most the last; 0 without values."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0
