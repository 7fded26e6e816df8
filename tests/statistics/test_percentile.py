import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.percentile import nearest_rank, percentile, percentile_floor


@pytest.mark.parametrize(("percent", "floors"), [(90, (46, 64, 29, 36)), (95, (93, 130, 59, 72)), (99, (473, 662, 299, 368))])
def test_floors_are_those_of_loadgen(percent, floors):
    one_above, at_99, none_above, two_sided = floors
    assert percentile_floor(percent) == one_above
    assert percentile_floor(percent, 0.99) == at_99
    assert percentile_floor(percent, above=0) == none_above
    assert percentile_floor(percent, 0.975, above=0) == two_sided


@pytest.mark.parametrize(
    ("count", "percent", "rank"), [(10, 50, 5), (11, 50, 6), (100, 95, 95), (101, 95, 96), (1000, 99.9, 999), (20, 5, 1), (1, 99, 1)]
)
def test_the_rank_is_the_smallest_that_covers_the_share(count, percent, rank):
    assert nearest_rank(count, percent) == rank


def test_a_rank_is_exact_where_floats_are_not():
    # 0.07 · 100 is 7.000000000000001 in floating point and would give rank 8.
    assert nearest_rank(100, 7) == 7
    assert nearest_rank(1000, 99.9) == 999


@given(st.lists(st.floats(0, 1e6) | st.just(math.inf), min_size=1, max_size=200), st.integers(1, 99))
def test_a_percentile_is_a_measured_value_that_covers_its_share(values, percent):
    found = percentile(np.array(values), percent, floor=False)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)


def test_below_the_floor_there_is_no_number():
    assert percentile(np.arange(92.0), 95) is None
    assert percentile(np.arange(93.0), 95) == 88.0


def test_failures_push_the_percentile_to_infinity():
    values = np.array([1.0] * 94 + [math.inf] * 6)
    assert percentile(values, 95) == math.inf
    assert percentile(values, 94) == 1.0


@pytest.mark.parametrize(("count", "percent"), [(0, 50), (5, 0), (5, 100)])
def test_what_is_no_percentile_is_refused(count, percent):
    with pytest.raises(ValueError, match="percentile"):
        nearest_rank(count, percent)
