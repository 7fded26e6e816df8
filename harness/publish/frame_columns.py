"""The columns of the frames that `harness.open_sweep` gives: docs/analysis.md says what each means. Columns may be added, none renamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd

from harness.records import COLUMNS

CLOCK: Final = "datetime64[us, UTC]"


class FrameColumn(NamedTuple):
    """One column of a frame. ``dtype`` is pandas' own name of its type."""

    name: str
    dtype: str
    unit: str = ""


ROWS: Final = (
    *(FrameColumn(each.name, each.kind, each.unit) for each in COLUMNS),
    *(FrameColumn(f"{name}_utc", CLOCK) for name in ("intended", "start", "first_byte", "end")),
)

STEPS: Final = (
    FrameColumn("portal", "category"),
    FrameColumn("run", "category"),
    FrameColumn("round", "int32"),
    FrameColumn("window", "int32"),
    FrameColumn("stage", "category"),
    FrameColumn("verdict", "category"),
    FrameColumn("scored", "bool"),
    FrameColumn("journey", "category"),
    FrameColumn("visit", "int64"),
    FrameColumn("goal", "category"),
    FrameColumn("step", "category"),
    FrameColumn("attempt", "int16"),
    FrameColumn("worker", "category"),
    FrameColumn("begin_utc", CLOCK),
    FrameColumn("duration_us", "int64", "µs"),
    FrameColumn("charged_us", "int64", "µs"),
    FrameColumn("took_s", "float64", "s"),
    FrameColumn("ok", "bool"),
    FrameColumn("outcome", "category"),
)

WINDOWS: Final = (
    FrameColumn("portal", "category"),
    FrameColumn("run", "category"),
    FrameColumn("night", "string"),
    FrameColumn("round", "int32"),
    FrameColumn("window", "int32"),
    FrameColumn("stage", "category"),
    FrameColumn("verdict", "category"),
    FrameColumn("reasons", "string"),
    FrameColumn("scored", "bool"),
    FrameColumn("begin_utc", CLOCK),
    FrameColumn("end_utc", CLOCK),
    FrameColumn("planned_per_s", "float64", "visits/s"),
    FrameColumn("planned", "Int64"),
    FrameColumn("begun", "int64"),
    FrameColumn("turned_away", "int64"),
    FrameColumn("ended_well", "int64"),
    FrameColumn("requests", "int64"),
    FrameColumn("make_up_of", "Int64"),
)

SCORES: Final = (
    FrameColumn("portal", "category"),
    FrameColumn("verdict", "category"),
    FrameColumn("criterion", "category"),
    FrameColumn("name_vi", "string"),
    FrameColumn("name_en", "string"),
    FrameColumn("heading", "category"),
    FrameColumn("state", "category"),
    FrameColumn("reason", "string"),
    FrameColumn("metric", "string"),
    FrameColumn("selection", "string"),
    FrameColumn("curve", "string"),
    FrameColumn("basis", "category"),
    FrameColumn("over", "category"),
    FrameColumn("unit", "category"),
    FrameColumn("value", "float64", "as `unit` says"),
    FrameColumn("value_low", "float64", "as `unit` says"),
    FrameColumn("value_high", "float64", "as `unit` says"),
    FrameColumn("value_measured", "float64", "s"),
    FrameColumn("zero_point_s", "float64", "s"),
    FrameColumn("points", "float64", "points"),
    FrameColumn("points_low", "float64", "points"),
    FrameColumn("points_high", "float64", "points"),
    FrameColumn("points_max", "float64", "points"),
    FrameColumn("interval_kind", "string"),
    FrameColumn("windows", "int64"),
    FrameColumn("n", "int64"),
    FrameColumn("failures", "Int64"),
    FrameColumn("failures_of", "Int64"),
)

SCORECARDS: Final = (
    FrameColumn("portal", "category"),
    FrameColumn("name_vi", "string"),
    FrameColumn("name_en", "string"),
    FrameColumn("level", "category"),
    FrameColumn("verdict", "category"),
    FrameColumn("reasons", "string"),
    FrameColumn("points", "float64", "points"),
    FrameColumn("points_low", "float64", "points"),
    FrameColumn("points_high", "float64", "points"),
    FrameColumn("points_max", "float64", "points"),
    FrameColumn("points_assessed_max", "float64", "points"),
    FrameColumn("best_rank", "Int64"),
    FrameColumn("last_rank", "Int64"),
)


def framed(columns: Sequence[FrameColumn], data: pd.DataFrame | Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame with these columns, in this order and of these types. ``data``: columns by name, or one mapping for each line."""
    frame = pd.DataFrame(data, columns=[each.name for each in columns])
    return frame.astype({each.name: each.dtype for each in columns})
