"""What Locust's statistics and its page are told of steps is what the scoring finds in the same rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.load.ended_steps import EndedStep, EndedSteps
from harness.records import VISIT_ROW, Outcome, Sample
from harness.scoring.rows import read_rows
from harness.scoring.scored_units import tabulate

RECORDED = Path("tests/recorded/demo/samples")


@pytest.mark.parametrize("portal", ["collapsing", "failing-payments", "fast"])
def test_the_steps_of_a_recorded_sweep_are_those_that_are_scored(portal: str) -> None:
    table = pq.read_table(RECORDED / f"portal={portal}")
    told: list[EndedStep] = []
    visits: dict[int, EndedSteps] = defaultdict(lambda: EndedSteps(told.append))
    rows = table.select([name for name in Sample._fields if name in table.column_names]).to_pylist()
    for row in rows:
        visits[row["visit"]].add(Sample(**{**row, "request": int(row["request"])}))
    steps, _ = tabulate(read_rows(table))
    scored = Counter(
        (*steps.parts[part], int(whole) if ok else 0, bool(ok))
        for part, whole, ok, begin in zip(steps.part, steps.whole_us, steps.ok, steps.begin_us, strict=True)
        if begin  # a visit that was turned away has failed steps without a beginning
    )
    assert any(row["request"] == VISIT_ROW for row in rows)
    assert scored == Counter(
        (each.journey, each.goal, each.step, each.took_us if each.outcome == Outcome.OK else 0, each.outcome == Outcome.OK)
        for each in told
        if each.outcome not in (Outcome.SKIPPED, Outcome.DROPPED)
    )


def row(
    step: str, *, attempt: int = 1, due_us: int = 0, end_us: int = 0, outcome: str = Outcome.OK, wait_us: int = 0, hop: int = 0
) -> Sample:
    return Sample(
        "submit", 3, "file", step, 0, hop, attempt, "http://127.0.0.1:1", "portal", "POST", due_us, due_us, end_us, end_us, 0, 0, 0, False,
        wait_us, 100, 503 if outcome != Outcome.OK else 200, outcome,
    )  # fmt: skip


def test_a_step_has_ended_with_the_next_one_with_a_think_and_with_the_visit() -> None:
    told: list[EndedStep] = []
    steps = EndedSteps(told.append)
    steps.add(row("log_in", due_us=5, end_us=20))
    steps.add(row("log_in", due_us=20, end_us=35))
    assert told == []
    steps.add(row("submit", due_us=40, end_us=50))
    assert told == [EndedStep("submit", "file", "log_in", 30, 200, Outcome.OK, 200)]
    steps.end()
    assert [each.name for each in told] == ["submit: file/log_in", "submit: file/submit"]
    steps.add(row("submit", attempt=2, due_us=60, end_us=61, outcome=Outcome.HTTP_ERROR))
    steps.add(row("submit", attempt=2, due_us=61, end_us=90))
    steps.add(row("submit", end_us=95)._replace(request=VISIT_ROW, step="", goal=""))
    assert told[2:] == [EndedStep("submit", "file", "submit", 30, 200, Outcome.HTTP_ERROR, 503)]
    steps.end()
    assert len(told) == 3


def test_what_we_cut_off_leaves_nothing_that_the_citizen_did_not_reach() -> None:
    told: list[EndedStep] = []
    steps = EndedSteps(told.append)
    for each in (row("submit", outcome=Outcome.ABORTED), row("track", outcome=Outcome.SKIPPED), row("")._replace(request=VISIT_ROW)):
        steps.add(each)
    assert [(each.step, each.outcome) for each in told] == [("submit", Outcome.ABORTED)]


def test_the_delay_of_a_refresh_is_nobodys_time() -> None:
    told: list[EndedStep] = []
    steps = EndedSteps(told.append)
    steps.add(row("pay", due_us=0, end_us=10))
    steps.add(row("pay", due_us=1010, end_us=1025, wait_us=1000, hop=1))
    steps.end()
    assert told[0].took_us == 25
