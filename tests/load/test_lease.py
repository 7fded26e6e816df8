"""Workers whose master is gone end their load, and what portals acknowledged stays known."""

from __future__ import annotations

from pathlib import Path

import gevent
import pytest

from harness.load.fleet import LEASE_EVERY_S
from harness.load.lease import DESERTED_AFTER_S, LEASE_S, LEASE_WATCHED_EVERY_S
from harness.load.own_ledgers import OwnLedgers
from harness.records import LedgerLine, append_to_ledger, gather_ledgers, read_ledger, worker_ledger
from harness.records.fleet_messages import Acknowledgement, Batch, Done, Lease, RoundOrder
from tests.load.fleet import FakeFleet, plan_of, round_of


def fleet_with_leases(*workers: str) -> tuple[FakeFleet, list[str]]:
    """A fleet whose master renews the lease, and the workers that have been deserted."""
    fleet, deserted = FakeFleet(*workers), []
    fleet.greenlets.append(gevent.spawn(fleet.conductor.renew_lease_for_ever))
    for worker in workers:
        fleet.greenlets.append(gevent.spawn(fleet.agents[worker].watch_lease_for_ever, lambda worker=worker: deserted.append(worker)))
    return fleet, deserted


def test_a_lease_that_is_renewed_changes_nothing() -> None:
    fleet, deserted = fleet_with_leases("w0", "w1")
    fleet.run(plan_of(round_of(0, seconds=5.0)))
    assert [done.lapsed for done in fleet.network.sent(Done)] == [False, False]
    assert len(fleet.sink.visits()) == 50
    assert {each.lapsed for each in fleet.sink.sealed["000-00"].outcome} == {None}
    assert deserted == []


def test_arrivals_end_within_two_seconds_of_losing_the_master() -> None:
    fleet, _ = fleet_with_leases("w0")
    last_us = []

    def lose(_sender: str, _receiver: str, message: object) -> tuple[float, ...]:
        if isinstance(message, Lease):
            if fleet.clock.now_us() > 13_000_000:  # in the middle of the round
                return ()
            last_us.append(fleet.clock.now_us())
        return (0.0,)

    fleet.network.fate = lose
    begun_us: list[int] = []
    fleet.prepared = lambda _worker, _visit: begun_us.append(fleet.clock.now_us())
    fleet.run(plan_of(round_of(0, seconds=20.0)))
    walked = fleet.walked["w0"]
    assert 10 < len(walked) < 10 * (13 - 12 + LEASE_S + 2 * LEASE_WATCHED_EVERY_S + LEASE_EVERY_S) + 20
    assert LEASE_S + LEASE_WATCHED_EVERY_S + LEASE_EVERY_S < 2.1
    (done,) = fleet.network.sent(Done)
    assert done.lapsed
    assert fleet.sink.sealed["000-00"].outcome[0].lapsed is True
    assert len(fleet.sink.visits()) == 200, "each planned visit has its row"


def test_a_worker_that_stood_still_itself_does_not_blame_its_master() -> None:
    fleet, deserted = fleet_with_leases("w0")
    fleet.prepared = lambda _worker, visit: fleet.clock.stand_still(3.0) if visit == 20 else None
    fleet.run(plan_of(round_of(0, seconds=5.0)))
    assert not fleet.network.sent(Done)[0].lapsed
    assert deserted == []


def test_a_worker_whose_master_stays_away_leaves() -> None:
    fleet, deserted = fleet_with_leases("w0")
    fleet.network.fate = lambda _sender, _receiver, message: () if isinstance(message, Lease) and fleet.clock.now_us() > 12e6 else (0.0,)
    fleet.conductor.prepare(plan_of(round_of(0)), fleet.sink)
    fleet.clock.run(fleet.conductor.run_rounds, lambda: fleet.clock.sleep(DESERTED_AFTER_S + 5))
    gevent.killall(fleet.greenlets)
    assert deserted == ["w0"]


