"""Serials: the visits of a run have the numbers from 0 without gaps, whatever their windows are numbered."""

from __future__ import annotations

from dataclasses import replace

from harness.load import schedule
from harness.load.serials import Serials
from harness.records.fleet_messages import RoundOrder

from .fleet import FakeFleet, lone_round, plan_of, round_of


def test_visits_of_a_run_are_numbered_without_gaps() -> None:
    plan = replace(plan_of(lone_round("p", "q"), *(round_of(number, "p", "q") for number in (1, 2, 3))), arrivals="poisson")
    serials = Serials(plan)
    for run in ("p-seed1", "q-seed1"):
        visits = [
            arrival.visit
            for round_ in plan.rounds
            for slot in round_.slots
            if slot.run == run
            for arrival in sorted(schedule(slot, seed=plan.seed, arrivals=plan.arrivals).arrivals, key=lambda arrival: arrival.visit)
        ]
        assert [serials.of(run, visit) for visit in visits] == list(range(len(visits)))
        assert serials.visits(run) == len(visits) > 20


def test_windows_beside_the_plan_come_after_it() -> None:
    plan = plan_of(lone_round(), round_of(1))
    serials = Serials(plan)
    planned = serials.visits("p-seed1")
    (slot,) = plan.rounds[0].slots
    again = replace(slot, windows=(replace(slot.windows[0], window=901),))
    assert serials.of("p-seed1", 901_000_000) is None
    assert serials.first(again) == serials.first(again) == (planned,)
    assert serials.visits("p-seed1") == planned + 1


def test_workers_are_told_the_serials_of_their_windows() -> None:
    fleet = FakeFleet("w1", "w2")
    plan = plan_of(lone_round(), round_of(1), round_of(2))
    seen: dict[int, int] = {}
    fleet.run(plan, sealed=["001-00"])  # a resumed sweep: the serials of what is sealed are not given again
    for order in fleet.network.sent(RoundOrder):
        for slot in order.slots:
            seen.update({order.keys[index].window: first for index, first in zip(slot.keys, slot.serials, strict=True)})
    assert seen == {0: 0, 2: 11}
