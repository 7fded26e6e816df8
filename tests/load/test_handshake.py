"""Conductor, agents and outboxes together: nothing is lost or counted twice, and every round ends, however it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import gevent
import pytest

from harness.client import Resolver
from harness.evidence import Verdict
from harness.evidence.facts import Reason
from harness.evidence.verdict import judge_run
from harness.load import agent
from harness.load.agent import DROPPED_AFTER_US
from harness.load.conductor import CLOSING_S
from harness.load.fleet import LOST_AFTER_S
from harness.records import LedgerLine
from harness.records.fleet_messages import Acknowledgement, Batch, ClockPing, Done, RoundOrder, StopArrivals, Tally
from harness.records.live_state import LiveRound
from tests.load.fleet import NOON_S, FakeFleet, lone_round, plan_of, round_of


def numbers(count: int, window: int = 0) -> list[int]:
    return [window * 1_000_000 + n for n in range(count)]


def test_a_round_ends_when_every_row_of_every_worker_stands_in_the_spool() -> None:
    fleet = FakeFleet("w0", "w1")
    fleet.run(plan_of(round_of(0)))
    assert fleet.sink.visits() == [(n, "ok") for n in numbers(10)]
    assert fleet.walked == {"w0": [0, 2, 4, 6, 8], "w1": [1, 3, 5, 7, 9]}
    record = fleet.sink.sealed["000-00"]
    assert [(each.worker, each.complete, each.lost, each.rows) for each in record.outcome] == [
        ("w0", True, False, 5),
        ("w1", True, False, 5),
    ]
    assert record.outcome[0].stretches is not None
    assert (record.outcome[0].stretches["p"].begun, record.outcome[0].stretches["p"].left_over) == (5, 0)
    assert (record.stopped, record.slots[0].windows[0].planned, record.slots[0].citizens_sha256) == (False, 10, "citizens of 1")
    assert fleet.conductor.complete


def test_a_round_is_kept_before_it_begins_and_all_begin_together() -> None:
    fleet = FakeFleet("w0", "w1")
    fleet.run(plan_of(round_of(0)))
    assert replace(fleet.sink.sealed["000-00"], outcome=()) == fleet.sink.opened["000-00"]
    orders = fleet.network.sent(RoundOrder)
    assert {order.start_us for order in orders} == {fleet.sink.opened["000-00"].start_us}
    assert [order.slots[0].ceiling for order in orders] == [50, 50]
    assert orders[0].keys[0].worker == "w0"


def test_a_round_says_what_the_wall_clock_was() -> None:
    """For every worker: its own clock has another zero."""
    fleet = FakeFleet("w0", "w1")
    fleet.run(plan_of(round_of(0)))
    record = fleet.sink.sealed["000-00"]
    assert [member.offset_us for member in record.members] == [0, 0]
    for member, offset_us in zip(record.members, (0, 7_000_000), strict=True):
        elsewhere = replace(record, members=(replace(member, offset_us=offset_us),))
        assert elsewhere.utc_of_zero_us(member.worker) == pytest.approx(NOON_S * 1e6 - offset_us, abs=1_000)  # to a millisecond


@pytest.mark.parametrize("kind", [Batch, Acknowledgement])
@pytest.mark.parametrize(
    "fates",
    [[(), (), (0.0,)], [(0.0, 0.001, 1.0)], [(2.5,)], [(2.5, 0.0)]],
    ids=["lost twice", "repeated", "late", "late and repeated"],
)
def test_what_is_lost_repeated_or_late_is_kept_exactly_once(kind: type, fates: list[tuple[float, ...]]) -> None:
    """The fates are those of the first messages of a kind; all later ones arrive."""
    fleet = FakeFleet("w0", "w1")
    left = iter(fates)
    fleet.network.fate = lambda _sender, _receiver, message: next(left, (0.0,)) if type(message) is kind else (0.0,)
    fleet.run(plan_of(round_of(0), drain_s=10.0))
    assert fleet.sink.visits() == [(n, "ok") for n in numbers(10)]
    assert all(each.complete for each in fleet.sink.sealed["000-00"].outcome)
    assert fleet.sink.refused == []


def test_a_connection_that_raises_loses_nothing() -> None:
    fleet = FakeFleet("w0")
    broken = iter([True, True])

    def fate(_sender: str, _receiver: str, message: object) -> Iterable[float]:
        if type(message) is Batch and next(broken, False):
            raise OSError("the connection is gone")
        return (0.0,)

    fleet.network.fate = fate
    fleet.run(plan_of(round_of(0), drain_s=10.0))
    assert fleet.sink.visits() == [(n, "ok") for n in numbers(10)]


def test_a_batch_that_never_comes_leaves_its_worker_incomplete_and_one_after_sealing_is_refused() -> None:
    fleet = FakeFleet("w0", "w1")

    def fate(sender: str, _receiver: str, message: object) -> Iterable[float]:
        of_first_round = isinstance(message, Batch) and message.token.endswith("#000-00")
        return (60.0,) if sender == "w0" and of_first_round else (0.0,)

    fleet.network.fate = fate
    fleet.run(plan_of(round_of(0), round_of(1, seconds=90.0, rate_per_s=0.1)))
    outcome = fleet.sink.sealed["000-00"].outcome
    assert [(each.worker, each.complete, each.lost) for each in outcome] == [("w0", False, False), ("w1", True, False)]
    assert fleet.sink.visits() == [(n, "ok") for n in (1, 3, 5, 7, 9)]
    assert {worker for worker, _ in fleet.sink.refused} == {"w0"}
    assert {said.token for said in fleet.network.sent(Acknowledgement)} == {"s#000-00", "s#001-00"}
    assert all(each.complete for each in fleet.sink.sealed["001-00"].outcome)


def test_done_that_is_lost_ends_the_round_by_its_time_and_voids_it() -> None:
    fleet = FakeFleet("w0")
    fleet.network.fate = lambda _sender, _receiver, message: () if type(message) is Done else (0.0,)
    fleet.run(plan_of(round_of(0)))
    (outcome,) = fleet.sink.sealed["000-00"].outcome
    assert (outcome.complete, outcome.lost, outcome.rows, outcome.stretches) == (False, False, None, None)
    assert fleet.sink.visits() == [(n, "ok") for n in numbers(10)]


def test_a_stop_ends_visits_at_their_next_pause_and_every_planned_visit_has_a_row() -> None:
    fleet = FakeFleet("w0", "w1", takes_s=5.0)
    fleet.clock.after(2.7, fleet.stop)  # two seconds of lead, and half of the round
    fleet.run(plan_of(round_of(0), round_of(1)))
    outcomes = [outcome for _, outcome in fleet.sink.visits()]
    assert outcomes == ["aborted"] * 10
    assert 0 < len(fleet.walked["w0"]) < 5
    record = fleet.sink.sealed["000-00"]
    assert record.stopped
    assert record.start_us < record.stopped_at_us < record.start_us + 1_000_000
    assert all(each.complete for each in record.outcome)
    assert not fleet.conductor.complete
    assert "001-00" not in fleet.sink.opened


def test_the_masters_word_alone_ends_visits_too() -> None:
    fleet = FakeFleet("w0", takes_s=30.0)
    fleet.clock.after(2.7, lambda: gevent.spawn(fleet.conductor.wind_down))
    fleet.run(plan_of(round_of(0), drain_s=60.0))
    assert {outcome for _, outcome in fleet.sink.visits()} == {"aborted"}
    assert fleet.sink.sealed["000-00"].outcome[0].complete


def test_batches_that_cannot_be_written_are_not_waited_for_once_somebody_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that stays full: the wait is that for the last requests and batches, not for the end of the plan."""
    fleet = FakeFleet("w0")

    def full(_worker: str, _batch: Batch) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(fleet.sink, "append", full)
    fleet.clock.after(10.0, fleet.stop)
    began_us = fleet.clock.now_us()
    fleet.run(plan_of(round_of(0, seconds=500.0), timeout_s=5.0))
    assert (fleet.clock.now_us() - began_us) / 1e6 < 10.0 + 5.0 + CLOSING_S + 5.0
    assert [outcome.complete for outcome in fleet.sink.sealed["000-00"].outcome] == [False]
    assert [line for line in fleet.said if "written" in line] == ["a batch of w0 could not be written: No space left on device"]


