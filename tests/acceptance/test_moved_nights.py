"""A slow night is nobody's change, and one portal's change is found beside it, with the power that docs/statistics.md states."""

from __future__ import annotations

import numpy as np
import pytest

from tests.acceptance import moved_nights as nights

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("windows", [12, 24])
@pytest.mark.parametrize("movement", nights.MOVEMENTS)
def test_nights_that_move_in_common_name_at_most_one_portal_in_twenty(movement: str, windows: int) -> None:
    shares, _ = nights.unchanged_named(movement, windows, repetitions=60)
    assert max(shares) <= 0.05


def test_most_portals_would_be_named_if_nothing_were_taken_out() -> None:
    _, without = nights.unchanged_named("30 % slower", 24, repetitions=10)
    assert np.mean(without) > 0.5


@pytest.mark.parametrize("movement", ["none", "30 % slower", "50 ms added"])
def test_a_portal_that_is_half_as_slow_again_is_found_in_any_night(movement: str) -> None:
    assert nights.power(movement, "independent", 1.5, 12, repetitions=30) >= 0.95
    assert nights.power(movement, "queueing (M/M/4, ρ 0.8)", 1.5, 24, repetitions=30) >= 0.8


@pytest.mark.parametrize("movement", ["none", "30 % slower"])
def test_a_portal_that_is_a_fifth_slower_is_found_where_its_windows_agree(movement: str) -> None:
    assert nights.power(movement, "independent", 1.2, 12, repetitions=30) >= 0.9


@pytest.mark.parametrize("movement", nights.MOVEMENTS)
def test_a_night_beside_three_usual_ones_names_at_most_one_portal_in_twenty(movement: str) -> None:
    assert np.mean([len(named) / nights.PORTALS for named in nights.last_night_named(movement, 30)]) <= 0.05


@pytest.mark.parametrize("movement", ["none", "30 % slower"])
def test_one_bad_night_of_one_portal_is_found(movement: str) -> None:
    assert np.mean([40 in named for named in nights.last_night_named(movement, 30, 40, 1.5)]) >= 0.9
