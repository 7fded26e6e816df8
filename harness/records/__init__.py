"""The row: what one request leaves behind, its columns and units, and the outcomes it can have."""

from harness.records.columns import COLUMNS, ROW_COLUMNS, WINDOW_COLUMNS, Column
from harness.records.failure import FailureKind
from harness.records.outcome import FAILURES_OF_THE_GENERATOR, OVERLOAD_STATUSES, Outcome
from harness.records.plan import Calibration, Plan, PlannedTarget, PlannedWindow, Round, Slot, StopLimits, ThinkTime, read_plan, run_id
from harness.records.sample import VISIT_ROW, Sample, WindowKey
from harness.records.step import LONE, SCORED_STAGES, STEP_KEYS, VISIT_KEYS, WARM_UP, StageName

__all__ = [
    "COLUMNS",
    "FAILURES_OF_THE_GENERATOR",
    "LONE",
    "OVERLOAD_STATUSES",
    "ROW_COLUMNS",
    "SCORED_STAGES",
    "STEP_KEYS",
    "VISIT_KEYS",
    "VISIT_ROW",
    "WARM_UP",
    "WINDOW_COLUMNS",
    "Calibration",
    "Column",
    "FailureKind",
    "Outcome",
    "Plan",
    "PlannedTarget",
    "PlannedWindow",
    "Round",
    "Sample",
    "Slot",
    "StageName",
    "StopLimits",
    "ThinkTime",
    "WindowKey",
    "read_plan",
    "run_id",
]
