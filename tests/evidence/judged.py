"""Rounds of one portal that `judge_run` judges, and a plan for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.catalog.workload import HealthLimits
from harness.records import LoneWalk, Plan, PlannedTarget, RoundRecord, SharedFailure, SlotRecord, WindowHealth, WindowRecord
from harness.records.round import RoundMember, WorkerOutcome

HEALTHY = WindowHealth(
    cpu_percent=30.0, busy_percent=32.0, lag_max_us=900, lag_p99_us=500, late_max_us=900, late_p99_us=400, sockets=9, rss_bytes=1,
    in_flight=3, reference_error_us=300, workers=1, seconds=60,
)  # fmt: skip
PLAN = Plan(
    sweep="s", seed=1, arrivals="poisson", workload="w", targets=(PlannedTarget("a", "liferay", {}),), rounds=(), timeout_s=60.0,
    drain_s=65.0, health=HealthLimits().model_dump(), results="x", night="2026-11-22",
)  # fmt: skip
WINDOW = WindowRecord(
    1, "typical", 1.0, 0.0, 60.0, {"search": 2.0}, {"pay": 60}, (), 1, planned=180, counts={"visits_ok": 180, "requests_ok": 400},
    health=HEALTHY,
)  # fmt: skip


def round_(**changes: Any) -> RoundRecord:
    base = RoundRecord(
        1, 0, "001-00", 0, "2026-11-22T15:00:00+00:00", closed=False, members=(RoundMember("w", 0, 0, 90),),
        slots=(SlotRecord("a", "a-seed1", 50, (WINDOW,)),),
        outcome=(WorkerOutcome("w", complete=True, lost=False, longest_silence_s=0.5),),
    )  # fmt: skip
    return replace(base, **changes)


def with_window(**changes: Any) -> RoundRecord:
    return round_(slots=(SlotRecord("a", "a-seed1", 50, (replace(WINDOW, **changes),)),))


def codes(facts: Any) -> list[str]:
    return [reason.code for reason in facts.windows[0].reasons]


PATIENT = replace(PLAN, patience_s=120.0)
CUT = {"visits_ok": 170, "visits_aborted": 10}


def lone(*walks: LoneWalk, checks: str = "") -> RoundRecord:
    return round_(round=0, name="000-00", slots=(), lone_walks=walks, checks=checks)


STOPPED = LoneWalk("a", "submit", "extraction", "file", "submit", 200, rule="name token", page="pages/a/submit-extraction-1.html")
THROUGH = LoneWalk("a", "search", "ok")


def refusing(outcome: str, *checked: LoneWalk) -> list[RoundRecord]:
    counts = {"visits_ok": 140, f"visits_{outcome}": 40, f"requests_{outcome}": 40, "refused": 40}
    check = round_(part=50, name="001-50", slots=(), lone_walks=checked, checks="001-00")
    return [lone(THROUGH), with_window(counts=counts), check, replace(with_window(window=2), round=2, name="002-00")]


SHARED_PLAN = replace(PATIENT, shared_lost_max=0.05)
LOGIN = "http://127.0.0.1:9"


def lost(count: int, of: int = 60) -> RoundRecord:
    failures = (SharedFailure("pay", LOGIN, "identity", count, of),)
    return with_window(counts={"visits_ok": 180 - count, "visits_http_error": count}, shared_failures=failures)