def test_a_stop_between_rounds_begins_no_other() -> None:
    fleet = FakeFleet("w0")
    fleet.conductor.prepare(plan_of(round_of(0)), fleet.sink)
    gevent.spawn(fleet.conductor.wind_down)
    gevent.idle()
    assert fleet.conductor.stopping
    fleet.clock.run(fleet.conductor.run_rounds)
    assert (fleet.sink.opened, fleet.conductor.complete) == ({}, False)


def test_visits_that_outlast_the_drain_are_cut_off() -> None:
    fleet = FakeFleet("w0", takes_s=30.0)
    fleet.run(plan_of(round_of(0), drain_s=3.0))
    assert {outcome for _, outcome in fleet.sink.visits()} == {"aborted"}
    assert fleet.sink.sealed["000-00"].outcome[0].complete


def test_a_lost_worker_is_not_waited_for() -> None:
    fleet = FakeFleet("w0", "w1")
    fleet.clock.after(2.5, lambda: fleet.network.gone.add("w0"))
    fleet.run(plan_of(round_of(0, seconds=5.0), drain_s=300.0))
    lost, other = fleet.sink.sealed["000-00"].outcome
    assert (lost.lost, lost.complete) == (True, False)
    assert lost.longest_silence_s < LOST_AFTER_S
    assert (other.lost, other.complete) == (False, True)


