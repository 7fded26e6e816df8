import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.share import apdex, clustered_share, wilson


def test_apdex_counts_tolerated_as_half_and_failures_as_nothing():
    assert apdex(np.array([1.0, 2.5, 2.6, 10.0, 10.1, math.inf]), 2.5) == (2 + 2 / 2) / 6
    assert apdex(np.array([]), 2.5) is None


def test_a_cluster_that_fails_as_one_is_worth_one_trial():
    together = clustered_share([10] * 5 + [0] * 15, [10] * 20)
    apart = clustered_share([1] * 50 + [0] * 150, [1] * 200)
    assert together.share == apart.share == 0.25
    assert together.effective_trials == pytest.approx(19, rel=0.01)
    assert apart.effective_trials == pytest.approx(199, rel=0.01)
    assert together.high - together.low > 2.5 * (apart.high - apart.low)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_interval_holds_the_share_in_any_order(pairs, random):
    clusters = [(hits, hits + misses) for hits, misses in pairs if hits + misses]
    if not clusters:
        return
    found = clustered_share(*zip(*clusters, strict=True))
    random.shuffle(clusters)
    assert found == clustered_share(*zip(*clusters, strict=True))
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_wilson_agrees_with_the_printed_example():
    # Newcombe (1998), 81 of 263: 0.2553 to 0.3662.
    low, high = wilson(81 / 263, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_no_trials_no_share():
    with pytest.raises(ValueError, match="at least one trial"):
        clustered_share([0], [0])
