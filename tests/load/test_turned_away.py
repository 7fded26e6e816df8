"""Load that a portal does not bear, or that its authorisation does not permit, is turned away, held back or comes later."""

from __future__ import annotations

import pytest

from harness.load.retry_after import HEEDED_S
from harness.records import Outcome, StopLimits
from harness.records.fleet_messages import StopArrivals
from tests.load.fleet import NOON_S, OUTCOME, FakeFleet, plan_of, round_of, target


@pytest.mark.parametrize(("ceiling", "shares"), [(4, [2, 2]), (5, [3, 2])])
def test_beyond_the_ceiling_the_portal_did_not_serve(ceiling: int, shares: list[int]) -> None:
    fleet = FakeFleet("w0", "w1", takes_s=1.5)
    fleet.run(plan_of(round_of(0, ceiling=ceiling)))
    outcomes = [outcome for _, outcome in fleet.sink.visits()]
    assert outcomes == ["ok"] * ceiling + ["not_served"] * (10 - ceiling)
    counts = [each.stretches["p"] for each in fleet.sink.sealed["000-00"].outcome if each.stretches is not None]
    assert [(each.most_in_flight, each.turned_away) for each in counts] == [(share, 5 - share) for share in shares]


def test_a_safety_stop_turns_later_arrivals_away_within_a_second() -> None:
    fleet = FakeFleet("w0", "w1", outcome=Outcome.HTTP_ERROR)
    limits = StopLimits(error_share=0.5, min_requests=10)
    plan = plan_of(round_of(0, "p", "q", seconds=10.0), targets=(target("p", safety=limits), target("q")))
    fleet.run(plan)
    record = fleet.sink.sealed["000-00"]
    assert list(record.safety_stops) == ["p"]
    assert record.safety_stops["p"].startswith("errors ")
    of_p = [row for _, batch in fleet.sink.kept["000-00"] for row in batch.rows if batch.keys[row[0]].portal == "p"]
    begun = [row for row in of_p if row[OUTCOME] == "http_error"]
    assert 10 <= len(begun) < 25
    assert {row[OUTCOME] for row in of_p} == {"http_error", "not_served"}
    assert len(of_p) == 100
    (stop, _) = fleet.network.sent(StopArrivals)
    assert (stop.portal, stop.reason, stop.cut) == ("p", "safety", False)


def test_a_run_of_failures_stops_a_small_load_and_goes_on_from_round_to_round() -> None:
    fleet = FakeFleet("w0", outcome=Outcome.HTTP_ERROR)
    limits = StopLimits(error_share=0.5, failures_in_a_row=25)
    rounds = [round_of(n, rate_per_s=0.2, seconds=100.0) for n in range(3)]
    fleet.run(plan_of(*rounds, targets=(target("p", safety=limits),)))
    assert [record.safety_stops for record in fleet.sink.sealed.values()] == [
        {},
        {"p": "25 failures in a row ≥ 25"},
        {"p": "26 failures in a row ≥ 25"},
    ]
    begun = [sum(outcome == "http_error" for _, outcome in fleet.sink.visits(name)) for name in fleet.sink.sealed]
    assert begun == [20, 5, 1]


def test_a_success_lets_a_portal_be_loaded_again() -> None:
    fleet = FakeFleet("w0", outcome=Outcome.HTTP_ERROR)
    plan = plan_of(*(round_of(n, seconds=5.0) for n in range(3)), targets=(target("p", safety=StopLimits(failures_in_a_row=25)),))
    fleet.clock.after(7.5, lambda: setattr(fleet, "outcome", Outcome.OK))  # while nobody arrives any more
    fleet.run(plan)
    assert [list(record.safety_stops) for record in fleet.sink.sealed.values()] == [["p"], [], []]
    assert {outcome for _, outcome in fleet.sink.visits("001-00")} == {"ok"}


def test_load_beyond_the_authorised_rate_is_held_back() -> None:
    fleet = FakeFleet("w0")
    limits = StopLimits(requests_per_s=1.0, span_s=5.0)
    fleet.run(plan_of(round_of(0, seconds=10.0), targets=(target("p", safety=limits),)))
    record = fleet.sink.sealed["000-00"]
    assert record.held_back["p"].startswith("authorised rate")
    assert record.safety_stops == {}
    assert {outcome for _, outcome in fleet.sink.visits()} == {"ok", "aborted"}


@pytest.mark.parametrize(("asked_s", "waited_s"), [(0.0, 0), (40.0, 40), (3600.0, HEEDED_S)])
def test_a_portal_that_asks_to_be_left_alone_is_not_loaded_before(asked_s: float, waited_s: float) -> None:
    fleet = FakeFleet("w0")

    def ask(worker: str, visit: int) -> None:
        if visit == 9:
            (round_,) = fleet.agents[worker]._rounds.values()
            load = round_.loads["p"]
            load.wait_until_us = fleet.clock.now_us() + round(asked_s * 1e6)

    fleet.prepared = ask
    fleet.run(plan_of(round_of(0), round_of(1, "q"), round_of(2), targets=(target("p"), target("q"))))
    begun_s = [fleet.sink.sealed[name].start_us / 1e6 for name in ("000-00", "001-00", "002-00")]
    plain = FakeFleet("w0")
    plain.run(plan_of(round_of(0), round_of(1, "q"), round_of(2), targets=(target("p"), target("q"))))
    plain_s = [plain.sink.sealed[name].start_us / 1e6 for name in ("000-00", "001-00", "002-00")]
    assert begun_s[1] == plain_s[1], "another portal does not wait"
    later_s = begun_s[2] - plain_s[2]
    assert later_s == pytest.approx(max(waited_s - (plain_s[2] - plain_s[0]), 0.0), abs=4.0)
    assert any("Retry-After" in line for line in fleet.said) is (later_s > 0)


def test_an_authorisation_that_ends_holds_its_portal_back_and_no_later_round_loads_it() -> None:
    fleet = FakeFleet("w0")
    ends_s = NOON_S + 10 + 2 + 5
    plan = plan_of(
        round_of(0, "p", "q", seconds=10.0), round_of(1, "p", "q"), targets=(target("p", valid_to_s=ends_s), target("q", valid_to_s=0.0))
    )
    fleet.run(plan)
    record = fleet.sink.sealed["000-00"]
    assert record.held_back == {"p": "the authorisation has ended"}
    begun = [each.stretches["p"].begun for each in record.outcome if each.stretches is not None]
    assert 40 < begun[0] < 60
    assert [slot.portal for slot in fleet.sink.sealed["001-00"].slots] == ["q"]


@pytest.mark.parametrize(("ceiling", "workers"), [(1, 2), (2, 3), (3, 3)])
def test_a_worker_without_a_share_of_the_ceiling_turns_nobody_away(ceiling: int, workers: int) -> None:
    fleet = FakeFleet(*(f"w{number}" for number in range(workers)))
    fleet.run(plan_of(round_of(0, ceiling=ceiling)))
    assert [outcome for _, outcome in fleet.sink.visits()] == ["ok"] * 10
    assert len(fleet.walked) == ceiling
