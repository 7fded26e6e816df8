"""At the end of the night windows that were void or missed are measured again, in as many rounds as are spare."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.load.make_up import MeasuredWindow, make_up_rounds
from harness.records import Outcome, Plan, PlannedWindow, Round, Slot
from tests.load.fleet import NOON_S, FakeFleet, plan_of, round_of, target

from .test_lone_walks import JOURNEYS, measured, plan


def made_up(fleet: FakeFleet) -> dict[str, list[tuple[str, int | None]]]:
    """Portal and window of every window that was measured again, by round."""
    return {
        name: [(slot.portal, window.make_up_of) for slot in record.slots for window in slot.windows]
        for name, record in fleet.sink.sealed.items()
        if any(window.make_up_of is not None for slot in record.slots for window in slot.windows)
    }


def run(sweep: Plan, *void: tuple[str, int], sealed: tuple[str, ...] = ()) -> FakeFleet:
    fleet = FakeFleet("w0")
    fleet.sink.void = {*void}
    fleet.run(sweep, sealed=sealed)
    assert fleet.conductor.complete
    return fleet


def rounds(count: int, *portals: str) -> Plan:
    return plan_of(*(round_of(n, *portals) for n in range(1, count + 1)), portals=portals or ("p",))


def test_nothing_is_measured_again_where_nothing_is_missing_or_nothing_is_spare() -> None:
    assert made_up(run(replace(rounds(2), spare_windows=3))) == {}
    assert made_up(run(rounds(2), ("p", 1))) == {}


def test_a_void_window_is_measured_again_at_the_end_of_the_night() -> None:
    fleet = run(replace(rounds(3, "p", "q"), spare_windows=2), ("p", 2))
    assert made_up(fleet) == {"004-00": [("p", 2)]}
    again = fleet.sink.sealed["004-00"].slots[0].windows[0]
    assert (again.window, again.round, again.begin_s, again.planned) == (4, 4, 0.0, 10)
    assert "make-up round 1: typical, 1 portals, 10 visits" in fleet.said


def test_what_is_void_again_is_tried_until_the_spare_rounds_are_used() -> None:
    fleet = run(replace(rounds(1), spare_windows=2), ("p", 1), ("p", 2), ("p", 3), ("p", 4))
    assert made_up(fleet) == {"002-00": [("p", 1)], "003-00": [("p", 1)]}
    assert len({window.window for record in fleet.sink.sealed.values() for window in record.slots[0].windows}) == 3


def test_one_spare_round_makes_up_for_one_round_of_each_portal() -> None:
    fleet = run(replace(rounds(3, "p", "q"), spare_windows=2), ("p", 1), ("p", 3), ("q", 2))
    assert made_up(fleet) == {"004-00": [("p", 1), ("q", 2)], "005-00": [("p", 3)]}


def test_windows_that_a_journey_missed_are_caught_up_once_it_gets_through() -> None:
    sweep = replace(plan("p", "q"), spare_windows=2)
    fleet = FakeFleet("w0")
    fleet.sink.meets = {("p", "submit"): ["extraction", "extraction"]}
    fleet.run(sweep)
    assert made_up(fleet) == {"004-00": [("p", 1)]}
    assert measured(fleet, "004-00") == {"p": {*JOURNEYS}}


def test_a_portal_that_is_refused_at_first_gets_all_its_windows() -> None:
    fleet = FakeFleet("w0")
    fleet.sink.meets = {("p", journey): ["blocked", "blocked"] for journey in JOURNEYS}
    fleet.run(replace(plan("p"), spare_windows=2))
    assert made_up(fleet) == {"004-00": [("p", 1)]}


def test_what_stays_unproven_is_not_made_up_for() -> None:
    fleet = FakeFleet("w0")
    fleet.sink.meets = {("p", "submit"): ["extraction"] * 9}
    fleet.run(replace(plan("p"), spare_windows=2))
    assert made_up(fleet) == {}


def test_a_failing_portal_gets_no_other_windows() -> None:
    fleet = FakeFleet("w0", outcome=Outcome.HTTP_ERROR)
    fleet.run(replace(rounds(2), spare_windows=2))
    assert made_up(fleet) == {}


def test_nothing_is_made_up_after_the_authorisation_has_ended() -> None:
    ends_s = NOON_S + run(rounds(2)).clock.now_us() / 1e6
    sweep = replace(rounds(2), spare_windows=1, targets=(target("p", valid_to_s=ends_s),))
    fleet = run(sweep, ("p", 1))
    assert [*fleet.sink.sealed] == ["001-00", "002-00"]


def test_a_stop_ends_the_make_up_windows() -> None:
    fleet = FakeFleet("w0")
    fleet.sink.void = {("p", n) for n in range(1, 9)}
    fleet.clock.after(8.5, fleet.stop)
    fleet.run(replace(rounds(1), spare_windows=9))
    assert 1 <= len(made_up(fleet)) < 9
    assert not fleet.conductor.complete


def test_a_later_attempt_goes_on_with_the_spare_rounds_that_are_left() -> None:
    sweep = replace(rounds(1), spare_windows=2)
    first = run(sweep, ("p", 1), ("p", 2), ("p", 3))
    fleet = FakeFleet("w0")
    fleet.sink.sealed = {name: record for name, record in first.sink.sealed.items() if name != "003-00"}
    fleet.sink.void = {("p", 1), ("p", 2)}
    fleet.run(sweep, sealed=["001-00", "002-00"])
    assert made_up(fleet) == {"002-00": [("p", 1)], "003-00": [("p", 1)]}
    assert [window.window for window in fleet.sink.sealed["003-00"].slots[0].windows] == [3]


def window(number: int, stage: str, begin_s: float) -> PlannedWindow:
    return PlannedWindow(number, stage, 1.0, begin_s, 60.0, {"search": 1.0}, {}, round=1)


@pytest.mark.parametrize("lost", [{2}, {2, 3}, {1, 2, 3}])
def test_only_the_lost_windows_of_a_slot_are_measured_one_after_another_and_never_the_warm_up(lost: set[int]) -> None:
    slot = Slot("p", "p-seed1", (window(1, "warm-up", 0.0), window(2, "typical", 60.0), window(3, "peak", 120.0)), 9)
    sweep = plan_of(Round(1, (slot,)))
    seen = [MeasuredWindow("p", n, n, frozenset({"search"}), again=n in lost) for n in (1, 2, 3)]
    (again,) = make_up_rounds(sweep, lambda slot: slot, seen, 2)
    windows = again.slots[0].windows
    assert [each.make_up_of for each in windows] == sorted(lost - {1})
    assert [each.begin_s for each in windows] == [60.0 * n for n in range(len(windows))]
    assert [each.window for each in windows] == [4 + n for n in range(len(windows))]


def test_portals_are_together_as_in_the_last_round() -> None:
    parts = [Round(1, round_of(1, *portals).slots, part) for part, portals in enumerate((("p", "q"), ("r",), ("s", "t")))]
    seen = [MeasuredWindow(portal, 1, 1, frozenset({"search"}), again=portal in "prt") for portal in "pqrst"]
    found = make_up_rounds(plan_of(*parts, portals="pqrst"), lambda slot: slot, seen, 2)
    assert [[slot.portal for slot in each.slots] for each in found] == [["p"], ["r"], ["t"]]
    assert [each.name for each in found] == ["002-00", "002-01", "002-02"]
