"""What is written down, typed, with one reader and one writer each: rows, rounds, plan, ledger, health, messages."""

from harness.records.columns import COLUMNS, Column
from harness.records.health import HealthLine, WindowHealth
from harness.records.ledger import Ledger, LedgerLine, append_to_ledger, gather_ledgers, read_ledger, worker_ledger
from harness.records.lone_walks import LONE_TRIES, LONE_TRIES_AT_SHARED_HOST, Admission, LoneWalk, Met, admit
from harness.records.outcome import FAILURES_OF_THE_GENERATOR, OVERLOAD_STATUSES, Outcome
from harness.records.plan import (
    MOST_UNDER_WAY,
    Calibration,
    NotPermitted,
    PathLimits,
    Plan,
    PlannedTarget,
    PlannedWindow,
    Round,
    Slot,
    StopLimits,
    ThinkTime,
    read_plan,
    run_id,
)
from harness.records.round import RoundRecord, SharedFailure, SlotRecord, WindowRecord, read_round
from harness.records.sample import PORTAL, VISIT_ROW, Sample, WindowKey, visit_row
from harness.records.step_failures import FailureCount, FailureKind, PageEntry, read_pages, unreadable_by_all
from harness.records.step_keys import LONE, SCORED_STAGES, STEP_KEYS, VISIT_KEYS, WARM_UP, StageName

__all__ = [
    "COLUMNS",
    "FAILURES_OF_THE_GENERATOR",
    "LONE",
    "LONE_TRIES",
    "LONE_TRIES_AT_SHARED_HOST",
    "MOST_UNDER_WAY",
    "OVERLOAD_STATUSES",
    "PORTAL",
    "SCORED_STAGES",
    "STEP_KEYS",
    "VISIT_KEYS",
    "VISIT_ROW",
    "WARM_UP",
    "Admission",
    "Calibration",
    "Column",
    "FailureCount",
    "FailureKind",
    "HealthLine",
    "Ledger",
    "LedgerLine",
    "LoneWalk",
    "Met",
    "NotPermitted",
    "Outcome",
    "PageEntry",
    "PathLimits",
    "Plan",
    "PlannedTarget",
    "PlannedWindow",
    "Round",
    "RoundRecord",
    "Sample",
    "SharedFailure",
    "Slot",
    "SlotRecord",
    "StageName",
    "StopLimits",
    "ThinkTime",
    "WindowHealth",
    "WindowKey",
    "WindowRecord",
    "admit",
    "append_to_ledger",
    "gather_ledgers",
    "read_ledger",
    "read_pages",
    "read_plan",
    "read_round",
    "run_id",
    "unreadable_by_all",
    "visit_row",
    "worker_ledger",
]