@pytest.mark.parametrize("patience_s", [0.0, 20.0])
def test_a_worker_that_leaves_in_the_middle_voids_the_window(patience_s: float) -> None:
    fleet = FakeFleet("w0", "w1")
    fleet.clock.after(7.0, lambda: gevent.spawn(fleet.agents["w0"].leave))
    plan = replace(plan_of(round_of(0, seconds=10.0)), patience_s=patience_s)
    fleet.run(plan)
    record = fleet.sink.sealed["000-00"]
    assert [(outcome.complete, outcome.left) for outcome in record.outcome] == [(True, True), (True, None)]
    assert {outcome for _, outcome in fleet.sink.visits()} == {"ok", "aborted"}
    (window,) = judge_run(plan, [record], "p").windows
    assert window.verdict is Verdict.VOID
    assert Reason("worker_lost", "1 of 2") in window.reasons


@pytest.mark.parametrize(("silent_s", "lost"), [(4.0, False), (LOST_AFTER_S + 2, True)])
def test_a_silent_worker_is_noted_and_lost_only_after_long_silence(silent_s: float, lost: bool) -> None:
    fleet = FakeFleet("w0", "w1")
    fleet.clock.after(3.0, lambda: fleet.network.silent.add("w0"))
    fleet.clock.after(3.0 + silent_s, lambda: fleet.network.silent.discard("w0"))
    fleet.run(plan_of(round_of(0, rate_per_s=2.0, seconds=30.0)))
    silent, other = fleet.sink.sealed["000-00"].outcome
    assert silent.lost is lost
    assert silent_s < silent.longest_silence_s < silent_s + 2 or lost
    assert other.longest_silence_s < 2
    assert other.complete


def test_who_joins_during_a_round_waits_for_the_next() -> None:
    fleet = FakeFleet("w0")
    fleet.clock.after(2.5, lambda: fleet.join("w1"))
    fleet.run(plan_of(round_of(0), round_of(1)))
    assert [member.worker for member in fleet.sink.sealed["000-00"].members] == ["w0"]
    assert [member.worker for member in fleet.sink.sealed["001-00"].members] == ["w0", "w1"]
    assert fleet.sink.visits("001-00") == [(n, "ok") for n in numbers(10, window=1)]


def test_without_workers_nothing_begins_and_somebody_is_told() -> None:
    fleet = FakeFleet()
    fleet.run(plan_of(round_of(0)))
    assert fleet.said == ["no worker answered within 60 s"]
    assert fleet.sink.opened == {}


