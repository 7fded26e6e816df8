"""What the master knows of rounds under way, for those who watch a sweep."""

from __future__ import annotations

from dataclasses import replace

from harness.load.live_rounds import LiveRounds
from harness.records import HealthLine, Outcome, StopLimits
from harness.records.fleet_messages import Batch, Tally
from harness.records.live_state import LiveGenerator, LiveRound
from harness.records.round import RoundMember, SlotRecord, WindowRecord
from tests.load.fleet import FakeClock, FakeFleet, lone_round, plan_of, round_of, sealed_record

SECOND = HealthLine(1_000_000, 12.5, 13.0, 0.0, 700, (700, 600), 900, (900,), 1, 0, 0, 0, 9, 9, 3, 5)


def watched(fleet: FakeFleet, at_s: float) -> list[tuple[tuple[LiveRound, ...], LiveGenerator]]:
    """What is known ``at_s`` seconds from now, once the fleet has run."""
    seen: list[tuple[tuple[LiveRound, ...], LiveGenerator]] = []
    fleet.clock.after(at_s, lambda: seen.append((fleet.conductor.live.rounds(), fleet.conductor.live.generator())))
    return seen


def test_arrivals_citizens_and_failures_of_a_round_are_known_while_it_runs() -> None:
    fleet = FakeFleet("w0", "w1", takes_s=0.2, outcome=Outcome.HTTP_ERROR)
    seen = watched(fleet, 2.0 + 2.5)
    plan = plan_of(round_of(1, "p", "q", rate_per_s=10, seconds=5), portals=("p", "q"))
    fleet.run(replace(plan, targets=tuple(replace(each, safety=StopLimits(error_share=1.0)) for each in plan.targets)))
    ((rounds, generator),) = seen
    assert [(each.name, each.round, each.stage, each.alone) for each in rounds] == [("001-00", 1, "typical", False)]
    p = rounds[0].loads[0]
    assert (p.portal, p.planned, p.why_stopped) == ("p", 50, "")
    assert p.due is not None
    assert 20 <= p.due <= 28
    assert p.requests == p.requests_failed
    assert 0 < p.requests <= p.due
    assert generator.workers == 2
    assert fleet.conductor.live.rounds() == (), "a sealed round is not under way"
    (ended,) = fleet.conductor.live.ended()
    assert [load.outcomes for load in ended.loads] == [{"visits_http_error": 50}] * 2, "as the sealed windows count them"


def test_lone_citizens_are_told_apart() -> None:
    fleet = FakeFleet("w0", takes_s=3.0)
    seen = watched(fleet, 2.0 + 2.0)
    fleet.run(plan_of(lone_round("p")))
    assert [each.alone for each in seen[0][0]] == [True]


def test_a_safety_stop_is_known_at_once() -> None:
    fleet = FakeFleet("w0", takes_s=0.05, outcome=Outcome.HTTP_ERROR)
    seen = watched(fleet, 2.0 + 8.0)
    plan = plan_of(round_of(1, "p", rate_per_s=20, seconds=10))
    fleet.run(replace(plan, targets=(replace(plan.targets[0], safety=StopLimits(error_share=0.1, failures_in_a_row=10)),)))
    load = seen[0][0][0].loads[0]
    assert load.why_stopped
    assert not load.held_back


def test_the_worst_second_of_the_generator_counts_once_though_two_rounds_have_it() -> None:
    live = LiveRounds(FakeClock())
    live.prepare(plan_of(health={"lateness_p99_ms": 0.5}))
    for name in ("001-00", "001-01"):
        live.begin(name, replace(sealed_record(name), members=(RoundMember("w0"),)), {})
    better = replace(SECOND, at_us=2_000_000, lag_max_us=100, late_max_us=100, cpu_percent=2.0)
    for token, second in [("001-00", SECOND), ("001-01", SECOND), ("001-00", better), ("another", replace(SECOND, at_us=3_000_000))]:
        live.add("w0", Batch(token, 0, 0, b"", health=second))
    assert live.generator() == LiveGenerator(1, 2.0, 100, 100, 700, 900, 1)


def test_requests_that_fail_at_shared_hosts_count_as_they_do_once_the_round_is_sealed() -> None:
    live = LiveRounds(FakeClock())
    live.prepare(plan_of())
    slot = SlotRecord("p", "p-seed1", 5, (WindowRecord(1, "typical", 1.0, 0.0, 5.0, {}, {}, (), 1, 5),))
    live.begin("001-00", replace(sealed_record("001-00"), slots=(slot,)), {})
    live.add("w0", Batch("001-00", 0, 0, b"", tallies={"p": Tally(5, 2, elsewhere=3, failed_elsewhere=1)}))
    ((load,),) = (each.loads for each in live.rounds())
    assert (load.requests, load.requests_failed) == (8, 3)