def line(visit: int, code: str = "H-1") -> LedgerLine:
    return LedgerLine("p", "p-seed1", visit, code, "dossier", "submit", "submit", visit, None, "s#001-00", "w0")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.jsonl"
    append_to_ledger(path, [line(1), line(2)])
    return path


def test_what_only_a_workers_own_ledger_holds_is_added_once(ledger: Path) -> None:
    append_to_ledger(worker_ledger(ledger.parent, "w0"), [line(2), line(3)])
    append_to_ledger(worker_ledger(ledger.parent, "w1"), [line(4)])
    assert gather_ledgers(ledger) == 2
    assert [each.visit for each in read_ledger(ledger).lines] == [1, 2, 3, 4]
    assert list(ledger.parent.glob("ledgers/*")) == []
    assert gather_ledgers(ledger) == 0


def test_a_workers_ledger_goes_once_the_master_has_all_of_it(tmp_path: Path) -> None:
    fleet = FakeFleet("w0")

    def acknowledge(_worker: str, visit: int) -> None:
        (round_,) = fleet.agents["w0"]._rounds.values()
        if visit in (1, 2):
            round_.outbox.add_receipt(line(visit))
            assert [each.visit for each in read_ledger(worker_ledger(tmp_path, "w0")).lines] == list(range(1, visit + 1))

    fleet.prepared = acknowledge
    fleet.run(plan_of(round_of(0), results=str(tmp_path)))
    assert not worker_ledger(tmp_path, "w0").exists()


def test_a_worker_on_another_machine_keeps_its_ledger_there(tmp_path: Path) -> None:
    fleet = FakeFleet("w0")
    fleet.agents["w0"]._ledgers = OwnLedgers(tmp_path)
    seen = []

    def acknowledge(_worker: str, visit: int) -> None:
        if visit == 1:
            fleet.agents["w0"]._rounds["s#000-00"].outbox.add_receipt(line(visit))
            seen.extend(read_ledger(worker_ledger(tmp_path / "s", "w0")).lines)

    fleet.prepared = acknowledge
    fleet.run(plan_of(round_of(0), results="/nowhere/on/this/machine/s"))
    assert [each.visit for each in seen] == [1]
    assert not worker_ledger(tmp_path / "s", "w0").exists(), "the master has all of it"
    assert not Path("/nowhere").exists()


def test_what_a_worker_was_told_while_it_was_cut_off_is_handed_over_once_it_is_back(tmp_path: Path) -> None:
    """Receipts only, under another token: the round is over, and a later attempt at it has its name."""
    fleet, deserted = fleet_with_leases("w0", "w1")

    def cut(sender: str, receiver: str, _message: object) -> tuple[float, ...]:
        return () if "w0" in (sender, receiver) and 12_500_000 < fleet.clock.now_us() < 40_000_000 else (0.0,)

    def acknowledge(worker: str, visit: int) -> None:
        if worker == "w0" and visit in (2, 8):
            fleet.agents[worker]._rounds["s#000-00"].outbox.add_receipt(line(visit))

    fleet.network.fate, fleet.prepared = cut, acknowledge
    fleet.run(plan_of(round_of(0, seconds=5.0), round_of(1, seconds=20.0), round_of(2, seconds=10.0), results=str(tmp_path)))
    late = [batch for batch in fleet.network.sent(Batch, "w0") if batch.token.endswith(" receipts")]
    assert {(batch.token, batch.rows, batch.ledger[0].visit) for batch in late} == {("s#000-00 receipts", 0, 8)}
    assert ("w0", late[-1].seq) in fleet.sink.refused, "its round is over: the spool keeps what the ledger needs"
    assert [each.complete for each in fleet.sink.sealed["000-00"].outcome] == [False, True]
    assert [member.worker for member in fleet.sink.sealed["002-00"].members] == ["w0", "w1"]
    assert not worker_ledger(tmp_path, "w0").exists()
    assert deserted == []


