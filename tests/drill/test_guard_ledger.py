"""Each guard of the guard ledger is switched off: the window that it voids is valid then, though it lost or spoiled what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from harness.evidence import Reason, Verdict, verdict, window_verdict
from harness.evidence.guards import GUARDS, Guard
from harness.evidence.verdict import judge_run
from harness.records import Calibration, FailureCount, LoneWalk, Plan, RoundRecord
from harness.records.round import RoundMember, WorkerOutcome
from tests.evidence.judged import CUT, HEALTHY, PATIENT, PLAN, SHARED_PLAN, lone, lost, refusing, round_, with_window
from tests.evidence.test_path_doubt import night
from tests.evidence.test_path_doubt import plan as doubting

pytestmark = pytest.mark.slow  # part of `make drill`

OF_WINDOWS = ("_of_instrument", "_of_workers", "_of_rows", "_of_cut_visits", "_of_health")
"""The functions that give the reasons for which a window is void."""


class Spoiled(NamedTuple):
    """A night in which one guard has found something."""

    rounds: list[RoundRecord]
    plan: Plan = PLAN


def worker(**changes: Any) -> Spoiled:
    """A night with a single worker, of which something is wrong."""
    return Spoiled([round_(outcome=(replace(WorkerOutcome("w", complete=True, lost=False, longest_silence_s=0.5), **changes),))])


def counted(**counts: int) -> Spoiled:
    """A window of 180 planned visits, with these counts instead of 180 good visits."""
    return Spoiled([with_window(counts={"visits_ok": 180} | counts)])


def health(**changes: Any) -> Spoiled:
    """A window with one poor figure of the generator's health."""
    return Spoiled([with_window(health=replace(HEALTHY, **changes))])


OUR_POOL = (FailureCount("submit", "file", "submit", "dropped", "", "pool names.csv: no row 5", 90),)
HALF = {"visits_ok": 90, "visits_dropped": 90}

SPOILED = {
    "calibration": Spoiled([round_()], replace(PLAN, calibration=Calibration("failed", "2026-11-22T00:00:00+00:00", 40.0))),
    "workers stay": worker(complete=True, left=True),
    "workers hear the master": worker(lapsed=True, longest_silence_s=14.0),
    "all rows arrive": worker(complete=False),
    "clocks agree": Spoiled([round_(members=(RoundMember("w", 0, 0, 900_000),))]),
    "load within the authorisation": Spoiled([replace(with_window(counts=CUT), held_back={"a": "authorised rate"})]),
    "nobody stopped it": Spoiled([replace(with_window(counts=CUT), stopped=True, stopped_at_us=30_000_000)]),
    "nothing of ours is lacking": Spoiled([with_window(counts=HALF, failures=OUR_POOL)]),
    "answers can be read": counted(visits_ok=90, visits_protocol=90, requests_protocol=90),
    "every visit ended": counted(visits_ok=70),
    "no visit was cut off": Spoiled([with_window(counts=CUT)], PATIENT),
    "processor": health(cpu_percent=100.0, busy_percent=100.0),
    "processor taken by the host": health(steal_percent=60.0),
    "scheduler": health(lag_p99_us=900_000, lag_max_us=9_000_000),
    "arrivals on time": health(late_p99_us=900_000, late_max_us=9_000_000),
    "garbage collection": health(gc_max_us=900_000),
    "loopback reference": health(reference_error_us=900_000),
    "shared hosts": Spoiled([lost(40)], SHARED_PLAN),
    "path to the portals": Spoiled(night(lambda _portal, n: 2000 if n == 1 else 100), doubting()),
    "no limit on our address": Spoiled(refusing("not_served", LoneWalk("a", "search", "ok"))[:3]),
}
"""By the guard's name in the manifest."""


def test_each_guard_has_its_control() -> None:
    assert list(SPOILED) == [guard.name for guard in GUARDS]


def without(monkeypatch: pytest.MonkeyPatch, guard: Guard) -> None:
    """Switch one guard off: none of its reasons is given."""
    for name in OF_WINDOWS:
        gives = getattr(window_verdict, name)

        def silent(*given: Any, gives: Any = gives, **named: Any) -> Iterator[Reason]:
            return (reason for reason in gives(*given, **named) if reason.code not in guard.reasons)

        monkeypatch.setattr(window_verdict, name, silent)
    for name, reason in (("_lost_too_many", "shared_failure"), ("only_our_address", "address_limit")):
        if reason in guard.reasons:
            monkeypatch.setattr(window_verdict, name, lambda *_: False)
    if "path_doubt" in guard.reasons:
        monkeypatch.setattr(verdict, "doubted_windows", lambda *_: {})


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_without_a_guard_a_spoiled_window_is_valid(monkeypatch: pytest.MonkeyPatch, guard: Guard) -> None:
    rounds, plan = SPOILED[guard.name]
    facts = judge_run(plan, rounds, "a").windows[0]
    assert facts.verdict is not Verdict.VALID
    assert {reason.code for reason in facts.reasons} <= set(guard.reasons)
    without(monkeypatch, guard)
    facts = judge_run(plan, rounds, "a").windows[0]
    assert (facts.verdict, facts.reasons) == (Verdict.VALID, ())


@pytest.mark.parametrize(
    "lacking",
    [
        with_window(health=replace(HEALTHY, reference_error_us=None)),
        round_(members=(RoundMember("w", 0, 0, 90), RoundMember("v", 1, 0, 90))),
        round_(outcome=()),
        round_(members=()),
    ],
    ids=["no reference", "a worker without a last word", "no worker's last word", "no clocks"],
)
def test_without_the_ledger_a_guard_that_saw_nothing_passes(monkeypatch: pytest.MonkeyPatch, lacking: RoundRecord) -> None:
    assert judge_run(PLAN, [lacking], "a").windows[0].verdict is Verdict.VOID
    monkeypatch.setattr(window_verdict, "without_data", lambda *_: ())
    assert judge_run(PLAN, [lacking], "a").windows[0].verdict is Verdict.VALID


def test_without_the_second_parser_a_portal_voids_its_own_windows() -> None:
    """Garbage on three of 151 answers, as evidence of an earlier version has it and as it is read today."""
    before = with_window(counts={"visits_ok": 177, "visits_protocol": 3, "requests_protocol": 3})
    today = replace(before, second_parser="h11 0.16.0")
    verdicts = [judge_run(PLAN, [record], "a").windows[0].verdict for record in (before, today)]
    assert verdicts == [Verdict.VOID, Verdict.VALID]


def test_a_portal_that_refuses_once_alone_is_blocked_all_night_without_another_try() -> None:
    refused = LoneWalk("a", "search", "blocked")
    assert judge_run(PLAN, [lone(refused)], "a").verdict is Verdict.BLOCKED
    assert judge_run(PLAN, [lone(refused), lone(LoneWalk("a", "search", "ok")), round_()], "a").verdict is Verdict.VALID
