"""Answers that our client cannot read: httpx is asked, and what it rejects too is the portal's own failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.evidence import Verdict, read_runs
from harness.operations.locust_run import run_locust
from harness.records import LONE, Plan, PlannedTarget, PlannedWindow, Round, Slot, StopLimits, run_id
from harness.records.files import read_json
from tests.client.raw_server import RawServer, answering

from .test_blocked_under_load import RESTLESS

ONLY_OURS = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"  # two ways on: httpx does not mind
NOBODYS = b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"


def plan_of(origin: str, results: Path) -> Plan:
    alone = PlannedWindow(0, LONE, 0.0, 0.0, 0.2, {}, {"search": 1})
    loaded = PlannedWindow(1, "typical", 1.0, 0.0, 2.0, {}, {"search": 10}, round=1)
    rounds = tuple(Round(window.round, (Slot("calibration", run_id("calibration", 1), (window,), 100),)) for window in (alone, loaded))
    return Plan(
        sweep="unreadable", seed=1, arrivals="poisson", workload="test", results=str(results / "unreadable"), night="2026-11-22",
        targets=(PlannedTarget("calibration", "calibration", {"portal": origin}, "", StopLimits()),), rounds=rounds,
        timeout_s=5, drain_s=5, health=RESTLESS.model_dump(), lead_s=1.0,
    )  # fmt: skip


@pytest.mark.parametrize(("answer", "said", "verdict"), [(ONLY_OURS, "accepts", Verdict.VOID), (NOBODYS, "rejects", Verdict.VALID)])
def test_the_portal_is_blamed_only_for_what_no_client_can_read(tmp_path: Path, answer: bytes, said: str, verdict: Verdict) -> None:
    with RawServer([answering(answer, close=True)]) as server:
        folder = run_locust(plan_of(server.url, tmp_path), workers=1, processor=None, catalog=None, progress=print)
    (run,) = read_runs(folder)
    (window,) = [window for window in run.windows if window.stage == "typical"]
    rounds = [read_json(folder.round(name)) for name in folder.sealed_rounds()]
    failures = [failure for round_ in rounds for failure in round_["slots"][0]["windows"][0]["failures"]]
    asked = [failure for failure in failures if failure["rule"].startswith("httpx ")]
    assert {failure["outcome"] for failure in failures} == {"protocol"}
    assert sum(failure["count"] for failure in failures) == 11
    assert sum(failure["count"] for failure in asked) == 3  # and no more: each is a request that no row knows of
    assert all(failure["rule"].startswith(f"httpx {said}") for failure in asked)
    assert window.verdict is verdict
    assert [reason.code for reason in window.reasons] == ([] if verdict is Verdict.VALID else ["only_our_client_rejects"])
    assert server.accepted == 11 + 3
