"""Blame decides: ours is void, the portal's is scored, a lone citizen's refusal is blocked or unreachable."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from harness.catalog.workload import HealthLimits
from harness.evidence import Reason, Verdict
from harness.evidence.facts import SharedHostFailure, UnprovenJourney
from harness.evidence.guards import GUARDS, guard_ledger
from harness.evidence.reasons import CODES, text
from harness.evidence.verdict import judge_run, measured_windows
from harness.load.make_up import MeasuredWindow
from harness.records import (
    Calibration,
    FailureCount,
    LoneWalk,
    Plan,
    PlannedTarget,
    RoundRecord,
    SharedFailure,
    SlotRecord,
    WindowHealth,
    WindowRecord,
)
from harness.records.round import LoadCounts, RoundMember, WorkerOutcome

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


PATIENT = replace(PLAN, patience_s=120.0)
CUT = {"visits_ok": 170, "visits_aborted": 10}


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


@pytest.mark.parametrize(("refusal", "verdict"), [("blocked", Verdict.BLOCKED), ("unreachable", Verdict.UNREACHABLE)])
def test_in_earlier_evidence_a_lone_citizens_refusal_is_no_score(refusal: str, verdict: Verdict) -> None:
    assert judge_run(PLAN, [round_(refusals={"a": refusal})], "a").verdict is verdict


def lone(*walks: LoneWalk, checks: str = "") -> RoundRecord:
    return round_(round=0, name="000-00", slots=(), lone_walks=walks, checks=checks)


STOPPED = LoneWalk("a", "submit", "extraction", "file", "submit", 200, rule="name token", page="pages/a/submit-extraction-1.html")
THROUGH = LoneWalk("a", "search", "ok")


def test_a_journey_that_no_lone_walk_got_through_is_unproven_and_the_rest_is_valid() -> None:
    again = replace(STOPPED, page="")
    run = judge_run(PLAN, [lone(STOPPED, THROUGH), lone(again), lone(again), round_()], "a")
    assert run.verdict is Verdict.VALID
    page = "pages/a/submit-extraction-1.html"
    assert run.unproven == (UnprovenJourney("submit", "file", "submit", "extraction", "name token", page, 3),)
    assert run.reasons == (Reason("journey_unproven", f"submit: file/submit, extraction, name token, {page}; 3 lone walks"),)


def test_a_portal_of_which_every_journey_is_unproven_has_no_points() -> None:
    run = judge_run(PLAN, [lone(STOPPED, replace(STOPPED, journey="pay"))], "a")
    assert run.verdict is Verdict.INSUFFICIENT
    assert [reason.code for reason in run.reasons] == ["journey_unproven"] * 2
    assert [journey.journey for journey in run.unproven] == ["pay", "submit"]


@pytest.mark.parametrize(("outcome", "verdict"), [("blocked", Verdict.BLOCKED), ("connect", Verdict.UNREACHABLE)])
def test_a_portal_is_refused_only_where_every_lone_walk_was(outcome: str, verdict: Verdict) -> None:
    refused = LoneWalk("a", "search", outcome)
    assert judge_run(PLAN, [lone(refused), lone(refused)], "a").verdict is verdict
    later = judge_run(PLAN, [lone(refused), lone(THROUGH), round_()], "a")
    assert (later.verdict, later.reasons, later.unproven) == (Verdict.VALID, (), ())


def test_a_refusal_after_a_walk_that_got_through_is_scored() -> None:
    under_load = lone(LoneWalk("a", "search", "blocked"), checks="001-00")
    run = judge_run(PLAN, [lone(THROUGH), round_(), replace(under_load, refusals={"a": "blocked"})], "a")
    assert (run.verdict, run.reasons) == (Verdict.VALID, ())


def refusing(outcome: str, *checked: LoneWalk) -> list[RoundRecord]:
    counts = {"visits_ok": 140, f"visits_{outcome}": 40, f"requests_{outcome}": 40, "refused": 40}
    check = round_(part=50, name="001-50", slots=(), lone_walks=checked, checks="001-00")
    return [lone(THROUGH), with_window(counts=counts), check, replace(with_window(window=2), round=2, name="002-00")]


def test_a_limit_on_our_address_sets_the_window_apart_for_a_person() -> None:
    run = judge_run(PLAN, refusing("not_served", THROUGH, replace(THROUGH, journey="pay")), "a")
    assert [(window.verdict, [reason.code for reason in window.reasons]) for window in run.windows] == [
        (Verdict.BLOCKED, ["address_limit"]),
        (Verdict.VALID, []),
    ]
    assert run.verdict is Verdict.VALID
    assert run.reasons == (Reason("address_limit", "round 1, window 1: 40 of 180 visits"),)
    assert not any(each.again for each in measured_windows(PLAN, refusing("blocked", THROUGH)))


@pytest.mark.parametrize("met", ["blocked", "timeout", "not_served"])
def test_what_a_lone_citizen_is_refused_too_is_the_portals_failure(met: str) -> None:
    run = judge_run(PLAN, refusing("blocked", THROUGH, replace(THROUGH, journey="pay", outcome=met)), "a")
    assert [window.verdict for window in run.windows] == [Verdict.VALID] * 2
    assert (run.verdict, run.reasons) == (Verdict.VALID, (Reason("refused_under_load", "round 1, window 1: 40 of 180 visits"),))


def test_a_run_of_which_every_window_met_the_limit_has_no_points() -> None:
    run = judge_run(PLAN, refusing("blocked", THROUGH)[:3], "a")
    assert (run.verdict, [reason.code for reason in run.reasons]) == (Verdict.INSUFFICIENT, ["address_limit"])


def test_a_limit_does_not_hide_that_the_generator_was_at_fault() -> None:
    lost = WorkerOutcome("w", complete=False, lost=True, longest_silence_s=15.0)
    rounds = refusing("blocked", THROUGH)
    rounds[1] = replace(rounds[1], outcome=(lost,))
    assert judge_run(PLAN, rounds, "a").windows[0].verdict is Verdict.VOID


def test_a_check_that_we_could_not_make_voids_the_window() -> None:
    unbound = LoneWalk("a", "search", "dropped", "find", "search", rule="second address 10.0.0.9: Cannot assign requested address")
    run = judge_run(PLAN, refusing("blocked", unbound), "a")
    assert [window.verdict for window in run.windows] == [Verdict.VOID, Verdict.VALID]
    assert run.windows[0].reasons == (Reason("our_own_files", f"search: search, {unbound.rule}"),)


OUR_POOL = LoneWalk("a", "submit", "dropped", "file", "submit", rule="pool names.csv: no row 5")


def test_a_lone_walk_that_our_own_files_stop_blames_no_portal() -> None:
    run = judge_run(PLAN, [lone(OUR_POOL, THROUGH), round_()], "a")
    assert (run.verdict, run.unproven) == (Verdict.VALID, ())
    assert run.reasons == (Reason("our_own_files", "submit: submit, pool names.csv: no row 5"),)
    assert judge_run(PLAN, [lone(OUR_POOL)], "a").verdict is Verdict.VOID


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


def test_the_walks_of_other_portals_say_nothing() -> None:
    assert judge_run(PLAN, [lone(replace(STOPPED, portal="b")), round_()], "a").verdict is Verdict.VALID


def test_a_void_window_may_be_made_up_for_and_one_that_the_portal_failed_may_not() -> None:
    lost = WorkerOutcome("w", complete=False, lost=True, longest_silence_s=15.0)
    failed = with_window(counts={"visits_timeout": 180, "requests_timeout": 180})
    assert [each.again for each in measured_windows(PLAN, [failed])] == [False]
    (each,) = measured_windows(PLAN, [lone(THROUGH), round_(outcome=(lost,))])
    assert each == MeasuredWindow("a", 1, 1, frozenset({"search", "pay"}), again=True)


def test_a_make_up_window_says_which_one_it_makes_up_for() -> None:
    again = replace(with_window(window=7, make_up_of=1), round=9)
    run = judge_run(PLAN, [round_(outcome=(WorkerOutcome("w", complete=False, lost=True, longest_silence_s=15.0),)), again], "a")
    assert [(window.window, window.make_up_of, window.make_up, window.verdict) for window in run.windows] == [
        (1, None, False, Verdict.VOID),
        (7, 1, True, Verdict.VALID),
    ]
    assert run.verdict is Verdict.VALID
    assert [(each.window, each.planned, each.again) for each in measured_windows(PLAN, [again])] == [(7, 1, False)]


def test_a_window_in_maintenance_is_made_up_for_unless_its_cause_is_ours() -> None:
    window = judge_run(PLAN, [round_()], "a").windows[0]
    began = datetime.fromisoformat(window.began_utc)
    ended = began + timedelta(seconds=window.duration_s)
    hour = timedelta(hours=1)

    def again(round_: RoundRecord, portal: str, begin: datetime, end: datetime) -> list[bool]:
        return [each.again for each in measured_windows(PLAN, [round_], {portal: [(begin, end)]})]

    assert again(round_(), "a", ended - timedelta(seconds=1), ended + hour) == [True]
    assert again(round_(), "a", began - hour, began) == again(round_(), "a", ended, ended + hour) == [False]
    assert again(round_(), "b", began, ended) == [False]
    assert again(round_(held_back={"a": "authorised rate"}), "a", began, ended) == [False]


@pytest.mark.parametrize("cause", ["calibration", "rate"])
def test_what_voids_every_window_alike_is_not_measured_again(cause: str) -> None:
    failed = replace(PLAN, calibration=Calibration("failed", made_utc="x", largest_error_percent=4.2))
    plan, found = (failed, round_()) if cause == "calibration" else (PLAN, round_(held_back={"a": "authorised rate"}))
    assert judge_run(plan, [found], "a").verdict is Verdict.VOID
    assert [each.again for each in measured_windows(plan, [found])] == [False]


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


SHARED_PLAN = replace(PATIENT, shared_lost_max=0.05)
LOGIN = "http://127.0.0.1:9"


def lost(count: int, of: int = 60) -> RoundRecord:
    failures = (SharedFailure("pay", LOGIN, "identity", count, of),)
    return with_window(counts={"visits_ok": 180 - count, "visits_http_error": count}, shared_failures=failures)


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


REFUSED_DATA = (FailureCount("submit", "file", "submit", "dropped", "test_phone_refused", "text 'Số điện thoại không hợp lệ'", 3),)


@pytest.mark.parametrize(("answered", "again"), [(3, True), (2, False), (0, False)])
def test_test_data_that_a_portal_refused_is_measured_again_with_other_data(answered: int, again: bool) -> None:
    counts = {"visits_ok": 177, "visits_dropped": 3, **({"refused_as_ours": answered} if answered else {})}
    found = with_window(counts=counts, failures=REFUSED_DATA)
    assert codes(judge_run(PLAN, [found], "a")) == ["our_own_files"]
    assert [each.again for each in measured_windows(PLAN, [found])] == [again]
