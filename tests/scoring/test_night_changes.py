"""Over nights: a single bad night is called one, a change that lasts only from two nights on, and a slow night is nobody's change."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from harness.scoring.night_changes import ChangesOverNights, Persistence, changes_over_nights
from tests.scoring.many_nights import nights_of, sweep_of

PORTALS, NIGHTS, WINDOWS = 20, 6, 6
Times = npt.NDArray[np.float64]


@pytest.fixture
def times() -> Times:
    """Seconds of each portal, night and window, in which nothing changes."""
    rng = np.random.default_rng(11)
    levels = np.exp(np.linspace(-2, 1, PORTALS))
    values: Times = levels[:, None, None] * rng.lognormal(0, 0.04, (PORTALS, NIGHTS, WINDOWS))
    return values


def found(times: Times) -> ChangesOverNights:
    return changes_over_nights(nights_of({f"p-{number:02d}": of_portal.tolist() for number, of_portal in enumerate(times)}))


def told(times: Times) -> list[tuple[str, str, Persistence, bool]]:
    return [(each.portal, each.night[-2:], each.persistence, each.worse) for each in found(times).changes]


def test_nights_in_which_nothing_changed_name_nobody(times: Times) -> None:
    assert told(times) == []


def test_a_slow_night_is_told_as_the_night_and_is_nobodys_change(times: Times) -> None:
    times[:, 3] *= 1.3
    over = found(times)
    assert over.changes == ()
    assert [each.night[-2:] for each in over.movements] == ["02", "03", "04", "05", "06"]
    slow = over.movements[2].movement
    assert (slow.kind, slow.portals) == ("multiplied", PORTALS)
    assert slow.size == pytest.approx(1.3, rel=0.03)
    others = [each.movement for each in over.movements if each.movement is not slow]
    assert all(abs(each.size - (1 if each.kind == "multiplied" else 0)) < 0.02 for each in others)  # seconds, where it is a delay


def test_a_single_bad_night_is_called_one_and_the_nights_after_it_are_as_usual(times: Times) -> None:
    times[7, 3] *= 1.5
    assert told(times) == [("p-07", "04", Persistence.SINGLE, True)]
    assert found(times).changes[0].effect == pytest.approx(1.5, rel=0.05)


def test_a_change_that_lasts_is_called_so_from_the_second_night_on_and_once(times: Times) -> None:
    times[7, 3:] *= 1.5
    assert told(times[:, :4]) == [("p-07", "04", Persistence.OPEN, True)]
    assert told(times[:, :5]) == told(times) == [("p-07", "04", Persistence.LASTING, True)]


def test_a_lasting_change_that_ends_is_a_change_for_the_better(times: Times) -> None:
    more = np.concatenate([times, times], axis=1)
    more[7, 3:8] *= 1.5
    assert told(more) == [("p-07", "04", Persistence.LASTING, True), ("p-07", "09", Persistence.LASTING, False)]


def test_a_bad_night_and_then_a_good_one_are_two_single_nights(times: Times) -> None:
    times[7, 3] *= 1.5
    times[7, 4] /= 1.5
    assert told(times) == [("p-07", "04", Persistence.SINGLE, True), ("p-07", "05", Persistence.SINGLE, False)]


def test_a_portal_whose_first_night_is_a_slow_one_does_not_get_faster_after_it(times: Times) -> None:
    times[:, 2] *= 1.5
    portals = {f"p-{number:02d}": of_portal.tolist() for number, of_portal in enumerate(times)}
    portals["p-04"][:2] = [[], []]
    over = changes_over_nights(nights_of(portals))
    assert over.changes == ()
    times[:, 2] = times[:, 2] / 1.5 + 0.1  # the same with a delay that is added
    portals = {f"p-{number:02d}": of_portal.tolist() for number, of_portal in enumerate(times)}
    portals["p-04"][:2] = [[], []]
    assert changes_over_nights(nights_of(portals)).changes == ()


def test_a_night_not_measured_does_not_count(times: Times) -> None:
    times[7, 3:] *= 1.5
    portals = {f"p-{number:02d}": of_portal.tolist() for number, of_portal in enumerate(times)}
    portals["p-07"][4] = []
    assert [each.persistence for each in changes_over_nights(nights_of(portals)).changes] == [Persistence.LASTING]


def test_censored_windows_of_a_night_are_its_worst(times: Times) -> None:
    portals = {f"p-{number:02d}": of_portal.tolist() for number, of_portal in enumerate(times)}
    portals["p-07"][4] = [None] * WINDOWS
    (change,) = changes_over_nights(nights_of(portals)).changes
    assert (change.persistence, change.worse, change.effect) == (Persistence.SINGLE, True, None)


def test_it_says_from_which_night_on_one_portal_can_be_named(times: Times) -> None:
    assert found(times).fewest_nights == 2  # 2 / C(12, 6) = 0.0022 is at most 0.05 / 20
    many = np.concatenate([times] * 4)[:, :2]
    assert found(many).fewest_nights == 3
    many[7, 1] *= 3
    assert told(many) == []


def test_a_sweep_that_repeats_earlier_nights_does_not_count_them_twice(times: Times) -> None:
    portals = {f"p-{number:02d}": of_portal.tolist() for number, of_portal in enumerate(times)}
    alone = nights_of(portals)
    nights = [night for scores in alone[:2] for night in scores.nights]
    both = sweep_of("s-both", nights, {portal: {"average": [*each[0], *each[1]]} for portal, each in portals.items()})
    assert changes_over_nights([alone[0], both, *alone[2:]]) == changes_over_nights(alone)


def test_with_too_few_comparable_portals_nothing_is_taken_out_and_it_says_so(times: Times) -> None:
    times[:, 3] *= 1.3
    over = found(times[:5])
    assert {each.movement.kind for each in over.movements} == {"none"}
    assert {(each.portal, each.night[-2:]) for each in over.changes} == {(f"p-{number:02d}", "04") for number in range(5)}
