"""Distributions, phases and funnels of made rows, and of the recorded demo."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harness.evidence import sweep_at
from harness.publish.reduction import measured, step_summaries
from harness.publish.step_times import Funnel, FunnelStep, StepPhases, StepSpread, funnels, step_phases, step_spreads
from harness.records import COLUMNS, VISIT_ROW, Sample, WindowKey
from harness.scoring.rows import read_rows
from harness.scoring.scored_units import tabulate

DEMO = Path(__file__).resolve().parents[1] / "recorded" / "demo"

SUBMIT, PAY = ("pay", "file", "submit"), ("pay", "pay", "pay")


def row(visit, step, due, end, *, start=None, first=None, owner="portal", outcome="ok", index=0, phases=(0, 0, 0), polling=0) -> Sample:
    """A request; all times in milliseconds."""
    start = due if start is None else start
    first = end if first is None else first
    us = [1000 * each for each in (due, start, first, end, *phases)]
    return Sample(*PAY[:1], visit, "pay" if step == "pay" else "file", step, index, 0, 1, "http://127.0.0.1:1", owner, "GET", *us, False,
                  1000 * polling, 0, 200, outcome)  # fmt: skip


def skipped(visit, step) -> Sample:
    return row(visit, step, 0, 0, outcome="skipped")


def closing(visit, outcome="ok", *, begun=True) -> Sample:
    return Sample("pay", visit, "", "", VISIT_ROW, 0, 1, "", "", "", 1, 1 if begun else 0, 0, 2, 0, 0, 0, False, 0, 0, 0, outcome)


def rows(*samples: Sample) -> pd.DataFrame:
    key = WindowKey("s", 0, "r", 0, "p", "typical", "w0")
    table = pd.DataFrame.from_records([(*key, *sample) for sample in samples], columns=[column.name for column in COLUMNS])
    return table.astype({column.name: column.kind for column in COLUMNS})


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Four visits planned: one ends well, one fails in its second step, one in its first, one is turned away."""
    return rows(
        row(1, "submit", 1000, 1400), row(1, "pay", 2000, 2300, owner="payment"), row(1, "pay", 2300, 2400, index=1), closing(1),
        row(2, "submit", 1000, 1200), row(2, "pay", 2000, 2050, outcome="http_error"), closing(2, "http_error"),
        row(3, "submit", 1000, 4000, outcome="timeout"), skipped(3, "pay"), closing(3, "timeout"), closing(4, "not_served", begun=False),
    )  # fmt: skip


def test_a_distribution_counts_what_never_ended_well(table):
    steps, _ = tabulate(read_rows(table))
    submit, pay = step_spreads(steps, step_summaries(table))
    assert (submit.part, submit.n, submit.whole_s.tolist(), submit.never) == (SUBMIT, 4, [0.2, 0.4], 0.5)
    assert (pay.part, pay.n, pay.whole_s.tolist(), pay.own_s.tolist()) == (PAY, 4, [0.4], [0.1])  # 0.3 s at the payment platform
    assert pay.never == 0.75
    assert StepSpread(PAY, 0, pay.whole_s[:0], pay.own_s[:0]).never == 0


def test_a_funnel_counts_visits_that_began_a_step_and_those_that_ended_it_well(table):
    steps, _ = tabulate(read_rows(table))
    assert funnels(table, steps, step_summaries(table)) == [Funnel("pay", 4, 3, 1, (FunnelStep(SUBMIT, 3, 2), FunnelStep(PAY, 2, 1)))]


def test_the_phases_of_a_request_follow_one_another_and_add_up():
    """Due at 1.000 s, begun at 1.010, name 20 ms, TCP 30 ms, TLS 40 ms, first byte at 1.400, end at 1.500."""
    table = rows(row(1, "submit", 1000, 1500, start=1010, first=1400, phases=(20, 30, 40)), closing(1))
    (found,) = step_phases(table, step_summaries(table))
    assert list(found.mean_s) == ["wait", "dns", "connect", "tls", "server", "transfer"]
    assert found.mean_s == pytest.approx({"wait": 0.01, "dns": 0.02, "connect": 0.03, "tls": 0.04, "server": 0.3, "transfer": 0.1})
    assert sum(found.mean_s.values()) == pytest.approx(0.5)


def test_phases_are_means_of_the_executions_that_ended_well_alone():
    table = rows(
        row(1, "pay", 0, 100), row(2, "pay", 0, 300), row(3, "pay", 0, 9000, outcome="timeout"),
        row(4, "pay", 0, 500), row(4, "pay", 500, 900, index=1, outcome="reset"),
    )  # fmt: skip
    assert step_phases(table, step_summaries(table)) == [StepPhases(PAY, 2, {"server": 0.2})]


def test_time_at_shared_hosts_and_waits_before_asking_again_stand_apart():
    table = rows(row(1, "pay", 100, 400, owner="payment"), row(1, "pay", 600, 700, index=1, polling=200))
    (found,) = step_phases(table, step_summaries(table))
    assert found.mean_s == pytest.approx({"server": 0.1, "polling": 0.2, "shared": 0.3})


def test_a_step_that_never_ended_well_has_no_phases_and_no_rows_no_series():
    table = rows(row(1, "pay", 0, 100, outcome="reset"))
    assert step_phases(table, step_summaries(table)) == []
    assert step_phases(table.head(0), []) == []
    steps, _ = tabulate(read_rows(table.head(0)))
    assert step_spreads(steps, []) == funnels(table.head(0), steps, []) == []


def test_the_recorded_demo_as_a_funnel():
    """Half of the payments are never confirmed; all else ends well."""
    parts = sweep_at(DEMO).parts("failing-payments")
    table = pd.concat([pd.read_parquet(part, partitioning=None) for part in parts]).assign(run="r")
    steps, _ = tabulate(read_rows(measured(table)))
    found = {funnel.journey: funnel for funnel in funnels(table, steps, step_summaries(table))}
    assert [(name, each.planned, each.begun, each.well) for name, each in found.items()] == [
        ("search", 109, 109, 109), ("submit", 48, 48, 48), ("pay", 48, 48, 27),
    ]  # fmt: skip
    assert found["pay"].steps[-1] == FunnelStep(("pay", "pay", "confirm_payment"), 48, 27)
    assert {(step.begun, step.well) for step in found["pay"].steps[:-1]} == {(48, 48)}
