"""Blame decides: what is our fault voids the window, what is the portal's is scored. Lone citizens: ``test_refusals``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.evidence import Reason, Verdict
from harness.evidence.guards import GUARDS, guard_ledger
from harness.evidence.reasons import CODES, text
from harness.evidence.verdict import judge_run, measured_windows
from harness.records import Calibration, FailureCount, Plan, SlotRecord, WindowHealth
from harness.records.round import RoundMember, WorkerOutcome
from tests.evidence.judged import CUT, HEALTHY, PATIENT, PLAN, WINDOW, codes, round_, with_window


def test_a_healthy_window_is_valid_and_its_level_is_the_planned_rate() -> None:
    run = judge_run(PLAN, [round_()], "a")
    assert (run.verdict, run.windows[0].verdict, run.windows[0].level) == (Verdict.VALID, Verdict.VALID, 3.0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cpu_percent": 97.0}, "generator_saturated"),
        ({"busy_percent": 97.0}, "generator_saturated"),
        ({"steal_percent": 30.0}, "cpu_stolen"),
        ({"lag_p99_us": 900_000}, "scheduler_lag"),
        ({"lag_max_us": 9_000_000}, "scheduler_lag"),
        ({"late_p99_us": 900_000}, "late_arrivals"),
        ({"late_max_us": 9_000_000}, "late_arrivals"),
        ({"gc_max_us": 900_000}, "gc_pause"),
        ({"reference_error_us": 900_000}, "reference_error"),
    ],
)
def test_an_unhealthy_generator_voids_the_window(change: dict[str, Any], code: str) -> None:
    run = judge_run(PLAN, [with_window(health=replace(HEALTHY, **change))], "a")
    assert codes(run) == [code]
    assert run.verdict is Verdict.VOID
    assert run.reasons[0].code == "all_windows_void"


def test_a_round_that_the_permitted_hours_had_no_room_for_is_named_and_the_rest_stays_valid() -> None:
    other = SlotRecord("b", "b-seed1", 50, (WINDOW,))
    later = round_(round=2, name="002-00", slots=(other,), held_back={"a": "24 s do not fit into the permitted hours"})
    run = judge_run(PLAN, [round_(), later], "a")
    assert run.verdict is Verdict.VALID
    assert run.reasons == (Reason("outside_hours", "round 2: 24 s do not fit into the permitted hours"),)
    assert [window.verdict for window in run.windows] == [Verdict.VALID]
    cut_off = round_(held_back={"a": "the permitted hours have ended"})
    assert [reason.code for reason in judge_run(PLAN, [cut_off], "a").reasons] == ["all_windows_void"]


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        (
            {"slots": (SlotRecord("a", "a-seed1", 50, (replace(WINDOW, health=replace(HEALTHY, reference_error_us=None)),)),)},
            "loopback reference",
        ),
        (
            {"members": (RoundMember("w", 0, 0, 90), RoundMember("v", 1, 0, 90))},
            "workers stay, workers hear the master, all rows arrive, processor",
        ),
        ({"outcome": ()}, "workers stay, workers hear the master, all rows arrive"),
        ({"members": ()}, "clocks agree"),
    ],
)
def test_a_guard_without_data_does_not_pass(changes: dict[str, Any], lacking: str) -> None:
    changed = round_(**changes)
    facts = judge_run(PLAN, [changed], "a").windows[0]
    assert facts.verdict is Verdict.VOID
    (reason,) = [each for each in facts.reasons if each.code == "guard_without_data"]
    assert reason.detail.startswith(lacking)
    said = {entry.guard: entry.said for entry in guard_ledger(PLAN, changed, changed.slots[0].windows[0], facts.reasons)}
    assert said[lacking.split(", ", maxsplit=1)[0]] == "did not pass: no data"


def test_the_ledger_says_what_each_guard_looked_at_and_what_it_said() -> None:
    sick = with_window(health=replace(HEALTHY, gc_max_us=900_000))
    facts = judge_run(PLAN, [sick], "a").windows[0]
    ledger = {entry.guard: entry for entry in guard_ledger(PLAN, sick, sick.slots[0].windows[0], facts.reasons)}
    assert ledger["garbage collection"] == ("garbage collection", "900 ms, 60 s of 1 workers", "gc_pause: 900.0 > 100 ms")
    assert ledger["clocks agree"] == ("clocks agree", "± 0.09 ms", "passed")
    assert {entry.said for name, entry in ledger.items() if name != "garbage collection"} == {"passed"}
    assert {code for guard in GUARDS for code in guard.reasons} <= CODES


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (WorkerOutcome("w", complete=False, lost=True, longest_silence_s=15.0), "worker_lost"),
        (WorkerOutcome("w", complete=True, lost=False, longest_silence_s=6.0), "worker_silent"),
        (WorkerOutcome("w", complete=False, lost=False, longest_silence_s=0.5), "rows_lost"),
    ],
)
def test_a_worker_that_fails_voids_the_window(outcome: WorkerOutcome, code: str) -> None:
    assert codes(judge_run(PLAN, [round_(outcome=(outcome,))], "a")) == [code]


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({"visits_ok": 179, "visits_dropped": 1}, "arrivals_dropped"),
        ({"visits_ok": 180, "requests_protocol": 1}, "only_our_client_rejects"),
        ({"visits_ok": 179}, "visits_unaccounted"),
    ],
)
def test_rows_that_are_our_fault_void_the_window(counts: dict[str, int], code: str) -> None:
    assert codes(judge_run(PLAN, [with_window(counts=counts)], "a")) == [code]


def test_visits_that_we_cut_off_void_the_window() -> None:
    run = judge_run(PATIENT, [with_window(counts=CUT)], "a")
    assert run.windows[0].reasons == (Reason("visits_cut_off", "10 of 180"),)
    assert run.verdict is Verdict.VOID
    assert "drain_s" in text(run.windows[0].reasons[0], "en")


def test_visits_that_the_patience_ends_are_the_portals() -> None:
    assert codes(judge_run(PATIENT, [with_window(counts={"visits_ok": 170, "visits_timeout": 10})], "a")) == []


@pytest.mark.parametrize(
    ("plan", "changes", "expected"),
    [
        (PLAN, {}, []),  # plans before the key, and their points, stay as they were
        (PATIENT, {"closed": True}, []),
        (PATIENT, {"stopped": True, "stopped_at_us": 99_000_000}, ["stopped_early"]),
        (PATIENT, {"held_back": {"a": "60 requests a second"}}, ["beyond_authorisation"]),
    ],
    ids=["no patience", "closed", "stopped", "held back"],
)
def test_visits_that_somebody_else_cut_off_have_another_reason(plan: Plan, changes: dict[str, Any], expected: list[str]) -> None:
    assert codes(judge_run(plan, [replace(with_window(counts=CUT), **changes)], "a")) == expected


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (["httpx rejects: RemoteProtocolError"], Verdict.VALID),  # the portal's own doing: its failures are scored
        (["httpx rejects: x", "httpx no_answer"], Verdict.VALID),
        (["httpx rejects: x", "httpx accepts"], Verdict.VOID),
        (["httpx no_answer"], Verdict.VOID),
        ([""], Verdict.VOID),  # nobody was asked
    ],
)
def test_before_there_was_a_second_parser_another_client_was_asked_about_unreadable_answers(said: list[str], verdict: Verdict) -> None:
    failures = tuple(
        FailureCount("search", "find", "search", outcome, "", rule, 1)
        for outcome, rule in [*(("protocol", rule) for rule in said), ("http_error", "status 500")]
    )
    facts = with_window(counts={"visits_ok": 170, "visits_protocol": 10, "requests_protocol": 10}, failures=failures)
    assert judge_run(PLAN, [facts], "a").windows[0].verdict is verdict
    today = replace(facts, second_parser="h11 0.16.0")  # nobody is asked any more, and a portal cannot void its own windows
    assert judge_run(PLAN, [today], "a").windows[0].verdict is Verdict.VALID


@pytest.mark.parametrize(("stopped_at_s", "aborted", "verdict"), [(30, 0, Verdict.VOID), (90, 0, Verdict.VALID), (61, 2, Verdict.VOID)])
def test_a_stop_voids_the_windows_that_it_cut(stopped_at_s: int, aborted: int, verdict: Verdict) -> None:
    counts = {"visits_ok": 180 - aborted, **({"visits_aborted": aborted} if aborted else {})}
    facts = replace(with_window(counts=counts), stopped=True, stopped_at_us=stopped_at_s * 1_000_000)
    assert judge_run(PLAN, [facts], "a").windows[0].verdict is verdict


def test_a_failed_calibration_voids_and_a_missing_one_does_not() -> None:
    failed = Calibration("failed", made_utc="2026-11-22T00:00:00+00:00", largest_error_percent=4.2)
    assert codes(judge_run(replace(PLAN, calibration=failed), [round_()], "a")) == ["calibration_failed"]
    assert judge_run(replace(PLAN, calibration=Calibration("none")), [round_()], "a").verdict is Verdict.VALID


def test_what_the_portal_did_not_serve_is_scored_not_excused() -> None:
    run = judge_run(
        PLAN, [with_window(counts={"visits_ok": 80, "visits_not_served": 60, "visits_timeout": 40, "requests_timeout": 40})], "a"
    )
    assert run.verdict is Verdict.VALID


def test_a_safety_stop_is_named_and_scored() -> None:
    run = judge_run(PLAN, [round_(safety_stops={"a": "errors 60/100 > 50%"})], "a")
    assert run.verdict is Verdict.VALID
    assert run.reasons == (Reason("safety_stop", "round 1: errors 60/100 > 50%"),)


def test_a_window_that_our_own_files_spoil_names_them() -> None:
    failures = (FailureCount("submit", "file", "submit", "dropped", "", "pool names.csv: no row 5", 3),)
    run = judge_run(PLAN, [with_window(counts={"visits_ok": 177, "visits_dropped": 3}, failures=failures)], "a")
    assert run.windows[0].reasons == (Reason("our_own_files", "submit: pool names.csv: no row 5"),)


def test_a_machine_that_lacked_descriptors_is_no_file_of_ours_and_its_window_is_made_up_for() -> None:
    failures = (FailureCount("submit", "file", "submit", "dropped", "", "", 3),)
    counts = {"visits_ok": 177, "visits_dropped": 3, "requests_dropped": 3}
    record = replace(with_window(counts=counts, failures=failures), second_parser="h11 0.16.0")
    assert judge_run(PLAN, [record], "a").windows[0].reasons == (Reason("arrivals_dropped", "3 of 180"),)
    assert [each.again for each in measured_windows(PLAN, [record])] == [True]


def test_no_data_never_passes() -> None:
    assert judge_run(PLAN, [], "a").verdict is Verdict.INSUFFICIENT
    assert judge_run(PLAN, [with_window(health=WindowHealth())], "a").verdict is Verdict.VOID
    assert judge_run(PLAN, [round_(closed=True)], "a").reasons == (Reason("closed_workload"),)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_reason_speaks_both_languages(code: str) -> None:
    vi, en = text(Reason(code, "3 of 4"), "vi"), text(Reason(code, "3 of 4"), "en")
    assert vi != en
    assert vi.endswith("(3 of 4)")
    assert en.endswith("(3 of 4)")
