"""Writes how a sweep stands (``live.json``) about once a second while the master measures; see ``harness.records.live_state``."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import gevent
from gevent.event import Event

from harness.catalog import Portal
from harness.catalog.criteria import Criterion
from harness.catalog.criteria_set import CriteriaSet
from harness.errors import HarnessError
from harness.evidence import SweepFolder
from harness.evidence.verdict import lone_walks_of
from harness.load.aside import in_a_thread
from harness.load.earlier_attempts import EarlierAttempts
from harness.load.live_rounds import LiveRounds
from harness.operations.portal_status import PortalStatus, portals_of
from harness.operations.timetable import expected_end, latest_end
from harness.records import LONE, Outcome, Plan, Round, RoundRecord, admit, read_round
from harness.records.live_state import (
    ROW_COUNTS,
    LiveCriterion,
    LiveGenerator,
    LiveLoad,
    LivePortal,
    LiveRound,
    LiveState,
    PortalState,
    write_live,
)
from harness.records.live_steps import LiveSteps, write_steps
from harness.records.sweep_journal import JournalLine, last_attempt
from harness.scoring.curves import full_point, zero_point

logger = logging.getLogger(__name__)

EVERY_S = 1.0
STEPS_EVERY = 5
"""States between two files of step times (assumed: Prometheus asks every 15 s or less often; with 84 portals the file has 0.4 MB)."""
RATE_OVER = 5
"""States over which the rate is counted (assumed: a few seconds follow the load and do not jump with each arrival)."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What changes only when a round begins or is sealed."""

    rounds: tuple[frozenset[str], frozenset[str]]  # sealed, and under way
    status: Mapping[str, PortalStatus]
    refused: Mapping[str, PortalState]
    counts: Mapping[str, Counter[str]]  # by portal, of the sealed rounds
    planned: int  # visits of all rounds that have begun
    left: int  # parts of the plan that are not sealed
    ends: tuple[str, str]  # expected, latest


class LiveWriter:
    """The live state of one attempt at a sweep."""

    def __init__(
        self, folder: SweepFolder, plan: Plan, live: LiveRounds, portals: Mapping[str, Portal], criteria: CriteriaSet | None = None
    ) -> None:
        self._folder, self._plan, self._live, self._portals = folder, plan, live, portals
        self._criteria_set = criteria.named if criteria is not None else ""
        self._criteria = tuple(map(_criterion, criteria.criteria)) if criteria is not None else ()
        self._states = 0
        self._attempt = last_attempt(folder.journal) or JournalLine(0, "begun", _iso(datetime.now(UTC)))
        self._sealed: dict[str, RoundRecord] = {}
        self._known: _Known | None = None
        self._begun: deque[tuple[float, Mapping[str, int]]] = deque(maxlen=RATE_OVER + 1)  # when (seconds since 1970), by round
        self._ended = Event()
        self._failed = False
        self._loop = gevent.spawn(self._write_for_ever)

    def end(self, state: Literal["ended", "aborted"]) -> None:
        """Write the last state, and no more."""
        self._ended.set()
        self._loop.join(timeout=10 * EVERY_S)
        self._write(state)

    def _write_for_ever(self) -> None:
        while not self._ended.is_set():
            self._write("measuring")
            self._ended.wait(EVERY_S)

    def _write(self, state: str) -> None:
        """Write the state now, in a thread. Where it cannot be written, whatever the reason, the log says so once: a sweep does not need it."""
        try:
            rounds, records, generator = self._live.rounds(), self._live.records(), self._live.generator()
            if state != "measuring" or self._states % STEPS_EVERY == 0:
                steps = LiveSteps(self._plan.sweep, self._attempt.at_utc, self._live.step_counts.steps())
                in_a_thread(lambda: write_steps(self._folder.path, steps))  # before the last state: who reads that has all steps
            self._states += 1
            in_a_thread(lambda: write_live(self._folder.path, self._state(state, rounds, records, generator)))
        except Exception as error:  # a fault of ours here must not keep a sweep from its end, where dossiers are withdrawn
            if not self._failed:
                self._failed = True
                logger.warning("the live state is not written: %s", error if isinstance(error, OSError | HarnessError) else repr(error))

    def _state(self, state: str, rounds: tuple[LiveRound, ...], records: Sequence[RoundRecord], generator: LiveGenerator) -> LiveState:
        now = datetime.now(UTC)
        known = self._know(records, now)
        portals = tuple(self._portal(target.portal, known, rounds, now) for target in self._plan.targets)
        self._begun.append((now.timestamp(), {each.name: sum(load.begun for load in each.loads) for each in rounds}))
        return LiveState(
            sweep=self._plan.sweep,
            at_utc=_iso(now),
            state=state,
            attempt=self._attempt.attempt,
            began_utc=self._attempt.at_utc,
            rounds_planned=len(self._plan.rounds),
            rounds_left=known.left,
            windows_planned=sum(portal.windows_planned for portal in portals),
            windows_done=sum(portal.windows_done for portal in portals),
            windows_void=sum(portal.windows_void for portal in portals),
            arrivals_planned=known.planned,
            arrivals_begun=sum(portal.begun for portal in portals),
            rate_per_s=round(self._rate_per_s(), 2),
            in_flight=sum(portal.in_flight for portal in portals),
            visits_failed=sum(portal.failed for portal in portals),
            requests=sum(portal.requests for portal in portals),
            requests_failed=sum(portal.requests_failed for portal in portals),
            generator=generator,
            rounds=rounds,
            portals=portals,
            expected_end_utc=known.ends[0],
            latest_end_utc=known.ends[1],
            health_limits=self._plan.health,
            criteria_set=self._criteria_set,
            criteria=self._criteria,
        )

    def _rate_per_s(self) -> float:
        (before_s, before), (now_s, now) = self._begun[0], self._begun[-1]
        begun = sum(max(0, count - before.get(name, 0)) for name, count in now.items())
        return begun / (now_s - before_s) if now_s > before_s else 0.0

    def _know(self, under_way: Sequence[RoundRecord], now: datetime) -> _Known:
        open_ = frozenset(record.name for record in under_way)
        names = frozenset(self._folder.sealed_rounds()) - open_  # one that is sealed at this moment still counts as under way
        if self._known is None or self._known.rounds != (names, open_):
            self._sealed.update({name: read_round(self._folder.round(name)) for name in sorted(names - self._sealed.keys())})
            self._known = self._learn((names, open_), [self._sealed[name] for name in sorted(names)], under_way, now)
        return self._known

    def _learn(
        self, names: tuple[frozenset[str], frozenset[str]], sealed: Sequence[RoundRecord], under_way: Sequence[RoundRecord], now: datetime
    ) -> _Known:
        plan = self._plan
        left = EarlierAttempts(plan, sealed).left_of_plan()
        not_begun = [each for each in left if each.name not in names[1]]
        ends = ("", "")
        if plan.rounds:
            expected = expected_end(plan, [*sealed, *under_way], not_begun, now, self._attempt.at_utc)
            ends = (_iso(expected), _iso(max(expected, latest_end(plan, under_way, not_begun, now))))
        walks = list(lone_walks_of(sealed))
        admissions = {portal: admit([walk for walk in walks if walk.portal == portal]) for portal in {walk.portal for walk in walks}}
        return _Known(
            names,
            portals_of(plan, sealed, left, self._attempt.left_out),
            {
                portal: PortalState(admission.refused or PortalState.NOT_LOADED)
                for portal, admission in admissions.items()
                if not admission.loaded
            },
            _counts(sealed),
            sum(window.planned or 0 for record in (*sealed, *under_way) for slot in record.slots for window in slot.windows),
            len(left),
            ends,
        )

    def _portal(self, portal: str, known: _Known, rounds: Iterable[LiveRound], now: datetime) -> LivePortal:
        status, counts = known.status[portal], known.counts.get(portal, Counter())
        under_way = [(each, load) for each in rounds for load in each.loads if load.portal == portal]
        loads = [load for _, load in under_way]
        named = self._portals.get(portal)
        return LivePortal(
            portal=portal,
            name_vi=named.name_vi if named is not None else portal,
            name_en=named.name_en if named is not None else portal,
            state=_portal_state(status, known.refused.get(portal), under_way, now),
            windows_planned=_windows(self._plan.rounds, portal),
            windows_done=status.measured,
            windows_void=sum(status.void.values()),
            begun=counts["begun"] + sum(load.begun for load in loads),
            in_flight=sum(load.in_flight for load in loads),
            failed=counts["failed"] + sum(load.failed for load in loads),
            requests=counts["requests"] + sum(load.requests for load in loads),
            requests_failed=counts["requests_failed"] + sum(load.requests_failed for load in loads),
            outcomes=_outcomes(counts, loads),
        )


