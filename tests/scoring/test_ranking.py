import dataclasses

import pytest

from harness.evidence.facts import Reason, UnprovenJourney, Verdict
from harness.scoring import PortalIdentity, RunEvidence, rank, score_sweep
from harness.scoring.ranking import group_name
from tests.scoring.evening import Evening, facts
from tests.scoring.sets import criteria_set, criterion

CRITERIA = criteria_set(
    criterion("search", points=12),
    criterion("pay", points=8, select={"journey": ["pay"], "stage": "typical"}),
)  # fmt: skip

UNPROVEN = UnprovenJourney("pay", "pay", "quote_fee", "extraction", "css #fee", "pages/changed/pay-1.html", 3)


def _run(name, seconds, *, pays=True, verdict=Verdict.VALID):
    evening = Evening()
    for number in range(6):
        evening.visit(number, "search", [("find", "search", seconds + 0.1 * number, "ok")])
        if pays:
            evening.visit(number, "pay", [("pay", "pay", 1.0, "ok")])
    portal = PortalIdentity(name, name, name, "province")
    return RunEvidence(portal, dataclasses.replace(facts(verdict=verdict), portal=name), evening.frame())


def test_portals_are_ranked_by_intervals_and_ties_are_told():
    ranking = rank(score_sweep("s", [_run("slow", 8), _run("fast", 3), _run("fair", 5), _run("also-fair", 5.2)], CRITERIA))
    (group,) = ranking.groups
    assert list(group.ranks) == ["fast", "fair", "also-fair", "slow"]
    assert ranking.ranks == {"fast": (1, 1), "fair": (2, 3), "also-fair": (2, 3), "slow": (4, 4)}
    assert (group.ranked_on, group.points_max, ranking.group_names) == (("search", "pay"), 20.0, {})


OTHERS = [("fast", 3), ("fair", 5), ("slow", 8)]


@pytest.mark.parametrize("seconds", [2.0, 5.0, 9.0])
def test_a_portal_that_refuses_a_sandbox_changes_nobody_elses_rank(seconds):
    """It is ranked among those that were assessed on the same criteria."""
    alone = rank(score_sweep("s", [_run(*each) for each in OTHERS], CRITERIA))
    scores = score_sweep("s", [*(_run(*each) for each in OTHERS), _run("no-payments", seconds, pays=False)], CRITERIA)
    with_it = rank(scores)
    assert with_it.ranks == alone.ranks | {"no-payments": (1, 1)}
    assert [(group.ranked_on, group.points_max) for group in with_it.groups] == [(("search", "pay"), 20.0), (("search",), 12.0)]
    assert with_it.group_names == {"fast": "A", "fair": "A", "slow": "A", "no-payments": "B"}
    assert max(card.points for card in scores.scorecards if card.portal in with_it.groups[1].ranks) <= 12


@pytest.mark.parametrize("seconds", [2.0, 5.0, 9.0])
def test_a_portal_with_an_unproven_journey_is_not_ranked_and_changes_nobody_elses_rank(seconds):
    alone = rank(score_sweep("s", [_run(*each) for each in OTHERS], CRITERIA))
    run = _run("changed", seconds, pays=False)
    run = dataclasses.replace(run, facts=dataclasses.replace(run.facts, unproven=(UNPROVEN,)))
    scores = score_sweep("s", [*(_run(*each) for each in OTHERS), run], CRITERIA)
    assert rank(scores).ranks == alone.ranks
    assert "changed" not in rank(scores).ranks
    assert next(card for card in scores.scorecards if card.portal == "changed").points is not None


def test_groups_have_letters():
    assert [group_name(index) for index in (0, 1, 25, 26, 27)] == ["A", "B", "Z", "A2", "B2"]


def test_who_has_no_points_has_no_rank():
    ranking = rank(score_sweep("s", [_run("fast", 3), _run("closed", 3, verdict=Verdict.BLOCKED)], CRITERIA))
    assert ranking.ranks == {"fast": (1, 1)}
    nobody = rank(score_sweep("s", [_run("closed", 3, verdict=Verdict.BLOCKED)], CRITERIA))
    assert (nobody.groups, nobody.ranks) == ((), {})


def test_a_portal_with_an_unsettled_limit_on_our_address_is_not_ranked_although_enough_windows_are_left():
    run = _run("limits", 2.0)
    limited = dataclasses.replace(run.facts, reasons=(Reason("address_limit", "round 9, window 9: 40 of 100 visits"),))
    settled = dataclasses.replace(run.facts, reasons=(Reason("refusals_settled_as_address", "An & Bình: round 9"),))
    for of_run, ranked in ((limited, False), (settled, True)):
        scores = score_sweep("s", [*(_run(*each) for each in OTHERS), dataclasses.replace(run, facts=of_run)], CRITERIA)
        assert ("limits" in rank(scores).ranks) is ranked
        assert next(card for card in scores.scorecards if card.portal == "limits").points is not None
