"""A journey that no lone citizen got through: its criteria are unproven, and the rest is scored as ever."""

from __future__ import annotations

import dataclasses

import pytest

from harness.evidence.facts import Reason, RunFacts, UnprovenJourney, Verdict
from harness.evidence.reasons import text
from harness.scoring import CriterionState, RunEvidence, Scorecard, explain, score_portal
from tests.scoring.evening import JOURNEYS, PORTAL, Evening, facts, score_run, walked, window
from tests.scoring.sets import criteria_set, criterion, the_2024_set

YEAR_2024 = the_2024_set()
SUBMIT = UnprovenJourney("submit", "file", "log_in", "wrong_content", "forbid_text: Hết phiên", "pages/tinh-mau/submit-log_in-1.html", 3)
SEARCH = UnprovenJourney("search", "find", "search", "extraction", "css .result", "", 3)


def _facts(*unproven: UnprovenJourney, night: str = "2026-11-21", verdict: Verdict = Verdict.VALID) -> RunFacts:
    windows = [window(number, night=night) for number in range(6)]
    return dataclasses.replace(facts(windows, verdict), unproven=unproven, run=f"run-{night}")


def _evening(*journeys: str, slower: float = 1.0) -> Evening:
    evening = Evening()
    for number in range(6):
        for journey in journeys:
            for count in range(60):
                evening.visit(number, journey, walked(JOURNEYS[journey], count / 60, slower, {}))
    return evening


def _states(card: Scorecard) -> dict[str, str]:
    return {score.id: score.state.value for score in card.criteria}


def test_its_criteria_are_unproven_and_the_portal_stays_valid_on_the_rest():
    card = score_run(_evening("search", "pay").frame(), _facts(SUBMIT), YEAR_2024, PORTAL)
    unproven = {name for name, state in _states(card).items() if state == "unproven"}
    assert unproven == {"average-submit", "slowest-submit", "visits-submit"}
    assert (card.verdict, card.points, card.points_assessed_max) == (Verdict.VALID, 8.0, 8.0)
    assert card.unproven == (SUBMIT,)
    assert not card.is_ranked
    for score in card.criteria:
        if score.state is CriterionState.UNPROVEN:
            assert (score.points, score.interval, score.value, score.per_window) == (None, None, None, ())
            assert score.reason == "unproven: submit stopped at log_in"
    detail = "submit/file/log_in, wrong_content, forbid_text: Hết phiên, pages/tinh-mau/submit-log_in-1.html, × 3"
    assert card.reasons == (Reason("journey_unproven", detail),)


def test_a_slow_portal_with_proven_journeys_is_scored_as_before():
    """The control: the same portal, slow instead of changed."""
    card = score_run(_evening("search", "submit", "pay", slower=20).frame(), _facts(), YEAR_2024, PORTAL)
    assert card.is_ranked
    assert "unproven" not in _states(card).values()
    assert card.points < 8


def test_a_criterion_that_the_set_always_asks_for_may_be_unproven():
    """It is not insufficient: measuring again would not help."""
    card = score_run(_evening("submit", "pay").frame(), _facts(SEARCH), YEAR_2024, PORTAL)
    assert card.verdict is Verdict.VALID
    assert _states(card)["average-search"] == "unproven"
    assert card.points_assessed_max == 8.0  # less 2 + 1 + 1 of search


def test_a_criterion_of_several_journeys_needs_all_of_them():
    both = criterion("both", points=20, select={"journey": ["search", "submit"], "stage": "typical"})
    assert _states(score_run(_evening("search").frame(), _facts(), criteria_set(both), PORTAL)) == {"both": "assessed"}
    card = score_run(_evening("search").frame(), _facts(SUBMIT), criteria_set(both), PORTAL)
    assert _states(card) == {"both": "unproven"}


