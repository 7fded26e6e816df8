"""Maintenance that was announced in time is not scored; late or unannounced maintenance is, and the card says what was said when."""

from __future__ import annotations

import dataclasses

import pytest

from harness.evidence.facts import Reason, RunFacts, Verdict
from harness.scoring import CriterionState, Maintenance, RunEvidence, explain, score_portal, without_maintenance
from tests.scoring.evening import PORTAL, Evening, facts, window
from tests.scoring.sets import SHARES, SOURCED, criteria_set, criterion

NOTICE = {"hours": 24, **SOURCED}
RATES = criterion("rate", "ok_rate of visits", curve=SHARES, over="mean_of_windows", quota={"windows": 5, "n": 2})
SET = criteria_set(RATES, maintenance_notice=NOTICE)
BEGIN, END = "2026-11-21T15:05:30+00:00", "2026-11-21T15:30:00+00:00"  # the last of six windows that begin at 15:00, 15:01, …
IN_TIME = Maintenance(BEGIN, END, "2026-11-20T15:05:30+00:00", "12/TB", "supplied/maintenance/0a-12.pdf")
LATE = dataclasses.replace(IN_TIME, announced_at="2026-11-20T22:05:31+07:00")  # one second less than 24 hours
SILENT = Maintenance(BEGIN, END)


def evidence(*maintenance: Maintenance, windows: int = 6, **given: object) -> RunEvidence:
    """All visits of the last window fail."""
    evening = Evening()
    for number in range(windows):
        for _ in range(4):
            evening.visit(number, "search", [("find", "search", 0.1, "ok" if number < windows - 1 else "blocked")])
    return RunEvidence(PORTAL, facts(range(windows), **given), evening.frame(), maintenance=maintenance)


@pytest.mark.parametrize(
    ("maintenance", "windows", "points", "code"),
    [
        (IN_TIME, 5, 20.0, "announced_maintenance"),
        (LATE, 6, 16.6667, "maintenance_announced_late"),
        (SILENT, 6, 16.6667, "maintenance_not_announced"),
    ],
)
def test_only_maintenance_announced_in_time_is_not_scored(maintenance: Maintenance, windows: int, points: float, code: str) -> None:
    card = score_portal([evidence(maintenance)], SET)
    (score,) = card.criteria
    assert (card.verdict, score.windows, score.points) == (Verdict.VALID, windows, points)
    assert [reason.code for reason in card.reasons] == [code]


def test_the_card_says_when_it_was_announced_by_which_document_and_which_windows_it_met() -> None:
    assert score_portal([evidence(IN_TIME)], SET).reasons[0].detail == (
        f"{BEGIN} – {END}, announced at 2026-11-20T15:05:30+00:00, 24.0 h before; notice is 24 h; 12/TB; supplied/maintenance/0a-12.pdf; windows 5"
    )
    assert score_portal([evidence(SILENT)], SET).reasons[0].detail == f"{BEGIN} – {END}; windows 5"


def test_maintenance_at_another_time_is_not_mentioned() -> None:
    other = dataclasses.replace(IN_TIME, begin_utc="2026-11-21T15:06:00Z")  # the windows end at 15:06
    assert score_portal([evidence(other)], SET).reasons == ()


def test_a_night_of_maintenance_has_no_points_which_is_not_zero() -> None:
    whole = dataclasses.replace(IN_TIME, begin_utc="2026-11-21T15:00:00Z", announced_at="2026-11-19T15:00:00Z")
    card = score_portal([evidence(whole)], SET)
    assert (card.verdict, card.points) == (Verdict.INSUFFICIENT, None)
    assert [reason.code for reason in card.reasons] == ["announced_maintenance", "not_enough_steps"]


def test_a_set_without_a_notice_scores_as_before() -> None:
    old = criteria_set(RATES)
    assert score_portal([evidence(IN_TIME)], old) == score_portal([evidence()], old)


def test_a_void_window_and_a_lone_walk_stay_as_they_are() -> None:
    reason = Reason("stopped_early")
    void = dataclasses.replace(window(5), verdict=Verdict.VOID, reasons=(reason,))
    run: RunFacts = facts([window(5, stage="lone"), void])
    found = without_maintenance(run, [IN_TIME], SET.maintenance_notice)
    assert found.windows == run.windows
    assert [each.code for each in found.reasons] == ["announced_maintenance"]


def test_applying_it_twice_changes_nothing() -> None:
    once = without_maintenance(facts(), [IN_TIME, LATE], SET.maintenance_notice)
    assert without_maintenance(once, [IN_TIME, LATE], SET.maintenance_notice) == once
    assert [each.code for each in once.windows[5].reasons] == ["announced_maintenance"]


@pytest.mark.parametrize(("maintenance", "value"), [(IN_TIME, 100.0), (LATE, 83.333333), (SILENT, 83.333333)])
def test_availability_leaves_out_what_was_announced_in_time_alone(maintenance: Maintenance, value: float) -> None:
    curve = {"kind": "linear", "version": 1, "full": 99, "none": 50, **SOURCED}
    available = criteria_set(
        criterion("up", "availability(50 %)", curve=curve, quota={"windows": 5, "n": 2, "nights": 1}, required="never"),
        maintenance_notice=NOTICE,
    )
    run = evidence(maintenance)
    (score,) = score_portal([run], available).criteria
    assert (score.state, score.value) == (CriterionState.ASSESSED, value)
    apart = 1 if maintenance is IN_TIME else 0
    assert f"{apart} in planned maintenance left out" in score.interval_kind
    lines = list(explain(score_portal([run], available), [run], available))
    assert f"  night 2026-11-21: 5 of {6 - apart} windows up, {apart} in planned maintenance" in lines
