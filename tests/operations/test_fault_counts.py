"""Faults from a sweep's facts alone: what was our own is left out, what other clients reject too is the portal's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from harness.evidence import SweepFolder
from harness.operations.dossiers.shared_codes import as_failures, holders
from harness.operations.fault_counts import count_faults
from harness.publish import explain_faults
from harness.records import FailureCount
from harness.records.round import write_sealed
from tests.evidence.test_spool import record

ROWS = pd.DataFrame(
    [
        ("find", "search", "search", 1, 1, 0, "protocol", 5),
        ("find", "search", "search", 2, 1, 0, "dropped", 5),
        ("", "", "search", 2, 1, -1, "dropped", 5),
        ("", "", "search", 3, 1, -1, "not_served", 0),
    ],
    columns=["goal", "step", "journey", "visit", "attempt", "request", "outcome", "start_us"],
)


def found(folder: SweepFolder, *rules: str) -> list[str]:
    failed = [("dropped", "pool dry"), *(("protocol", rule) for rule in rules)]
    failures = tuple(FailureCount("search", "find", "search", outcome, "", rule, 1) for outcome, rule in failed)
    planned = record("p")
    (slot,) = planned.slots
    windows = (replace(slot.windows[0], failures=failures), replace(slot.windows[0], window=2))
    write_sealed(folder.round("001-00"), replace(planned, slots=(replace(slot, windows=windows),)))
    (entry,) = count_faults(folder, {"p": ROWS}, ())
    assert len(list(explain_faults(entry))) == len(entry.faults) + 1
    return [fault.fault for fault in entry.faults]


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ((), []),
        (("",), []),
        (("httpx rejects: bad chunk", ""), ["protocol", "protocol"]),
        (("httpx rejects: bad chunk", "httpx accepts"), []),
    ],
)
def test_what_only_our_client_cannot_read_is_no_fault_of_the_portal(tmp_path: Path, rules: tuple[str, ...], named: list[str]) -> None:
    assert found(SweepFolder(tmp_path), *rules) == [*named, "turned_away"]


def test_of_those_who_share_a_code_only_the_submission_and_the_visit_fail() -> None:
    columns = {"visit": [1, 1, 1, 2], "step": ["search", "submit", "", "submit"], "request": [0, 0, -1, 0], "outcome": ["ok"] * 4}
    rows = pa.table({name: pa.array(values) for name, values in columns.items()}).set_column(
        1, "step", pa.array(columns["step"]).dictionary_encode()
    )
    judged = as_failures(rows, holders({"shared_codes": {"H1": [1, 7]}}))
    assert judged["outcome"].to_pylist() == ["ok", "wrong_content", "wrong_content", "ok"]
    assert as_failures(rows, holders({})) is rows
