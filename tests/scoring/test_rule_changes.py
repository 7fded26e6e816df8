"""A change of points in parts: by the rules, by the portal, and in one sweep only."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.facts import Verdict
from harness.scoring import CriterionScore, CriterionState, Scorecard, SweepScores
from harness.scoring.rule_changes import ChangeParts, Rescored, RuleChanges, UnprintedRule, rule_changes, unprinted_rules
from tests.scoring.sets import SOURCED, card, criteria_set, criterion, sweep_scores


def _criterion(name: str, points: float | None, most: float = 10, **more: str) -> CriterionScore:
    state = CriterionState.NOT_ASSESSED if points is None else CriterionState.ASSESSED
    return CriterionScore(
        id=name, name_vi=name, name_en=name, state=state, points=points, points_max=most, interval=None, metric="mean", value=None,
        unit="s", windows=6, n=6, basis="assumed", **more,
    )  # fmt: skip


def _scores(version: str, *criteria: CriterionScore, portal: str = "p", verdict: Verdict = Verdict.VALID) -> SweepScores:
    points = sum(Decimal(repr(each.points)) for each in criteria if each.points is not None)
    most = sum(each.points_max for each in criteria if each.points is not None)
    made: Scorecard = replace(
        card(portal, criteria, verdict), points=float(points) if verdict is Verdict.VALID else None, points_assessed_max=most
    )
    scores = sweep_scores([made])
    return replace(scores, criteria_set=replace(scores.criteria_set, version=version, sha256=64 * version))


def _parts(found: RuleChanges) -> dict[str, ChangeParts]:
    (portal,) = found.portals
    return {each.criterion: each.parts for each in portal.criteria} | {"": portal.parts}


POINTS = st.none() | st.integers(0, 100_000).map(lambda number: number / 10_000)
CRITERIA = st.dictionaries(st.sampled_from("abcdef"), POINTS, min_size=1)


@given(CRITERIA, CRITERIA, CRITERIA, st.sampled_from(["before", "after"]))
def test_the_parts_add_up_to_the_whole_change_exactly(
    before: dict[str, float | None], again: dict[str, float | None], after: dict[str, float | None], rescored: Rescored
) -> None:
    three = [
        _scores(version, *(_criterion(*each) for each in points.items()))
        for version, points in zip("122", (before, again, after), strict=True)
    ]
    found = rule_changes(*three, rescored=rescored)
    one, _, other = (Decimal(repr(scores.scorecards[0].points)) for scores in three)
    for name, parts in _parts(found).items():
        sums = [Decimal(repr(each)) for each in (parts.by_rules, parts.by_portal, parts.one_sweep)]
        assert sum(sums) == Decimal(repr(parts.whole)), name
    assert Decimal(repr(_parts(found)[""].whole)) == other - one


def test_what_one_sweep_alone_could_assess_is_nobodys_part() -> None:
    before = _scores("1", _criterion("a", 4.0))
    again = _scores("2", _criterion("a", 3.0), _criterion("new", None))
    found = rule_changes(before, again, _scores("2", _criterion("a", 2.5), _criterion("new", 7.0)), rescored="before")
    assert _parts(found) == {
        "a": ChangeParts(-1.5, -1.0, -0.5, 0.0),
        "new": ChangeParts(7.0, 0.0, 0.0, 7.0),
        "": ChangeParts(5.5, -1.0, -0.5, 7.0),
    }
    assert not found.portals[0].is_alike
    assert [(each.criterion, "points_max" in each.before) for each in found.rules] == [("new", False)]


def test_a_criterion_that_stricter_rules_no_longer_assess_is_the_rules_part() -> None:
    before, after = _scores("1", _criterion("a", 4.0), _criterion("b", 1.0)), _scores("2", _criterion("a", None), _criterion("b", 2.0))
    found = rule_changes(before, _scores("2", _criterion("a", None), _criterion("b", 1.0)), after, rescored="before")
    assert _parts(found)["a"] == ChangeParts(-4.0, -4.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((Verdict.VOID, Verdict.VOID, Verdict.VALID), ChangeParts(None, None, None, None)),
        ((Verdict.VALID, Verdict.INSUFFICIENT, Verdict.VALID), ChangeParts(-1.0, None, None, None)),
        ((Verdict.VALID, Verdict.VALID, Verdict.BLOCKED), ChangeParts(None, -0.5, None, None)),
    ],
)
def test_without_points_there_are_no_parts_that_need_them(verdicts: tuple[Verdict, ...], expected: ChangeParts) -> None:
    points = (4.0, 3.5, 3.0)
    three = [
        _scores(version, _criterion("a", each if verdict is Verdict.VALID else None), verdict=verdict)
        for version, each, verdict in zip("122", points, verdicts, strict=True)
    ]
    assert _parts(rule_changes(*three, rescored="before"))[""] == expected


def test_a_portal_in_one_sweep_only_has_no_parts() -> None:
    before, after = _scores("1", _criterion("a", 4.0), portal="old"), _scores("2", _criterion("a", 4.0), portal="new")
    assert rule_changes(before, _scores("2", _criterion("a", 4.0), portal="old"), after, rescored="before").portals == ()


def test_a_curve_that_the_sweeps_load_limits_is_no_changed_rule() -> None:
    """The level for full points is at most the highest that all portals of a sweep were given."""
    before, again = (_scores(version, _criterion("a", 4.0, curve="linear/1 full 20 none 0")) for version in "12")
    after = _scores("2", _criterion("a", 4.0, curve="linear/1 full 15 none 0"))
    assert rule_changes(before, again, after, rescored="before").rules == ()


def test_rules_that_no_score_prints_are_compared_without_their_sources() -> None:
    before = criteria_set(criterion("a"))
    assert unprinted_rules(before, criteria_set(criterion("a", quota={"source": "another"}))) == ()
    stricter = criteria_set(criterion("a", quota={"windows": 8}, required="always"), maintenance_notice={"hours": 24, **SOURCED})
    assert unprinted_rules(before, stricter) == (
        UnprintedRule("quota", "a", "a", "a"), UnprintedRule("required", "a", "a", "a"), UnprintedRule("maintenance_notice"),
    )  # fmt: skip
