"""Criteria that need load which was not permitted, or not chosen: not assessed, with the reason; the rest is scored as ever."""

from __future__ import annotations

import dataclasses

from harness.evidence.facts import RunFacts, Verdict
from harness.records import NotPermitted
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
