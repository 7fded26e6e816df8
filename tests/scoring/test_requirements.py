"""What a pipeline asks of each portal: points alone pass, and whatever has none says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.errors import UsageError
from harness.evidence import Reason, Verdict
from harness.operations.score_folder import read_sweep_scores
from harness.operations.shipped import shipped_catalog
from harness.scoring import CriterionState, Scorecard
from harness.scoring.requirements import Requirement, RequirementResult, check_requirements, read_requirements
from tests.recorded.conftest import RECORDED

SCORES = read_sweep_scores(RECORDED)
FAST = next(card for card in SCORES.scorecards if card.portal == "fast")
DEMO = shipped_catalog(None).criteria["demo@1"]
IN_ALL, ON_ONE = Requirement(0.0), Requirement(0.0, "average-search")


def check(card: Scorecard, requirement: Requirement) -> RequirementResult:
    (result,) = check_requirements(replace(SCORES, scorecards=(card,)), (requirement,))
    return result


def ended(verdict: Verdict) -> Scorecard:
    """The card as scoring makes it where the run has this verdict."""
    lines = (
        replace(each, state=CriterionState.NOT_ASSESSED, reason=f"verdict: {verdict}", points=None, interval=None) for each in FAST.criteria
    )
    return replace(FAST, verdict=verdict, points=None, interval=None, points_assessed_max=0.0, criteria=tuple(lines))


def with_line(criterion: str, state: CriterionState, reason: str) -> Scorecard:
    lines = (
        replace(each, state=state, reason=reason, points=None, interval=None) if each.id == criterion else each for each in FAST.criteria
    )
    return replace(FAST, criteria=tuple(lines))


@pytest.mark.parametrize("requirement", [IN_ALL, ON_ONE])
def test_points_pass_where_they_are_enough(requirement: Requirement) -> None:
    points = FAST.points if requirement is IN_ALL else next(each.points for each in FAST.criteria if each.id == "average-search")
    assert points is not None
    assert check(FAST, requirement).is_met
    assert check(FAST, replace(requirement, points=points)).is_met
    assert not check(FAST, replace(requirement, points=points + 0.0001)).is_met


@pytest.mark.parametrize("requirement", [IN_ALL, ON_ONE])
@pytest.mark.parametrize(
    ("card", "why"),
    [
        *((lambda verdict=verdict: ended(verdict), f"verdict: {verdict}") for verdict in Verdict if verdict is not Verdict.VALID),
        (lambda: with_line("average-pay", CriterionState.UNPROVEN, "unproven: pay stopped at pay"), "unproven: pay stopped at pay"),
        (lambda: replace(FAST, points=0.0, points_assessed_max=0.0, criteria=()), "nothing_assessed"),
        (lambda: replace(FAST, reasons=(Reason("address_limit", "2 of 6 windows"),)), "to_settle"),
    ],
)
def test_a_portal_that_shows_nothing_never_passes(card: Callable[[], Scorecard], why: str, requirement: Requirement) -> None:
    """Not even where nothing but any points at all was asked for."""
    result = check(card(), requirement)
    assert (result.is_met, result.points, result.why_none) == (False, None, why)


@pytest.mark.parametrize("why", ["too_few_windows: 1 of 6, 0 with fewer than 50 steps", "too_few_nights: 1 of 5", "no_operator_figures"])
def test_a_criterion_that_was_asked_for_must_be_assessed(why: str) -> None:
    card = with_line("average-search", CriterionState.NOT_ASSESSED, why)
    assert check(card, ON_ONE).why_none == why
    assert check(card, IN_ALL).is_met  # nobody asked for this one
    assert check(replace(card, criteria=()), ON_ONE).why_none == "nothing_assessed"


def test_every_portal_is_held_to_every_requirement() -> None:
    found = check_requirements(SCORES, (Requirement(11.0), Requirement(1.5, "average-search")))
    assert [(each.portal, each.requirement.criterion) for each in found] == [
        (card.portal, criterion) for card in SCORES.scorecards for criterion in ("", "average-search")
    ]
    assert {each.portal for each in found if each.is_met and not each.requirement.criterion} == {"fast", "ordinary"}


def test_points_and_criteria_are_read() -> None:
    assert read_requirements(("12", "average-search=1.5", "availability=0"), DEMO) == (
        Requirement(12.0), Requirement(1.5, "average-search"), Requirement(0.0, "availability"),
    )  # fmt: skip
    assert read_requirements((), DEMO) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("average-serch=1", "Did you mean `average-search`"),
        ("=1", "expected a criterion of demo@1 before the ="),
        ("average-search=3", "points from 0 to 2."),  # it has 2, so that nobody could pass
        ("20.5", "points from 0 to 20."),
        *((text, "points from 0 to 20.") for text in ("", "nan", "inf", "-1", "1e1", "12,5", "1_0", "٣", "twelve")),
        ("average-search=", "points from 0 to 2."),
    ],
)
def test_what_cannot_be_asked_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"command line: --fail-under is") as caught:
        read_requirements((text, "x=1"), DEMO)
    assert said in str(caught.value)
    assert len(caught.value.problems) == 2  # all at once


def test_two_answers_for_one_criterion_are_refused() -> None:
    with pytest.raises(UsageError, match="one number for each criterion"):
        read_requirements(("1", "average-search=1", "2"), DEMO)
