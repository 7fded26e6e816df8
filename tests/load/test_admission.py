"""Who takes part in a measurement: a worker that differs from its master is refused, and both are told why."""

from __future__ import annotations

from dataclasses import replace

import gevent
import pytest

from harness.errors import EnvironmentFault, MeasurementError
from harness.load import agent
from harness.load.admission import TIME_OF_DAY_S
from harness.load.conductor import FLEET_BACK_WITHIN_S, Conductor
from harness.load.fleet import CLOCK_TRIES
from harness.records import LedgerLine
from harness.records.fleet_messages import Batch, ClockPing, ClockPong, Present, RollCall, RoundOrder, WorkerSetup
from tests.load.fleet import FakeFleet, FakeSink, plan_of, round_of, target

SETUP = WorkerSetup("0.1.0", "2.43.4", "3.11", {"search.py": "a", "platform any": "b", "authorisation letter": "c"}, "boot net:1")
EMBEDDED = plan_of(round_of(0), round_of(1))
AUTHORISED = plan_of(round_of(0), round_of(1), targets=(target("p", authorisation="letter"),))


def members(fleet: FakeFleet) -> list[list[str]]:
    return [[member.worker for member in record.members] for _, record in sorted(fleet.sink.sealed.items())]


DIFFER = {
    "harness": (replace(SETUP, harness="0.2.0"), "harness 0.2.0 where the master has 0.1.0"),
    "of an earlier version": (WorkerSetup(), "harness of an unknown version where the master has 0.1.0"),
    "locust": (replace(SETUP, locust="2.42.0"), "locust 2.42.0 where the master has 2.43.4"),
    "python": (replace(SETUP, python="3.12"), "python 3.12 where the master has 3.11"),
    "a file": (replace(SETUP, files={**SETUP.files, "search.py": "x"}), "it has another search.py"),
    "no file": (replace(SETUP, files={"search.py": "a", "platform any": "b"}), "it lacks authorisation letter"),
    "one more file": (replace(SETUP, files={**SETUP.files, "pay.py": "d"}), "the master lacks pay.py"),
    "many files": (replace(SETUP, files={**SETUP.files, **{f"{n}.csv": "" for n in range(9)}}), "2.csv, 3.csv, 4.csv and 4 more"),
    "loopback": (replace(SETUP, loopback="boot net:2"), "embedded portals, which only workers on the master's machine reach"),
}


@pytest.mark.parametrize(("setup", "why"), DIFFER.values(), ids=DIFFER)
def test_a_worker_that_walks_with_something_else_is_refused_for_good(setup: WorkerSetup, why: str) -> None:
    fleet = FakeFleet("w0", setup=SETUP)
    fleet.join("w1", setup=setup)
    fleet.run(EMBEDDED)
    (told,) = fleet.refused["w1"]
    assert why in told.reason
    assert told.for_good
    assert f"w1 is refused: {told.reason}" in fleet.said
    assert "w1" not in fleet.walked
    assert members(fleet) == [["w0"], ["w0"]]
    assert [len(fleet.sink.visits(name)) for name in ("000-00", "001-00")] == [10, 10]
    assert len(fleet.network.sent(RollCall)) == 2, "each worker is asked once"


@pytest.mark.parametrize(("off_s", "why"), [(61.0, "61.0 s ahead of"), (-61.0, "61.0 s behind"), (TIME_OF_DAY_S - 0.1, "")])
def test_a_worker_with_another_time_of_day_is_refused(off_s: float, why: str) -> None:
    fleet = FakeFleet("w0", setup=SETUP)
    fleet.join("w1", time_of_day_off_s=off_s)
    fleet.run(AUTHORISED)
    assert [why in told.reason for told in fleet.refused["w1"]] == ([True] if why else [])
    assert members(fleet)[0] == (["w0"] if why else ["w0", "w1"])


def test_a_worker_whose_machine_lacks_a_secret_is_refused_before_the_first_round() -> None:
    fleet = FakeFleet("w0", setup=SETUP)
    fleet.join("w1", lacks=("authorisations/: secret token of p is nothing at env:TOKEN; expected it",))
    fleet.run(AUTHORISED)
    assert "secret token of p is nothing at env:TOKEN" in fleet.refused["w1"][0].reason
    assert members(fleet) == [["w0"], ["w0"]]
    assert [call.targets for call in fleet.network.sent(RollCall)] == [AUTHORISED.targets] * 2


