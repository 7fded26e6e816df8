"""The rounds under way as the master knows them at a moment: from its orders, and from what the workers have sent since."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from harness.load.clock import Clock
from harness.load.schedule import Schedule
from harness.load.step_counts import StepCounts
from harness.load.step_percentiles import StepPercentiles
from harness.records import LONE, HealthLine, Plan, RoundRecord, SlotRecord
from harness.records.fleet_messages import Batch, CitizenCounts
from harness.records.live_state import LiveGenerator, LiveLoad, LiveRound


@dataclass
class _Open:
    record: RoundRecord
    due_us: Mapping[str, list[int]]  # by portal: when each visit is to begin, from the round's start
    citizens: dict[str, Mapping[str, CitizenCounts]] = field(default_factory=dict)  # by worker, from its last batch
    requests: Counter[str] = field(default_factory=Counter)  # by portal
    failed: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)  # by portal, as in the counts of a sealed window
    stops: dict[str, tuple[str, bool]] = field(default_factory=dict)  # portal → why, and whether the authorisation held it back


@dataclass
class _Health:
    """Of all workers since the rounds under way began."""

    newest: dict[str, HealthLine] = field(default_factory=dict)  # by worker
    worst_lag_us: int = 0
    worst_late_us: int = 0
    late_seconds: int = 0

    def add(self, worker: str, line: HealthLine, late_limit_us: float) -> None:
        before = self.newest.get(worker)
        if before is None or line.at_us > before.at_us:  # a second of two rounds under way comes twice
            self.newest[worker] = line
            self.worst_lag_us = max(self.worst_lag_us, line.lag_max_us)
            self.worst_late_us = max(self.worst_late_us, line.late_max_us)
            self.late_seconds += line.late_max_us > late_limit_us


class LiveRounds:
    """Counts what workers tell. Nothing is measured by it: each batch costs a few additions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, _Open] = {}  # by token
        self._health = _Health()
        self._ended: list[LiveRound] = []
        self.steps: StepPercentiles | None = None  # counted for Locust's page only: a sweep over many portals has too many
        self.step_counts = StepCounts()

    def prepare(self, plan: Plan) -> None:
        """Set the next test."""
        self._late_limit_us = plan.health.get("lateness_p99_ms", math.inf) * 1000
        self._open = {}
        self._health = _Health()
        self._ended = []
        self.step_counts = StepCounts()
        if self.steps is not None:
            self.steps = StepPercentiles()

    def begin(self, token: str, record: RoundRecord, schedules: Mapping[str, Schedule]) -> None:
        """A round begins. Generator health counts from here where no other round is under way."""
        if not self._open:
            self._health = _Health()
        self._open[token] = _Open(record, {portal: sorted(each.offset_us for each in of.arrivals) for portal, of in schedules.items()})

    def end(self, token: str) -> None:
        """A round is sealed."""
        if token in self._open:
            self._ended.append(self._round(self._open.pop(token)))

    def stop(self, token: str, portal: str, reason: str, *, held_back: bool) -> None:
        """No more citizens arrive at a portal."""
        if token in self._open:
            self._open[token].stops[portal] = (reason, held_back)

    def add(self, worker: str, batch: Batch) -> None:
        """Count a batch, once."""
        if (open_ := self._open.get(batch.token)) is None:
            return
        open_.citizens[worker] = batch.citizens
        for portal, tally in batch.tallies.items():
            open_.requests[portal] += tally.requests + tally.elsewhere
            open_.failed[portal] += tally.failed + tally.failed_elsewhere
        for portal, counts in batch.outcomes.items():
            open_.outcomes.setdefault(portal, Counter()).update(counts)
        self.step_counts.add(batch.steps, batch.failed_steps)
        if self.steps is not None:
            self.steps.add(batch.steps)
        if batch.health is not None:
            self._health.add(worker, batch.health, self._late_limit_us)

    def rounds(self) -> tuple[LiveRound, ...]:
        """The rounds under way, in the order of their beginning."""
        return tuple(self._round(open_) for open_ in self._open.values())

    def ended(self) -> tuple[LiveRound, ...]:
        """The rounds of this test that are sealed, as they stood at their end."""
        return tuple(self._ended)

    def workers(self) -> dict[str, HealthLine]:
        """The newest health line (one second) of each worker, without its lists."""
        return dict(self._health.newest)

    def records(self) -> tuple[RoundRecord, ...]:
        """What was planned of them."""
        return tuple(open_.record for open_ in self._open.values())

    def generator(self) -> LiveGenerator:
        """Generator health."""
        lines = self._health.newest.values()
        return LiveGenerator(
            workers=len({member.worker for open_ in self._open.values() for member in open_.record.members}),
            cpu_percent=max((line.cpu_percent for line in lines), default=0.0),
            lag_us=max((line.lag_max_us for line in lines), default=0),
            late_us=max((line.late_max_us for line in lines), default=0),
            worst_lag_us=self._health.worst_lag_us,
            worst_late_us=self._health.worst_late_us,
            late_seconds=self._health.late_seconds,
            steal_percent=max((line.steal_percent for line in lines), default=0.0),
        )

    def _round(self, open_: _Open) -> LiveRound:
        record = open_.record
        since_us = self._clock.now_us() - record.start_us
        windows = record.slots[0].windows
        now = next((window for window in reversed(windows) if window.begin_s * 1e6 <= since_us), windows[0])
        longest_s = max(window.begin_s + window.duration_s for slot in record.slots for window in slot.windows)
        end = datetime.fromisoformat(record.began_utc) + timedelta(seconds=longest_s)
        return LiveRound(
            name=record.name,
            round=record.round,
            stage=now.stage,
            alone=now.stage == LONE,
            began_utc=record.began_utc,
            arrivals_end_utc=end.isoformat(timespec="milliseconds"),
            loads=tuple(self._load(open_, slot, since_us) for slot in record.slots),
        )

    def _load(self, open_: _Open, slot: SlotRecord, since_us: int) -> LiveLoad:
        counts = [of_worker[slot.portal] for of_worker in open_.citizens.values() if slot.portal in of_worker]
        due_us = open_.due_us.get(slot.portal)
        why, held_back = open_.stops.get(slot.portal, ("", False))
        return LiveLoad(
            portal=slot.portal,
            planned=None if due_us is None else len(due_us),
            due=None if due_us is None else bisect_right(due_us, since_us),
            begun=sum(count.begun for count in counts),
            turned_away=sum(count.turned_away for count in counts),
            in_flight=sum(count.in_flight for count in counts),
            failed=sum(count.failed for count in counts),
            requests=open_.requests[slot.portal],
            requests_failed=open_.failed[slot.portal],
            why_stopped=why,
            held_back=held_back,
            outcomes=dict(open_.outcomes.get(slot.portal, {})),
        )
