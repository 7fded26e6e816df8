"""A host that several portals share fails: visits lost there are counted, and are neither the portal's failures nor ours."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.evidence import Reason, Spool, SweepFolder, Verdict
from harness.evidence.facts import SharedHostFailure
from harness.evidence.verdict import judge_run, measured_windows
from harness.records import LONE, Met, Plan, PlannedTarget, Sample, SharedFailure, read_round
from harness.records.round import LoadCounts, WorkerOutcome
from tests.evidence.judged import CUT, LOGIN, SHARED_PLAN, STOPPED, THROUGH, codes, lone, lost, refusing, round_, with_window
from tests.evidence.spooled import TOKEN, batch, key, record, row


def at_login(visit: int, outcome: str, *, status: int = 503, end_us: int = 3_000) -> Sample:
    return row(visit, outcome=outcome)._replace(host=LOGIN, host_owner="identity", status=status, end_us=end_us, step="log_in")


def with_plan(folder: SweepFolder) -> Spool:
    """A spool of a sweep in which portal a has a shared login, and portal b calls the same host its own."""
    targets = (PlannedTarget("a", "any", {}, shared_hosts=(LOGIN,)), PlannedTarget("b", "any", {}, shared_hosts=()))
    plan = Plan("s", 1, "poisson", "w", targets, (), 1.0, 2.0, {}, "", "2026-11-22", shared_lost_max=0.05)
    folder.path.mkdir()
    folder.plan.write_text(plan.to_json(), encoding="utf-8")
    return Spool(folder)


def test_visits_that_end_at_a_shared_host_are_counted_by_journey_and_host(folder: SweepFolder) -> None:
    spool = with_plan(folder)
    spool.open_round(TOKEN, record("a", "b"))
    failed = [at_login(1, "http_error"), row(1, request=-1, outcome="http_error")]
    own = [row(2, outcome="timeout"), at_login(2, "skipped"), row(2, request=-1, outcome="timeout")]
    asset = [at_login(3, "http_error"), row(3, outcome="timeout"), row(3, request=-1, outcome="timeout")]
    limited = [at_login(4, "not_served", status=429), row(4, request=-1, outcome="not_served")]
    rows = [(index, each) for index in (0, 1) for each in (*failed, *own, *asset, *limited, row(5), row(5, request=-1))]
    spool.append("w0", batch({0: key("a", 1), 1: key("b", 1)}, rows))
    spool.seal_round(TOKEN, record("a", "b"))
    a, b = (slot.windows[0] for slot in read_round(folder.round("001-00")).slots)
    assert a.shared_failures == (SharedFailure("search", LOGIN, "identity", 2, 5),)
    assert b.shared_failures == ()
    assert (a.counts.get("refused"), b.counts["refused"]) == (None, 1)  # a limit of the shared host is not the portal's
    facts = json.loads(folder.round("001-00").read_text(encoding="utf-8"))
    assert ["shared_failures" in slot["windows"][0] for slot in facts["slots"]] == [True, False]


def test_a_lone_walk_names_the_shared_host_that_stopped_it(folder: SweepFolder) -> None:
    spool = with_plan(folder)
    spool.open_round(TOKEN, record("a", "b", stage=LONE))
    rows = [(index, each) for index in (0, 1) for each in (at_login(1, "http_error"), row(1, request=-1, outcome="http_error"))]
    spool.append("w0", batch({0: key("a", 1, LONE), 1: key("b", 1, LONE)}, rows))
    spool.seal_round(TOKEN, record("a", "b", stage=LONE))
    (of_a,), (of_b,) = spool.lone_walks("a"), spool.lone_walks("b")
    assert (of_a.host, of_a.met, of_b.host, of_b.met) == (LOGIN, Met.SHARED_HOST, "", Met.PORTAL_FAILED)


def test_a_window_that_a_shared_host_failed_is_not_scored_and_is_measured_again() -> None:
    run = judge_run(SHARED_PLAN, [lost(4), replace(with_window(window=2), round=2)], "a")
    said = f"pay: 4 of 60 visits at identity, {LOGIN}"
    assert [(window.verdict, window.reasons) for window in run.windows] == [
        (Verdict.INSUFFICIENT, (Reason("shared_failure", said),)),
        (Verdict.VALID, ()),
    ]
    assert (run.verdict, run.reasons) == (Verdict.VALID, (Reason("shared_failure", f"round 1, window 1: {said}"),))
    assert run.shared_failures == (SharedHostFailure(LOGIN, "identity", run.windows[0].began_utc, 4),)
    assert [each.again for each in measured_windows(SHARED_PLAN, [lost(4)])] == [True]


def test_a_few_visits_lost_cost_no_window_and_are_told() -> None:
    run = judge_run(SHARED_PLAN, [lost(3)], "a")
    assert (run.windows[0].verdict, [reason.code for reason in run.reasons]) == (Verdict.VALID, ["shared_failure"])
    assert [each.again for each in measured_windows(SHARED_PLAN, [lost(3)])] == [False]


def test_a_run_of_which_a_shared_host_took_every_window_has_no_points() -> None:
    run = judge_run(SHARED_PLAN, [lost(60)], "a")
    assert (run.verdict, [reason.code for reason in run.reasons]) == (Verdict.INSUFFICIENT, ["shared_failure"])


def test_a_failing_shared_host_does_not_hide_that_the_generator_was_at_fault() -> None:
    gone = WorkerOutcome("w", complete=False, lost=True, longest_silence_s=15.0)
    assert judge_run(SHARED_PLAN, [replace(lost(60), outcome=(gone,))], "a").windows[0].verdict is Verdict.VOID


@pytest.mark.parametrize("why", ["shared host", "safety", ""])
def test_load_that_a_shared_host_ended_is_measured_again(why: str) -> None:
    ended = WorkerOutcome("w", complete=True, lost=False, longest_silence_s=0.5, stretches={"a": LoadCounts(170, 0, 9, why, 0)})
    run = judge_run(SHARED_PLAN, [replace(with_window(counts=CUT), outcome=(ended,))], "a")
    assert codes(run) == (["shared_failure"] if why == "shared host" else ["visits_cut_off"])


SHUT_OUT = replace(STOPPED, outcome="http_error", status=503, owner="identity", host=LOGIN, step="log_in", rule="status 503, expected 2xx")


def test_a_journey_that_a_shared_host_stopped_is_neither_unproven_nor_the_portals() -> None:
    run = judge_run(SHARED_PLAN, [lone(SHUT_OUT, THROUGH), lone(SHUT_OUT), round_()], "a")
    assert (run.verdict, run.unproven, run.stopped_at_shared_host) == (Verdict.VALID, (), ("submit",))
    (reason,) = run.reasons
    assert reason.code == "shared_failure"
    assert reason.detail.startswith("submit: file/log_in, http_error, status 503, expected 2xx")
    assert reason.detail.endswith(f"2 lone walks; identity, {LOGIN}")


def test_a_portal_that_a_shared_host_closed_is_neither_blocked_nor_unreachable() -> None:
    for outcome in ("blocked", "connect", "timeout"):
        walks = [replace(SHUT_OUT, outcome=outcome, status=0, journey=journey) for journey in ("search", "submit")]
        run = judge_run(SHARED_PLAN, [lone(*walks)], "a")
        assert (run.verdict, {reason.code for reason in run.reasons}) == (Verdict.INSUFFICIENT, {"shared_failure"})


def test_a_shared_host_that_fails_in_a_recheck_says_nothing_about_the_portal() -> None:
    run = judge_run(SHARED_PLAN, refusing("blocked", THROUGH, SHUT_OUT), "a")
    assert codes(run) == ["address_limit"]
