"""Clock offsets, safety stops, think times, plans: the small pure parts of `load`."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import EvidenceError
from harness.load.clock import Clock
from harness.load.clock_offset import estimate
from harness.load.ended_steps import EndedStep
from harness.load.kernel_time import wall_clock_error_us
from harness.load.portal_load import PortalLoad, draw_think_s
from harness.load.retry_after import HEEDED_S, asked_to_wait_s
from harness.load.safety import RequestRoom, SafetyWatch
from harness.load.shared_host_watch import SharedHostWatch
from harness.records import (
    PORTAL,
    VISIT_ROW,
    Outcome,
    Plan,
    PlannedTarget,
    PlannedWindow,
    Round,
    Sample,
    Slot,
    StopLimits,
    ThinkTime,
    read_plan,
    visit_row,
)
from harness.records.fleet_messages import Arrival, Tally
from harness.visits.recording import record_end

ORIGIN = "http://127.0.0.1:1"
UNKNOWN_BEYOND_US = 16_000_000  # NTP_PHASE_LIMIT: the kernel calls a clock with a larger error unsynchronised


def test_the_bound_of_the_wall_clock_is_the_kernels_or_unknown() -> None:
    error_us, bound_us = wall_clock_error_us(), Clock().utc_bound_us
    assert (error_us is None) == (bound_us is None)
    assert error_us is None or (bound_us is not None and 0 <= error_us <= UNKNOWN_BEYOND_US and bound_us > 0)


@given(
    offset=st.integers(-(10**12), 10**12),
    trips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**5)), min_size=1, max_size=9),
)
def test_a_clock_estimate_is_within_its_own_bound(offset: int, trips: list[tuple[int, int, int]]) -> None:
    seen = [(sent, sent + out + offset, sent + out + back) for sent, out, back in trips]
    found = estimate(seen)
    assert abs(found.offset_us - offset) <= found.bound_us


def test_the_shortest_round_trip_decides() -> None:
    assert estimate([(0, 5_000, 10_000), (20_000, 20_100, 20_200)]).bound_us == 100


@pytest.mark.parametrize(
    ("limits", "tally", "stops"),
    [
        (StopLimits(error_share=0.5), (100, 40, 0, 0), ""),
        (StopLimits(error_share=0.5), (100, 60, 0, 0), "errors 60/100"),
        (StopLimits(refused_share=0.1), (100, 20, 20, 0), "429/503 20/100"),
        (StopLimits(p95_ms=2000), (100, 0, 0, 5), ""),
        (StopLimits(p95_ms=2000), (100, 0, 0, 6), "slower than 2000 ms 6/100"),
        (StopLimits(requests_per_s=10, span_s=5), (50, 0, 0, 0), ""),
        (StopLimits(requests_per_s=10, span_s=5), (51, 0, 0, 0), "authorised rate: 10.2 > 10 requests/s"),
        (StopLimits(error_share=0.0, min_requests=50), (49, 49, 49, 0), ""),
        (StopLimits(failures_in_a_row=20), (20, 20, 0, 0, 20), "20 failures in a row ≥ 20"),
        (StopLimits(failures_in_a_row=20), (40, 39, 0, 0, 19), ""),
        (StopLimits(), (49, 49, 0, 0, 49), ""),
    ],
)
def test_a_safety_stop_says_which_limit_was_passed(limits: StopLimits, tally: tuple[int, ...], stops: str) -> None:
    beyond = SafetyWatch(limits).add(Tally(*tally), 0)
    if not stops:
        assert beyond is None
        return
    assert beyond is not None
    assert beyond.reason.startswith(stops)
    assert beyond.ours is stops.startswith("authorised rate")


def test_failures_in_a_row_are_counted_over_any_time_until_something_succeeds() -> None:
    watch = SafetyWatch(StopLimits(failures_in_a_row=5), failures_in_a_row=2)
    hour_us = 3_600_000_000
    assert watch.add(Tally(1, 1, failed_last=1), hour_us) is None
    assert watch.add(Tally(3, 2, failed_last=1), 2 * hour_us) is None  # a success before the last one
    assert watch.failures_in_a_row == 1
    assert watch.add(Tally(3, 3, failed_last=3), 3 * hour_us) is None
    assert watch.add(Tally(1, 1, failed_last=1), 4 * hour_us) is not None


def test_requests_at_shared_hosts_count_for_the_rate_and_for_nothing_else() -> None:
    watch = SafetyWatch(StopLimits(requests_per_s=10, span_s=5, error_share=0.5, failures_in_a_row=3), failures_in_a_row=2)
    assert watch.add(Tally(elsewhere=50), 0) is None
    assert watch.failures_in_a_row == 2  # the portal's run of failures goes on
    beyond = watch.add(Tally(elsewhere=1), 0)
    assert beyond is not None
    assert beyond.ours


def test_redirects_beyond_those_of_a_lone_citizen_pass_the_rate_at_the_portals_cost() -> None:
    limits = StopLimits(requests_per_s=10, span_s=5)
    loops = Tally(requests=60, hops=50)
    for usual, ours in ((None, True), (0.0, False), (1.0, False), (2.1, True)):  # 10 requests, with 4.2 redirects each: 52
        beyond = SafetyWatch(limits, usual_hops=usual).add(loops, 0)
        assert beyond is not None
        assert beyond.ours is ours
        assert beyond.reason.startswith("authorised rate" if ours else "redirects: 12.0 > 10 requests/s")
    beyond = SafetyWatch(limits, usual_hops=0.0).add(Tally(requests=60, hops=5), 0)
    assert beyond is not None
    assert beyond.ours, "without any redirect it would be too much"


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        ("30", 30.0), (" 0 ", 0.0), ("9999999999999", HEEDED_S), ("", 0.0), ("soon", 0.0), ("-5", 0.0), ("1e9", 0.0), ("٣", 0.0),
        ("Thu, 26 Nov 2026 00:00:20 GMT", 20.0), ("Thu, 26 Nov 2026 07:00:20 +0700", 20.0), ("Wed, 25 Nov 2026 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", HEEDED_S),
    ],
)  # fmt: skip
def test_how_long_an_answer_asks_to_wait(field: str, seconds: float) -> None:
    now_s = datetime(2026, 11, 26, tzinfo=UTC).timestamp()
    assert asked_to_wait_s(field, now_s) == seconds


def test_the_room_within_the_authorised_rate_comes_back() -> None:
    room = RequestRoom(per_s=2, span_s=1.5)
    assert [room.take(at_us) for at_us in (0, 1, 2, 3)] == [True, True, True, False]
    assert room.take(1_500_004)


def test_a_run_of_failures_at_shared_hosts_ends_the_load() -> None:
    watch = SharedHostWatch(frozenset(), limit=3)
    assert [watch.add(failed=failed) for failed in (True, True, False, True, True, True, True)] == [*[False] * 5, True, True]
    assert not any(SharedHostWatch().add(failed=True) for _ in range(99))


def test_think_times_are_log_normal_and_bounded() -> None:
    think = ThinkTime(median_s=2.0, sigma=0.5, max_s=4.0)
    assert draw_think_s(think, 0.0) == 2.0
    assert draw_think_s(think, 1.0) == pytest.approx(2.0 * math.exp(0.5))
    assert draw_think_s(think, 9.0) == 4.0


def test_a_plan_survives_its_file_and_a_broken_one_is_refused(tmp_path) -> None:
    window = PlannedWindow(1, "ramp", 2.0, 0.0, 60.0, {"search": 1.0}, {"pay": 3}, ((0.0, 1.0), (1.0, 2.0)))
    target = PlannedTarget("demo", "liferay", {"portal": "http://127.0.0.1:1"}, "", StopLimits())
    plan = Plan(
        "s",
        1,
        "poisson",
        "demo",
        (target,),
        (Round(0, (Slot("demo", "r", (window,), 9),), 1),),
        4,
        5,
        {"cpu_percent": 85.0},
        "x",
        "2026-11-22",
    )
    path = tmp_path / "plan.json"
    path.write_text(plan.to_json(), encoding="utf-8")
    assert read_plan(path) == plan
    assert read_plan(path).rounds[0].name == "000-01"
    path.write_text(plan.to_json()[:-40], encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"plan\.json.*unreadable"):
        read_plan(path)
    with pytest.raises(EvidenceError, match="not there"):
        read_plan(tmp_path / "none.json")


def test_a_visit_is_closed_by_the_same_row_whether_it_began_or_not() -> None:
    """Who is turned away leaves the row of a visit that ends at once, but for the moment of its beginning."""
    turned_away: list[tuple[int, Sample]] = []
    owners = {ORIGIN: PORTAL, "http://127.0.0.1:2": "identity"}
    target = SimpleNamespace(origins={PORTAL: ORIGIN}, owners=owners)
    outbox = SimpleNamespace(add_row=lambda key, row: turned_away.append((key, row)))
    told: list[tuple[int, EndedStep]] = []
    load = SimpleNamespace(
        target=target, turned_away=0, failed=0, outbox=outbox, keys={1: 7}, end_step=lambda key, ended: told.append((key, ended))
    )
    PortalLoad.turn_away(load, Arrival(0, 1_000_003, 1, "pay"), 50, Outcome.NOT_SERVED, 80)  # type: ignore[arg-type]
    assert [(key, each.name, each.outcome) for key, each in told] == [(7, "pay: not begun", Outcome.NOT_SERVED)]
    ended: list[Sample] = []
    callbacks = SimpleNamespace(record=ended.append)
    state = SimpleNamespace(journey="pay", visit=1_000_003, target=target, intended_us=50, began_us=60, callbacks=callbacks)
    record_end(state, 80, Outcome.NOT_SERVED)  # type: ignore[arg-type]
    assert turned_away == [(7, ended[0]._replace(start_us=0))]
    assert ended[0] == visit_row("pay", 1_000_003, ORIGIN, intended_us=50, start_us=60, end_us=80, outcome="not_served")
    assert (ended[0].request, ended[0].host_owner, ended[0].goal, ended[0].step) == (VISIT_ROW, PORTAL, "", "")
