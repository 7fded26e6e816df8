"""Visits that end at a host which the set lists as shared leave the portal's rates; other failures stay."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from harness.evidence.facts import Reason, SharedHostFailure, Verdict
from harness.scoring import RunEvidence, Scorecard, score_sweep
from harness.scoring.lost_visits import without_lost
from harness.scoring.rows import read_rows
from harness.scoring.scorecard import SharedHostOutage
from tests.scoring.evening import JOURNEYS, PORTAL, Evening, facts, good_evening, score_run, walked, window
from tests.scoring.sets import the_2024_set

SHARED_LOGIN = the_2024_set()
CHARGED_LOGIN = SHARED_LOGIN.model_copy(update={"shared": None})


def at_identity(evening: Evening) -> pd.DataFrame:
    """The rows, with the login at a host of owner identity."""
    rows = evening.frame()
    rows["host_owner"] = rows["host_owner"].astype(str).mask(rows["step"] == "log_in", "identity").astype("category")
    return rows


def outage(*windows: int, share: float = 1.0, step: str = "log_in") -> Evening:
    """An evening in which a step of the submission fails in some windows, for this share of the visits."""
    evening = Evening()
    for number in range(6):
        for journey, steps in JOURNEYS.items():
            for count in range(60):
                fails = {step: share} if number in windows else {}
                evening.visit(number, journey, walked(steps, count / 60, 1 + 0.01 * (count % 7), fails))
    return evening


def points(card: Scorecard) -> dict[str, float | None]:
    return {score.id: score.points for score in card.criteria}


def test_a_few_failures_of_a_shared_login_cost_the_portal_nothing() -> None:
    whole = points(score_run(at_identity(outage()), facts(), SHARED_LOGIN, PORTAL))
    card = score_run(at_identity(outage(2, share=0.05)), facts(), SHARED_LOGIN, PORTAL)
    assert (card.verdict, points(card)) == (Verdict.VALID, whole)
    (visits,) = [score for score in card.criteria if score.id == "visits-submit"]
    assert (visits.value, visits.n) == (100.0, 6 * 60 - 3)


@pytest.mark.parametrize("step", ["log_in", "submit"])
def test_the_same_failures_at_the_portal_itself_cost_points(step: str) -> None:
    """The control: a login of the portal's own, and a portal that fails behind a shared login."""
    rows = outage(2, step=step).frame() if step == "log_in" else at_identity(outage(2, step=step))
    card = score_run(rows, facts(), SHARED_LOGIN, PORTAL)
    (visits,) = [score for score in card.criteria if score.id == "visits-submit"]
    assert visits.points == pytest.approx(5 / 6, abs=0.001)


def test_a_set_without_a_list_of_shared_hosts_charges_them_as_before() -> None:
    (visits,) = [
        score for score in score_run(at_identity(outage(2)), facts(), CHARGED_LOGIN, PORTAL).criteria if score.id == "visits-submit"
    ]
    assert (visits.points, visits.n) == (pytest.approx(5 / 6, abs=0.001), 360)


def test_time_is_charged_at_every_host_that_the_set_does_not_list() -> None:
    rows = at_identity(good_evening())
    named = dict.fromkeys(("payment",), SHARED_LOGIN.shared.roles["payment"])
    payment_alone = SHARED_LOGIN.model_copy(update={"shared": SHARED_LOGIN.shared.model_copy(update={"roles": named})})
    found = {
        name: next(score for score in score_run(rows, facts(), each, PORTAL).criteria if score.id == "average-submit").not_charged_s
        for name, each in (("listed", SHARED_LOGIN), ("not listed", payment_alone), ("no list", CHARGED_LOGIN))
    }
    assert found["not listed"] == 0
    assert found["listed"] == found["no list"] > 0


def test_a_journey_that_lost_every_visit_has_no_points_from_nothing() -> None:
    card = score_run(at_identity(outage(*range(6))), facts(), SHARED_LOGIN, PORTAL)
    assert (card.verdict, card.points) == (Verdict.INSUFFICIENT, None)
    lacking = {score.id for score in card.criteria if score.reason.startswith("too_few_windows: 0")}
    assert {"average-submit", "visits-submit"} <= lacking


def test_a_journey_that_no_lone_citizen_got_past_a_shared_host_on_is_insufficient() -> None:
    evening = Evening()
    for number in range(6):
        for journey in ("search", "pay"):
            for _ in range(60):
                evening.visit(number, journey, walked(JOURNEYS[journey], 0, 1.0, {}))
    run = replace(facts(), stopped_at_shared_host=("submit",))
    card = score_run(evening.frame(), run, SHARED_LOGIN, PORTAL)
    assert (card.verdict, card.points) == (Verdict.INSUFFICIENT, None)
    said = "shared_failure: no lone citizen got past a shared host on submit"
    assert {reason for reason in card.reasons if reason.code == "shared_failure"} == {
        Reason("shared_failure", f"{name}: {said}") for name in ("average-submit", "slowest-submit", "visits-submit")
    }
    whole = replace(run, run="earlier", windows=tuple(window(number, night="2026-11-20") for number in range(6)), stopped_at_shared_host=())
    runs = [RunEvidence(PORTAL, whole, good_evening().frame()), RunEvidence(PORTAL, run, evening.frame())]
    (later,) = score_sweep("s", runs, SHARED_LOGIN).scorecards
    assert later.verdict is Verdict.VALID  # the windows of an earlier night are enough


def test_every_portal_that_a_shared_host_touched_is_listed() -> None:
    login, times = "http://127.0.0.1:9", ("2026-11-21T15:00:00+00:00", "2026-11-21T15:09:00+00:00")
    runs = []
    for name, at_utc, visits in (("b", times[1], 4), ("a", times[0], 3), ("c", "", 0)):
        failures = (SharedHostFailure(login, "identity", at_utc, visits),) if visits else ()
        runs.append(
            RunEvidence(replace(PORTAL, id=name), replace(facts(), portal=name, shared_failures=failures), good_evening(visits=1).frame())
        )
    assert score_sweep("s", runs, SHARED_LOGIN).shared_failures == (SharedHostOutage(login, "identity", *times, 7, ("a", "b")),)


def test_the_order_of_rows_does_not_decide_which_visits_are_lost() -> None:
    rows = at_identity(outage(2, share=0.5))
    kept, lost = without_lost(read_rows(rows, SHARED_LOGIN.shared_owners))
    assert lost == {("submit", 2): 30}
    turned, same = without_lost(read_rows(rows.iloc[::-1], SHARED_LOGIN.shared_owners))
    assert same == lost
    assert sorted(turned.visit.tolist()) == sorted(kept.visit.tolist())
