"""Which windows are measured again: those that another try can mend, and none that the portal spoiled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from harness.evidence import Verdict
from harness.evidence.verdict import judge_run, measured_windows
from harness.load.make_up import MeasuredWindow
from harness.records import Calibration, FailureCount, RoundRecord
from harness.records.round import WorkerOutcome
from tests.evidence.judged import PLAN, THROUGH, codes, lone, round_, with_window


def test_a_void_window_may_be_made_up_for_and_one_that_the_portal_failed_may_not() -> None:
    lost = WorkerOutcome("w", complete=False, lost=True, longest_silence_s=15.0)
    failed = with_window(counts={"visits_timeout": 180, "requests_timeout": 180})
    assert [each.again for each in measured_windows(PLAN, [failed])] == [False]
    (each,) = measured_windows(PLAN, [lone(THROUGH), round_(outcome=(lost,))])
    assert each == MeasuredWindow("a", 1, 1, frozenset({"search", "pay"}), again=True)


def test_a_make_up_window_says_which_one_it_makes_up_for() -> None:
    again = replace(with_window(window=7, make_up_of=1), round=9)
    run = judge_run(PLAN, [round_(outcome=(WorkerOutcome("w", complete=False, lost=True, longest_silence_s=15.0),)), again], "a")
    assert [(window.window, window.make_up_of, window.make_up, window.verdict) for window in run.windows] == [
        (1, None, False, Verdict.VOID),
        (7, 1, True, Verdict.VALID),
    ]
    assert run.verdict is Verdict.VALID
    assert [(each.window, each.planned, each.again) for each in measured_windows(PLAN, [again])] == [(7, 1, False)]


def test_a_window_in_maintenance_is_made_up_for_unless_its_cause_is_ours() -> None:
    window = judge_run(PLAN, [round_()], "a").windows[0]
    began = datetime.fromisoformat(window.began_utc)
    ended = began + timedelta(seconds=window.duration_s)
    hour = timedelta(hours=1)

    def again(round_: RoundRecord, portal: str, begin: datetime, end: datetime) -> list[bool]:
        return [each.again for each in measured_windows(PLAN, [round_], {portal: [(begin, end)]})]

    assert again(round_(), "a", ended - timedelta(seconds=1), ended + hour) == [True]
    assert again(round_(), "a", began - hour, began) == again(round_(), "a", ended, ended + hour) == [False]
    assert again(round_(), "b", began, ended) == [False]
    assert again(round_(held_back={"a": "authorised rate"}), "a", began, ended) == [False]


@pytest.mark.parametrize("cause", ["calibration", "rate"])
def test_what_voids_every_window_alike_is_not_measured_again(cause: str) -> None:
    failed = replace(PLAN, calibration=Calibration("failed", made_utc="x", largest_error_percent=4.2))
    plan, found = (failed, round_()) if cause == "calibration" else (PLAN, round_(held_back={"a": "authorised rate"}))
    assert judge_run(plan, [found], "a").verdict is Verdict.VOID
    assert [each.again for each in measured_windows(plan, [found])] == [False]


REFUSED_DATA = (FailureCount("submit", "file", "submit", "dropped", "test_phone_refused", "text 'Số điện thoại không hợp lệ'", 3),)


@pytest.mark.parametrize(("answered", "again"), [(3, True), (2, False), (0, False)])
def test_test_data_that_a_portal_refused_is_measured_again_with_other_data(answered: int, again: bool) -> None:
    counts = {"visits_ok": 177, "visits_dropped": 3, **({"refused_as_ours": answered} if answered else {})}
    found = with_window(counts=counts, failures=REFUSED_DATA)
    assert codes(judge_run(PLAN, [found], "a")) == ["our_own_files"]
    assert [each.again for each in measured_windows(PLAN, [found])] == [again]
