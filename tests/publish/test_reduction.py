from __future__ import annotations

import math

import pandas as pd
import pytest

from harness.publish import reduction
from harness.records import COLUMNS, Sample, WindowKey
from tests.publish import simulated_night as night

SECOND = 1_000_000


def rows(*samples: Sample, window: int = 0, stage: str = "typical", worker: str = "w0") -> pd.DataFrame:
    key = WindowKey("s", 0, "r", window, "p", stage, worker)
    table = pd.DataFrame.from_records([(*key, *sample) for sample in samples], columns=[column.name for column in COLUMNS])
    return table.astype({column.name: column.kind for column in COLUMNS})


def request(visit=1, step="submit", *, index=0, at=1.0, took=1.0, outcome="ok", owner="portal", attempt=1) -> Sample:
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
    assert summary.p95_adjusted_s is None  # of two


@pytest.mark.parametrize(("percent", "least"), [(90, 46), (95, 93), (99, 473)])
def test_there_is_no_percentile_below_its_floor(percent: int, least: int):
    for count in (least - 1, least):
        table = rows(*(request(visit, took=1 + visit / 1000) for visit in range(1, count + 1)), request(count + 1, outcome="timeout"))
        (summary,) = reduction.step_summaries(table)
        shown = {90: summary.p90_s, 95: summary.p95_s, 99: summary.p99_s}[percent]
        rank = -(-percent * count // 100)
        assert shown == (None if count < least else pytest.approx(1 + rank / 1000))
        assert summary.p50_s == pytest.approx(1 + -(-count // 2) / 1000)
    assert reduction.LEAST_VALUES[percent] == least


def test_a_failure_is_slower_than_any_success_where_all_executions_count():
    (all_well,) = reduction.step_summaries(rows(*(request(visit, took=visit) for visit in range(1, 101))))
    assert (all_well.p95_s, all_well.p95_adjusted_s) == (95.0, 95.0)
    failed = [request(visit, took=visit, outcome="ok" if visit <= 94 else "reset") for visit in range(1, 101)]
    (some_failed,) = reduction.step_summaries(rows(*failed))
    assert (some_failed.p95_s, some_failed.p95_adjusted_s) == (90.0, math.inf)


def test_a_wait_that_a_page_asked_for_is_no_time_of_a_step():
    """As in its points: the same steps, from the same moment."""
    hop = request(index=0, at=4, took=1)._replace(hop=1, polling_wait_us=2 * SECOND)
    (summary,) = reduction.step_summaries(rows(request(at=1, took=1), hop))
    assert summary.slowest_s == 2.0


def test_a_second_attempt_is_an_execution_of_its_own():
    (summary,) = reduction.step_summaries(rows(request(1, took=1), request(1, at=5, took=3, attempt=2)))
    assert (summary.n, summary.slowest_s) == (2, 3.0)


def test_warm_up_is_left_out():
    assert reduction.step_summaries(rows(request(), stage="warm-up")) == []


def test_steps_stand_in_the_order_in_which_citizens_come_to_them():
    steps = [(s.journey, s.step) for s in reduction.step_summaries(night.frame(night.PORTALS[0], windows=1))]
    assert steps == [(journey, step) for journey, walk in night.JOURNEYS.items() for _, step in walk]


def test_steps_that_few_visits_or_none_reach_keep_their_place():
    """The only visit that comes to the last step is a fast one, and the third step is never begun."""
    fast = [request(1, "log_in", at=1, took=0.1), request(1, "attach", at=2, took=0.1), request(1, "submit", outcome="skipped"),
            request(1, "track", at=3, took=0.1)]  # fmt: skip
    slow = [row for visit in (2, 3) for row in (
        request(visit, "log_in", at=1, took=9), request(visit, "attach", at=11, took=9, outcome="timeout"),
        request(visit, "submit", outcome="skipped"), request(visit, "track", outcome="skipped"))]  # fmt: skip
    assert [summary.step for summary in reduction.step_summaries(rows(*fast, *slow))] == ["log_in", "attach", "submit", "track"]


def test_time_at_shared_hosts_stands_apart():
    (identity,) = reduction.host_times(rows(request(took=3), request(step="log_in", took=1, owner="identity")))
    assert (identity.owner, identity.requests, identity.share, identity.p95_s) == ("identity", 1, 0.25, None)  # of one request
    many = [request(visit, step="log_in", took=visit, owner="identity") for visit in range(1, 94)]
    (identity,) = reduction.host_times(rows(*many))
    assert (identity.p50_s, identity.p95_s) == (47.0, 89.0)
