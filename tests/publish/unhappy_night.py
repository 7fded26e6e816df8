"""A night on which everything that can go wrong did, as far as pages tell it."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle

from harness.catalog.authorisation import NamedPermission
from harness.catalog.not_charged import FinalState, StateWithoutPoints
from harness.evidence.facts import Reason, RunFacts, Verdict
from harness.publish import Claim, FaultCount, GivenPermissions, Grades, PortalFaults, ReportExtras, WorkerFigures
from harness.publish.report_data import PortalGrade
from harness.scoring.gains import Gain
from harness.scoring.scorecard import CriterionState, Scorecard, SharedHostOutage, SweepScores
from tests.publish import simulated_night as night

REASONS = (
    Reason("worker_lost", "1 of 2"), Reason("worker_silent", "12.5 s > 10 s"), Reason("generator_saturated", "99.1 > 80%"),
    Reason("cpu_stolen", "12.5 > 5%"), Reason("scheduler_lag", "12.5 > 10 ms at p99"), Reason("late_arrivals", "900.0 > 25 ms at most"),
    Reason("arrivals_dropped", "3 of 60"), Reason("beyond_authorisation", "authorised rate: 12.0 > 9 requests/s"),
    Reason("guard_without_data", "processor, clocks agree"), Reason("gc_pause", "250.0 > 200 ms"), Reason("reference_error", "7.5 > 5 ms"),
    Reason("clock_uncertain", "± 60.0 ms > 50 ms"), Reason("lease_lapsed", "1 of 2 workers"),
    Reason("rows_lost", "1 of 2 workers; 3 batches of nobody refused (1)"), Reason("visits_unaccounted", "60 planned, 59 ended"),
    Reason("visits_cut_off", "1 of 60"), Reason("only_our_client_rejects", "2 answers"), Reason("stopped_early"), Reason("interrupted"),
    Reason("calibration_failed", "2026-11-21T10:00:00+00:00, largest error 12.5 %"), Reason("our_own_files", "submit: log_in, 42"), Reason("no_health"),
    Reason("all_windows_void", "gc_pause, worker_lost"), Reason("no_windows"), Reason("closed_workload"), Reason("lone_citizen_refused"),
    Reason("lone_citizen_cannot_connect"), Reason("not_permitted", "submit of typical needs citizens_in_flight_max 120 instead of 50"),
    Reason("outside_hours", "round 3: 402 s, the drain included, do not fit into the permitted hours"), Reason("journey_not_chosen", "pay"),
    Reason("left_out", "attempt 2: cv-7 ends at 2026-11-22 05:00 +0700; the sweep may last until 2026-11-22 06:10 +0000"),
    Reason("settlement_proposed", "submit: portal, An"), Reason("settled_as_portal", "submit: An & Bình"), Reason("settled_as_profile", "pay: An & Bình"),
    Reason("refusals_settled_as_portal", "An & Bình: round 1, window 2: 9 of 12 visits"),
    Reason("refusals_settled_as_address", "An & Bình: round 1, window 2: 9 of 12 visits"),
    Reason("journey_unproven", "submit/file/log_in, wrong_content, “Hết phiên”, × 3"),
    Reason("shared_failure", "round 1, window 1: submit: 3 of 60 visits at identity, http://127.0.0.1:8002"),
    Reason("shared_failure", "submit: file/log_in, timeout; 3 lone walks; identity, http://127.0.0.1:8002"),
    Reason("address_limit", "round 2, window 2: 40 of 100 visits"),
    Reason("path_doubt", "round 3, window 4: 5 of 6 portals slower, at the median 2.1 times and 300 ms; 1 of 6 portals out of reach"),
    Reason("slow_by_day", "1.100 s by day, 0.500 s at night, 2.2 times"),
    Reason("announced_maintenance", "2026-11-21T22:00+07:00 – 2026-11-21T23:00+07:00, announced at 2026-11-20T00:00+07:00, 46.0 h before; notice is 24 h; 12/TB; windows 1, 2"),
    Reason("maintenance_announced_late", "2026-11-21T22:00+07:00 – 2026-11-21T23:00+07:00, announced at 2026-11-21T20:00+07:00, 2.0 h before; notice is 24 h; windows 1"),
    Reason("maintenance_not_announced", "2026-11-21T22:00+07:00 – 2026-11-21T23:00+07:00; windows 1, 2"),
    Reason("refused_under_load", "round 1, window 1: 9 of 12 visits"), Reason("safety_stop", "round 2: errors 12/50 > 20%"),
    Reason("not_enough_windows", "average-submit: too_few_windows: 5 of 6, 1 with fewer than 50 steps"),
    Reason("not_enough_steps", "average-search: not_measured"),
)  # fmt: skip
"""Every code of a reason with figures as the evidence words them."""

NOT_ASSESSED = (
    "no_windows_of_stage", "not_measured", "too_few_windows: 4 of 6, 2 with fewer than 50 steps", "too_few_hours: 12 of 20 hours of the day",
    "too_few_nights: 1 of 5, 12 of 30 windows", "unproven: submit stopped at log_in, pay stopped at pay",
    "not_permitted: submit needs captcha_exemption or payment_sandbox; peak needs requests_per_s_max 12.5 instead of 9",
    "shared_failure: no lone citizen got past a shared host on submit, pay", "journey_not_chosen: nobody was sent on submit, pay", "goal_absent: journey submit without goal file; journey pay without goal pay", "verdict: void", "no_operator_figures",
    "too_few_windows: 1 of 3 with at least 93 steps", "too_few_windows: 1 of 6 with 3 figures of each role",
)  # fmt: skip
"""Why criteria were not assessed, as scoring words it."""

INTERVALS = (
    "sign test over windows", "minimum to maximum of 4 windows", "block, one window", "no level failed", "settled as the portal's fault",
    "share of windows, clustered by night; 2 in planned maintenance left out",
    "share of a day, each hour alike, clustered by day: 400 probes and 30 windows of 5 days, 23 of 24 hours; 2 in planned maintenance left out, 3 probes not counted",
)  # fmt: skip

_FAULTS = ("callback_lost", "submission_rejected", "code_given_twice", "acknowledged_not_found", "turned_away", "firewall", "timeout")


def scores() -> SweepScores:
    """One card for each verdict; all reasons on the void one, and every reason for which a criterion is not assessed."""
    made = night.with_make_up(night.with_day_and_night(night.with_unproven(night.sweep_scores())))
    first, second, third, fourth, fifth, blocked = made.scorecards
    cards = (
        first,
        replace(second, criteria=tuple(replace(each, interval_kind=kind) for each, kind in zip((*second.criteria, *second.criteria), INTERVALS, strict=False))),
        _without_points(third, Verdict.VOID, REASONS),
        _without_points(fourth, Verdict.INSUFFICIENT, REASONS[-2:]),
        _without_points(fifth, Verdict.UNREACHABLE, (Reason("lone_citizen_cannot_connect"),)),
        blocked,
    )  # fmt: skip
    outage = SharedHostOutage(
        "http://127.0.0.1:8002", "identity", "2026-11-21T15:00:00Z", "2026-11-21T15:05:00Z", 4, ("binh-dinh", "bo-noi-vu")
    )
    version = "2+shortened (windows from 5.5 s, from 2 windows, from 1 steps a window)"
    return replace(
        made, scorecards=cards, shared_failures=(outage,), revision=2, supersedes=1, criteria_set=replace(made.criteria_set, version=version)
    )  # fmt: skip


def _without_points(card: Scorecard, verdict: Verdict, reasons: tuple[Reason, ...]) -> Scorecard:
    criteria = tuple(
        replace(
            each,
            id=each.id if number < len(card.criteria) else f"{each.id}-{1 + number // len(card.criteria)}",
            state=CriterionState.NOT_ASSESSED,
            reason=reason,
            points=None,
            interval=None,
            points_per_window=(),
        )
        for number, (each, reason) in enumerate(zip(cycle(card.criteria), NOT_ASSESSED, strict=False))
    )
    return replace(
        card, verdict=verdict, reasons=reasons, points=None, interval=None, interval_kind="", criteria=criteria, points_assessed_max=0.0
    )


def runs() -> list[RunFacts]:
    """The runs, one of them with a window that is void for every reason."""
    found = [night.run_facts(person) for person in night.PORTALS]
    void = replace(found[2].windows[1], verdict=Verdict.VOID, reasons=REASONS[:23])
    return [*found[:2], replace(found[2], windows=(found[2].windows[0], void)), *found[3:]]


def extras(scores: SweepScores) -> ReportExtras:
    """All parts that a report may have."""
    states: dict[StateWithoutPoints, FinalState] = {
        state: FinalState(nights=3, consequence=consequence, basis="assumed", source="ours")
        for state, consequence in (
            ("blocked", "no_points"), ("unreachable", "no_points"), ("unproven", "person"), ("address_limit", "person"),
            ("announced_maintenance", "no_points"),
        )
    }  # fmt: skip
    faults = tuple(FaultCount(name, "file", "submit", "wrong_content", "", 3, 60) for name in _FAULTS)
    return ReportExtras(
        provenance=night.PROVENANCE, health=tuple(night.health_readings()), zero_round_trip={"binh-dinh": 12.5}, shortened=True, states=states,
        permissions=GivenPermissions({"binh-dinh": NamedPermission("cv-7", "12/CV", "Sở Thông tin và Truyền thông (mẫu)")}, (), "2026-11-21T14:30:00+00:00"),
        grades=Grades(scores.sweep, 1, "89.5 counts as below 90", {"binh-dinh": PortalGrade(88.4, "B", ("C", "B"))}),
        claims=(Claim("binh-dinh", 12, 5, 11, None, ("H08.12.03-261121-0042",), ()),), faults=tuple(PortalFaults(person.portal, faults) for person in night.PORTALS[:2]),
        workers=(WorkerFigures("ha-noi_1", 6, 0, 6, 600, 3, 0, 2.0, 9.0, 20.0), WorkerFigures("hue_2", 6, 1, 6, 400, 100, 4, 4.0, 80.0, 30.0)),
        gains={"binh-dinh": (Gain(criterion="average-search", part=("search", "find", "search"), change="faster", metric="mean", unit="s", value_from=0.61, value_to=0.25, points=0.4, points_total=0.4),)},
    )  # fmt: skip
