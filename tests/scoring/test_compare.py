import dataclasses
import random

import pytest

from harness.errors import UsageError
from harness.scoring import ChangeLimits, PortalIdentity, RunEvidence, compare, score_sweep
from tests.scoring.evening import Evening, facts, window
from tests.scoring.sets import SHARES, criteria_set, criterion

CRITERIA = criteria_set(
    criterion("search", points=12),
    criterion("slowest", "slowest(3)", points=4, quota={"n": 3}),
    criterion("ok", "ok_rate of visits", points=4, curve=SHARES),
)  # fmt: skip


def _sweep(name, portals, windows=14, seed=0):
    runs = []
    for portal, factor, failing in portals:
        draw = random.Random(f"{seed} {name} {portal}")
        evening = Evening()
        for number in range(windows):
            slow = factor * draw.lognormvariate(0, 0.03)
            for count in range(4):
                evening.visit(number, "search", [("find", "search", slow * (1 + 0.1 * count), "timeout" if count < failing else "ok")])
        identity = PortalIdentity(portal, portal, portal, "province")
        each = dataclasses.replace(facts(map(window, range(windows))), portal=portal)
        runs.append(RunEvidence(identity, each, evening.frame()))
    return score_sweep(name, runs, CRITERIA)


STEADY = [(f"steady-{number}", 1.0 + 0.1 * number, 0) for number in range(9)]


def test_a_portal_that_got_slower_is_named_and_the_others_are_not():
    found = compare(_sweep("a", [*STEADY, ("slower", 1.0, 0)]), _sweep("b", [*STEADY, ("slower", 1.2, 0)]))
    assert {(change.portal, change.criterion) for change in found.regressions} == {("slower", "search"), ("slower", "slowest")}
    assert not found.improvements
    slower = next(change for change in found.regressions if change.criterion == "search")
    assert 1.15 < slower.effect < 1.25
    assert slower.interval[0] <= slower.effect <= slower.interval[1]
    assert (slower.pairs, slower.effect_kind) == (14, "ratio")
    assert (found.tests, found.pairs, found.fewest_pairs) == (10, 14, 9)


def test_a_change_below_the_minimum_effect_is_shown_but_not_named():
    before, after = _sweep("a", [("p", 1.0, 0)]), _sweep("b", [("p", 1.07, 0)])
    change = compare(before, after).changes[0]
    assert change.adjusted_p_value < 0.01
    assert not change.named
    assert compare(before, after, ChangeLimits(ratio=1.03)).changes[0].named


def test_what_got_faster_is_an_improvement():
    found = compare(_sweep("a", [("p", 1.5, 0)]), _sweep("b", [("p", 1.0, 0)]))
    assert {change.criterion for change in found.improvements} == {"search", "slowest"}
    assert not found.regressions


def test_rates_change_by_percentage_points_and_censored_windows_are_the_worst():
    found = compare(_sweep("a", [("p", 1.0, 0)]), _sweep("b", [("p", 1.0, 1)]))
    by_criterion = {change.criterion: change for change in found.changes}
    assert (by_criterion["ok"].effect, by_criterion["ok"].effect_kind) == (-25.0, "difference")
    assert by_criterion["ok"].worse
    assert by_criterion["ok"].named
    assert by_criterion["slowest"].effect is None
    assert by_criterion["slowest"].worse


def test_six_windows_cannot_name_one_portal_among_84():
    portals = [(f"p-{number}", 1.0, 0) for number in range(84)]
    found = compare(_sweep("a", portals, windows=6), _sweep("b", [("p-0", 3.0, 0), *portals[1:]], windows=6))
    assert not found.regressions
    assert (found.pairs, found.fewest_pairs) == (6, 12)


def test_what_cannot_be_compared_is_listed():
    found = compare(_sweep("a", [("old", 1.0, 0)]), _sweep("b", [("new", 1.0, 0)]))
    assert found.changes == ()
    criteria = ("search", "slowest", "ok")
    assert found.not_compared == (
        *(("new", name, "not in the earlier sweep") for name in criteria),
        *(("old", name, "not in the later sweep") for name in criteria),
    )
    assert [(each.portal, each.criterion, each.why) for each in found.missing] == list(found.not_compared)
    assert (found.tests, found.pairs, found.fewest_pairs) == (0, 0, 0)


@pytest.mark.parametrize("change", [{"version": "2"}, {"id": "other"}, {"sha256": "0" * 64}])
def test_scores_of_two_sets_or_versions_are_not_compared(change):
    before, after = _sweep("a", STEADY), _sweep("b", STEADY)
    other = dataclasses.replace(after, criteria_set=dataclasses.replace(after.criteria_set, **change))
    with pytest.raises(UsageError, match="--rescore before or --rescore after"):
        compare(before, other)


def test_a_shortened_set_is_the_same_version():
    before, after = _sweep("a", STEADY), _sweep("b", STEADY)
    applied = dataclasses.replace(after.criteria_set, version=f"{after.criteria_set.version}+shortened (windows from 5.5 s)")
    assert compare(before, dataclasses.replace(after, criteria_set=applied)).changes


def test_a_slow_night_is_nobodys_regression_and_is_told():
    night = [(portal, 1.3 * factor, failing) for portal, factor, failing in STEADY]
    found = compare(_sweep("a", [*STEADY, ("slower", 1.0, 0)]), _sweep("b", [*night, ("slower", 1.3 * 1.3, 0)]))
    assert {change.portal for change in found.regressions} == {"slower"}
    assert not found.improvements
    moved = {each.criterion: each.movement for each in found.movements}
    assert (moved["search"].kind, moved["search"].portals) == ("multiplied", 10)
    assert moved["search"].size == pytest.approx(1.3, rel=0.02)
    assert (moved["ok"].kind, moved["ok"].size) == ("added", 0)
    slower = next(change for change in found.regressions if change.criterion == "search")
    assert slower.effect == pytest.approx(1.3, rel=0.05)
