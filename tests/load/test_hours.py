"""Hours and dossiers that an authorisation permits, while the load is under way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from harness.load.closed_run import ClosedRun
from harness.records import Plan, PlannedWindow, Round, Slot, StopLimits, Terms
from harness.records.permitted_hours import VIETNAM
from tests.load.fleet import NOON_S, FakeFleet, lone_round, plan_of, round_of, target


def until(seconds: float) -> Terms:
    """Hours that end a whole minute after the fake clock's noon."""
    end = datetime.fromtimestamp(NOON_S, UTC).astimezone(VIETNAM) + timedelta(seconds=seconds)
    assert end.second == 0
    return Terms(hours=(f"{end - timedelta(hours=6):%H:%M}-{end:%H:%M}",))


def begun(fleet: FakeFleet) -> dict[str, list[str]]:
    """The portals of each round that was begun."""
    return {name: [slot.portal for slot in record.slots] for name, record in fleet.sink.sealed.items()}


def test_a_slot_that_would_run_out_of_the_hours_is_not_begun() -> None:
    """A window of 20 s and its drain of 2 s: three rounds fit into 80 s, the fourth does not; the other portal has no hours."""
    fleet = FakeFleet("w0")
    rounds = [round_of(number, "p", "q", seconds=20.0) for number in range(4)]
    fleet.run(plan_of(*rounds, targets=(target("p", terms=until(80)), target("q"))))
    assert begun(fleet) == {"000-00": ["p", "q"], "001-00": ["p", "q"], "002-00": ["p", "q"], "003-00": ["q"]}
    why = "24 s, the drain included, do not fit into the permitted hours"
    assert fleet.said.count(f"p: not loaded in this round ({why})") == 1
    assert {name: record.held_back for name, record in fleet.sink.sealed.items() if record.held_back} == {"003-00": {"p": why}}


def test_a_portal_outside_of_its_hours_is_not_even_walked_alone() -> None:
    fleet = FakeFleet("w0")
    fleet.run(plan_of(lone_round("p"), round_of(1, "p"), targets=(target("p", terms=until(-40)),)))
    assert begun(fleet) == {}


def test_arrivals_stop_at_the_end_of_the_hours() -> None:
    """A clock that jumps, for example: the slot seemed to fit."""
    fleet = FakeFleet("w0")
    plan = plan_of(round_of(0, "p", "q", seconds=20.0), targets=(target("p", terms=until(80)), target("q")))
    fleet.clock.after(10, lambda: setattr(fleet.clock, "utc_s", lambda: NOON_S + 80.0))
    fleet.run(plan)
    record = fleet.sink.sealed["000-00"]
    assert record.held_back == {"p": "the permitted hours have ended"}
    (outcome,) = record.outcome
    assert outcome.stretches is not None
    assert 60 < outcome.stretches["p"].begun < 100
    assert outcome.stretches["q"].begun == 200


def filing_plan(rounds: int, *portals: str) -> Plan:
    """Rounds of ten searches and five dossiers."""
    windows = [PlannedWindow(n, "typical", 1.0, 0.0, 1.0, {"search": 10.0}, {"submit": 5}, round=n) for n in range(rounds)]
    slots = [tuple(Slot(portal, f"{portal}-seed1", (window,), 100) for portal in portals) for window in windows]
    return plan_of(*(Round(n, each) for n, each in enumerate(slots)), portals=portals)


def test_no_round_files_more_dossiers_than_are_left() -> None:
    """Twelve may be filed: two rounds of five; in the third nobody files, and searching goes on."""
    fleet = FakeFleet("w0", "w1")
    plan = filing_plan(3, "p", "q")
    filed: list[int] = []

    def left() -> dict[str, int]:
        return {"p": 12 - 5 * sum("p" in {slot.portal for slot in record.slots} for record in fleet.sink.sealed.values())}

    fleet.prepared = lambda _worker, visit: filed.append(visit)
    fleet.conductor.prepare(plan, fleet.sink, dossiers_left=left, files={"submit"})
    fleet.clock.run(fleet.conductor.run_rounds)
    planned = {
        name: {slot.portal: sum(window.planned or 0 for window in slot.windows) for slot in record.slots}
        for name, record in fleet.sink.sealed.items()
    }
    assert planned == {"000-00": {"p": 15, "q": 15}, "001-00": {"p": 15, "q": 15}, "002-00": {"p": 10, "q": 15}}
    assert any(line == "p: without submit in this round: 2 more dossiers are permitted" for line in fleet.said)


def test_workers_share_the_dossiers_of_a_closed_run() -> None:
    """Five may be filed by two workers: three and two; whoever asks for more is refused, and nobody else begins."""
    fleet = FakeFleet("w0", "w1")
    plan = replace(plan_of(targets=(target("p", safety=StopLimits()),)), arrivals="closed")
    fleet.conductor.prepare(plan, fleet.sink, dossiers_left=lambda: {"p": 5}, files={"submit"})
    given: dict[str, list[bool]] = {}

    def file_all() -> None:
        for worker, agent in fleet.agents.items():
            closed = agent._closed
            assert isinstance(closed, ClosedRun)
            load = closed._load
            given[worker] = [load.may_file() for _ in range(4)]
            assert load.arrivals_off == "authorisation"
        fleet.stop()

    fleet.clock.after(5, file_all)
    fleet.clock.run(lambda: fleet.conductor.run_closed(60.0, 3))
    assert sorted(sum(each) for each in given.values()) == [2, 3]


def test_a_closed_run_ends_its_visits_with_the_hours() -> None:
    fleet = FakeFleet("w0")
    plan = replace(plan_of(targets=(target("p", terms=until(80)),)), arrivals="closed")
    cut: list[bool] = []
    fleet.conductor.prepare(plan, fleet.sink)
    fleet.clock.after(69, lambda: cut.append(fleet.agents["w0"]._closed is None))
    fleet.clock.after(72, lambda: cut.append(fleet.agents["w0"]._closed is None))
    fleet.clock.after(73, fleet.stop)
    fleet.clock.run(lambda: fleet.conductor.run_closed(60.0, 3))
    assert cut == [False, True]
    assert fleet.sink.sealed["000-00"].held_back == {"p": "the permitted hours have ended"}