def test_where_all_portals_are_authorised_a_worker_elsewhere_takes_part() -> None:
    fleet = FakeFleet("w0", setup=SETUP)
    fleet.join("w1", setup=replace(SETUP, loopback="another machine"))
    fleet.run(AUTHORISED)
    assert members(fleet) == [["w0", "w1"], ["w0", "w1"]]
    assert fleet.refused["w1"] == []


def test_a_clock_that_is_not_known_well_enough_leaves_a_worker_out_of_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "machine_boot", lambda: "another machine")
    fleet = FakeFleet("w0", "w1", setup=SETUP)

    def slow_at_first(sender: str, _receiver: str, message: object) -> tuple[float, ...]:
        return (0.3,) if sender == "w1" and isinstance(message, ClockPong) and "000-00" not in fleet.sink.sealed else (0.0,)

    fleet.network.fate = slow_at_first
    fleet.run(replace(AUTHORISED, health={"clock_bound_ms": 50.0}))
    assert members(fleet) == [["w0"], ["w0", "w1"]]
    (told,) = fleet.refused["w1"]
    assert "± 150 ms only, and 50 ms are allowed" in told.reason
    assert not told.for_good
    assert "workers joined: w1" in fleet.said


def test_an_old_answer_says_nothing_of_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was cut off answers the questions of a round that began meanwhile."""
    monkeypatch.setattr(agent, "machine_boot", lambda: "another machine")
    fleet = FakeFleet("w0", "w1")
    late = iter([30.0] * 8 * CLOCK_TRIES)
    fleet.network.fate = lambda _sender, receiver, message: (next(late, 0.0) if receiver == "w1" and type(message) is ClockPing else 0.0,)
    fleet.run(plan_of(round_of(0, seconds=25.0), *(round_of(n) for n in range(1, 6))))
    bounds_us = [member.bound_us for record in fleet.sink.sealed.values() for member in record.members if member.worker == "w1"]
    assert bounds_us
    assert max(bounds_us) < 10_000


def test_processes_whose_clocks_differ_share_none_whatever_they_say() -> None:
    fleet = FakeFleet("w0")
    fleet.join("w1", offset_us=7_000_000)
    fleet.run(plan_of(round_of(0)))
    (_, other) = fleet.sink.sealed["000-00"].members
    assert abs(other.offset_us - 7_000_000) <= other.bound_us < 1_000


def assembled(fleet: FakeFleet, expected: int, at_most_s: float = 60.0) -> None:
    try:
        fleet.clock.run(lambda: fleet.conductor.assemble(AUTHORISED, expected, at_most_s))
    finally:
        gevent.killall(fleet.greenlets)


def test_a_fleet_waits_for_its_workers_and_says_for_whom() -> None:
    fleet = FakeFleet("w0", setup=SETUP)
    fleet.clock.after(40.0, lambda: fleet.join("w1"))
    assembled(fleet, 2)
    assert fleet.said[0] == "waiting for 2 workers, 60 s longer at most: 0 here"
    assert not any("earlier version" in line for line in fleet.said)
    assert fleet.said[1] == "waiting for 2 workers, 60 s longer at most: 1 here (w0)"
    assert len(fleet.said) <= 5
    assert fleet.said[-1] == "the fleet is complete: 2 here (w0, w1)"
    assert fleet.network.sent(RoundOrder) == []


def test_a_fleet_that_is_not_complete_in_time_begins_nothing() -> None:
    fleet = FakeFleet("w0", setup=SETUP)
    fleet.join("w1", setup=replace(SETUP, harness="0.0.9"))
    with pytest.raises(EnvironmentFault, match=r"1 here \(w0\); w1 refused \(harness 0.0.9 .*expected 2 workers within 60 s"):
        assembled(fleet, 2)
    assert fleet.network.sent(RoundOrder) == []


def test_a_worker_whose_answer_is_lost_is_asked_again() -> None:
    fleet = FakeFleet("w0", setup=SETUP)
    lost = iter([(), ()])
    fleet.network.fate = lambda _sender, _receiver, message: next(lost, (0.0,)) if type(message) is Present else (0.0,)
    assembled(fleet, 1)
    assert fleet.said[-1] == "the fleet is complete: 1 here (w0)"


def test_a_worker_that_never_answers_is_named() -> None:
    """One of an earlier version does not know the question."""
    fleet = FakeFleet("w0", setup=SETUP)
    fleet.network.fate = lambda _sender, _receiver, message: () if type(message) is Present else (0.0,)
    with pytest.raises(EnvironmentFault, match="0 here; w0 connected, and not free or of an earlier version"):
        assembled(fleet, 1, 10.0)


def in_a_fleet(fleet: FakeFleet) -> None:
    """Run the plan as a fleet's master does."""
    fleet.conductor.prepare(AUTHORISED, fleet.sink)

    def carry_out() -> None:
        fleet.conductor.assemble(AUTHORISED, 1, 60.0)
        fleet.conductor.run_rounds()

    try:
        fleet.clock.run(carry_out, at_most_s=2_000.0)
    finally:
        gevent.killall(fleet.greenlets)


