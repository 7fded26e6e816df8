"""Slowness that the portals of one slot share is a doubt about our path; slow portals by themselves never are."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from harness.evidence import Verdict
from harness.evidence.facts import RunFacts
from harness.evidence.path_doubt import MeanTimes, doubted_windows, hit_together
from harness.evidence.verdict import judge_run, measured_windows
from harness.records import (
    LONE,
    VISIT_ROW,
    LoneWalk,
    Outcome,
    PathLimits,
    Plan,
    PlannedTarget,
    RoundRecord,
    Sample,
    SharedFailure,
    SlotRecord,
    WindowKey,
    WindowRecord,
)

from .judged import PLAN, WINDOW, round_

LIMITS = PathLimits(portals=3, share=0.8, windows=2, slower=1.5, added_ms=50.0, unreached=0.1)
SIX = tuple("abcdef")
BASES_MS = dict(zip(SIX, (40, 90, 200, 400, 900, 2500), strict=True))

Time = Callable[[str, int], float | None]
"""The mean request (ms) of a portal in a round; None where it cannot be reached."""


def plan(portals: str = "abcdef", limits: PathLimits | None = LIMITS) -> Plan:
    return replace(PLAN, targets=tuple(PlannedTarget(portal, "liferay", {}) for portal in portals), path_doubt=limits)


def night(time_ms: Time, *, portals: str = "abcdef", rounds: int = 6, addresses: Mapping[str, str] | None = None) -> list[RoundRecord]:
    """A night of rounds with one window of each portal."""

    def window(portal: str, number: int) -> WindowRecord:
        found = time_ms(portal, number)
        counts = {"visits_ok": 180, "requests_ok": 400} if found is not None else {"visits_connect": 150, "visits_timeout": 30}
        return replace(WINDOW, window=number, round=number, counts=counts, mean_us=None if found is None else round(found * 1000))

    where = {portal: {f"{portal}.example": (address,)} for portal, address in (addresses or {}).items()}
    return [
        round_(round=n, name=f"{n:03d}-00", addresses=where, slots=tuple(SlotRecord(p, f"{p}-seed1", 50, (window(p, n),)) for p in portals))
        for n in range(1, rounds + 1)
    ]


def doubted(rounds: list[RoundRecord], of: Plan | None = None) -> set[int]:
    """The windows (here: rounds) that are doubted, which must be so for all their portals."""
    used = of or plan()
    found = doubted_windows(used, rounds)
    windows = {window for _, window in found}
    assert {*found} == {(slot.portal, n) for n in windows for slot in rounds[0].slots}
    return windows


def test_a_delay_that_all_portals_share_is_found_in_its_round_alone() -> None:
    noise = random.Random(1)
    rounds = night(lambda portal, n: BASES_MS[portal] * noise.uniform(0.8, 1.2) + (1500 if n == 3 else 0))
    assert doubted(rounds) == {3}
    facts = judge_run(plan(), rounds, "e")
    assert facts.windows[2].verdict is Verdict.INSUFFICIENT
    assert facts.windows[2].reasons[0].detail.startswith("6 of 6 portals slower, at the median ")
    assert "path_doubt" in {reason.code for reason in facts.reasons}
    assert [each.planned for each in measured_windows(plan(), rounds) if each.again] == [3] * 6


def test_a_factor_that_all_portals_share_is_found_although_one_of_six_is_spared() -> None:
    assert doubted(night(lambda portal, n: BASES_MS[portal] * (2.5 if n in {2, 5} and portal != "d" else 1))) == {2, 5}


def test_portals_that_are_slow_by_themselves_are_not_excused() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        slow = {(portal, n) for portal in SIX for n in range(1, 7) if chance.random() < 0.25}
        rounds = night(lambda portal, n, slow=slow: BASES_MS[portal] * (4 if (portal, n) in slow else 1))
        together = {n for n in range(1, 7) if sum((portal, n) in slow for portal in SIX) >= 5}
        assert doubted(rounds) <= together


def test_a_portal_at_its_knee_in_every_window_is_compared_with_itself() -> None:
    chance = random.Random(3)
    assert doubted(night(lambda portal, _n: BASES_MS[portal] * 30 * chance.uniform(0.8, 1.2))) == set()


@pytest.mark.parametrize("portals", ["a", "ab"])
def test_one_portal_or_two_cannot_bring_it_about(portals: str) -> None:
    rounds = night(lambda portal, n: BASES_MS[portal] * (9 if n == 3 else 1), portals=portals)
    assert doubted(rounds, plan(portals)) == set()


def test_portals_at_one_address_count_as_one() -> None:
    def slow(portal: str, n: int) -> float:
        return BASES_MS[portal] * (9 if n == 3 else 1)

    apart = {portal: f"192.0.2.{number}" for number, portal in enumerate("abcd")}
    assert doubted(night(slow, portals="abcd", addresses=apart), plan("abcd")) == {3}
    assert doubted(night(slow, portals="abcd", addresses=apart | {"b": "192.0.2.0", "c": "192.0.2.0"}), plan("abcd")) == set()
    on_loopback = dict.fromkeys("abcd", "127.0.0.1")
    assert doubted(night(slow, portals="abcd", addresses=on_loopback), plan("abcd")) == {3}


def test_portals_that_are_out_of_reach_together_are_our_uplink() -> None:
    assert doubted(night(lambda portal, n: None if n == 4 else BASES_MS[portal])) == {4}
    one_answers = night(lambda portal, n: None if n == 4 and portal not in "ab" else BASES_MS[portal])
    assert doubted(one_answers) == set()


def test_a_portal_that_is_always_down_says_nothing_of_the_path() -> None:
    rounds = night(lambda portal, n: None if portal in "ab" or n == 4 else BASES_MS[portal])
    assert doubted(rounds) == {4}
    assert judge_run(plan(), rounds, "a").windows[0].verdict is Verdict.VALID  # its other windows are its own failures


def test_the_generators_own_fault_comes_first() -> None:
    rounds = night(lambda portal, n: BASES_MS[portal] * (9 if n == 3 else 1))
    sick = tuple(
        replace(
            slot,
            windows=tuple(replace(window, health=replace(window.health, reference_error_us=900_000)) for window in slot.windows),
        )
        for slot in rounds[2].slots
    )
    rounds[2] = replace(rounds[2], slots=sick)
    assert judge_run(plan(), rounds, "a").windows[2].verdict is Verdict.VOID


def test_nothing_is_doubted_without_limits_in_the_plan_or_with_too_little_to_compare() -> None:
    rounds = night(lambda portal, n: BASES_MS[portal] * (9 if n == 3 else 1))
    assert doubted(rounds, plan(limits=None)) == set()
    assert doubted(rounds[1:3]) == set()
    assert judge_run(plan(limits=None), rounds, "a").windows[2].verdict is Verdict.VALID


def lone(*outcomes: str) -> tuple[RoundRecord, ...]:
    """Rounds of lone walks: for each a text with the portals that could not be reached."""
    window = replace(WINDOW, stage=LONE)
    return tuple(
        round_(
            round=0, part=part, name=f"000-0{part}", slots=tuple(SlotRecord(p, f"{p}-seed1", 1, (window,)) for p in "abc"),
            lone_walks=tuple(LoneWalk(p, "search", Outcome.CONNECT if p in down else Outcome.OK) for p in "abc"),
        )
        for part, down in enumerate(outcomes)
    )  # fmt: skip


def test_lone_walks_that_all_fail_to_connect_make_no_portal_unreachable() -> None:
    def verdict(*down: str) -> RunFacts:
        return judge_run(plan("abc"), lone(*down), "a")

    assert verdict("abc", "abc").verdict is Verdict.INSUFFICIENT
    assert [reason.code for reason in verdict("abc").reasons] == ["path_doubt"]
    assert verdict("a", "a").verdict is Verdict.UNREACHABLE
    assert verdict("abc", "a").verdict is Verdict.UNREACHABLE


def test_enough_means_nearly_all() -> None:
    four_of_five = dict.fromkeys("abcd", True) | {"e": False}
    assert hit_together(four_of_five, {}, LIMITS)
    assert not hit_together(four_of_five | {"d": False}, {}, LIMITS)


def test_an_uplink_that_is_gone_for_a_part_of_a_window_is_seen() -> None:
    gone = {"visits_ok": 155, "visits_connect": 5, "visits_timeout": 20, "requests_ok": 350}
    rounds = night(lambda portal, _n: BASES_MS[portal])
    slots = tuple(replace(slot, windows=tuple(replace(window, counts=gone) for window in slot.windows)) for slot in rounds[3].slots)
    rounds[3] = replace(rounds[3], slots=slots)
    assert doubted(rounds) == {4}


def test_a_shared_host_that_is_gone_is_not_our_path_and_our_path_is_no_shared_host() -> None:
    """With the path, logins fail as well; where logins alone fail, the portals' own pages were served."""
    lost = (SharedFailure("submit", "https://id.example:443", "identity", 60, 60),)
    sharing = replace(plan(), shared_lost_max=0.05)
    for timeouts, doubts, code in ((60, set(), "shared_failure"), (110, {4}, "path_doubt")):
        counts = {"visits_ok": 180 - timeouts, "visits_timeout": timeouts, "requests_ok": 300}
        rounds = night(lambda portal, _n: BASES_MS[portal])
        slots = tuple(
            replace(slot, windows=tuple(replace(window, counts=counts, shared_failures=lost) for window in slot.windows))
            for slot in rounds[3].slots
        )
        rounds[3] = replace(rounds[3], slots=slots)
        assert doubted(rounds, sharing) == doubts
        assert [reason.code for reason in judge_run(sharing, rounds, "a").windows[3].reasons] == [code]


