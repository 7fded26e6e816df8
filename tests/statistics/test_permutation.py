import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.statistics.permutation import benjamini_hochberg, fewest_pairs, least_rank_sum_p_value, paired_p_value, rank_sum_p_value


def _by_enumeration(differences):
    """The same p by trying every sign."""
    sizes = sorted({abs(d) for d in differences if d})
    kept = [d for d in differences if d]

    def rank(d):
        below = sum(abs(other) < abs(d) for other in kept)
        same = sum(abs(other) == abs(d) for other in kept)
        return below + (same + 1) / 2

    if not sizes:
        return 1.0
    observed = abs(sum(math.copysign(rank(d), d) for d in kept))
    sums = [abs(sum(sign * rank(d) for sign, d in zip(signs, kept, strict=True))) for signs in itertools.product((1, -1), repeat=len(kept))]
    return sum(value >= observed for value in sums) / len(sums)


@settings(max_examples=60)
@given(st.lists(st.sampled_from([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 2.5, math.inf, -math.inf]), max_size=9))
def test_counting_gives_what_trying_every_sign_gives(differences):
    assert paired_p_value(differences) == pytest.approx(_by_enumeration(differences), abs=1e-12)


def test_six_pairs_cannot_say_more_than_one_in_32():
    assert paired_p_value([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) == 2 / 64
    assert paired_p_value([math.inf] * 6) == 2 / 64
    assert paired_p_value([0.0] * 6) == 1.0


@given(st.lists(st.floats(-10, 10), max_size=20))
def test_the_sign_of_everything_does_not_matter(differences):
    assert paired_p_value(differences) == paired_p_value([-d for d in differences])
    assert 0 < paired_p_value(differences) <= 1


def test_benjamini_hochberg_by_hand():
    # 0.01·4/1, 0.04·4/3 (smaller than 0.03·4/2 would be 0.06, so it carries down), 0.5
    assert benjamini_hochberg([0.04, 0.01, 0.5, 0.03]) == pytest.approx([0.16 / 3, 0.04, 0.5, 0.16 / 3])
    assert benjamini_hochberg([]) == []


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=50))
def test_adjusting_keeps_order_and_never_lowers(p_values):
    adjusted = benjamini_hochberg(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    assert sorted(adjusted) == [a for _, a in sorted(zip(p_values, adjusted, strict=True))]


def test_84_portals_need_twelve_pairs():
    pairs = fewest_pairs(84)
    assert pairs == 12
    assert benjamini_hochberg([paired_p_value([1.0 + i for i in range(pairs)])] + [1.0] * 83)[0] <= 0.05
    assert benjamini_hochberg([paired_p_value([1.0 + i for i in range(pairs - 1)])] + [1.0] * 83)[0] > 0.05


def _by_every_choice(first, second):
    """The same p by trying every choice of as many values."""
    values = [*first, *second]
    rank = {value: sum(other < value for other in values) + (values.count(value) + 1) / 2 for value in values}
    mean = len(first) * (len(values) + 1) / 2
    observed = abs(sum(rank[value] for value in first) - mean)
    sums = [abs(sum(rank[value] for value in chosen) - mean) for chosen in itertools.combinations(values, len(first))]
    return sum(each >= observed - 1e-9 for each in sums) / len(sums)


_FEW = st.lists(st.sampled_from([-math.inf, 0.0, 1.0, 1.5, 2.0, math.inf]), min_size=1, max_size=5)


@settings(max_examples=60)
@given(_FEW, _FEW)
def test_counting_rank_sums_gives_what_trying_every_choice_gives(first, second):
    assert rank_sum_p_value(first, second) == pytest.approx(_by_every_choice(first, second), abs=1e-12)


def test_a_night_that_lies_apart_from_all_earlier_windows_has_the_least_p():
    night, earlier = [7.0, 8.0, 9.0], [1.0, 2.0, 3.0, 4.0]
    assert rank_sum_p_value(night, earlier) == pytest.approx(least_rank_sum_p_value(3, 4)) == pytest.approx(2 / 35)
    assert rank_sum_p_value([], earlier) == rank_sum_p_value(night, []) == 1.0
