import dataclasses

from harness.evidence.facts import Verdict
from harness.scoring import PortalIdentity, RunEvidence, rank, score_sweep
from tests.scoring.evening import Evening, facts
from tests.scoring.sets import criteria_set, criterion

CRITERIA = criteria_set(
    criterion("search", points=12),
    criterion("pay", points=8, select={"journey": ["pay"], "stage": "typical"}),
)  # fmt: skip


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
    assert [place.portal for place in ranking.places] == ["fast", "fair", "also-fair", "slow"]
    assert ranking.ranks == {"fast": (1, 1), "fair": (2, 3), "also-fair": (2, 3), "slow": (4, 4)}
    assert {place.portal: place.tied_with for place in ranking.places}["fair"] == ("also-fair",)
    assert (ranking.ranked_on, ranking.points_max) == (("search", "pay"), 20.0)


def test_a_criterion_that_one_portal_lacks_ranks_nobody():
    ranking = rank(score_sweep("s", [_run("fast", 3), _run("no-payments", 3.01, pays=False)], CRITERIA))
    assert (ranking.ranked_on, ranking.points_max) == (("search",), 12.0)
    assert max(place.points for place in ranking.places) <= 12
    assert ranking.ranks == {"fast": (1, 2), "no-payments": (1, 2)}


def test_who_has_no_points_has_no_rank():
    ranking = rank(score_sweep("s", [_run("fast", 3), _run("closed", 3, verdict=Verdict.BLOCKED)], CRITERIA))
    assert ranking.unranked == ("closed",)
    assert ranking.ranks == {"fast": (1, 1)}
    nobody = rank(score_sweep("s", [_run("closed", 3, verdict=Verdict.BLOCKED)], CRITERIA))
    assert (nobody.places, nobody.ranked_on) == ((), ())
