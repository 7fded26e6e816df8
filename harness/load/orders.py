"""The orders of a round for the workers that are there, and the round's record before it begins; both follow from the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from harness.client import SECOND_PARSER
from harness.load.clock import Clock
from harness.load.fleet import Member
from harness.load.lone_rounds import turns
from harness.load.permitted_rounds import PermittedRounds
from harness.load.schedule import Schedule
from harness.load.serials import Serials
from harness.records import LONE, Plan, Round, RoundRecord, Slot, SlotRecord, WindowKey, WindowRecord
from harness.records.fleet_messages import Arrival, ClosedOrder, RoundOrder, SlotOrder
from harness.records.round import RoundMember


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders for the rounds of one plan, and their records before anything is sent."""

    plan: Plan
    serials: Serials
    terms: PermittedRounds
    clock: Clock
    describe: Callable[[int, Schedule], str]  # SHA-256 over the citizens of a schedule under a seed

    def token(self, round_: Round) -> str:
        """The name of a round in every message about it."""
        return f"{self.plan.sweep}#{round_.name}"

    def order(self, round_: Round, member: Member, members: int, schedules: Mapping[str, Schedule], start_us: int) -> RoundOrder:
        """One worker's part of a round; without schedules nobody arrives."""
        keys: list[WindowKey] = []
        slots = []
        for number, slot in enumerate(round_.slots):
            first = len(keys)
            keys += [
                WindowKey(self.plan.sweep, window.round, slot.run, window.window, slot.portal, window.stage, member.worker)
                for window in slot.windows
            ]
            planned = schedules.get(slot.portal)
            arrivals, ceiling = _part_of(slot, planned, member.index, members, number % members)
            slots.append(
                SlotOrder(
                    portal=slot.portal,
                    run=slot.run,
                    target=self.plan.target(slot.portal),
                    keys=tuple(range(first, len(keys))),
                    arrivals=arrivals,
                    duration_s=slot.duration_s,
                    ceiling=ceiling,
                    dossiers_max=self.terms.dossiers_of(slot.portal, arrivals if planned is not None else None, member.index, members),
                    serials=self.serials.first(slot) if planned is not None else (),
                )
            )
        return RoundOrder(
            token=self.token(round_),
            worker=member.worker,
            seed=self.plan.seed,
            start_us=start_us + member.clock.offset_us,
            keys=tuple(keys),
            slots=tuple(slots),
            think=self.plan.think,
            assets=self.plan.assets,
            traceparent=self.plan.traceparent,
            timeout_s=self.plan.timeout_s,
            drain_s=self.plan.drain_s * turns(round_),
            patience_s=self.plan.patience_s,
            sharing=members,
            results=self.plan.results,
        )

    def closed_order(self, round_: Round, member: Member, members: int, start_us: int, window_s: float) -> ClosedOrder:
        """One worker's part of a closed run, in windows of ``window_s``."""
        order = self.order(round_, member, members, {}, start_us)
        shared = {each.name: getattr(order, each.name) for each in fields(order)}
        return ClosedOrder(**shared, index=member.index, workers=members, window_s=window_s)

    def record(self, round_: Round, members: Sequence[Member], schedules: Mapping[str, Schedule], start_us: int) -> RoundRecord:
        """The record of a round that begins at ``start_us`` on the master's clock; without schedules nobody knows who will arrive."""
        offset_us = round(self.clock.utc_s() * 1e6) - self.clock.now_us()
        return RoundRecord(
            round=round_.round,
            part=round_.part,
            name=round_.name,
            start_us=start_us,
            began_utc=datetime.fromtimestamp((start_us + offset_us) / 1e6, UTC).isoformat(timespec="milliseconds"),
            utc_bound_us=self.clock.utc_bound_us,
            closed=False,
            members=tuple(RoundMember(m.worker, m.index, m.clock.offset_us, m.clock.bound_us) for m in members),
            slots=tuple(self._slot_record(slot, schedules.get(slot.portal)) for slot in round_.slots),
            second_parser=SECOND_PARSER,
        )

    def announcement(self, round_: Round, schedules: Mapping[str, Schedule]) -> str:
        """The log line of a round that begins."""
        stages = sorted({window.stage for slot in round_.slots for window in slot.windows})
        arrivals = sum(len(planned.arrivals) for planned in schedules.values())
        last = self.plan.rounds[-1].round
        number = f"round {round_.round} of {last}" if round_.round <= last else f"make-up round {round_.round - last}"
        return f"{number}: {', '.join(stages)}, {len(round_.slots)} portals, {arrivals} visits"

    def _slot_record(self, slot: Slot, planned: Schedule | None) -> SlotRecord:
        windows = tuple(
            WindowRecord(
                **{each.name: getattr(window, each.name) for each in fields(window)},
                planned=None if planned is None else sum(arrival.window == window.window for arrival in planned.arrivals),
            )
            for window in slot.windows
        )
        digest = planned.digest() if planned is not None else ""
        citizens = self.describe(self.plan.seed, planned) if planned is not None else ""
        return SlotRecord(slot.portal, slot.run, slot.in_flight_ceiling, windows, digest, citizens)


def _part_of(slot: Slot, planned: Schedule | None, index: int, members: int, lone_on: int) -> tuple[tuple[Arrival, ...], int]:
    """A worker's arrivals, and its share of the ceiling.

    One worker has all lone citizens of a portal, so that they can take turns. A worker without a share of the ceiling gets no
    arrivals: it would turn all of them away, and the portal would be blamed.
    """
    arrivals, ceiling = planned.arrivals if planned is not None else (), slot.in_flight_ceiling
    if slot.windows[0].stage == LONE:
        return (arrivals, ceiling) if index == lone_on else ((), 0)
    sharing = min(members, ceiling)
    return arrivals[index::sharing] if index < sharing else (), ceiling // members + (index < ceiling % members)
