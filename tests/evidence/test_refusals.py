"""What lone citizens met decides: blocked, unreachable, an unproven journey, a limit on our address, or a failure that is scored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import Reason, Verdict
from harness.evidence.facts import UnprovenJourney
from harness.evidence.verdict import judge_run, measured_windows
from harness.records import LoneWalk
from harness.records.round import WorkerOutcome
from tests.evidence.judged import PLAN, STOPPED, THROUGH, lone, refusing, round_


@pytest.mark.parametrize(("refusal", "verdict"), [("blocked", Verdict.BLOCKED), ("unreachable", Verdict.UNREACHABLE)])
def test_in_earlier_evidence_a_lone_citizens_refusal_is_no_score(refusal: str, verdict: Verdict) -> None:
    assert judge_run(PLAN, [round_(refusals={"a": refusal})], "a").verdict is verdict


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


def test_the_walks_of_other_portals_say_nothing() -> None:
    assert judge_run(PLAN, [lone(replace(STOPPED, portal="b")), round_()], "a").verdict is Verdict.VALID
