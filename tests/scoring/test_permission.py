"""Criteria that need load which was not permitted, or not chosen: not assessed, with the reason; the rest is scored as ever."""

from __future__ import annotations

import dataclasses

from harness.evidence.facts import RunFacts, Verdict
from harness.records import AbsentGoal, NotPermitted
from harness.scoring import Scorecard
from tests.scoring.evening import JOURNEYS, PORTAL, Evening, facts, score_run, walked, window
from tests.scoring.sets import criteria_set, criterion, the_2024_set

YEAR_2024 = the_2024_set()
DOSSIERS = NotPermitted("dossiers_max", 10, 632, journey="submit")
TYPICAL = NotPermitted("citizens_in_flight_max", 20, 150, stage="typical")


def _facts(*lacking: NotPermitted, verdict: Verdict = Verdict.VALID) -> RunFacts:
    return dataclasses.replace(facts([window(number) for number in range(6)], verdict), not_permitted=lacking)


def _evening(*journeys: str) -> Evening:
    evening = Evening()
    for number in range(6):
        for journey in journeys:
            for count in range(60):
                evening.visit(number, journey, walked(JOURNEYS[journey], count / 60, 1.0, {}))
    return evening


def _reasons(card: Scorecard) -> dict[str, str]:
    return {score.id: score.reason for score in card.criteria if score.state.value == "not_assessed"}


def test_a_criterion_of_a_journey_that_may_not_file_is_not_assessed_and_the_rest_is():
    without = score_run(_evening("search", "pay").frame(), _facts(DOSSIERS), YEAR_2024, PORTAL)
    assert without.verdict is Verdict.VALID
    assert without.points_assessed_max == 8.0
    reason = "not_permitted: submit needs dossiers_max 632 instead of 10"
    of_submit = {name: why for name, why in _reasons(without).items() if name.endswith("submit")}
    assert set(of_submit.values()) == {reason}
    assert without.is_ranked


def test_a_criterion_that_is_always_required_does_not_make_the_portal_insufficient():
    only = criteria_set(
        criterion("average", points=10, required="always"), criterion("paid", points=10, select={"journey": ["pay"], "stage": "typical"})
    )
    refused = dataclasses.replace(DOSSIERS, journey="search")
    assert score_run(_evening("pay").frame(), _facts(), only, PORTAL).verdict is Verdict.INSUFFICIENT
    card = score_run(_evening("pay").frame(), _facts(refused), only, PORTAL)
    assert (card.verdict, set(_reasons(card))) == (Verdict.VALID, {"average"})


def test_where_nothing_was_permitted_there_are_no_points_and_each_criterion_says_why():
    card = score_run(_evening().frame(), _facts(TYPICAL, verdict=Verdict.INSUFFICIENT), YEAR_2024, PORTAL)
    assert card.points is None
    assert "not_permitted: typical needs citizens_in_flight_max 150 instead of 20" in _reasons(card).values()


def test_payment_that_a_portal_does_not_have_gives_no_points_and_takes_none():
    lacking = dataclasses.replace(_facts(), absent_goals=(AbsentGoal("pay", "pay"),))
    card = score_run(_evening("search", "submit").frame(), lacking, YEAR_2024, PORTAL)
    assert card.verdict is Verdict.VALID
    of_pay = {name: why for name, why in _reasons(card).items() if why == "goal_absent: journey pay without goal pay"}
    assert set(of_pay) == {"average-pay", "slowest-pay", "visits-pay", "payments-confirmed"}
    rest = {each.id: each for each in score_run(_evening("search", "submit").frame(), _facts(), YEAR_2024, PORTAL).criteria}
    assert all(each == rest[each.id] for each in card.criteria if each.id not in of_pay)
    not_permitted = dataclasses.replace(lacking, not_permitted=(NotPermitted("journeys", 0, 1, journey="pay"),))
    assert _reasons(score_run(_evening("search", "submit").frame(), not_permitted, YEAR_2024, PORTAL))["visits-pay"] == of_pay["visits-pay"]


def test_a_card_without_a_criterion_that_is_always_required_has_no_points_though_the_portal_lacks_the_goal():
    every = criteria_set(criterion("of-pay", points=20, select={"journey": ["pay"], "stage": "typical"}, required="always"))
    lacking = dataclasses.replace(_facts(), absent_goals=(AbsentGoal("pay", "pay"),))
    assert score_run(_evening("search").frame(), lacking, every, PORTAL).verdict is Verdict.INSUFFICIENT


def test_what_was_measured_all_the_same_is_assessed():
    """On an earlier night more was permitted."""
    card = score_run(_evening("search", "submit", "pay").frame(), _facts(DOSSIERS), YEAR_2024, PORTAL)
    assert card == score_run(_evening("search", "submit", "pay").frame(), _facts(), YEAR_2024, PORTAL)


def test_a_criterion_of_a_journey_that_was_left_out_is_not_scored_on_the_others():
    """Else the mean of all journeys would silently become that of searches, which are quicker."""
    every = {"journey": ["search", "submit", "pay"], "stage": "typical"}
    both = criteria_set(
        criterion("all", points=10, select=every),
        criterion("some", points=10, select={"journey": ["search"], "stage": "typical"}),
    )
    rows = _evening("search").frame()
    assert score_run(rows, _facts(), both, PORTAL).points_assessed_max == 20.0
    chosen = dataclasses.replace(_facts(), journeys_not_chosen=("pay", "submit"))
    card = score_run(rows, chosen, both, PORTAL)
    assert (card.verdict, card.points_assessed_max) == (Verdict.VALID, 10.0)
    assert _reasons(card) == {"all": "journey_not_chosen: nobody was sent on submit, pay"}
