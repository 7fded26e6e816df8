"""The row: what one request leaves behind, its columns and units, and the outcomes it can have."""

from harness.records.columns import COLUMNS, ROW_COLUMNS, WINDOW_COLUMNS, Column
from harness.records.failure import FailureKind
from harness.records.outcome import FAILURES_OF_THE_GENERATOR, Outcome
from harness.records.sample import VISIT_ROW, Sample, WindowKey

__all__ = [
    "COLUMNS",
    "FAILURES_OF_THE_GENERATOR",
    "ROW_COLUMNS",
    "VISIT_ROW",
    "WINDOW_COLUMNS",
    "Column",
    "FailureKind",
    "Outcome",
    "Sample",
    "WindowKey",
]
