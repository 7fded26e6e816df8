"""Simulated nights of 84 portals that move in common, and how often `compare` and `nights` name whom: figures for docs/statistics.md.

python -m tests.acceptance.moved_nights
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from harness.scoring import ChangeLimits, compare
from harness.scoring.effects import least_of
from harness.scoring.night_changes import changes_over_nights
from harness.scoring.paired_windows import worsening
from harness.statistics.metric import parse_metric
from harness.statistics.permutation import benjamini_hochberg, paired_p_value
from tests.acceptance.processes import PROCESSES
from tests.scoring.many_nights import nights_of, sweep_of

PORTALS, POOL, A_NIGHT = 84, 1200, 6
UNCHANGED, PLANTED = 100, 40
"""Repetitions of two nights in which no portal changed, and of one change at one portal."""
SIZES = (1.2, 1.5)

Times = npt.NDArray[np.float64]  # seconds; a portal, a window
Movement = Callable[[np.random.Generator, Times], Times]


@functools.cache
def pool(name: str) -> Times:
    """The mean times of many windows of a process, around 1."""
    means = PROCESSES[name](np.random.default_rng([17, len(name)]), POOL).mean(axis=1)
    return np.asarray(means / np.median(means))


def quiet(_rng: np.random.Generator, times: Times) -> Times:
    """A night like the one before."""
    return times


def multiplied(rng: np.random.Generator, times: Times) -> Times:
    """Everything takes 30 % longer, in each round a little more or less."""
    return np.asarray(times * _factors(rng, times))


def added(rng: np.random.Generator, times: Times) -> Times:
    """Every time is 50 ms longer, in each round a little more or less."""
    return np.asarray(times + _delays_s(rng, times))


def multiplied_unlike(rng: np.random.Generator, times: Times) -> Times:
    """As ``multiplied``, but each portal has a share of its own: half of them between 0.76 and 1.31 of the middle one."""
    return np.asarray(times * _factors(rng, times) ** _shares(rng))


def added_unlike(rng: np.random.Generator, times: Times) -> Times:
    """As ``added``, each portal with such a share."""
    return np.asarray(times + _delays_s(rng, times) * _shares(rng))


MOVEMENTS: dict[str, Movement] = {
    "none": quiet,
    "30 % slower": multiplied,
    "50 ms added": added,
    "30 % slower, unlike portals": multiplied_unlike,
    "50 ms added, unlike portals": added_unlike,
}


def _factors(rng: np.random.Generator, times: Times) -> Times:
    return 1.3 * rng.lognormal(0, 0.05, times.shape[1])


def _delays_s(rng: np.random.Generator, times: Times) -> Times:
    return 0.05 * rng.lognormal(0, 0.2, times.shape[1])


def _shares(rng: np.random.Generator) -> Times:
    return rng.lognormal(0, 0.4, (PORTALS, 1))


def portals_of(rng: np.random.Generator, windows: int, measurements: int = 2) -> list[Times]:
    """Several measurements of portals from 50 ms to 3 s, a fifth of each process, between which nothing changed."""
    levels = np.exp(rng.uniform(np.log(0.05), np.log(3), (PORTALS, 1)))
    kinds = list(PROCESSES)
    return [
        np.asarray(levels * np.array([pool(kinds[number % len(kinds)])[rng.integers(0, POOL, windows)] for number in range(PORTALS)]))
        for _ in range(measurements)
    ]


def planted(portals: Times, portal: int, size: float) -> Times:
    """The same with one portal slower by a factor."""
    changed = portals.copy()
    changed[portal] *= size
    return changed


def named(before: Times, after: Times) -> set[int]:
    """The portals that `harness compare` names, for worse or better."""
    nights = [f"2026-03-{night + 1:02d}" for night in range(before.shape[1] // A_NIGHT)]
    sweeps = [
        sweep_of("s", nights, {f"{number}": {"average": windows.tolist()} for number, windows in enumerate(times)})
        for times in (before, after)
    ]
    found = compare(*sweeps)
    return {int(change.portal) for change in (*found.regressions, *found.improvements)}


def named_with_the_movement_in(before: Times, after: Times) -> int:
    """How many portals would be named if nothing were taken out."""
    metric, limits = parse_metric("mean"), ChangeLimits()
    differences = [
        [worsening(metric, *pair) for pair in zip(*each, strict=True)] for each in zip(before.tolist(), after.tolist(), strict=True)
    ]
    adjusted = benjamini_hochberg([paired_p_value(each) for each in differences])
    least = least_of(metric, limits)
    return sum(
        p <= limits.false_discovery_rate and abs(statistics.median(each)) >= least for p, each in zip(adjusted, differences, strict=True)
    )


def unchanged_named(movement: str, windows: int, repetitions: int = UNCHANGED) -> tuple[list[float], list[float]]:
    """For each repetition the share of unchanged portals that is named, and the share if nothing were taken out."""
    rng = np.random.default_rng([19, windows, len(movement)])
    shares, without = [], []
    for _ in range(repetitions):
        before, after = portals_of(rng, windows)
        moved = MOVEMENTS[movement](rng, after)
        shares.append(len(named(before, moved)) / PORTALS)
        without.append(named_with_the_movement_in(before, moved) / PORTALS)
    return shares, without


def power(movement: str, process: str, size: float, windows: int, repetitions: int = PLANTED) -> float:
    """The share of the repetitions in which one slower portal is named, in a night with this movement."""
    kind = list(PROCESSES).index(process)
    rng = np.random.default_rng([23, windows, kind, len(movement)])
    hits = 0
    for repetition in range(repetitions):
        portal = kind + len(PROCESSES) * (repetition % (PORTALS // len(PROCESSES)))
        before, after = portals_of(rng, windows)
        hits += portal in named(before, MOVEMENTS[movement](rng, planted(after, portal, size)))
    return hits / repetitions


def last_night_named(movement: str, repetitions: int, portal: int | None = None, size: float = 1.0) -> list[set[int]]:
    """For each repetition whom `harness nights` names in a fourth night of six windows that moves like this; one portal may be slower."""
    rng = np.random.default_rng([29, len(movement), portal or 0])
    found = []
    for _ in range(repetitions):
        *usual, last = portals_of(rng, A_NIGHT, measurements=4)
        moved = MOVEMENTS[movement](rng, last if portal is None else planted(last, portal, size))
        nights = nights_of({f"{number}": [times[number].tolist() for times in (*usual, moved)] for number in range(PORTALS)})
        found.append({int(change.portal) for change in changes_over_nights(nights).changes if change.night == nights[-1].nights[0]})
    return found


def table_of_unchanged() -> Iterator[str]:
    """How many portals are named although none changed."""
    yield "| common movement | named, 12 windows | 24 windows | nights with more than 5 % | if nothing were taken out, 12 windows |"
    yield "|---|---|---|---|---|"
    for movement in MOVEMENTS:
        (few, without), (many, _) = (unchanged_named(movement, windows) for windows in (12, 24))
        parts = (np.mean(few), np.mean(many), np.mean([share > 0.05 for share in (*few, *many)]), np.mean(without))
        yield f"| {movement} | " + " | ".join(f"{100 * part:.1f} %" for part in parts) + " |"


def table_of_power(windows: int) -> Iterator[str]:
    """How often one slower portal is found, by the kind of its noise."""
    yield f"| common movement, {windows} windows | " + " | ".join(PROCESSES) + " |"
    yield "|---" * (1 + len(PROCESSES)) + "|"
    for movement in MOVEMENTS:
        found = ([power(movement, process, size, windows) for size in SIZES] for process in PROCESSES)
        yield f"| {movement} | " + " | ".join(_both(each) for each in found) + " |"


def table_of_nights() -> Iterator[str]:
    """Both for a fourth night beside three usual ones."""
    yield "| common movement of the fourth night | named although unchanged | " + " | ".join(PROCESSES) + " |"
    yield "|---" * (2 + len(PROCESSES)) + "|"
    for movement in MOVEMENTS:
        false = np.mean([len(each) / PORTALS for each in last_night_named(movement, UNCHANGED)])
        found = (
            [np.mean([40 + kind in each for each in last_night_named(movement, PLANTED, 40 + kind, size)]) for size in SIZES]
            for kind in range(len(PROCESSES))
        )
        yield f"| {movement} | {100 * false:.1f} % | " + " | ".join(_both(each) for each in found) + " |"


def _both(shares: Sequence[float | np.floating]) -> str:
    return " · ".join(f"{100 * float(share):.0f} %" for share in shares)


if __name__ == "__main__":
    for table in (table_of_unchanged(), table_of_power(12), table_of_power(24), table_of_nights()):
        for line in table:
            print(line, flush=True)
        print()
