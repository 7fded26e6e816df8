"""A slow night names at most one portal in twenty, and one portal's change is found in it: 84 portals, by `compare` itself, seeds fixed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from harness.scoring import compare
from tests.scoring.many_nights import sweep_of

PORTALS, WINDOWS = 84, 12
Times = npt.NDArray[np.float64]


def moved(times: Times, movement: str, rng: np.random.Generator) -> Times:
    share = rng.lognormal(0, 0.4, (PORTALS, 1)) if movement == "unlike" else 1.0
    return np.asarray(times + 0.05 if movement == "added" else times * 1.3**share)


def two_sweeps(seed: int, movement: str, size: float) -> set[str]:
    """Whom `compare` names between two sweeps of two nights, if p-40 is slower by a factor in the second."""
    rng = np.random.default_rng(seed)
    levels = np.exp(rng.uniform(np.log(0.05), np.log(3), (PORTALS, 1)))
    noise = np.resize([0.02, 0.04, 0.06, 0.1, 0.2], (PORTALS, 1))
    before, after = (levels * np.exp(noise * rng.normal(size=(PORTALS, WINDOWS))) for _ in range(2))
    after[40] *= size
    sweeps = [
        sweep_of(
            "s", ["2026-03-01", "2026-03-02"], {f"p-{number}": {"average": of_portal.tolist()} for number, of_portal in enumerate(times)}
        )
        for times in (before, moved(after, movement, rng))
    ]
    found = compare(*sweeps)
    return {change.portal for change in (*found.regressions, *found.improvements)}


@pytest.mark.parametrize("movement", ["multiplied", "added", "unlike"])
def test_a_common_slowdown_names_at_most_one_portal_in_twenty(movement: str) -> None:
    named = [len(two_sweeps(seed, movement, 1.0)) for seed in range(5)]
    assert max(named) <= PORTALS / 20
    assert movement == "unlike" or sum(named) == 0


@pytest.mark.parametrize("movement", ["multiplied", "added"])
@pytest.mark.parametrize("size", [1.2, 1.5])
def test_a_portal_that_changed_by_itself_is_named_beside_it(movement: str, size: float) -> None:
    assert all(two_sweeps(seed, movement, size) == {"p-40"} for seed in range(10, 13))