def test_a_worker_whose_master_is_elsewhere_announces_itself_until_it_is_heard() -> None:
    fleet = FakeFleet("w0")
    announced_s: list[float] = []
    deserted: list[float] = []
    fleet.greenlets.append(gevent.spawn(fleet.conductor.renew_lease_for_ever))
    fleet.greenlets.append(
        gevent.spawn(
            fleet.agents["w0"].watch_lease_for_ever,
            lambda: deserted.append(fleet.clock.now_us() / 1e6),
            lambda: announced_s.append(fleet.clock.now_us() / 1e6),
            100.0,
        )
    )
    silent = [(20.0, 50.0), (80.0, 1e9)]
    fleet.network.fate = lambda _sender, _receiver, message: (
        () if isinstance(message, Lease) and any(begin < fleet.clock.now_us() / 1e6 < end for begin, end in silent) else (0.0,)
    )
    fleet.conductor.prepare(plan_of(round_of(0)), fleet.sink)
    fleet.clock.run(fleet.conductor.run_rounds, lambda: fleet.clock.sleep(200.0))
    gevent.killall(fleet.greenlets)
    assert not any(at_s < 25.0 or 50.5 < at_s < 85.0 for at_s in announced_s)
    assert 4 <= sum(at_s < 51.0 for at_s in announced_s) <= 6
    (left_s,) = deserted
    assert 180.0 <= left_s < 181.0


def test_another_sweep_is_not_told_what_a_lost_master_did_not_take(tmp_path: Path) -> None:
    """A master is killed; the next one listens at the same place, with the same keys, for another sweep."""
    fleet, _ = fleet_with_leases("w0")

    def acknowledge(worker: str, visit: int) -> None:
        if visit == 8:
            fleet.agents[worker]._rounds["s#000-00"].outbox.add_receipt(line(visit))

    def deaf(_sender: str, receiver: str, message: object) -> tuple[float, ...]:
        killed = fleet.clock.now_us() > 12_500_000 and "000-00" not in fleet.sink.sealed
        return () if killed and (receiver == "master" or isinstance(message, Lease)) else (0.0,)

    for folder in ("lost", "next"):
        (tmp_path / folder).mkdir()
    fleet.network.fate, fleet.prepared = deaf, acknowledge
    fleet.conductor.prepare(plan_of(round_of(0, seconds=5.0), results=str(tmp_path / "lost")), fleet.sink)
    fleet.clock.run(fleet.conductor.run_rounds)
    fleet.network.fate = lambda *_: (0.0,)
    fleet.prepared = lambda _worker, _visit: None
    fleet.run(plan_of(round_of(1, seconds=5.0), round_of(2, seconds=5.0), sweep="next", results=str(tmp_path / "next")))
    assert {said.token.partition("#")[0] for said in fleet.network.sent(Acknowledgement) if "receipts" in said.token} == set()
    assert [each.visit for each in read_ledger(worker_ledger(tmp_path / "lost", "w0")).lines] == [8], "it stays in the worker's ledger"


def test_a_round_that_is_ordered_just_before_the_lease_is_heard_again_does_not_lapse() -> None:
    """After a cut the pings and the order of the next round may come before the next lease."""
    fleet = FakeFleet("w0")
    fleet.greenlets.append(gevent.spawn(fleet.conductor.renew_lease_for_ever))
    fleet.greenlets.append(gevent.spawn(fleet.agents["w0"].watch_lease_for_ever, lambda: None, lambda: None, 300.0))

    def cut(_sender: str, _receiver: str, message: object) -> tuple[float, ...]:
        now_s = fleet.clock.now_us() / 1e6
        return () if 12.5 < now_s < (46.2 if isinstance(message, Lease) else 45.0) else (0.0,)

    fleet.network.fate = cut
    fleet.run(plan_of(round_of(0, seconds=5.0), round_of(1, seconds=5.0)))
    first, second = (fleet.sink.sealed[name].outcome[0] for name in ("000-00", "001-00"))
    assert not first.complete
    assert (second.complete, second.lapsed) == (True, None)
    assert fleet.network.sent(RoundOrder)[1].start_us / 1e6 < 46.2 + 2.0, "the order came before the lease"
