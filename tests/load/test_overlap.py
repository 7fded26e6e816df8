"""The next portals begin while the last ones drain, but never on machines that they share. A stop ends all rounds under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gevent
import pytest

from harness.load.fleet import LOST_AFTER_S
from harness.records import MOST_UNDER_WAY, HealthLine, LedgerLine, Plan, Round, RoundRecord, read_ledger, worker_ledger
from harness.records.fleet_messages import Acknowledgement, Lease
from harness.records.live_state import LiveRound
from tests.load.fleet import FakeClock, FakeFleet, FakeSink, lone_round, plan_of, round_of, target

TAKES_S = 20.0
SECOND = HealthLine(15_700_000, 1.0, 1.0, 0.0, 0, (), 0, (), 0, 0, 0, 0, 9, 9, 3, 5)


@dataclass
class TimedSink(FakeSink):
    """Notes when each round was opened and sealed; sealing takes ``seals_s``."""

    clock: FakeClock = field(default_factory=FakeClock)
    seals_s: float = 0.0
    opened_s: dict[str, float] = field(default_factory=dict)
    sealed_s: dict[str, float] = field(default_factory=dict)
    sealing: int = 0

    def open_round(self, token: str, record: RoundRecord) -> None:
        self.opened_s[record.name] = self.clock.now_us() / 1e6
        super().open_round(token, record)

    def seal_round(self, token: str, record: RoundRecord) -> None:
        self.sealing += 1
        assert self.sealing == 1, "two rounds are sealed at the same time"
        self.clock.sleep(self.seals_s)
        self.sealing -= 1
        self.sealed_s[record.name] = self.clock.now_us() / 1e6
        super().seal_round(token, record)


def fleet_of(*workers: str, **sink: Any) -> tuple[FakeFleet, TimedSink]:
    fleet = FakeFleet(*workers, takes_s=TAKES_S)
    timed = TimedSink(clock=fleet.clock, **sink)
    fleet.sink = timed
    return fleet, timed


def part(number: int, part: int, *portals: str, **changes: Any) -> Round:
    return replace(round_of(number, *portals, **changes), part=part)


def plan(*rounds: Round, origins: Mapping[str, str] = {}, groups: Mapping[str, str] = {}, **changes: Any) -> Plan:
    """Each portal has an origin of its own, unless ``origins`` or ``groups`` say otherwise."""
    portals = sorted({slot.portal for each in rounds for slot in each.slots})
    targets = tuple(
        replace(target(portal, hosting_group=groups.get(portal, "")), origins={"portal": origins.get(portal, f"http://127.0.0.1:{n}")})
        for n, portal in enumerate(portals, 1)
    )
    return plan_of(*rounds, targets=targets, **{"drain_s": 60.0, **changes})


def start_s(sink: FakeSink, name: str) -> float:
    return sink.sealed[name].start_us / 1e6


def test_the_next_portals_begin_while_the_last_ones_drain() -> None:
    fleet, sink = fleet_of("w0", "w1")
    fleet.run(plan(part(1, 0, "p"), part(1, 1, "q")))
    arrived_s = start_s(sink, "001-00") + 1.0
    lead_s = 2.0
    assert arrived_s < start_s(sink, "001-01") < arrived_s + lead_s + 0.5
    assert start_s(sink, "001-01") < sink.sealed_s["001-00"] < sink.sealed_s["001-01"]
    for name in ("001-00", "001-01"):
        assert [outcome for _, outcome in sink.visits(name)] == ["ok"] * 10
        assert all(each.complete for each in sink.sealed[name].outcome)
    assert fleet.conductor.complete


@pytest.mark.parametrize(
    ("second", "shared"),
    [
        (part(2, 0, "p"), {}),
        (part(1, 1, "q"), {"groups": {"p": "one roof", "q": "one roof"}}),
        (part(1, 1, "q"), {"origins": {"p": "http://127.0.0.1:9", "q": "http://127.0.0.1:9"}}),
    ],
    ids=["the same portal", "a hosting group", "an origin"],
)
def test_a_portal_that_drains_keeps_load_from_its_machines(second: Round, shared: dict[str, Any]) -> None:
    fleet, sink = fleet_of("w0")
    fleet.run(plan(part(1, 0, "p"), second, **shared))
    assert sink.opened_s[second.name] >= sink.sealed_s["001-00"]


def test_a_lone_citizen_has_nobody_beside_it() -> None:
    fleet, sink = fleet_of("w0", meets={("q", "search"): ["extraction", "extraction"]})
    fleet.run(plan(lone_round("p", "q"), round_of(1, "p"), round_of(2, "p"), round_of(3, "q"), part(3, 1, "p")))
    assert [*sink.opened] == ["000-00", "000-01", "001-00", "000-02", "002-00", "003-00", "003-01"]
    for name in ("000-00", "000-01", "000-02"):
        others = [other for other in sink.opened if other != name]
        assert all(sink.sealed_s[other] <= sink.opened_s[name] or sink.opened_s[other] >= sink.sealed_s[name] for other in others)
    assert sink.opened_s["003-01"] < sink.sealed_s["003-00"]


def test_only_so_many_rounds_are_under_way() -> None:
    fleet, sink = fleet_of("w0")
    names = [f"001-{number:02d}" for number in range(MOST_UNDER_WAY + 2)]
    fleet.run(plan(*(part(1, number, f"p{number}") for number in range(len(names)))))
    for number, name in enumerate(names):
        under_way = [other for other in names if sink.opened_s[other] <= sink.opened_s[name] < sink.sealed_s[other]]
        assert len(under_way) == min(number + 1, MOST_UNDER_WAY)
    assert [*sink.opened] == names


def test_a_portal_that_refused_many_is_checked_before_its_machines_are_loaded_again() -> None:
    fleet, sink = fleet_of("w0")
    sink.doubts = {"001-00": frozenset({"p"})}
    fleet.run(plan(lone_round("p", "q", "r"), part(1, 0, "p"), part(1, 1, "q"), part(1, 2, "r"), groups={"p": "one roof", "r": "one roof"}))
    assert [*sink.opened] == ["000-00", "001-00", "001-01", "001-50", "001-02"]
    assert sink.sealed["001-50"].checks == "001-00"
    assert sink.opened_s["001-50"] < sink.sealed_s["001-00"] + 0.5
    assert sink.opened_s["001-50"] < sink.sealed_s["001-01"], "the others go on meanwhile"
    assert sink.opened_s["001-02"] >= sink.sealed_s["001-50"]


def test_a_stop_ends_all_rounds_under_way() -> None:
    fleet, sink = fleet_of("w0", "w1")
    fleet.clock.after(5.5, fleet.stop)  # the first round drains, and half of the second one's citizens have arrived
    fleet.run(plan(part(1, 0, "p"), part(1, 1, "q"), part(1, 2, "r")))
    assert sorted(sink.sealed) == ["001-00", "001-01"]
    for name, record in sink.sealed.items():
        assert [outcome for _, outcome in sink.visits(name)] == ["aborted"] * 10
        assert record.stopped
        assert all(each.complete for each in record.outcome)
    assert not fleet.conductor.complete
    assert max(sink.sealed_s.values()) < 10 + 5.5 + 2


def test_a_stop_reaches_a_round_whose_turn_on_a_slow_worker_has_not_come() -> None:
    fleet, sink = fleet_of("w0")
    fleet.prepared = lambda _worker, visit: fleet.clock.sleep(30.0) if visit == 1_000_005 else None
    fleet.clock.after(10.0, lambda: gevent.spawn(fleet.conductor.wind_down))
    fleet.run(plan(part(1, 0, "p"), part(1, 1, "q")))
    assert {outcome for _, outcome in sink.visits("001-00")} == {"aborted"}
    assert [outcome for _, outcome in sink.visits("001-01")] == ["aborted"] * 10
    assert all(each.complete for record in sink.sealed.values() for each in record.outcome)


def test_a_lost_worker_is_lost_to_all_rounds_under_way() -> None:
    fleet, sink = fleet_of("w0", "w1")
    fleet.clock.after(5.5, lambda: fleet.network.gone.add("w0"))
    fleet.run(plan(part(1, 0, "p"), part(1, 1, "q"), part(1, 2, "r")))
    for name in ("001-00", "001-01"):
        assert [(each.worker, each.lost, each.complete) for each in sink.sealed[name].outcome] == [
            ("w0", True, False), ("w1", False, True),
        ]  # fmt: skip
    assert sink.sealed_s["001-01"] < 10 + 5.5 + LOST_AFTER_S + TAKES_S
    assert [each.worker for each in sink.sealed["001-02"].outcome] == ["w1"]
    assert [outcome for _, outcome in sink.visits("001-02")] == ["ok"] * 10


def test_a_lost_master_ends_all_rounds_under_way() -> None:
    fleet, sink = fleet_of("w0")
    fleet.greenlets.append(gevent.spawn(fleet.conductor.renew_lease_for_ever))
    fleet.greenlets.append(gevent.spawn(fleet.agents["w0"].watch_lease_for_ever, lambda: None))
    fleet.network.fate = lambda _from, _to, message: () if isinstance(message, Lease) and 15.5e6 < fleet.clock.now_us() < 18e6 else (0.0,)
    fleet.run(plan(part(1, 0, "p"), part(1, 1, "q", seconds=4.0)))
    assert [record.outcome[0].lapsed for record in sink.sealed.values()] == [True, True]
    for name in sink.sealed:
        assert {outcome for _, outcome in sink.visits(name)} == {"aborted"}


@pytest.mark.parametrize("fails", ["open_round", "seal_round"])
def test_what_cannot_be_written_ends_all_rounds_under_way(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet, sink = fleet_of("w0")
    monkeypatch.setattr(sink, fails, _fails_at(getattr(sink, fails), "s#001-01"))
    with pytest.raises(OSError, match="the disk is full"):
        fleet.run(plan(part(1, 0, "p"), part(1, 1, "q", seconds=0.1), part(1, 2, "r", seconds=40.0), part(1, 3, "s")))
    assert "001-03" not in sink.opened
    assert "001-00" in sink.sealed
    assert not fleet.conductor.complete
    fleet.conductor.wind_down()  # returns: nothing is under way any more


def _fails_at(write: Any, at: str) -> Any:
    def fail(token: str, record: RoundRecord) -> None:
        if token == at:
            raise OSError("the disk is full")
        write(token, record)

    return fail


def test_rounds_are_sealed_one_after_another_while_the_next_ones_go_on() -> None:
    fleet, sink = fleet_of("w0", seals_s=10.0)
    fleet.run(plan(*(part(1, number, f"p{number}") for number in range(5)), drain_s=2.0))
    assert [*sink.sealed] == [f"001-{number:02d}" for number in range(5)]
    assert sink.opened_s["001-01"] < sink.sealed_s["001-00"]
    assert sink.refused == []


def test_a_second_of_health_goes_to_every_round_under_way() -> None:
    fleet, sink = fleet_of("w0")
    fleet.clock.after(5.7, lambda: fleet.health["w0"].report(SECOND))
    fleet.run(plan(part(1, 0, "p"), part(1, 1, "q"), part(1, 2, "r")))
    seconds = {name: [line for _, batch in kept for line in batch.health] for name, kept in sink.kept.items()}
    assert seconds == {"001-00": [SECOND], "001-01": [SECOND], "001-02": []}


def test_the_web_page_shows_the_citizens_of_all_rounds_under_way() -> None:
    fleet, _ = fleet_of("w0", "w1")
    seen: list[LiveRound] = []
    for health in fleet.health.values():  # each second's batch tells of the citizens too
        fleet.clock.after(7.0, lambda health=health: health.report(SECOND))
    fleet.clock.after(8.0, lambda: seen.extend(fleet.conductor.live.rounds()))
    fleet.run(plan(part(1, 0, "p"), part(1, 1, "q")))
    assert {load.portal: load.in_flight for each in seen for load in each.loads} == {"p": 10, "q": 10}


def test_a_workers_ledger_stays_while_the_master_lacks_lines_of_another_round(tmp_path: Path) -> None:
    fleet, sink = fleet_of("w0")
    line = LedgerLine("q", "q-seed1", 1_000_001, "H-1", "dossier")
    ledger = worker_ledger(tmp_path, "w0")

    def acknowledge(_worker: str, _visit: int) -> None:
        rounds = fleet.agents["w0"]._rounds
        if "s#001-01" in rounds and not ledger.exists():
            rounds["s#001-01"].outbox.add_receipt(line)

    seen: list[bool] = []
    fleet.prepared = acknowledge
    fleet.network.fate = lambda _from, _to, message: (
        () if isinstance(message, Acknowledgement) and message.token == "s#001-01" and fleet.clock.now_us() < 38e6 else (0.0,)
    )
    fleet.clock.after(27.0, lambda: seen.append(ledger.exists()))
    fleet.run(plan(part(1, 0, "p"), part(1, 1, "q", seconds=15.0), results=str(tmp_path)))
    assert 10 + 20 < sink.sealed_s["001-00"] < 10 + 27 < sink.sealed_s["001-01"]
    assert seen == [True]
    assert not ledger.exists()
    assert read_ledger(ledger).lines == ()
