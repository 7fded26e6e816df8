import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.catalog.criteria import Bands, Linear, LogNormal
from harness.scoring.curves import log_normal, share, zero_point
from harness.statistics.metric import parse_metric

SOURCED = {"basis": "assumed", "source": "a test", "version": 1}
MEAN, RATE = parse_metric("mean"), parse_metric("ok_rate")
FALLING = Linear(kind="linear", full=2.5, none=10, **SOURCED)
RISING = Linear(kind="linear", full=99, none=90, **SOURCED)
BANDS = Bands(kind="bands", bands=[{"limit": 1, "share": 1}, {"limit": 2, "share": 0.5}, {"limit": 4, "share": 0.1}], **SOURCED)
SMOOTH = LogNormal(kind="log_normal", p10=1.5, median=4, **SOURCED)
TIMES = st.floats(0, 1e4) | st.just(math.inf)


@given(st.floats(0.001, 100), st.floats(1.01, 100))
def test_the_log_normal_curve_gives_090_at_p10_and_050_at_the_median(p10, ratio):
    assert log_normal(p10, p10, p10 * ratio) == pytest.approx(0.90, abs=1e-9)
    assert log_normal(p10 * ratio, p10, p10 * ratio) == pytest.approx(0.50, abs=1e-9)
    assert log_normal(0, p10, p10 * ratio) == log_normal(-1, p10, p10 * ratio) == 1


@pytest.mark.parametrize("curve", [FALLING, BANDS, SMOOTH], ids=lambda curve: curve.kind)
@given(a=TIMES, b=TIMES)
def test_a_slower_time_never_deserves_more(curve, a, b):
    low, high = sorted((a, b))
    assert 0 <= share(curve, MEAN, high) <= share(curve, MEAN, low) <= 1


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_higher_rate_never_deserves_less(a, b):
    low, high = sorted((a, b))
    assert 0 <= share(RISING, RATE, low) <= share(RISING, RATE, high) <= 1


@pytest.mark.parametrize("curve", [FALLING, SMOOTH], ids=lambda curve: curve.kind)
@given(value=st.floats(0.01, 100), step=st.floats(0, 1e-6))
def test_smooth_curves_have_no_jumps(curve, value, step):
    assert abs(share(curve, MEAN, value) - share(curve, MEAN, value + step)) < 1e-5


def test_ends_of_a_straight_line():
    assert [share(FALLING, MEAN, value) for value in (0, 2.5, 6.25, 10, 60, math.inf)] == [1, 1, 0.5, 0, 0, 0]
    assert [share(RISING, RATE, value) for value in (0, 90, 94.5, 99, 100)] == [0, 0, 0.5, 1, 1]


def test_a_band_ends_at_its_limit():
    assert [share(BANDS, MEAN, value) for value in (1, 1.0001, 2, 2.0001, 4, 4.0001)] == [1, 0.5, 0.5, 0.1, 0.1, 0]
    rising = Bands(kind="bands", bands=[{"limit": 99, "share": 1}, {"limit": 95, "share": 0.5}], **SOURCED)
    assert [share(rising, RATE, value) for value in (99, 98.9, 95, 94.9)] == [1, 0.5, 0.5, 0]


def test_zero_points_are_where_points_end():
    assert zero_point(FALLING) == 10
    assert zero_point(BANDS) == 4
    assert share(SMOOTH, MEAN, zero_point(SMOOTH)) == pytest.approx(0.01, abs=1e-9)