def test_a_worker_whose_clock_does_not_answer_is_no_member() -> None:
    fleet = FakeFleet("w0", "w1")
    fleet.network.fate = lambda _sender, receiver, message: () if type(message) is ClockPing and receiver == "w1" else (0.0,)
    fleet.run(plan_of(round_of(0)))
    assert [member.worker for member in fleet.sink.sealed["000-00"].members] == ["w0"]
    assert len(fleet.sink.visits()) == 10


def test_rounds_that_an_earlier_attempt_sealed_are_not_run_again() -> None:
    fleet = FakeFleet("w0")
    fleet.run(plan_of(round_of(0), round_of(1), round_of(2)), sealed=["000-00", "001-00"])
    assert list(fleet.sink.sealed) == ["002-00"]
    assert fleet.conductor.complete


def test_an_arrival_that_comes_too_late_is_dropped_not_sent() -> None:
    fleet = FakeFleet("w0")
    fleet.prepared = lambda _worker, visit: fleet.clock.stand_still(DROPPED_AFTER_US / 1e6 + 1 if visit == 3 else 0)
    fleet.run(plan_of(round_of(0), drain_s=20.0))
    outcomes = dict(fleet.sink.visits())
    assert [outcomes[n] for n in numbers(10)] == ["ok"] * 3 + ["dropped"] * 7
    assert len(fleet.health["w0"].late_us) == 7
    assert min(fleet.health["w0"].late_us) > DROPPED_AFTER_US


def test_a_stop_checks_no_portal_again() -> None:
    fleet = FakeFleet("w0")
    fleet.sink.doubts = {"001-00": frozenset({"p"})}
    fleet.clock.after(6.5, fleet.stop)
    fleet.run(plan_of(lone_round("p"), round_of(1, "p", seconds=30.0)))
    assert sorted(fleet.sink.opened) == ["000-00", "001-00"]
    assert fleet.sink.sealed["001-00"].stopped


def test_all_begin_together_whatever_their_clocks_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "machine_boot", lambda: "another machine")
    fleet = FakeFleet("w0")
    fleet.join("w1", offset_us=7_000_000)
    fleet.run(plan_of(round_of(0)))
    record = fleet.sink.sealed["000-00"]
    offsets_us = [member.offset_us for member in record.members]
    assert [order.start_us - record.start_us for order in fleet.network.sent(RoundOrder)] == offsets_us
    assert all(
        abs(found - true) <= member.bound_us < 1_000 for found, true, member in zip(offsets_us, (0, 7_000_000), record.members, strict=True)
    )
    assert fleet.sink.visits() == [(n, "ok") for n in numbers(10)]
    assert all(each.complete for each in record.outcome)


def test_orders_for_another_round_change_nothing() -> None:
    fleet = FakeFleet("w0")
    left = iter([()])
    fleet.network.fate = lambda _sender, _receiver, message: next(left, (0.0,)) if type(message) is Batch else (0.0,)
    fleet.clock.after(2.5, lambda: fleet.network.carry("master", "w0", StopArrivals("s#999-00", "", "stopped", cut=True)))
    fleet.clock.after(2.5, lambda: fleet.network.carry("master", "w0", Acknowledgement("s#999-00", 0)))
    fleet.run(plan_of(round_of(0), drain_s=10.0))
    assert len(fleet.network.sent(Batch)) > len(fleet.sink.kept["000-00"])  # the batch that was lost was sent again
    assert fleet.sink.visits() == [(n, "ok") for n in numbers(10)]


def test_the_web_page_shows_citizens_of_all_workers_while_a_round_runs() -> None:
    fleet = FakeFleet("w0", "w1", takes_s=3.0)
    seen: list[LiveRound] = []
    fleet.clock.after(4.0, lambda: seen.extend(fleet.conductor.live.rounds()))
    fleet.run(plan_of(round_of(0, seconds=3.0, ceiling=6), drain_s=10.0))
    (load,) = seen[0].loads
    assert load.in_flight == 6
    assert {done.counts["p"].most_in_flight for done in fleet.network.sent(Done)} == {3}
    assert load.turned_away > 0
    assert fleet.conductor.live.rounds() == ()
    (ended,) = fleet.conductor.live.ended()
    assert ended.loads[0].planned == ended.loads[0].due == ended.loads[0].begun + ended.loads[0].turned_away


