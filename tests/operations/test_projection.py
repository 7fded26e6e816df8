"""The conductor takes as long for a night as the dry run projects."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from harness.operations.timetable import BETWEEN_ROUNDS_S, longest_s, planned_s, projected_s
from harness.records import Plan, Round
from tests.load.fleet import FakeFleet, lone_round, plan_of, round_of, target

DRAIN_S = 20.0


def night(seed: int) -> Plan:
    """Nine portals three at once, in random order; two share machines."""
    rng = random.Random(seed)
    portals = [f"p{number}" for number in range(9)]
    rounds: list[Round] = []
    for number in range(1, 4):
        rng.shuffle(portals)
        seconds = rng.choice([2.0, 8.0, 30.0])
        rounds += [replace(round_of(number, *portals[n : n + 3], seconds=seconds), part=n // 3) for n in (0, 3, 6)]
    targets = tuple(
        replace(target(portal, hosting_group="one roof" * (portal in ("p0", "p1"))), origins={"portal": f"http://127.0.0.1:{n}"})
        for n, portal in enumerate(sorted(portals), 1)
    )
    return plan_of(lone_round(*portals), *rounds, targets=targets, drain_s=DRAIN_S + 5)


@pytest.mark.parametrize("seed", range(2))
def test_a_night_takes_as_long_as_projected(seed: int) -> None:
    plan, fleet = night(seed), FakeFleet("w0", takes_s=DRAIN_S)
    begun_us = fleet.clock.now_us()
    fleet.run(plan)
    took_s = (fleet.clock.now_us() - begun_us) / 1e6
    assert fleet.conductor.complete
    projected = projected_s(plan, DRAIN_S)
    assert projected - len(plan.rounds) * BETWEEN_ROUNDS_S - 1 < took_s < projected
    assert projected < planned_s(plan) < longest_s(plan)


def test_checks_after_every_round_are_within_the_longest_night() -> None:
    plan, fleet = night(1), FakeFleet("w0", takes_s=DRAIN_S)
    fleet.sink.doubts = {round_.name: frozenset(slot.portal for slot in round_.slots) for round_ in plan.rounds[1:]}
    begun_us = fleet.clock.now_us()
    fleet.run(plan)
    assert len(fleet.sink.sealed) == 2 * len(plan.rounds) - 1
    assert planned_s(plan) < (fleet.clock.now_us() - begun_us) / 1e6 < longest_s(plan)


def test_parts_that_drain_beside_each_other_take_less_than_one_after_another() -> None:
    plan = night(1)
    drains_s = len(plan.rounds) * DRAIN_S
    one_after_another_s = sum(round_.duration_s + plan.lead_s + BETWEEN_ROUNDS_S for round_ in plan.rounds) + drains_s
    assert projected_s(plan, DRAIN_S) < one_after_another_s
    roof = replace(plan, targets=tuple(replace(each, hosting_group="one roof") for each in plan.targets))
    assert projected_s(roof, DRAIN_S) == pytest.approx(one_after_another_s)
