"""How often `compare` names what did not change, and finds what did: figures for docs/statistics.md.

python -m pytest tests/acceptance/test_statistics_flags.py -m slow -s
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.scoring import Comparison, CriterionState, SweepScores, compare
from harness.scoring.judge import line_of
from harness.scoring.scorecard import WindowScore
from harness.statistics.percentile import percentile
from tests.acceptance.processes import PROCESSES
from tests.scoring.sets import card, criteria_set, criterion, sweep_scores

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PORTALS, POOL = 84, 1200
METRICS = {"average": "mean", "p95": "p95"}
CRITERIA = criteria_set(criterion("average", points=10), criterion("p95", "p95", points=10, quota={"n": 93}))
LINES = {each.id: line_of(each) for each in CRITERIA.criteria}


@pytest.fixture(scope="module")
def pools():
    """For each process, the figures of many windows: an array of (window, metric)."""
    found = {}
    for name, process in PROCESSES.items():
        times = process(np.random.default_rng([5, len(name)]), POOL)
        found[name] = np.array([(row.mean(), percentile(row, 95)) for row in times])
    return found


def _night(pools, rng, windows: int, slower: dict[int, float] | None = None) -> SweepScores:
    """84 portals, a fifth of each process, each with windows drawn at random and a speed of its own."""
    cards = []
    for number in range(PORTALS):
        pool = pools[list(pools)[number % len(pools)]]
        values = pool[rng.integers(0, POOL, windows)] * (1 + number / PORTALS) * (slower or {}).get(number, 1.0)
        lines = tuple(
            dataclasses.replace(
                LINES[name],
                state=CriterionState.ASSESSED,
                points=1.0,
                per_window=tuple(WindowScore(window, float(value), 3000) for window, value in enumerate(values[:, column])),
            )
            for column, name in enumerate(METRICS)
        )
        cards.append(card(f"p-{number:02d}", lines))
    return sweep_scores(cards)


def _flagged(found: Comparison) -> set[str]:
    return {change.portal for change in (*found.regressions, *found.improvements)}


@pytest.mark.parametrize("windows", [6, 12, 24])
def test_two_identical_nights_flag_almost_nobody(pools, windows):
    rng = np.random.default_rng(11)
    flagged = [len(_flagged(compare(_night(pools, rng, windows), _night(pools, rng, windows)))) for _ in range(200)]
    share, nights = 100 * np.mean(flagged) / PORTALS, 100 * np.mean([count > 0 for count in flagged])
    print(f"| {windows} | {share:.2f} % | {nights:.1f} % |")
    assert share <= 5
    assert nights <= 15  # two criteria, each with a false discovery rate of 5 %


def test_a_portal_that_is_a_fifth_slower_is_found_with_the_stated_power(pools):
    power: dict[tuple[int, str], float] = {}
    for windows in (6, 12, 18, 24):
        for kind, name in enumerate(pools):
            rng = np.random.default_rng([13, windows, kind])
            hits = 0
            for repetition in range(60):
                planted = kind + len(pools) * (repetition % 16)
                found = compare(_night(pools, rng, windows), _night(pools, rng, windows, {planted: 1.2}))
                hits += f"p-{planted:02d}" in {change.portal for change in found.regressions}
            power[windows, name] = 100 * hits / 60
    for name in pools:
        print(f"| {name} | " + " | ".join(f"{power[windows, name]:.0f} %" for windows in (6, 12, 18, 24)) + " |")
    assert all(power[6, name] == 0 for name in pools)  # the smallest p of six pairs is 0.031: no one among 84
    assert power[12, "independent"] >= 95
    assert power[18, "visit-clustered"] >= 95
    assert power[24, "queueing (M/M/4, ρ 0.8)"] >= power[12, "queueing (M/M/4, ρ 0.8)"]
