"""How often the gate stops a release, by the number of windows and of visits in each: simulated with the comparison itself.

    .venv/bin/python -m tests.acceptance.gate_power        # prints the table of docs/gate.md

The portal has the twenty steps of the three journeys. Times are log-normal; windows differ by a factor that all steps share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.scoring import ChangeLimits, StepWindows
from harness.scoring.adjusted_tests import MeasuredPairs, adjusted_tests
from harness.scoring.compared_steps import compare_steps
from harness.scoring.effects import effect_of, least_of
from harness.scoring.paired_windows import PairedWindows, WindowPair
from harness.scoring.step_windows import figures_of_window
from harness.statistics.metric import parse_metric
from harness.statistics.percentile import Floats

SLOWER: Final = 1.2
FIND: Final = (("find", "search"), ("find", "open_procedure"))
FILE: Final = (*(("file", step) for step in ("log_in", "start_dossier", "fill_in", "attach", "submit")),)
PAY: Final = (*(("pay", step) for step in ("quote_fee", "pay", "confirm_payment")),)
PARTS: Final = tuple(
    (journey, *step)
    for journey, steps in {"search": FIND, "submit": (*FIND, *FILE, ("track", "track")), "pay": (*FIND, *FILE, *PAY)}.items()
    for step in steps
)
SCORED: Final = {"search": FIND, "submit": (*FILE, ("track", "track")), "pay": PAY}
"""The steps of the criteria average-… and slowest-… of the shipped set."""


@dataclass(frozen=True, slots=True)
class Design:
    """A workload: how many windows, visits of each journey in one, and how unlike windows are (standard deviation of the logarithm)."""

    windows: int
    visits: int
    between: float = 0.05
    within: float = 0.4


@dataclass(frozen=True, slots=True)
class Stopped:
    """The shares of comparisons that stop the release: with one step slower, and with none."""

    slower: float
    unchanged: float


def stopped(design: Design, comparisons: int, seed: int = 1) -> Stopped:
    """Simulates so many releases of each kind. The slower step is drawn at random, as it is for one visit and journey."""
    draw, slower, unchanged = np.random.default_rng(seed), 0, 0
    for _ in range(comparisons):
        before = _sweep(draw, design, "")
        unchanged += _is_worse(before, _sweep(draw, design, ""))
        slower += _is_worse(before, _sweep(draw, design, PARTS[draw.integers(len(PARTS))]))
    return Stopped(slower / comparisons, unchanged / comparisons)


def _sweep(draw: np.random.Generator, design: Design, slower: tuple[str, str, str] | str) -> dict[tuple[str, str, str], Floats]:
    """Times of each step, (window, visit), in seconds."""
    level = draw.normal(0, design.between, (design.windows, 1))
    shape = (design.windows, design.visits)
    return {part: 0.2 * (SLOWER if part == slower else 1.0) * np.exp(level + draw.normal(0, design.within, shape)) for part in PARTS}


def _is_worse(before: Mapping[tuple[str, str, str], Floats], after: Mapping[tuple[str, str, str], Floats]) -> bool:
    steps, *_ = compare_steps(_steps(before), _steps(after), ChangeLimits())
    return any(each.named and each.worse for each in steps) or _criterion_is_worse(before, after)


def _steps(sweep: Mapping[tuple[str, str, str], Floats]) -> list[StepWindows]:
    windows = {part: [figures_of_window(("night", number, 0), row) for number, row in enumerate(times)] for part, times in sweep.items()}
    return [StepWindows("p", "typical", part, tuple(each for each in found if each is not None)) for part, found in windows.items()]


def _criterion_is_worse(before: Mapping[tuple[str, str, str], Floats], after: Mapping[tuple[str, str, str], Floats]) -> bool:
    limits, one, other = ChangeLimits(), dict(_criteria(before)), dict(_criteria(after))
    metrics = {name: parse_metric("mean" if name.startswith("average") else "slowest(50)") for name in one}
    measured = [
        MeasuredPairs(
            name,
            metrics[name],
            PairedWindows("p", tuple(WindowPair((at,), *pair) for at, pair in enumerate(zip(one[name], other[name], strict=True)))),
        )
        for name in one
    ]
    effects = [effect_of(test, limits, least_of(test.of.metric, limits)) for test in adjusted_tests(measured)]
    return any(effect.named and effect.worse for effect in effects)


def _criteria(sweep: Mapping[tuple[str, str, str], Floats]) -> Iterator[tuple[str, list[float]]]:
    """The mean and the slowest of 50 in each window, over the steps of each journey."""
    for journey, steps in SCORED.items():
        times = [sweep[journey, *step] for step in steps]
        yield f"average-{journey}", np.mean([each.mean(axis=1) for each in times], axis=0).tolist()
        yield f"slowest-{journey}", np.mean([each[:, :50].max(axis=1) for each in times], axis=0).tolist()


def table(comparisons: int) -> Iterator[str]:
    """The shares for several numbers of windows and unlike windows, as docs/gate.md has them."""
    yield "| windows | windows differ by | one step 20 % slower is stopped | an unchanged release is stopped |"
    yield "|---|---|---|---|"
    for windows, between in [(10, 0.05), (12, 0.05), (16, 0.05), (20, 0.05), (16, 0.1)]:
        found = stopped(Design(windows, 60, between), comparisons)
        yield f"| {windows} | {100 * between:.0f} % | {100 * found.slower:.1f} % | {100 * found.unchanged:.1f} % |"


if __name__ == "__main__":
    for line in table(500):
        print(line, flush=True)
