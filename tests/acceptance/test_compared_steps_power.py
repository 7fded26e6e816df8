"""How often `compare` names a step that did not change, and finds one that did: figures for docs/statistics.md.

python -m pytest tests/acceptance/test_compared_steps_power.py -m slow -s
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.scoring import ChangeLimits, ChangeWord, CriterionState, StepWindows, compare
from harness.scoring.compared_steps import compare_steps
from harness.scoring.judge import line_of
from harness.scoring.scorecard import WindowScore
from harness.scoring.step_windows import figures_of_window
from tests.acceptance.processes import PROCESSES
from tests.scoring.sets import card, criteria_set, criterion, sweep_scores
from tests.scoring.simulated_steps import simulated

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

RUNS = 200
WINDOWS = (6, 8, 10, 12, 16)
NO_MINIMUM = ChangeLimits(spread=1.0)


def _words(before, after, limits=None) -> dict[str, ChangeWord]:
    return {change.step: change.word for change in compare_steps(before, after, limits or ChangeLimits())[0]}


@pytest.mark.parametrize("steps", [2, 6, 12])
@pytest.mark.parametrize("between", [0.03, 0.10])
def test_a_step_that_is_a_fifth_slower_stops_a_gate_and_an_unchanged_portal_does_not(steps, between):
    names = {f"step-{number}": 1.0 for number in range(steps)}
    power, stops = {}, {}
    for windows in WINDOWS:
        found = stopped = 0
        for run in range(RUNS):
            before, same, slower = (
                simulated((steps, windows, run, which), names | ({"step-1": 1.2} if which == 2 else {}), windows=windows, between=between)
                for which in range(3)
            )
            found += _words(before, slower)["step-1"] is ChangeWord.WORSE
            stopped += ChangeWord.WORSE in _words(before, same).values()
        power[windows], stops[windows] = 100 * found / RUNS, 100 * stopped / RUNS
    print(f"| {steps} steps, windows differ by {100 * between:.0f} % | " + " | ".join(f"{power[w]:.0f} %" for w in WINDOWS) + " |", end=" ")
    print(f"at most {max(stops.values()):.1f} %")
    assert max(stops.values()) <= 5
    assert power[6] == 0 or steps == 2  # fewer pairs than can name one of so many steps
    if between == 0.03:
        assert power[16] >= 95


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_an_unchanged_portal_with_many_criteria_stops_a_gate_in_one_of_twenty_at_most(noise):
    criteria = criteria_set(*(criterion(f"c-{number}", points=2) for number in range(10)))
    lines = [line_of(each) for each in criteria.criteria]

    def night(draw, windows):
        figures = np.exp(noise * draw.normal(0, 1, (len(lines), windows)))
        scored = (
            replace(
                line,
                state=CriterionState.ASSESSED,
                per_window=tuple(WindowScore(number, float(value), 50) for number, value in enumerate(row)),
            )
            for line, row in zip(lines, figures, strict=True)
        )
        return sweep_scores([card("p", scored)])

    stops = {}
    for windows in WINDOWS:
        draw = np.random.default_rng([19, windows, round(100 * noise)])
        stopped = sum(bool(compare(night(draw, windows), night(draw, windows)).regressions) for _ in range(2 * RUNS))
        stops[windows] = 100 * stopped / (2 * RUNS)
    print(f"| 10 criteria, windows differ by {100 * noise:.0f} % | " + " | ".join(f"{stops[w]:.1f} %" for w in WINDOWS) + " |")
    assert max(stops.values()) <= 5


@pytest.fixture(scope="module")
def pools():
    """For each process, the figures of many windows of 3,000 times: as they are, and with twice the spread around the median."""
    found = {}
    for name, process in PROCESSES.items():
        times = process(np.random.default_rng([7, len(name)]), 600)
        middle = np.median(times, axis=1, keepdims=True)
        wider = middle * np.exp(2 * np.log(times / middle))
        found[name] = [[figures_of_window(("d", 0, 0), row) for row in each] for each in (times, wider)]
    return found


def _night(pool, draw, windows, name="search") -> StepWindows:
    chosen = [pool[number] for number in draw.integers(0, len(pool), windows)]
    return StepWindows("p", "typical", ("search", "find", name), tuple(chosen))


@pytest.mark.parametrize("name", PROCESSES)
def test_a_spread_that_held_is_rarely_named_and_a_doubled_one_is_found(pools, name):
    plain, wider = pools[name]
    false, named, found = {}, {}, {}
    for windows in WINDOWS:
        draw = np.random.default_rng([17, windows, len(name)])
        counts = [0, 0, 0]
        for _ in range(4 * RUNS):
            before, same, after = (_night(pool, draw, windows) for pool in (plain, plain, wider))
            counts[0] += _words([before], [same], NO_MINIMUM)["search"] is ChangeWord.SPREAD_CHANGED
            counts[1] += _words([before], [same])["search"] is ChangeWord.SPREAD_CHANGED
            counts[2] += _words([before], [after])["search"] is ChangeWord.SPREAD_CHANGED
        false[windows], named[windows], found[windows] = (100 * count / (4 * RUNS) for count in counts)
    print(
        f"| {name} | {max(false.values()):.1f} % | {max(named.values()):.1f} % | " + " | ".join(f"{found[w]:.0f} %" for w in WINDOWS) + " |"
    )
    assert max(false.values()) <= 5 + 2 * 100 * math.sqrt(0.05 * 0.95 / (4 * RUNS))
    assert max(named.values()) <= 5
    assert found[16] >= 90 or name in {"freezing", "drifting", "queueing (M/M/4, ρ 0.8)"}
