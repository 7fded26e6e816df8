"""What must hold of points whatever was measured."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.evening import PORTAL, Evening, facts, score_run
from tests.scoring.sets import LINEAR, SHARES, SOURCED, criteria_set, criterion

BANDS = {"kind": "bands", "version": 1, "bands": [{"limit": 1, "share": 1}, {"limit": 5, "share": 0.5}], **SOURCED}
SMOOTH = {"kind": "log_normal", "version": 1, "p10": 1, "median": 4, **SOURCED}
APDEX = {"kind": "linear", "version": 1, "full": 0.95, "none": 0.2, **SOURCED}

CRITERIA = criteria_set(
    criterion("mean", points=3, curve=LINEAR, quota={"windows": 3}),
    criterion("mean-bands", points=2, curve=BANDS, quota={"windows": 3}, combine="worst"),
    criterion("mean-smooth", points=2, curve=SMOOTH, quota={"windows": 3}),
    criterion("mean-of-visits", "mean of visits", points=2, curve=SMOOTH, quota={"windows": 3}),
    criterion("slowest", "slowest(2)", points=3, combine="worst", quota={"windows": 3, "n": 2}),
    criterion("apdex", "apdex(1 s)", points=2, curve=APDEX, quota={"windows": 3}),
    criterion("apdex-mean", "apdex(1 s)", points=1, curve=APDEX, quota={"windows": 3}, over="mean_of_windows"),
    criterion("steps-ok", "ok_rate", points=2, curve=SHARES, quota={"windows": 3}),
    criterion("visits-ok", "ok_rate of visits", points=2, curve=SHARES, quota={"windows": 3}),
    criterion("visits-ok-mean", "ok_rate of visits", points=1, curve=SHARES, quota={"windows": 3}, over="mean_of_windows"),
)

SECONDS = st.floats(0.001, 70).map(lambda value: round(value, 6))
FAILURES = st.sampled_from(["http_error", "timeout", "wrong_content", "aborted", "blocked", "not_served"])
STEP = st.tuples(SECONDS, st.just("ok") | FAILURES)
VISIT = st.tuples(STEP, STEP)
RUN = st.lists(st.lists(VISIT, min_size=3, max_size=5), min_size=3, max_size=4)


def _score(run):
    evening = Evening()
    for number, visits in enumerate(run):
        for first, second in visits:
            follow = second if first[1] == "ok" else (0.0, "skipped")
            evening.visit(number, "search", [("find", "search", *first), ("find", "open_procedure", *follow)])
    card = score_run(evening.frame(), facts(range(len(run))), CRITERIA, PORTAL)
    assert card.points is not None, card.reasons
    return card


def _all_points(card):
    return [score.points for score in card.criteria]


@settings(max_examples=80, deadline=None)
@given(RUN)
def test_points_are_bounded_and_add_up(run):
    card = _score(run)
    for score in card.criteria:
        assert 0 <= score.interval[0] <= score.points <= score.interval[1] <= score.points_max
    assert card.points == round(math.fsum(_all_points(card)), 4)
    assert 0 <= card.interval[0] <= card.points <= card.interval[1] <= 20
    assert card.points_assessed_max == 20


@settings(max_examples=80, deadline=None)
@given(RUN, st.data())
def test_a_failure_in_place_of_a_success_never_raises_points(run, data):
    """As slow as the success was, or faster; the later steps of its visit are then skipped."""
    window = data.draw(st.integers(0, len(run) - 1))
    place = data.draw(st.integers(0, len(run[window]) - 1))
    steps = [(seconds, "ok") for seconds, _ in run[window][place]]
    good = [list(visits) for visits in run]
    good[window][place] = tuple(steps)
    which = data.draw(st.integers(0, 1))
    seconds = steps[which][0]
    steps[which] = (data.draw(st.sampled_from([seconds, 0.001, seconds / 2])), data.draw(FAILURES))
    broken = [list(visits) for visits in run]
    broken[window][place] = tuple(steps)
    for before, after in zip(_all_points(_score(good)), _all_points(_score(broken)), strict=True):
        assert after <= before


@settings(max_examples=80, deadline=None)
@given(RUN, st.data())
def test_a_slower_step_never_raises_points(run, data):
    window = data.draw(st.integers(0, len(run) - 1))
    place = data.draw(st.integers(0, len(run[window]) - 1))
    (seconds, outcome), second = run[window][place]
    slower = [list(visits) for visits in run]
    slower[window][place] = ((seconds + data.draw(SECONDS), outcome), second)
    for before, after in zip(_all_points(_score(run)), _all_points(_score(slower)), strict=True):
        assert after <= before


@settings(max_examples=60, deadline=None)
@given(RUN, st.data())
def test_a_visit_turned_away_never_raises_points(run, data):
    """In place of a visit that was served, however slowly or badly."""
    window = data.draw(st.integers(0, len(run) - 1))
    place = data.draw(st.integers(0, len(run[window]) - 1))

    def rows(turned_away):
        evening = Evening()
        for number, visits in enumerate(run):
            for position, (first, second) in enumerate(visits):
                if turned_away and (number, position) == (window, place):
                    evening.visit(number, "search", outcome="not_served")
                else:
                    follow = second if first[1] == "ok" else (0.0, "skipped")
                    evening.visit(number, "search", [("find", "search", *first), ("find", "open_procedure", *follow)])
        return evening.frame()

    # A mean counts a slow failure by its elapsed time, so being turned away is held against what ended well.
    if any(outcome != "ok" for _, outcome in run[window][place]):
        return
    served = score_run(rows(False), facts(range(len(run))), CRITERIA, PORTAL)
    away = score_run(rows(True), facts(range(len(run))), CRITERIA, PORTAL)
    for before, after in zip(_all_points(served), _all_points(away), strict=True):
        assert after <= before


@settings(max_examples=60, deadline=None)
@given(st.floats(2.6, 9.9), st.floats(0, 1e-4))
def test_smooth_points_have_no_jumps(seconds, more):
    one, two = (_score([[((value, "ok"), (value, "ok"))] * 3] * 3) for value in (seconds, seconds + more))
    for before, after in zip(one.criteria, two.criteria, strict=True):
        if before.id in {"mean", "mean-smooth", "mean-of-visits", "slowest"}:
            assert abs(before.points - after.points) <= 3e-4
