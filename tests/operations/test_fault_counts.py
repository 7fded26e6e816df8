"""Faults from a sweep's facts alone: what was our own is left out, what other clients reject too is the portal's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from harness.evidence import SweepFolder
from harness.operations.dossiers.claims import claims
from harness.operations.dossiers.shared_codes import Holders, as_failures, holders, shared_codes
from harness.operations.fault_counts import count_faults
from harness.publish import explain_faults
from harness.records import FailureCount, LedgerLine, append_to_ledger
from harness.records.round import RoundMember, write_sealed
from tests.evidence.spooled import record

ROWS = pd.DataFrame(
    [
        ("find", "search", "search", 1, 1, 0, "protocol", 5),
        ("find", "search", "search", 2, 1, 0, "dropped", 5),
        ("", "", "search", 2, 1, -1, "dropped", 5),
        ("", "", "search", 3, 1, -1, "not_served", 0),
    ],
    columns=["goal", "step", "journey", "visit", "attempt", "request", "outcome", "start_us"],
).assign(intended_us=4, worker="w0", window=1)
SECOND = 1_000_000


def found(folder: SweepFolder, *rules: str, second_parser: str = "") -> list[str]:
    failed = [("dropped", "pool dry"), *(("protocol", rule) for rule in rules)]
    failures = tuple(FailureCount("search", "find", "search", outcome, "", rule, 1) for outcome, rule in failed)
    planned = record("p")
    (slot,) = planned.slots
    windows = (replace(slot.windows[0], failures=failures), replace(slot.windows[0], window=2))
    write_sealed(folder.round("001-00"), replace(planned, slots=(replace(slot, windows=windows),), second_parser=second_parser))
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


def test_what_two_parsers_cannot_read_is_a_fault_of_the_portal(tmp_path: Path) -> None:
    assert found(SweepFolder(tmp_path), "", second_parser="h11 0.16.0") == ["protocol", "turned_away"]


def test_of_those_who_share_a_code_only_the_submission_and_the_visit_fail() -> None:
    columns = {"visit": [1, 1, 1, 2], "step": ["search", "submit", "", "submit"], "request": [0, 0, -1, 0], "outcome": ["ok"] * 4}
    rows = pa.table({name: pa.array(values) for name, values in columns.items()}).set_column(
        1, "step", pa.array(columns["step"]).dictionary_encode()
    )
    judged = as_failures(rows, holders({"shared_codes": {"H1": [1, 7]}}))
    assert judged["outcome"].to_pylist() == ["ok", "wrong_content", "wrong_content", "ok"]
    assert as_failures(rows, holders({})) is rows
    paid = as_failures(rows, Holders(of_payments=frozenset({2})))
    assert paid["outcome"].to_pylist() == ["ok"] * 4, "visit 2 paid nothing"


def test_a_payment_code_given_twice_is_a_fault_and_its_payments_fail(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    write_sealed(folder.round("001-00"), record("p"))
    told = [("dossier", "H1", 1), ("dossier", "H2", 2), ("payment", "P", 1), ("payment", "P", 2), ("payment", "Q", 3)]
    lines = (LedgerLine("p", "r", visit, code, kind, worker="w0", when_us=visit * SECOND) for kind, code, visit in told)
    append_to_ledger(folder.ledger, lines)
    rows = {"p": ROWS.assign(step="confirm_payment", outcome="ok")}
    (entry,) = count_faults(folder, rows, claims(folder, rows))
    (fault,) = entry.faults
    assert (fault.fault, fault.step, fault.count, fault.of, fault.codes) == ("payment_code_given_twice", "confirm_payment", 1, 2, ("P",))
    assert (fault.first_utc, fault.last_utc) == ("2026-11-22T00:00:01.000+00:00", "2026-11-22T00:00:02.000+00:00")
    manifest = shared_codes(folder, "p")
    assert manifest == {"shared_codes": {}, "shared_payment_codes": {"P": [1, 2]}}
    columns = {
        "visit": [1, 1, 1, 3],
        "step": ["submit", "confirm_payment", "", "confirm_payment"],
        "request": [0, 0, -1, 0],
        "outcome": ["ok"] * 4,
    }
    judged = as_failures(pa.table(columns), holders(manifest))
    assert judged["outcome"].to_pylist() == ["ok", "wrong_content", "wrong_content", "ok"]


def test_payments_of_dossiers_that_share_a_code_are_counted_with_the_dossiers(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    append_to_ledger(folder.ledger, [LedgerLine("p", "r", visit, "H1", kind) for kind in ("dossier", "payment") for visit in (1, 2)])
    assert shared_codes(folder, "p") == {"shared_codes": {"H1": [1, 2]}, "shared_payment_codes": {}}


def test_each_fault_says_when_it_happened_by_the_clock_of_the_master(tmp_path: Path) -> None:
    """The worker's clock is 100 s ahead of the master's, and the round began at 7 s of the master's."""
    planned = replace(record("p"), start_us=7 * SECOND, members=(RoundMember("w0", 0, 100 * SECOND, 5),))
    (slot,) = planned.slots
    counted = {1: "a", 2: "b"}
    windows = tuple(
        replace(slot.windows[0], window=window, failures=(FailureCount("search", "find", "search", "http_error", "", rule, 2),))
        for window, rule in counted.items()
    )
    folder = SweepFolder(tmp_path)
    write_sealed(folder.round("001-00"), replace(planned, slots=(replace(slot, windows=windows),)))
    failed = ROWS.iloc[[0, 0, 0, 0]].assign(
        outcome="http_error", window=[1, 1, 2, 2], start_us=[107 * SECOND, 109 * SECOND, 167 * SECOND, 0]
    )
    away = ROWS.iloc[[3]].assign(intended_us=110 * SECOND)
    rows = pd.concat([failed.assign(intended_us=[0, 0, 0, 168 * SECOND]), away])
    (entry,) = count_faults(folder, {"p": rows}, ())
    assert [(fault.rule, fault.first_utc[11:19], fault.last_utc[11:19]) for fault in entry.faults] == [
        ("a", "00:00:00", "00:00:02"), ("b", "00:01:00", "00:01:01"), ("", "00:00:03", "00:00:03"),
    ]  # fmt: skip
    said = list(explain_faults(entry))
    assert said[1].endswith("(http_error; a), 2026-11-22 00:00:00–00:00:02 UTC")
    assert said[3].endswith("(not_served), 2026-11-22 00:00:03 UTC")
