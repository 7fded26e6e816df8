import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.slowest import chosen

IDENTITIES = st.sets(st.integers(0, 2**62), min_size=1, max_size=80)


@given(IDENTITIES, st.integers(0, 2**64 - 1), st.integers(1, 90), st.randoms(use_true_random=False))
def test_the_same_steps_are_chosen_whatever_their_order(identities, seed, count, random):
    ordered = sorted(identities)
    shuffled = list(ordered)
    random.shuffle(shuffled)
    here, there = chosen(np.array(ordered), seed, count), chosen(np.array(shuffled), seed, count)
    if len(ordered) < count:
        assert here is None
        assert there is None
        return
    assert {ordered[index] for index in here} == {shuffled[index] for index in there}
    assert len(set(here.tolist())) == count


def test_another_seed_chooses_other_steps():
    identities = np.arange(1000)
    assert set(chosen(identities, 1, 50).tolist()) != set(chosen(identities, 2, 50).tolist())


def test_every_step_is_as_likely_as_the_next():
    hits = np.zeros(40)
    for seed in range(4000):
        hits[chosen(np.arange(40), seed * 7919, 10)] += 1
    assert abs(hits / 4000 - 0.25).max() < 0.04  # 0.25 ± 5.8 standard errors


def test_the_maximum_does_not_grow_with_the_number_of_steps():
    rng = np.random.default_rng(1)
    few = [rng.lognormal(0, 1, 300)[chosen(np.arange(300), seed, 50)].max() for seed in range(400)]
    many = [rng.lognormal(0, 1, 15_000)[chosen(np.arange(15_000), seed, 50)].max() for seed in range(400)]
    assert abs(np.median(few) / np.median(many) - 1) < 0.1
