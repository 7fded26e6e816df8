"""A failure in place of a success, on whole visits: what docs/scoring.md says of points, and the one case that it excepts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.scoring.curves import zero_point
from tests.scoring.evening import PORTAL, Evening, facts, score_run, window
from tests.scoring.sets import LINEAR, SHARES, SOURCED, criteria_set, criterion
from tests.scoring.test_points import APDEX, BANDS, FAILURES, SECONDS, SMOOTH

THREE = {"quota": {"windows": 3}}
UP_TO_5 = {"kind": "linear", "version": 1, "full": 5, "none": 0, **SOURCED}
CRITERIA = criteria_set(
    criterion("mean", points=2, curve=LINEAR, **THREE),
    criterion("mean-worst", points=2, curve=BANDS, combine="worst", **THREE),
    criterion("mean-smooth", points=1, curve=SMOOTH, **THREE),
    criterion("mean-of-visits", "mean of visits", points=2, curve=LINEAR, **THREE),
    criterion("slowest", "slowest(3)", points=2, quota={"windows": 3, "n": 3}),
    criterion("slowest-of-visits", "slowest(3) of visits", points=2, quota={"windows": 3, "n": 3}),
    criterion("apdex", "apdex(1 s)", points=2, curve=APDEX, **THREE),
    criterion("errors", "error_rate", points=1, curve=SHARES | {"full": 1, "none": 50}, **THREE),
    criterion("steps-ok", "ok_rate", points=2, curve=SHARES, **THREE),
    criterion("visits-ok", "ok_rate of visits", points=2, curve=SHARES, **THREE),
    criterion(
        "sustained", "sustained(slowest(3) <= 10 s and error_rate <= 40 %)", points=1, curve=UP_TO_5, quota={"windows": 3, "n": 3},
        select={"journey": ["search"], "stage": "ramp"},
    ),
    criterion("available", "availability(50 %)", points=1, curve=SHARES, quota={"windows": 3, "n": 1}),
)  # fmt: skip

STEPS = (("find", "search"), ("find", "open_procedure"), ("file", "fill_in"), ("file", "submit"))
ENDED_WELL = st.lists(SECONDS, min_size=len(STEPS), max_size=len(STEPS)).map(lambda times: [(seconds, "ok") for seconds in times])


@st.composite
def _visits(draw):
    """A visit as it is walked: steps that end well, and perhaps one that fails, after which all are skipped."""
    visit = draw(ENDED_WELL)
    return _broken(visit, draw(st.integers(0, len(STEPS) - 1)), draw(SECONDS), draw(FAILURES)) if draw(st.booleans()) else visit


def _broken(visit, place, seconds, outcome):
    return [*visit[:place], (seconds, outcome), *[(0.0, "skipped")] * (len(visit) - place - 1)]


RAMP = 30
RUN = st.lists(st.lists(_visits(), min_size=3, max_size=4), min_size=3, max_size=4)


def _points(run):
    """Each visit once in a window of typical load, and once more in a held level of a ramp."""
    evening = Evening()
    windows = [window(number) for number in range(len(run))]
    windows += [window(RAMP + number, stage="ramp") for number in range(len(run))]
    for first in (0, RAMP):
        for number, visits in enumerate(run, first):
            for visit in visits:
                evening.visit(number, "search", [(*named, *walked) for named, walked in zip(STEPS, visit, strict=True)])
    card = score_run(evening.frame(), facts(windows), CRITERIA, PORTAL)
    assert card.points is not None, card.reasons
    return {score.id: score.points for score in card.criteria}


def _excepted(visit, place):
    """The means that docs/scoring.md excepts where step ``place`` of this visit is replaced, and what follows is skipped."""
    failed = next((seconds for seconds, outcome in visit[place + 1 :] if outcome not in ("ok", "skipped")), 0.0)
    whole = sum(seconds for seconds, _ in visit) if failed else 0.0
    for each in CRITERIA.criteria:
        elapsed = whole if each.parsed.subject == "visits" else failed
        if each.parsed.figure == "mean" and elapsed > zero_point(each.curve):
            yield each.id


def _one_of(data, run):
    number = data.draw(st.integers(0, len(run) - 1))
    which = data.draw(st.integers(0, len(run[number]) - 1))
    visit = run[number][which]
    place = data.draw(st.sampled_from([at for at, (_, outcome) in enumerate(visit) if outcome == "ok"] or [None]))
    return number, which, visit, place


def _with(run, number, which, visit):
    return [[visit if (a, b) == (number, which) else other for b, other in enumerate(visits)] for a, visits in enumerate(run)]


@settings(max_examples=150, deadline=None)
@given(RUN, st.data())
def test_a_step_that_fails_with_all_later_ones_skipped_never_raises_points_but_of_the_means_that_are_excepted(run, data):
    """Whatever became of the visit before; the failure as slow as the success was, or faster."""
    number, which, visit, place = _one_of(data, run)
    if place is None:
        return
    seconds = data.draw(st.sampled_from([visit[place][0], visit[place][0] / 2, 0.001]))
    after = _points(_with(run, number, which, _broken(visit, place, seconds, data.draw(FAILURES))))
    excepted = set(_excepted(visit, place))
    for name, before in _points(run).items():
        if name not in excepted:
            assert after[name] <= before, name


@settings(max_examples=150, deadline=None)
@given(RUN, st.data())
def test_a_failure_in_place_of_a_success_and_all_else_as_it_was_never_raises_any_points(run, data):
    number, which, visit, place = _one_of(data, run)
    if place is None:
        return
    failed = [*visit[:place], (visit[place][0], data.draw(FAILURES)), *visit[place + 1 :]]
    after = _points(_with(run, number, which, failed))
    for name, before in _points(run).items():
        assert after[name] <= before, name


@pytest.mark.parametrize(("name", "before", "after"), [("step", 30.5, 5.5), ("whole visit", 31.0, 5.75)])
def test_the_case_that_the_documentation_excepts(name, before, after):
    """Two visits in each window, of which one submits for 60 s in vain: failing at once instead lowers both means."""
    mean = criterion("mean", "mean of visits", points=20, **THREE)
    if name == "step":
        mean = criterion("mean", points=20, **THREE)
        mean["select"] |= {"step": ["submit"]}
    mean["select"] |= {"journey": ["submit"]}

    def value(one):
        evening = Evening()
        for number in range(3):
            evening.visit(number, "submit", [("find", "search", 0.5, "ok"), ("file", "submit", 1.0, "ok")])
            evening.visit(number, "submit", one)
        return score_run(evening.frame(), facts(range(3)), criteria_set(mean), PORTAL).criteria[0].value

    assert value([("find", "search", 0.5, "ok"), ("file", "submit", 60.0, "timeout")]) == before
    assert value([("find", "search", 0.1, "http_error"), ("file", "submit", 0.0, "skipped")]) == after
