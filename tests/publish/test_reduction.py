from __future__ import annotations

import pandas as pd

from harness.publish import reduction
from harness.records import COLUMNS, Sample, WindowKey
from tests.publish import simulated_night as night

SECOND = 1_000_000


def rows(*samples: Sample, window: int = 0, stage: str = "typical", worker: str = "w0") -> pd.DataFrame:
    key = WindowKey("s", 0, "r", window, "p", stage, worker)
    table = pd.DataFrame.from_records([(*key, *sample) for sample in samples], columns=[column.name for column in COLUMNS])
    return table.astype({column.name: column.kind for column in COLUMNS})


def request(visit=1, step="submit", *, index=0, at=0.0, took=1.0, outcome="ok", owner="portal", attempt=1) -> Sample:
    begin = int(at * SECOND)
    return Sample("submit", visit, "file", step, index, 0, attempt, "http://127.0.0.1:1", owner, "GET", begin, begin, begin,
                  begin + int(took * SECOND), 0, 0, 0, True, 0, 0, 200, outcome)  # fmt: skip


def test_a_step_lasts_from_its_first_intended_start_to_its_last_end():
    (summary,) = reduction.step_summaries(rows(request(at=1, took=0.5), request(index=1, at=1.5, took=2.0)))
    assert (summary.n, summary.failed, summary.p50_s, summary.slowest_s) == (1, 0, 2.5, 2.5)


def test_a_step_fails_with_any_of_its_requests_and_leaves_the_percentiles():
    table = rows(
        request(1), request(2, took=0.001), request(2, index=1, took=0.001, outcome="wrong_content"), request(3, outcome="skipped")
    )
    (summary,) = reduction.step_summaries(table)
    assert (summary.n, summary.failed, summary.skipped) == (2, 1, 1)
    assert summary.p50_s == summary.fastest_s == 1.0
    assert summary.p95_adjusted_s is None


def test_a_second_attempt_is_an_execution_of_its_own():
    (summary,) = reduction.step_summaries(rows(request(1, took=1), request(1, at=5, took=3, attempt=2)))
    assert (summary.n, summary.slowest_s) == (2, 3.0)


def test_warm_up_is_left_out():
    assert reduction.step_summaries(rows(request(), stage="warm-up")) == []


def test_steps_stand_in_the_order_in_which_citizens_come_to_them():
    steps = [(s.journey, s.step) for s in reduction.step_summaries(night.frame(night.PORTALS[0], windows=1))]
    assert steps == [(journey, step) for journey, walk in night.JOURNEYS.items() for _, step in walk]


def test_time_at_shared_hosts_stands_apart():
    (identity,) = reduction.host_times(rows(request(took=3), request(step="log_in", took=1, owner="identity")))
    assert (identity.owner, identity.requests, identity.share, identity.p95_s) == ("identity", 1, 0.25, 1.0)
