"""Serials: the visits of a run have the numbers from 0 without gaps, whatever their windows are numbered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.load import schedule
from harness.load.lone_rounds import LoneRounds
from harness.load.make_up import make_up_rounds
from harness.load.serials import Serials
from harness.records import LONE, LoneWalk, Plan, PlannedWindow, Round, Slot
from harness.records.fleet_messages import RoundOrder

from .fleet import FakeFleet, lone_round, plan_of, round_of


def night(**changes: Any) -> Plan:
    """Lone walks and three rounds at two portals."""
    lone = [replace(slot, windows=(PlannedWindow(0, LONE, 0.0, 0.0, 1.0, {}, {"search": 2}),)) for slot in lone_round("p", "q").slots]
    return plan_of(Round(0, tuple(lone)), *(round_of(number, "p", "q") for number in (1, 2, 3)), portals="pq", **changes)


def visits_of(plan: Plan, *slots: Slot) -> list[int]:
    found = [arrival.visit for slot in slots for arrival in schedule(slot, seed=plan.seed, arrivals=plan.arrivals).arrivals]
    return sorted(found)


def test_visits_of_a_plan_are_numbered_without_gaps() -> None:
    plan = night(arrivals="poisson")
    serials = Serials(plan)
    for run in ("p-seed1", "q-seed1"):
        visits = visits_of(plan, *(slot for round_ in plan.rounds for slot in round_.slots if slot.run == run))
        assert [serials.of(run, visit) for visit in visits] == list(range(len(visits)))
        assert serials.visits(run) > len(visits) > 20


def test_the_windows_that_a_night_may_add_come_after_the_plan_and_none_takes_the_numbers_of_another() -> None:
    """All that can happen: two more lone walks, a check after each round, and two rounds of make-up windows with their checks."""
    plan = night(arrivals="poisson", spare_windows=2)
    lone, *loaded = (next(slot for slot in round_.slots if slot.portal == "p") for round_ in plan.rounds)
    seen = [LoneWalk("p", "search", "extraction")]
    rounds = LoneRounds(plan, lambda portal: seen if portal == "p" else [])
    added = [slot for again in rounds.before(3) for slot in again.slots if slot.portal == "p"]
    added += [slot for round_ in plan.rounds[1:] if (check := rounds.recheck(round_, frozenset("p"))) for slot in check.slots]
    for number in (4, 5):
        (again,) = make_up_rounds(plan, lambda slot: slot if slot.windows[0].stage != LONE else None, (), number)
        (slot,) = (slot for slot in again.slots if slot.portal == "p")
        added.append(slot)
        check = rounds.recheck(again, frozenset("p"))
        assert check is not None
        added += check.slots
    assert len(added) == 2 + 3 + 2 * 2
    serials = Serials(plan)
    planned, further = visits_of(plan, lone, *loaded), visits_of(plan, *(replace(slot, run="p-seed1") for slot in added))
    given = [serials.of("p-seed1", visit) for visit in (*planned, *further)]
    assert None not in given
    assert len(given) == len(set(given))
    assert max(number for number in given if number is not None) < serials.visits("p-seed1")
    assert Serials(plan).of("p-seed1", further[0]) == serials.of("p-seed1", further[0])


def test_a_make_up_window_has_as_many_arrivals_as_its_original_at_other_times() -> None:
    plan = night(arrivals="poisson", spare_windows=1)
    (again,) = make_up_rounds(plan, lambda slot: slot if slot.windows[0].stage != LONE else None, (), 4)
    for slot in again.slots:
        (original,) = (each for each in plan.rounds[1].slots if each.portal == slot.portal)
        first, second = (schedule(each, seed=1, arrivals="poisson").arrivals for each in (original, slot))
        assert len(first) == len(second) > 0
        assert [arrival.offset_us for arrival in first] != [arrival.offset_us for arrival in second]


def test_workers_are_told_the_serials_of_their_windows() -> None:
    fleet = FakeFleet("w1", "w2")
    plan = plan_of(lone_round(), round_of(1), round_of(2))
    seen: dict[int, int] = {}
    fleet.run(plan, sealed=["001-00"])  # a resumed sweep: the serials of what is sealed are not given again
    for order in fleet.network.sent(RoundOrder):
        for slot in order.slots:
            seen.update({order.keys[index].window: first for index, first in zip(slot.keys, slot.serials, strict=True)})
    assert seen == {0: 0, 2: 11}
