"""The schedule: same seed, same arrivals, whatever the workers; the counts and shapes that the plan asks for."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.load import schedule
from harness.records import PlannedWindow, Slot

WINDOW = PlannedWindow(3, "typical", 1.0, 10.0, 60.0, {"search": 5.0}, {"pay": 30})


def slot(*windows: PlannedWindow) -> Slot:
    return Slot("demo", "demo-seed1", windows, 100)


@given(seed=st.integers(0, 2**32), workers=st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_slices_of_any_number_of_workers_are_the_schedule(seed: int, workers: int) -> None:
    planned = schedule(slot(WINDOW), seed=seed, arrivals="poisson")
    together = [arrival for index in range(workers) for arrival in planned.slice_of(index, workers)]
    assert sorted(together) == list(planned.arrivals)


def test_same_seed_same_schedule_other_seed_another() -> None:
    one, same, other = (schedule(slot(WINDOW), seed=seed, arrivals="poisson") for seed in (7, 7, 8))
    assert one.digest() == same.digest() != other.digest()


def test_a_quota_is_met_exactly_and_usage_comes_on_average() -> None:
    planned = schedule(slot(WINDOW), seed=1, arrivals="poisson")
    counts = [a.journey for a in planned.arrivals]
    assert counts.count("pay") == 30
    searches = [
        sum(a.journey == "search" for a in schedule(slot(replace(WINDOW, window=n)), seed=1, arrivals="poisson").arrivals)
        for n in range(200)
    ]
    mean = sum(searches) / len(searches)
    variance = sum((n - mean) ** 2 for n in searches) / len(searches)
    assert mean == pytest.approx(300, abs=5)  # 5 a second for 60 s; the mean of 200 windows has a standard error of 1.2
    assert variance == pytest.approx(300, rel=0.35)  # Poisson: the variance is the mean


def test_arrivals_stay_inside_their_window_and_tell_it() -> None:
    planned = schedule(slot(WINDOW), seed=5, arrivals="poisson")
    assert all(10e6 <= a.offset_us < 70e6 for a in planned.arrivals)
    assert {a.visit // 1_000_000 for a in planned.arrivals} == {3}
    assert len({a.visit for a in planned.arrivals}) == len(planned.arrivals)


def test_constant_arrivals_are_evenly_spaced() -> None:
    window = PlannedWindow(0, "typical", 1.0, 0.0, 40.0, {"search": 100.0}, {})
    offsets = [a.offset_us for a in schedule(slot(window), seed=1, arrivals="constant").arrivals]
    assert len(offsets) == 4000
    assert {b - a for a, b in itertools.pairwise(offsets)} <= {9_999, 10_000, 10_001}


@pytest.mark.parametrize(("curve", "before_half"), [((), 0.5), (((0.0, 0.0), (1.0, 2.0)), 0.25), (((0.0, 3.0), (1.0, 1.0)), 0.625)])
def test_a_curve_moves_arrivals_where_its_rate_is(curve: tuple[tuple[float, float], ...], before_half: float) -> None:
    window = PlannedWindow(0, "soak", 1.0, 0.0, 100.0, {}, {"search": 20_000}, curve)
    planned = schedule(slot(window), seed=3, arrivals="poisson")
    share = sum(a.offset_us < 50e6 for a in planned.arrivals) / len(planned.arrivals)
    assert share == pytest.approx(before_half, abs=0.015)


def test_journeys_do_not_disturb_each_other() -> None:
    """The arrivals of one journey are the same whatever other journeys are in the mix."""
    alone = schedule(slot(replace(WINDOW, quota={})), seed=1, arrivals="poisson")
    mixed = schedule(slot(WINDOW), seed=1, arrivals="poisson")
    assert [a.offset_us for a in alone.arrivals] == [a.offset_us for a in mixed.arrivals if a.journey == "search"]
