"""Steps by outcome and time, as `/metrics` shows them while a sweep runs."""

from __future__ import annotations

from harness.load.ended_steps import NOT_BEGUN, EndedStep
from harness.load.outbox import Outbox
from harness.load.step_counts import StepCounts
from harness.records import LONE, VISIT_ROW, Outcome, WindowKey
from harness.records.fleet_messages import FAILED_STEP, Batch
from harness.records.live_steps import BOUNDS_S, LiveStep
from tests.load.fleet import FakeClock, sample

NAME = "submit: file/submit"
KEYS = (WindowKey("s", 1, "r", 1, "p", "typical", "w"), WindowKey("s", 0, "r", 0, "p", LONE, "w"))


def step(outcome: Outcome, took_us: int = 0) -> EndedStep:
    return EndedStep("submit", "file", "submit", took_us, 0, outcome, 0)


def test_each_step_that_ended_well_is_in_one_bucket_and_its_bound_belongs_to_it() -> None:
    counts = StepCounts()
    counts.add({"p": {NAME: [25, 26, 2500, 2501, 31_000, FAILED_STEP]}}, {"p": {NAME: {"timeout": 1}}})
    counts.add({"p": {NAME: [10]}}, {})
    (found,) = counts.steps()
    expected = {0.025: 2, 0.05: 1, 2.5: 1, 3.0: 1}
    assert found == LiveStep(
        "p", "submit", "file", "submit", {"ok": 6, "timeout": 1}, (*(expected.get(bound, 0) for bound in BOUNDS_S), 1), 36.062
    )


def test_a_visit_that_did_not_begin_has_no_step() -> None:
    counts = StepCounts()
    counts.add({"p": {f"submit: {NOT_BEGUN}": [FAILED_STEP]}}, {"p": {f"submit: {NOT_BEGUN}": {"not_served": 1}}})
    assert counts.steps() == ()


def test_a_worker_tells_outcomes_of_all_rows_and_steps_of_scored_stages() -> None:
    sent: list[Batch] = []
    box = Outbox(sent.append, FakeClock(), "t", KEYS)
    for key in (0, 1):
        box.add_step(key, step(Outcome.OK, 12_000))
        box.add_step(key, step(Outcome.TIMEOUT))
        box.add_step(key, step(Outcome.ABORTED))
        box.add_row(key, sample(1, Outcome.TIMEOUT, 0, 10))
        box.add_row(key, sample(1, Outcome.OK, 0, 10)._replace(request=0))
    box.flush()
    box.add_step(0, step(Outcome.ABORTED))
    box.flush()
    assert sample(1, Outcome.OK, 0, 10).request == VISIT_ROW
    assert sent[0].outcomes == {"p": {"visits_timeout": 2, "requests_ok": 2}}
    assert sent[0].steps == {"p": {NAME: [12, FAILED_STEP]}}
    assert sent[0].failed_steps == {"p": {NAME: {"timeout": 1, "aborted": 1}}}
    assert (sent[1].outcomes, sent[1].failed_steps) == ({}, {"p": {NAME: {"aborted": 1}}})