def test_a_closed_run_numbers_visits_apart_and_ends_when_it_is_stopped() -> None:
    fleet = FakeFleet("w0", "w1")
    fleet.conductor.prepare(plan_of(), fleet.sink)
    given: dict[str, list[tuple[int, int]]] = {"w0": [], "w1": []}

    def citizen(worker: str) -> None:
        while (visit := fleet.agents[worker].next_visit()) is not None:
            visit.load.enter()
            fleet._prepare(worker, visit.load, visit.number, visit.window, visit.intended_us)()
            given[worker].append((visit.number, visit.window))
            fleet.clock.sleep(1.0)

    fleet.clock.after(25.0, fleet.stop)
    users = [gevent.spawn(citizen, worker) for worker in ("w0", "w0", "w1")]
    fleet.clock.run(lambda: fleet.conductor.run_closed(10.0, 100))
    gevent.killall([*users, *fleet.greenlets])
    assert {number % 2 for number, _ in given["w0"]} == {0}
    assert {number % 2 for number, _ in given["w1"]} == {1}
    assert {window for _, window in given["w1"]} == {0, 1, 2}
    record = fleet.sink.sealed["000-00"]
    assert (record.closed, len(record.slots[0].windows), record.slots[0].windows[0].planned) == (True, 3, None)
    assert all(each.complete for each in record.outcome)
    walked = sorted(number for visits in given.values() for number, _ in visits)
    assert [number for number, _ in fleet.sink.visits()] == walked
    assert len(set(walked)) == len(walked)
    assert fleet.conductor.complete


def test_a_batch_that_names_what_is_not_in_the_round_is_refused_alone() -> None:
    fleet = FakeFleet("w0")
    forged = {
        "stranger": {},
        "w0": {"tallies": {"q": Tally(1, 1)}},
        "w0 again": {"ledger": (LedgerLine("q", "q-seed1", 1, "H-1", "dossier"),)},
    }

    def forge(_worker: str, visit: int) -> None:
        if visit == 3:
            token = fleet.network.sent(RoundOrder)[0].token
            for number, (sender, names) in enumerate(forged.items()):
                fleet.network.carry(sender.split()[0], "master", Batch(token, 100 + number, 0, b"", **names))

    fleet.prepared = forge
    fleet.run(plan_of(round_of(0)))
    assert fleet.sink.visits() == [(n, "ok") for n in numbers(10)]
    assert [line for line in fleet.said if "was refused" in line] == [
        "a batch of stranger was refused: it is no worker of this round",
        "a batch of w0 was refused: portal q",
        "a batch of w0 was refused: portal q",
    ]


def test_the_round_says_where_names_led_on_any_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([{"portal.example": ("192.0.2.1", "192.0.2.2")}, {"portal.example": ("192.0.2.3", "192.0.2.1")}, {}, {}])

    def resolver() -> Resolver:
        made = Resolver()
        made.addresses.update(next(found))
        return made

    monkeypatch.setattr(agent, "Resolver", resolver)
    fleet = FakeFleet("w0", "w1")
    fleet.run(plan_of(round_of(0), round_of(1)))
    assert fleet.sink.sealed["000-00"].addresses == {"p": {"portal.example": ("192.0.2.1", "192.0.2.2", "192.0.2.3")}}
    assert fleet.sink.sealed["001-00"].addresses == {}


def test_what_a_worker_owes_the_master_of_another_sweep_is_left_with_it() -> None:
    fleet = FakeFleet("w0")
    line = LedgerLine("p", "p-seed1", 1, "H-1", "dossier")
    for at_s in (0.01, 2.5, 2.6):  # before the round, and in it
        fleet.clock.after(at_s, lambda: fleet.network.carry("w0", "master", Batch("lost#000-00 receipts", 0, 0, b"", ledger=(line,))))
    fleet.run(plan_of(round_of(0)))
    assert fleet.sink.visits() == [(n, "ok") for n in numbers(10)]
    assert fleet.sink.refused == []
    assert {said.token for said in fleet.network.sent(Acknowledgement)} == {"s#000-00"}
    assert [text for text in fleet.said if "another sweep" in text] == [
        "a batch of w0 is of another sweep, lost: it is left with the worker"
    ]