def test_where_nothing_else_was_measured_there_are_no_points_and_not_zero_points():
    only = criteria_set(criterion("average"))
    card = score_run(_evening("pay").frame(), _facts(SEARCH), only, PORTAL)
    assert (card.verdict, card.points, card.interval, _states(card)) == (Verdict.INSUFFICIENT, None, None, {"average": "unproven"})
    assert [reason.code for reason in card.reasons] == ["journey_unproven"]


def test_a_criterion_that_would_be_missing_anyway_is_not_called_unproven():
    states = _states(score_run(_evening("search", "pay").frame(), _facts(SUBMIT), YEAR_2024, PORTAL))
    for name in ("server-cpu", "concurrent-peak", "availability"):
        assert states[name] == "not_assessed"


@pytest.mark.parametrize("verdict", [Verdict.VOID, Verdict.INSUFFICIENT])
def test_a_card_without_points_still_says_which_criteria_are_unproven(verdict):
    card = score_portal([RunEvidence(PORTAL, _facts(SUBMIT, verdict=verdict), None)], YEAR_2024)
    assert (card.verdict, card.points) == (verdict, None)
    assert _states(card)["visits-submit"] == "unproven"
    assert _states(card)["visits-search"] == "not_assessed"


def test_the_last_night_decides():
    """A journey that walks again is scored; one that no longer walks is not covered up by an earlier night."""
    whole, part = _evening("search", "submit", "pay").frame(), _evening("search", "pay").frame()
    proven, unproven = RunEvidence(PORTAL, _facts(night="2026-11-22"), whole), RunEvidence(PORTAL, _facts(SUBMIT), part)
    assert _states(score_portal([proven, unproven], YEAR_2024))["visits-submit"] == "assessed"
    earlier, later = RunEvidence(PORTAL, _facts(), whole), RunEvidence(PORTAL, _facts(SUBMIT, night="2026-11-22"), part)
    assert _states(score_portal([later, earlier], YEAR_2024))["visits-submit"] == "unproven"


def test_explain_names_the_step_the_rule_the_page_and_both_causes():
    runs = [RunEvidence(PORTAL, _facts(SUBMIT), _evening("search", "pay").frame())]
    text = "\n".join(explain(score_portal(runs, YEAR_2024), runs, YEAR_2024))
    told = "unproven: submit/file/log_in, wrong_content, forbid_text: Hết phiên, pages/tinh-mau/submit-log_in-1.html, × 3;"
    for part in (
        told,
        "the portal is broken there, or our profile is out of date",
        "  unproven: submit stopped at log_in",
        "unproven: final after 1 night in a row; then a person decides (assumed)",
    ):
        assert part in text


def test_explain_has_words_of_its_own_for_a_journey_that_stops_at_a_wall():
    walled = dataclasses.replace(SUBMIT, outcome="blocked", rule="captcha")
    runs = [RunEvidence(PORTAL, _facts(walled), _evening("search", "pay").frame())]
    card = score_portal(runs, YEAR_2024)
    told = "\n".join(explain(card, runs, YEAR_2024))
    assert "× 3; the portal refuses this journey even to a lone citizen, or our rule mistakes an ordinary page for a wall" in told
    assert "out of date" not in told
    (reason,) = card.reasons
    assert "mistakes an ordinary page for a wall" in text(reason, "en")
    assert "tường chắn" in text(reason, "vi")
    assert "out of date" in text(Reason("journey_unproven", "submit: file/log_in, extraction, x, blocked; 3 lone walks"), "en")
    assert "for a wall" in text(Reason("journey_unproven", "submit: file/log_in, blocked; 3 lone walks"), "en")


def test_explain_says_when_a_state_without_points_is_final():
    runs = [RunEvidence(PORTAL, _facts(verdict=Verdict.BLOCKED), None)]
    lines = list(explain(score_portal(runs, YEAR_2024), runs, YEAR_2024))
    assert "blocked: final after 3 nights in a row; then there are no points (assumed)" in lines
