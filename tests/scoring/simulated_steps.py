"""Steps of one portal drawn at random, window by window."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.scoring import StepWindows
from harness.scoring.step_windows import figures_of_window


def simulated(
    seed: int | tuple[int, ...],
    factors: Mapping[str, float],
    *,
    windows: int,
    visits: int = 50,
    within: float = 0.4,
    between: float = 0.03,
    widen: Mapping[str, float] | None = None,
    portal: str = "p",
) -> list[StepWindows]:
    """Log-normal times around 200 ms times the step's factor. ``within`` and ``between`` are standard deviations of the logarithm,
    of executions in a window and of windows; ``widen`` multiplies the first."""
    draw = np.random.default_rng(seed)
    steps = []
    for name, factor in factors.items():
        level = draw.normal(0, between, (windows, 1))
        seconds = 0.2 * factor * np.exp(level + within * (widen or {}).get(name, 1.0) * draw.normal(0, 1, (windows, visits)))
        found = [figures_of_window(("2026-11-21", number, 0), times) for number, times in enumerate(seconds)]
        steps.append(StepWindows(portal, "typical", ("search", "find", name), tuple(each for each in found if each is not None)))
    return steps