def _portal_state(
    status: PortalStatus, refused: PortalState | None, under_way: Sequence[tuple[LiveRound, LiveLoad]], now: datetime
) -> PortalState:
    if under_way:
        round_, load = under_way[-1]
        if load.why_stopped:
            return PortalState.HELD_BACK if load.held_back else PortalState.STOPPED
        if round_.alone:
            return PortalState.ALONE
        return PortalState.DRAINING if now >= datetime.fromisoformat(round_.arrivals_end_utc) else PortalState.MEASURING
    if status.left_out:
        return PortalState.LEFT_OUT
    if refused is not None and not status.measured:
        return refused
    return PortalState.WAITING if status.left else PortalState.DONE


def _windows(rounds: Iterable[Round], portal: str) -> int:
    return sum(window.stage != LONE for each in rounds for slot in each.slots if slot.portal == portal for window in slot.windows)


def _counts(sealed: Iterable[RoundRecord]) -> dict[str, Counter[str]]:
    """Of each portal: visits begun and failed, requests and how many failed; and rows by kind and outcome, as windows count them."""
    found: dict[str, Counter[str]] = {}
    for portal, window in ((slot.portal, window) for record in sealed for slot in record.slots for window in slot.windows):
        counts = found.setdefault(portal, Counter())
        counts["begun"] += window.begun
        for name, count in window.counts.items():
            kind, _, outcome = name.partition("_")
            if kind in ("visits", "requests"):
                counts[name] += count
            if kind == "visits":
                counts["failed"] += count * (outcome != Outcome.OK)
            elif kind == "requests" and outcome not in (Outcome.SKIPPED, Outcome.DROPPED):
                counts["requests"] += count
                counts["requests_failed"] += count * (outcome != Outcome.OK)
    return found


def _outcomes(sealed: Mapping[str, int], loads: Iterable[LiveLoad]) -> dict[str, int]:
    """Rows of a portal by kind and outcome, over all rounds."""
    found = Counter({name: sealed[name] for name in ROW_COUNTS if name in sealed})
    for load in loads:
        found.update(load.outcomes)
    return dict(found)


def _criterion(criterion: Criterion) -> LiveCriterion:
    return LiveCriterion(
        criterion.id,
        criterion.metric,
        criterion.parsed.unit,
        float(criterion.points.value),
        full_point(criterion.curve),
        zero_point(criterion.curve),
    )


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