def test_windows_with_other_journeys_or_with_visits_lost_at_shared_hosts_are_not_compared() -> None:
    """The login comes back in round 5: requests of filing take longer than those of searching, on every portal."""

    def with_(record: RoundRecord, **changes: Any) -> RoundRecord:
        return replace(
            record,
            slots=tuple(replace(slot, windows=tuple(replace(window, **changes) for window in slot.windows)) for slot in record.slots),
        )

    rounds = night(lambda portal, n: BASES_MS[portal] * (9 if n >= 5 else 1))
    assert doubted(rounds) == {5, 6}
    lost = (SharedFailure("submit", "https://id.example:443", "identity", 60, 60),)
    assert doubted([with_(each, shared_failures=lost) if each.round < 5 else each for each in rounds]) == set()
    assert doubted([with_(each, quota={}) if each.round < 5 else each for each in rounds]) == set()


def test_the_mean_time_is_of_the_portals_own_answers_that_ended_well() -> None:
    key, times = WindowKey("s", 1, "a-seed1", 1, "a", "typical", "w"), MeanTimes()

    def row(ms: int, *, request: int = 0, outcome: str = "ok", owner: str = "portal", hop: int = 0) -> None:
        sample = Sample(
            "search", 1, "find", "search", request, hop, 1, "h", owner, "GET", 0, 5, 0, 5 + ms * 1000, 0, 0, 0, False, 0, 0, 200, outcome
        )
        times.take(key, (0, *sample))

    for ms in (10, 20, 60):
        row(ms)
    row(7000, owner="identity")
    row(7000, outcome="timeout")
    row(7000, hop=1)
    row(7000, request=VISIT_ROW)
    assert times.of_window("a", 1) == 30_000
    assert times.of_window("a", 2) is None
