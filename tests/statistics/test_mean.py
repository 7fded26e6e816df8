"""The interval for the mean of windows: what must hold of it, and how often it covers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.mean import mean_interval, student_p_value, student_t_99
from tests.acceptance.failures import FAILURES, SHARES, covered_nights, points_of_nights

POINTS = st.lists(st.floats(0, 1).map(lambda value: round(value, 4)), min_size=2, max_size=14)


@given(POINTS)
def test_it_holds_the_mean_and_stays_within_the_bounds(values):
    low, high = mean_interval(values, 0, 1)
    mean = math.fsum(values) / len(values)
    assert 0 <= low <= mean + 1e-12
    assert mean - 1e-12 <= high <= 1


@given(POINTS)
def test_it_turns_round_with_its_values(values):
    low, high = mean_interval(values, 0, 1)
    turned = mean_interval([1 - value for value in values], 0, 1)
    assert turned == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_windows_that_agree_still_leave_room_for_one_more():
    assert mean_interval([1.0] * 6, 0, 1) == (6 / 7, 1.0)
    assert mean_interval([0.0] * 6, 0, 1) == (0.0, 1 / 7)


def test_one_window_has_no_such_interval():
    with pytest.raises(ValueError, match="two values"):
        mean_interval([1.0], 0, 1)


@pytest.mark.parametrize("degrees", [1, 2, 5, 11, 30])
def test_the_quantiles_are_those_of_the_density(degrees):
    """By Simpson's rule over the density of Student's t, 2,000 steps."""
    edge = student_t_99(degrees)
    x = np.linspace(-edge, edge, 2001)
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(degrees * math.pi)
    density = scale * (1 + x**2 / degrees) ** (-(degrees + 1) / 2)
    weights = np.array([1, *([4, 2] * 999), 4, 1])
    assert float((density * weights).sum()) * (x[1] - x[0]) / 3 == pytest.approx(0.99, abs=2e-4)


@pytest.mark.parametrize("degrees", [2, 4, 10, 20, 30])
def test_the_p_of_a_quantile_is_its_level(degrees):
    assert student_p_value(student_t_99(degrees), degrees) == pytest.approx(0.01, abs=2e-5)
    assert student_p_value(-student_t_99(degrees), degrees + 1.9) == student_p_value(student_t_99(degrees), degrees)
    assert student_p_value(0.0, degrees) == 1.0


def test_with_many_degrees_it_is_normal():
    assert student_p_value(1.959964, 1e9) == pytest.approx(0.05, abs=1e-6)
    assert student_p_value(3.43, 199) == pytest.approx(student_p_value(3.43, 200), abs=2e-4)


@pytest.mark.parametrize("name", FAILURES)
def test_six_windows_cover_the_mean_of_windows(name):
    """The quick version of tests/acceptance/test_statistics_coverage.py, with a fixed seed."""
    for share in SHARES:
        truth = points_of_nights(FAILURES[name], share, 3000, seed=1).mean()
        nights = points_of_nights(FAILURES[name], share, 400, seed=2)
        assert covered_nights(nights, truth).mean() >= 0.92, share  # 400 nights: ± 1.3 points at 93 %
