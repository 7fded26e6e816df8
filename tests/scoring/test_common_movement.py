"""What portals move in common is taken out, and only what stands out is left: small simulations with fixed seeds.

The figures of docs/statistics.md come from tests/acceptance/common_movement.py.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from harness.scoring.common_movement import LEAST_PORTALS, WithoutCommonMovement, take_out
from harness.scoring.paired_windows import PairedWindows, WindowPair, worsening
from harness.statistics.metric import parse_metric

MEAN, OK_RATE = parse_metric("mean"), parse_metric("ok_rate")
PORTALS, ROUNDS = 84, 12
LEVELS_S = np.exp(np.linspace(math.log(0.05), math.log(3), PORTALS))[:, None]


def nights(seed: int, noise: float = 0.05) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Two measurements of portals from 50 ms to 3 s between which nothing changed."""
    rng = np.random.default_rng(seed)
    before, after = (LEVELS_S * rng.lognormal(0, noise, (PORTALS, ROUNDS)) for _ in range(2))
    return before, after


def taken_out(before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]) -> WithoutCommonMovement:
    portals = [
        PairedWindows(
            f"p-{number}", tuple(WindowPair((place,), *pair) for place, pair in enumerate(zip(old.tolist(), new.tolist(), strict=True)))
        )
        for number, (old, new) in enumerate(zip(before, after, strict=True))
    ]
    return take_out(MEAN, portals)


def middles(found: WithoutCommonMovement) -> list[float]:
    return [float(np.median(differences)) for differences in found.differences]


def standing_out(found: WithoutCommonMovement) -> list[int]:
    """The portals that lie further out than chance allows among so many, and by the least effect of a time."""
    both = enumerate(zip(found.movement_p_values, middles(found), strict=True))
    return [number for number, (p_value, middle) in both if p_value < 0.05 / PORTALS and abs(middle) > math.log(1.1)]


def test_a_slowdown_by_a_factor_is_found_and_nothing_of_it_is_left() -> None:
    before, after = nights(1)
    factors = np.linspace(1.1, 1.5, ROUNDS)
    found = taken_out(before, after * factors)
    assert (found.movement.kind, found.movement.portals) == ("multiplied", PORTALS)
    assert found.movement.size == pytest.approx(1.3, rel=0.02)
    assert found.movement.by_round == pytest.approx(factors, rel=0.04)
    assert max(map(abs, middles(found))) < math.log(1.1)


def test_a_delay_added_to_every_portal_is_told_in_seconds_and_taken_out_of_fast_portals_too() -> None:
    before, after = nights(2)
    assert taken_out(before, after + 0.05).movement.kind == "added"
    slower, faster = taken_out(before, after + 0.05), taken_out(before + 0.05, after)
    assert slower.movement.size == pytest.approx(0.05, rel=0.1)
    assert faster.movement.size == pytest.approx(-0.05, rel=0.1)
    assert max(map(abs, middles(slower) + middles(faster))) < math.log(1.1)


def test_portals_of_unlike_sensitivity_do_not_stand_out_although_their_own_windows_agree() -> None:
    before, after = nights(3, noise=0.02)
    shares = np.random.default_rng(4).lognormal(0, 0.4, (PORTALS, 1))
    found = taken_out(before, after * 1.3**shares)
    assert sum(abs(middle) > math.log(1.1) for middle in middles(found)) > PORTALS / 8  # these would be named by their own windows
    assert len(standing_out(found)) <= PORTALS / 20


@pytest.mark.parametrize("common", [1.0, 1.3])
def test_a_portal_that_changed_by_itself_stands_out(common: float) -> None:
    before, after = nights(5)
    after[40] *= 1.2
    found = taken_out(before, after * common)
    assert middles(found)[40] == pytest.approx(math.log(1.2), abs=0.06)
    assert standing_out(found) == [40]


