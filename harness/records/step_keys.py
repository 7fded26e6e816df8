"""What makes a step, and the names of the stages in which steps are measured."""

from __future__ import annotations

from typing import Final, Literal, get_args

VISIT_KEYS: Final = ("journey", "visit")
STEP_KEYS: Final = (*VISIT_KEYS, "goal", "step", "attempt")
"""Rows of one run that agree in these columns belong to one visit, or to one step."""

StageName = Literal["warm-up", "typical", "peak", "ramp", "soak"]
"""The stages of a workload."""

WARM_UP: Final = "warm-up"
LONE: Final = "lone"
"""The stage of lone walks: before the load, and after a round in which a portal refused many visits."""

SCORED_STAGES: Final = frozenset(get_args(StageName)) - {WARM_UP}