def test_a_fleet_outlasts_the_absence_of_all_its_workers() -> None:
    fleet = FakeFleet("w0", setup=SETUP)
    fleet.clock.after(2.8, lambda: fleet.network.gone.add("w0"))
    fleet.clock.after(400.0, lambda: fleet.network.gone.discard("w0"))
    in_a_fleet(fleet)
    first, second = fleet.sink.sealed["000-00"], fleet.sink.sealed["001-00"]
    assert (first.outcome[0].lost, second.outcome[0].complete) == (True, True)
    assert second.start_us > 380e6
    assert fleet.conductor.complete


def test_a_fleet_whose_workers_all_stay_away_ends_its_sweep() -> None:
    fleet = FakeFleet("w0", setup=SETUP)
    fleet.clock.after(2.8, lambda: fleet.network.gone.add("w0"))
    with pytest.raises(MeasurementError, match=f"none within {FLEET_BACK_WITHIN_S:.0f} s"):
        in_a_fleet(fleet)
    assert list(fleet.sink.sealed) == ["000-00"]
    assert not fleet.conductor.complete


def test_a_new_master_of_the_same_sweep_waits_for_the_end_of_the_old_ones_round() -> None:
    """The round has the same name in both attempts. Nothing of the first attempt may enter the second: no rows, no receipts, and not its end."""
    fleet = FakeFleet("w0", setup=SETUP)
    line = LedgerLine("p", "p-seed1", 8, "H-1", "dossier")

    def lost(_sender: str, receiver: str, _message: object) -> tuple[float, ...]:
        return () if 12_500_000 < fleet.clock.now_us() < 14_000_000 else (0.0,)

    def acknowledge(worker: str, visit: int) -> None:
        if visit == 8 and fleet.conductor is first:
            fleet.agents[worker]._rounds["s#000-00"].outbox.add_receipt(line)

    first = fleet.conductor
    plan = plan_of(round_of(0, seconds=5.0), targets=AUTHORISED.targets)
    fleet.greenlets.append(gevent.spawn(fleet.agents["w0"].watch_lease_for_ever, lambda: None))
    fleet.greenlets.append(gevent.spawn(first.renew_lease_for_ever))
    fleet.prepared, fleet.network.fate = acknowledge, lost
    first.prepare(plan, FakeSink())
    killed = gevent.spawn(first.run_rounds)
    fleet.clock.run(lambda: fleet.clock.sleep(4.0))
    killed.kill(block=False)
    fleet.conductor = Conductor(fleet.network.master, fleet.clock, lambda *_: "", fleet.said.append, SETUP)
    fleet.greenlets.append(gevent.spawn(fleet.conductor.renew_lease_for_ever))
    fleet.run(plan)
    assert fleet.sink.visits() == [(n, "ok") for n in range(50)]
    assert fleet.sink.sealed["000-00"].outcome[0].complete
    tokens = [batch.token for batch in fleet.network.sent(Batch) if batch.ledger]
    assert tokens[0] == "s#000-00"
    assert set(tokens[1:]) == {"s#000-00 receipts"}
    assert len(fleet.walked["w0"]) < 100