def test_a_change_among_fast_portals_is_found_beside_an_added_delay() -> None:
    before, after = nights(6)
    after[5] *= 1.5
    found = taken_out(before, after + 0.02)
    assert standing_out(found) == [5]


def test_with_too_few_comparable_portals_nothing_is_taken_out() -> None:
    before, after = nights(7)
    few, enough = (taken_out(before[:count], 1.3 * after[:count]) for count in (LEAST_PORTALS - 1, LEAST_PORTALS))
    assert (few.movement.kind, few.movement.size, few.movement.portals) == ("none", 1.0, 7)
    assert set(few.movement_p_values) == {0.0}
    assert few.differences[0][0] == worsening(MEAN, float(before[0, 0]), float(1.3 * after[0, 0]))
    assert enough.movement.kind == "multiplied"


def test_one_portal_among_the_fewest_does_not_move_what_is_taken_out_of_it() -> None:
    before, after = (table[:: PORTALS // LEAST_PORTALS][:LEAST_PORTALS] for table in nights(8))
    alone = taken_out(before, after).differences[3]
    moved = after.copy()
    moved[3] *= 100
    assert taken_out(before, moved).differences[3] == pytest.approx([each + math.log(100) for each in alone])


def test_censored_windows_lead_nothing_astray_and_stay_the_largest() -> None:
    pairs = [[WindowPair((place,), 1.0, 1.3) for place in range(6)] for _ in range(10)]
    pairs[0] = [WindowPair((place,), 1.0, None) for place in range(6)]
    pairs[1][2] = WindowPair((2,), None, None)
    pairs[2][3] = WindowPair((3,), None, 1.3)
    found = take_out(MEAN, [PairedWindows(str(number), tuple(each)) for number, each in enumerate(pairs)])
    assert found.movement.size == pytest.approx(1.3)
    assert found.movement.portals == 9
    assert found.differences[0] == (math.inf,) * 6
    assert (found.differences[1][2], found.differences[2][3]) == (0.0, -math.inf)
    assert found.movement_p_values[:2] == (0.0, 1.0)


def test_a_portal_measured_in_rounds_of_its_own_is_compared_with_the_whole_night() -> None:
    pairs = [[WindowPair((place,), 1.0, 1.2) for place in range(6)] for _ in range(9)]
    pairs[0] = [WindowPair((place, "make-up"), 1.0, 1.2) for place in range(6)]
    found = take_out(MEAN, [PairedWindows(str(number), tuple(each)) for number, each in enumerate(pairs)])
    assert np.abs(found.differences).max() < 1e-12


def test_a_portal_that_cannot_move_with_the_others_is_not_better_for_it() -> None:
    before, after = nights(9)
    before[3], after[3] = 10.0, 13.0  # the mean counts each time at most as the zero point, which is 10 s
    found = taken_out(before, np.minimum(1.3 * after, 10.0))
    assert middles(found)[3] == pytest.approx(-math.log(1.3), abs=0.03)
    assert found.movement_p_values[3] == 1.0
    full = [
        [WindowPair((place,), 100.0 if number == 3 else 90.0, 100.0 if number == 3 else 80.0) for place in range(6)] for number in range(9)
    ]
    shares = take_out(OK_RATE, [PairedWindows(str(number), tuple(each)) for number, each in enumerate(full)])
    assert shares.movement_p_values[3] == 1.0


def test_shares_move_by_points_and_a_rise_is_for_the_better() -> None:
    pairs = [[WindowPair((place,), 90.0, 86.0) for place in range(6)] for _ in range(9)]
    pairs[4] = [WindowPair((place,), 90.0, 95.0) for place in range(6)]
    found = take_out(OK_RATE, [PairedWindows(str(number), tuple(each)) for number, each in enumerate(pairs)])
    assert (found.movement.kind, found.movement.size) == ("added", -4.0)
    assert found.differences[0] == (0.0,) * 6
    assert found.differences[4] == (-9.0,) * 6
    assert found.movement_p_values[4] == 0.0
