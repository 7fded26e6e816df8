import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.interval import FEWEST_WINDOWS, attained_level, sign_test_interval, sign_test_rank, worse_median

VALUES = st.lists(st.floats(-1e6, 1e6) | st.just(math.inf), min_size=1, max_size=40)


def test_six_windows_are_the_fewest_that_attain_95_percent():
    assert attained_level(FEWEST_WINDOWS, 1) == 1 - 2 / 64
    assert attained_level(FEWEST_WINDOWS - 1, 1) == 1 - 2 / 32 < 0.95


@pytest.mark.parametrize(("count", "rank"), [(1, 1), (5, 1), (6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (20, 6), (50, 18)])
def test_the_interval_is_the_narrowest_that_attains_the_level(count, rank):
    assert sign_test_rank(count) == rank


@pytest.mark.parametrize("count", range(1, 12))
def test_the_level_is_the_share_of_all_sign_patterns_that_cover(count):
    for rank in range(1, (count + 1) // 2 + 1):
        patterns = list(itertools.product((0, 1), repeat=count))
        covering = sum(rank <= sum(pattern) <= count - rank for pattern in patterns)
        assert attained_level(count, rank) == covering / len(patterns)


@given(VALUES)
def test_the_interval_holds_the_median_window(values):
    interval = sign_test_interval(values)
    assert interval.low <= values[worse_median(values)] <= interval.high
    assert interval.level >= 0.95 or len(values) < FEWEST_WINDOWS


@given(VALUES)
def test_at_least_half_of_the_windows_are_as_bad_as_the_median_window(values):
    median = values[worse_median(values)]
    assert 2 * sum(value >= median for value in values) >= len(values)
    assert 2 * sum(value <= median for value in values) >= len(values)


def test_of_an_even_number_the_worse_middle_window_is_the_median():
    assert worse_median([5.0, 1.0, 3.0, 2.0]) == 2
    assert worse_median([1.0, 1.0, math.inf, math.inf]) == 2


def test_no_values_no_interval():
    with pytest.raises(ValueError, match="at least one"):
        sign_test_interval([])
    with pytest.raises(ValueError, match="spans no interval"):
        attained_level(4, 3)
