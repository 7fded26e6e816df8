"""The fleet by itself: clocks, silence, loss; and the agent's answers to messages outside a round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.load.channel import FleetChannel
from harness.load.clock_offset import ClockOffset, machine_boot
from harness.load.fleet import CLOCK_PINGS, LOST_AFTER_S, Fleet, Member
from harness.records.fleet_messages import STANDALONE, ClockPing, ClockPong, Done
from tests.load.fleet import FakeClock


class Workers(FleetChannel):
    """Workers that answer pings at once, each with a clock of its own."""

    def __init__(self, clock: FakeClock, **offsets_us: int) -> None:
        self.clock, self.offsets_us = clock, offsets_us
        self.boot = "another machine"
        self.gone: set[str] = set()
        self.pings: list[str] = []
        self.handler: Callable[[Any, str], None] = lambda _message, _worker: None
        self.beat: Callable[[str], None] = lambda _worker: None

    def send(self, message: object, worker: str | None = None) -> None:
        assert isinstance(message, ClockPing)
        assert worker is not None
        self.pings.append(worker)
        self.clock.stand_still(0.001 if len(self.pings) > 1 else 0.5)  # the first round trip is a slow one
        there_us = self.clock.now_us() + self.offsets_us[worker]
        self.clock.stand_still(0.001)
        self.handler(ClockPong(message.ping, there_us, self.boot), worker)

    def listen(self, kind: type, handler: Callable[[Any, str], None]) -> None:
        self.handler = handler

    def workers(self) -> list[str]:
        return list(self.offsets_us)

    def is_missing(self, worker: str) -> bool:
        return worker in self.gone

    def on_heartbeat(self, handler: Callable[[str], None]) -> None:
        self.beat = handler


def gathered(clock: FakeClock, workers: Workers) -> tuple[Fleet, list[Member]]:
    fleet = Fleet(workers, clock)
    found: list[Member] = []
    clock.run(lambda: found.extend(fleet.gather(60.0)))
    return fleet, found


def test_clocks_of_other_machines_are_measured_by_the_shortest_of_several_round_trips() -> None:
    clock = FakeClock()
    _, members = gathered(clock, workers := Workers(clock, far=7_000_000, near=-20))
    assert workers.pings.count("far") == CLOCK_PINGS
    assert [(member.worker, member.index) for member in members] == [("far", 0), ("near", 1)]
    for member, offset_us in zip(members, (7_000_000, -20), strict=True):
        assert abs(member.clock.offset_us - offset_us) <= member.clock.bound_us <= 1_000


def test_processes_of_one_machine_share_a_clock() -> None:
    clock = FakeClock()
    workers = Workers(clock, w=0)
    workers.boot = machine_boot()
    _, (member,) = gathered(clock, workers)
    assert member.clock == ClockOffset(0, 0)


def test_silence_is_noted_and_a_heartbeat_ends_it() -> None:
    clock = FakeClock()
    fleet, (member,) = gathered(clock, workers := Workers(clock, w=0))
    for seconds in (3.0, 6.0, 1.0):
        clock.stand_still(seconds)
        fleet.watch([member])
        workers.beat("w")
    assert (round(member.longest_silence_s, 1), member.lost) == (6.0, False)
    clock.stand_still(LOST_AFTER_S + 1)
    fleet.watch([member])
    workers.beat("w")
    fleet.watch([member])
    assert member.lost  # who was lost stays lost in this round


def test_a_worker_that_has_handed_over_everything_may_go() -> None:
    clock = FakeClock()
    fleet, (member,) = gathered(clock, workers := Workers(clock, w=0))
    member.done, member.batches = Done("t", 2, 10, {}), 1
    assert not member.complete
    member.batches = 2
    assert member.complete
    workers.gone.add("w")
    fleet.watch([member])
    assert not member.lost


def test_the_process_of_a_standalone_locust_is_never_lost() -> None:
    clock = FakeClock()
    fleet, (member,) = gathered(clock, Workers(clock, **{STANDALONE: 0}))
    clock.stand_still(1_000.0)
    fleet.watch([member])
    assert (member.lost, member.longest_silence_s) == (False, 0.0)
