"""A later attempt at a sweep measures what is missing: sealed windows never again, half a window exactly once more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from harness.load.earlier_attempts import EarlierAttempts
from harness.load.serials import Serials
from harness.records import Plan, RoundRecord
from harness.records.fleet_messages import RoundOrder
from harness.records.round import WorkerOutcome
from tests.load.fleet import FakeFleet

from .test_lone_walks import plan

ABOVE = 904
"""The first number above all windows of a plan with four rounds and of what its night may add."""


def crashed(record: RoundRecord) -> RoundRecord:
    return replace(record, incomplete=True)


def stopped(record: RoundRecord) -> RoundRecord:
    return replace(record, stopped=True, stopped_at_us=record.start_us)


def without_workers(record: RoundRecord) -> RoundRecord:
    return replace(record, outcome=tuple(replace(each, lost=True, complete=False) for each in record.outcome))


def attempt(sweep: Plan, before: Mapping[str, RoundRecord] = {}, **changes: object) -> FakeFleet:
    """Goes on after what was sealed before, to the end of the plan."""
    fleet = FakeFleet("w0", "w1")
    for name, record in before.items():
        if not record.incomplete:
            fleet.sink.seal_round(name, record)  # knows its lone walks
    fleet.sink.sealed = dict(before)
    for name, value in changes.items():
        setattr(fleet.sink, name, value)
    fleet.run(sweep, sealed=before)
    assert fleet.conductor.complete
    return fleet


def sealed(fleet: FakeFleet, upto: str, half=crashed) -> dict[str, RoundRecord]:
    """What an attempt has sealed before it ended in the round ``upto``."""
    records = fleet.sink.sealed
    found = {name: record for name, record in records.items() if list(records).index(name) < list(records).index(upto)}
    return found | {upto: half(records[upto])}


def new(fleet: FakeFleet, before: Iterable[str]) -> list[str]:
    return [name for name in fleet.sink.sealed if name not in before]


def windows(fleet: FakeFleet, name: str) -> dict[str, tuple[int, int | None]]:
    return {slot.portal: (window.window, window.make_up_of) for slot in fleet.sink.sealed[name].slots for window in slot.windows}


@pytest.mark.parametrize("half", [crashed, stopped, without_workers])
def test_half_a_round_is_measured_once_more_under_numbers_of_its_own(half) -> None:
    sweep = plan("p", "q")
    first = attempt(sweep)
    before = sealed(first, "002-00", half)
    second = attempt(sweep, before)
    assert new(second, before) == ["002-100", "003-00"]
    assert windows(second, "002-100") == dict.fromkeys(("p", "q"), (2 + ABOVE, 2))
    assert not {number for number, _ in first.sink.visits("002-00")} & {number for number, _ in second.sink.visits("002-100")}
    assert len(second.sink.visits("002-100")) == len(first.sink.visits("002-00"))
    again = sealed(second, "002-100", half)
    third = attempt(sweep, again)
    assert new(third, again) == ["002-200", "003-00"]
    assert windows(third, "002-200")["p"] == (2 + 2 * ABOVE, 2)
    assert new(attempt(sweep, third.sink.sealed), third.sink.sealed) == []


def test_only_the_windows_that_a_stop_cut_off_are_measured_once_more() -> None:
    sweep = plan("p", "q")
    record = attempt(sweep).sink.sealed["001-00"]
    early, late = record.slots
    late = replace(late, windows=tuple(replace(window, begin_s=50.0) for window in late.windows))
    cut = replace(record, slots=(early, late), stopped=True, stopped_at_us=record.start_us + 10_000_000)
    left = EarlierAttempts(sweep, [cut]).left_of(sweep.rounds[1])
    assert left is not None
    assert [(slot.portal, slot.windows[0].begin_s) for slot in left.slots] == [("q", 0.0)]


def test_lone_walks_of_a_crashed_round_are_walked_once_more() -> None:
    sweep = plan("p", "q")
    before = sealed(attempt(sweep), "000-00")
    second = attempt(sweep, before)
    assert new(second, before) == ["000-100", "001-00", "002-00", "003-00"]
    assert windows(second, "000-100") == dict.fromkeys(("p", "q"), (ABOVE, None))


def test_a_portal_that_refused_just_before_the_crash_is_checked_by_the_next_attempt_once() -> None:
    sweep = plan("p", "q")
    doubts = {"001-00": frozenset({"q"})}
    first = attempt(sweep, doubts=doubts)
    before = {name: first.sink.sealed[name] for name in ("000-00", "001-00")}
    second = attempt(sweep, before, doubts=doubts)
    assert new(second, before) == ["001-50", "002-00", "003-00"]
    assert second.sink.sealed["001-50"].checks == "001-00"
    assert new(attempt(sweep, second.sink.sealed, doubts=doubts), second.sink.sealed) == []
    half = {**before, "001-50": crashed(second.sink.sealed["001-50"])}
    third = attempt(sweep, half, doubts=doubts)
    assert new(third, half) == ["001-150", "002-00", "003-00"]
    assert third.sink.sealed["001-150"].checks == "001-00"


def test_half_a_make_up_round_is_finished_and_takes_no_further_spare_round() -> None:
    sweep = replace(plan("p", "q"), spare_windows=2)
    void = {("p", 1), ("q", 2)}
    first = attempt(sweep, void=void)
    assert new(first, {}) == ["000-00", "001-00", "002-00", "003-00", "004-00"]
    one = replace(first.sink.sealed["004-00"], slots=first.sink.sealed["004-00"].slots[:1])
    before = {**sealed(first, "003-00", lambda record: record), "004-00": crashed(one)}
    second = attempt(sweep, before, void={*void, (one.slots[0].portal, one.slots[0].windows[0].window)})
    assert new(second, before) == ["004-100", "004-01"]
    assert {*windows(second, "004-100"), *windows(second, "004-01")} == {"p", "q"}
    assert {of for name in ("004-100", "004-01") for _, of in windows(second, name).values()} == {1, 2}


def test_visits_that_are_repeated_have_serials_of_their_own() -> None:
    """A row of a distinct pool that the dead attempt may have filed is never taken again."""
    sweep = plan("p")
    before = sealed(attempt(sweep), "001-00")
    second = attempt(sweep, before)
    again = sealed(second, "001-100")
    third = attempt(sweep, again)
    given: dict[int, int] = {}
    for order in (*second.network.sent(RoundOrder), *third.network.sent(RoundOrder)):
        for slot in order.slots:
            given.update({order.keys[index].window: first for index, first in zip(slot.keys, slot.serials, strict=True)})
    most = Serials(sweep).visits("p-seed1")
    once, twice = 1 + ABOVE, 1 + 2 * ABOVE
    assert (given[once], given[twice]) == (most, most + 6)
    serials = Serials(sweep, third.sink.sealed.values())
    assert serials.of("p-seed1", twice * 1_000_000 + 3) == most + 9
    assert serials.visits("p-seed1") == most + 12
    assert third.sink.sealed["001-200"].slots[0].windows[0].first_serial == most + 6


def test_a_worker_that_is_lost_among_others_leaves_no_half_round() -> None:
    """The attempt went on, and make-up windows are for such rounds."""
    sweep = plan("p")
    record = attempt(sweep).sink.sealed["001-00"]
    lost: tuple[WorkerOutcome, ...] = (replace(record.outcome[0], lost=True), *record.outcome[1:])
    assert EarlierAttempts(sweep, [replace(record, outcome=lost)]).left_of(sweep.rounds[1]) is None


def test_no_lone_citizen_checks_a_portal_whose_permission_has_ended_since() -> None:
    sweep = plan("p", "q")
    before = {name: record for name, record in attempt(sweep).sink.sealed.items() if name <= "001-00"}
    doubts = {"001-00": frozenset({"p", "q"})}
    assert new(attempt(sweep, before, doubts=doubts), before)[0] == "001-50"
    ended = replace(sweep, targets=tuple(replace(each, valid_to_s=1.0) if each.portal == "p" else each for each in sweep.targets))
    fleet = attempt(ended, before, doubts=doubts)
    orders = fleet.network.sent(RoundOrder)
    assert {order.token for order in orders} == {f"{sweep.sweep}#{name}" for name in ("001-50", "002-00", "003-00")}
    assert {slot.portal for order in orders for slot in order.slots} == {"q"}
