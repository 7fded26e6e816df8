from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.interval import rank_intervals

INTERVALS = st.lists(st.tuples(st.floats(0, 20), st.floats(0, 20)).map(sorted).map(tuple), min_size=1, max_size=12)


def test_overlapping_intervals_share_their_ranks():
    ranks = rank_intervals({"first": (15.0, 16.0), "second": (12.0, 13.5), "third": (13.0, 14.0), "last": (1.0, 2.0)})
    assert ranks == {"first": (1, 1), "second": (2, 3), "third": (2, 3), "last": (4, 4)}


@given(INTERVALS, st.randoms(use_true_random=False))
def test_every_order_that_the_intervals_allow_is_within_the_ranks(intervals, random):
    named = {str(index): interval for index, interval in enumerate(intervals)}
    ranks = rank_intervals(named)
    drawn = {name: random.uniform(low, high) for name, (low, high) in named.items()}
    for name, value in drawn.items():
        place = 1 + sum(other > value for other in drawn.values())
        best, worst = ranks[name]
        assert best <= place <= worst
