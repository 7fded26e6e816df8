"""Before the load each journey is walked alone; what the citizen meets decides which journeys are loaded."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from harness.records import LONE, LONE_TRIES_AT_SHARED_HOST, Plan, PlannedWindow, Round, Slot
from harness.records.fleet_messages import RoundOrder
from tests.load.fleet import NOON_S, FakeFleet, plan_of, target

JOURNEYS = ("pay", "search", "submit")


def round_(number: int, *portals: str, part: int = 0) -> Round:
    """Two arrivals of each journey at every portal; in round 0 one lone walk of each."""
    stage, count = (LONE, 1) if number == 0 else ("typical", 2)
    window = PlannedWindow(number, stage, 1.0, 0.0, 1.0, {}, dict.fromkeys(JOURNEYS, count), round=number)
    return Round(number, tuple(Slot(portal, f"{portal}-seed1", (window,), 100) for portal in portals), part)


def plan(*portals: str, rounds: int = 4) -> Plan:
    return plan_of(*(round_(number, *portals) for number in range(rounds)), portals=portals)


def measured(fleet: FakeFleet, name: str) -> dict[str, set[str]]:
    """The journeys of each portal in a sealed round."""
    record = fleet.sink.sealed[name]
    return {slot.portal: {*slot.windows[0].quota} for slot in record.slots}


def run(meets: Mapping[tuple[str, str], Sequence[str]], sweep: Plan) -> FakeFleet:
    fleet = FakeFleet("w0")
    fleet.sink.meets = meets
    fleet.run(sweep)
    assert fleet.conductor.complete
    return fleet


def everywhere(portal: str, *outcomes: str) -> dict[tuple[str, str], Sequence[str]]:
    return {(portal, journey): outcomes for journey in JOURNEYS}


def test_who_gets_through_is_loaded_and_not_asked_again() -> None:
    fleet = run({}, plan("p", "q"))
    assert [*fleet.sink.sealed] == ["000-00", "001-00", "002-00", "003-00"]
    assert measured(fleet, "001-00") == {"p": {*JOURNEYS}, "q": {*JOURNEYS}}


@pytest.mark.parametrize("outcome", ["timeout", "reset", "protocol", "http_error"])
def test_what_is_the_portals_own_failure_is_loaded_at_once(outcome: str) -> None:
    """It is walked again all the same: a later walk may show that something else stops it."""
    fleet = run(everywhere("p", *[outcome] * 9), plan("p"))
    assert [*fleet.sink.sealed] == ["000-00", "000-01", "001-00", "000-02", "002-00", "003-00"]
    for name in ("001-00", "002-00", "003-00"):
        assert measured(fleet, name) == {"p": {*JOURNEYS}}


def test_one_failure_of_the_portal_does_not_hide_what_stops_each_later_walk() -> None:
    fleet = run({("p", "submit"): ["http_error", "extraction", "extraction"]}, plan("p", "q"))
    for name in ("001-00", "002-00", "003-00"):
        assert measured(fleet, name) == {"p": {"pay", "search"}, "q": {*JOURNEYS}}
    assert "p: submit stops a lone citizen at search (extraction, selector h1); it is not loaded" in fleet.said


@pytest.mark.parametrize("outcome", ["wrong_content", "extraction", "left_allowed_hosts", "skipped", "blocked"])
def test_a_journey_that_stops_every_lone_walk_is_not_loaded_and_the_others_are(outcome: str) -> None:
    fleet = run({("p", "submit"): [outcome] * 9}, plan("p", "q"))
    assert [*fleet.sink.sealed] == ["000-00", "000-01", "001-00", "000-02", "002-00", "003-00"]
    for name in ("000-01", "000-02"):
        assert measured(fleet, name) == {"p": {"submit"}}
    for name in ("001-00", "002-00", "003-00"):
        assert measured(fleet, name) == {"p": {"pay", "search"}, "q": {*JOURNEYS}}
        assert [window.planned for slot in fleet.sink.sealed[name].slots for window in slot.windows] == [4, 6]
    told = [line for line in fleet.said if "stops a lone citizen" in line]
    assert told == [
        f"p: submit stops a lone citizen at search ({outcome}, selector h1); {ending}"
        for ending in ("try 1 of 3", "try 2 of 3", "it is not loaded")
    ]


def test_lone_walks_of_one_portal_are_numbered_apart() -> None:
    fleet = run({("p", "submit"): ["extraction"] * 9}, plan("p"))
    lone = [slot.windows[0] for record in fleet.sink.sealed.values() for slot in record.slots if slot.windows[0].stage == LONE]
    assert len({window.window for window in lone}) == 3
    assert {window.round for window in lone} == {0}


def test_a_journey_that_gets_through_at_a_later_try_is_loaded_from_then_on() -> None:
    fleet = run({("p", "submit"): ["extraction", "extraction"]}, plan("p"))
    assert measured(fleet, "001-00") == {"p": {"pay", "search"}}
    assert measured(fleet, "000-02") == {"p": {"submit"}}
    assert measured(fleet, "002-00") == measured(fleet, "003-00") == {"p": {*JOURNEYS}}


@pytest.mark.parametrize(("outcome", "verdict"), [("blocked", "blocked"), ("connect", "unreachable"), ("dns", "unreachable")])
def test_a_portal_that_refuses_is_tried_again_and_then_not_loaded(outcome: str, verdict: str) -> None:
    fleet = run(everywhere("p", *[outcome] * 9), plan("p", "q"))
    assert [measured(fleet, name)["p"] for name in ("000-00", "000-01", "000-02")] == [{*JOURNEYS}] * 3
    assert all("p" not in measured(fleet, name) for name in ("001-00", "002-00", "003-00"))
    assert [line for line in fleet.said if "found it" in line] == [
        f"p: a lone citizen found it {verdict}; {ending}" for ending in ("try 1 of 3", "try 2 of 3", "it is not loaded")
    ]


def test_tries_are_spread_over_the_time_of_the_rounds_that_nothing_is_loaded_in() -> None:
    sweep = plan("p")
    longer = tuple(
        replace(each, slots=tuple(replace(slot, windows=(replace(slot.windows[0], duration_s=40.0),)) for slot in each.slots))
        for each in sweep.rounds
    )
    fleet = run(everywhere("p", *["blocked"] * 9), replace(sweep, rounds=longer))
    starts_s = [fleet.sink.sealed[name].start_us / 1e6 for name in ("000-00", "000-01", "000-02")]
    second_s, third_s = (after - before for before, after in itertools.pairwise(starts_s))
    assert third_s == pytest.approx(second_s + 40, abs=1)  # as long as the round between them would have taken


@pytest.mark.parametrize("outcome", ["blocked", "connect"])
def test_one_refusal_at_the_beginning_costs_nothing(outcome: str) -> None:
    fleet = run(everywhere("p", outcome), plan("p"))
    assert measured(fleet, "001-00") == {"p": {*JOURNEYS}}
    assert "000-02" not in fleet.sink.sealed


def test_a_journey_that_alone_cannot_connect_is_the_portals_failure() -> None:
    fleet = run({("p", "pay"): ["connect"] * 9}, plan("p"))
    assert measured(fleet, "001-00") == {"p": {*JOURNEYS}}


def test_before_the_last_round_all_tries_are_made() -> None:
    """A demonstration has one loaded round, in which all windows follow each other."""
    fleet = run({("p", "pay"): ["wrong_content", "wrong_content"]}, plan("p", rounds=2))
    assert [*fleet.sink.sealed] == ["000-00", "000-01", "000-02", "001-00"]
    assert measured(fleet, "001-00") == {"p": {*JOURNEYS}}


def test_a_journey_that_is_not_permitted_is_not_walked() -> None:
    sweep = plan("p")
    allowed = tuple(
        replace(each, slots=tuple(replace(slot, windows=(slot.windows[0].only({"search"}),)) for slot in each.slots))
        for each in sweep.rounds
    )
    fleet = run({("p", "search"): ["extraction"]}, replace(sweep, rounds=allowed))
    assert {walk.journey for walk in fleet.sink.walks} == {"search"}
    assert measured(fleet, "001-00") == {"p": {"search"}}


def test_nobody_walks_again_where_the_authorisation_has_ended() -> None:
    sweep = replace(plan("p", "q"), targets=(target("p", valid_to_s=NOON_S + 11), target("q")))
    fleet = run(everywhere("p", *["blocked"] * 9), sweep)
    assert {walk.portal for walk in fleet.sink.walks[6:]} == set()


def test_a_later_attempt_knows_the_walks_of_an_earlier_one() -> None:
    sweep = plan("p")
    first = run({("p", "submit"): ["extraction"] * 9}, sweep)
    fleet = FakeFleet("w0")
    fleet.sink.walks = list(first.sink.walks)
    fleet.run(sweep, sealed=["000-00", "000-01", "001-00", "000-02"])
    assert [*fleet.sink.sealed] == ["002-00", "003-00"]
    assert measured(fleet, "002-00") == {"p": {"pay", "search"}}


def test_a_plan_without_lone_walks_is_sent_whole() -> None:
    sweep = plan("p")
    fleet = run({}, replace(sweep, rounds=sweep.rounds[1:]))
    assert [*fleet.sink.sealed] == ["001-00", "002-00", "003-00"]


def test_parts_of_a_round_wait_for_one_lone_walk() -> None:
    rounds = [round_(0, "p", "q"), round_(1, "p"), round_(1, "q", part=1), round_(2, "p"), round_(2, "q", part=1)]
    fleet = run({("q", "pay"): ["extraction"] * 9}, plan_of(*rounds, portals=("p", "q")))
    assert [*fleet.sink.sealed] == ["000-00", "000-01", "001-00", "001-01", "000-02", "002-00", "002-01"]


def test_a_portal_that_refuses_many_under_load_is_checked_by_a_lone_citizen_and_loaded_on() -> None:
    fleet = FakeFleet("w0")
    fleet.sink.doubts = {"001-00": frozenset({"p"})}
    fleet.sink.meets = {("p", "submit"): ["extraction"] * 9}
    fleet.run(plan("p", "q"))
    check = fleet.sink.sealed["001-50"]
    assert check.checks == "001-00"
    assert [(slot.portal, slot.windows[0].window, slot.windows[0].stage) for slot in check.slots] == [("p", 901, "lone")]
    assert {*check.slots[0].windows[0].quota} == {"pay", "search"}  # the journeys that are loaded
    assert measured(fleet, "003-00") == {"p": {"pay", "search"}, "q": {*JOURNEYS}}
    assert not any("found it" in line for line in fleet.said)


def narrow(ceiling: int, *portals: str) -> Plan:
    """A sweep over portals that permit few citizens at once; the lone citizens of a round begin within a second."""
    sweep = plan(*portals, rounds=2)
    return replace(
        sweep,
        rounds=tuple(replace(each, slots=tuple(replace(slot, in_flight_ceiling=ceiling) for slot in each.slots)) for each in sweep.rounds),
    )


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize(("ceiling", "turns"), [(1, 3), (2, 2), (3, 1)])
def test_lone_citizens_take_turns_where_the_ceiling_has_no_room_for_all(workers: int, ceiling: int, turns: int) -> None:
    """Each visit lasts almost as long as the drain, so that the last one ends after a single drain."""
    fleet = FakeFleet(*(f"w{number}" for number in range(workers)), takes_s=1.9)
    fleet.run(narrow(ceiling, "p", "q"))
    assert [outcome for _, outcome in fleet.sink.visits()] == ["ok"] * 6
    record = fleet.sink.sealed["000-00"]
    most = [outcome.stretches["p"].most_in_flight for outcome in record.outcome if outcome.stretches]
    assert (sum(most), max(most)) == (ceiling, ceiling)
    orders = [each for each in fleet.network.sent(RoundOrder) if each.token.endswith("#000-00")]
    assert {order.drain_s for order in orders} == {2.0 * turns}
    assert {outcome for _, outcome in fleet.sink.visits("001-00")} >= {"not_served"}, "under load nobody waits for a turn"


def test_a_stop_ends_the_wait_for_a_turn() -> None:
    fleet = FakeFleet("w0", takes_s=1.9)
    fleet.clock.after(4.0, fleet.stop)
    fleet.run(narrow(1, "p"))
    assert [outcome for _, outcome in fleet.sink.visits()] == ["aborted"] * 3


def test_a_journey_that_a_shared_host_stops_is_walked_before_every_later_round_and_then_loaded() -> None:
    fleet = FakeFleet("w0")
    fleet.sink.meets = {("p", "submit"): ["http_error"] * 4}
    fleet.sink.at_shared_host = {("p", "submit")}
    fleet.run(replace(plan("p", "q", rounds=6), spare_windows=1, shared_lost_max=0.05))
    walked = ["000-00", "000-01", "001-00", "000-02", "002-00", "000-03", "003-00", "000-04", "004-00", "005-00", "006-00"]
    assert [*fleet.sink.sealed] == walked
    assert [measured(fleet, name)["p"] == {*JOURNEYS} for name in ("003-00", "004-00", "005-00", "006-00")] == [False, True, True, True]
    assert (
        "p: submit stops a lone citizen at search (http_error, selector h1); a shared host: tried again before the next round" in fleet.said
    )


def test_a_shared_host_that_fails_all_night_stops_no_other_journey() -> None:
    fleet = FakeFleet("w0")
    fleet.sink.meets = {("p", "submit"): ["connect"] * 99}
    fleet.sink.at_shared_host = {("p", "submit")}
    fleet.run(replace(plan("p", rounds=14), shared_lost_max=0.05))
    assert sum(name.startswith("000-") for name in fleet.sink.sealed) == LONE_TRIES_AT_SHARED_HOST
    assert all(measured(fleet, f"{number:03d}-00")["p"] == {"pay", "search"} for number in range(1, 14))
