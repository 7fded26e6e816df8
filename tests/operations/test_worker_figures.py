"""Failures and lateness by worker: where several took part, each has a line; where one did all, there is nothing to tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.operations.worker_figures import by_worker, in_words
from harness.publish import WorkerFigures
from harness.records import LONE, RoundRecord, SlotRecord, WindowHealth, WindowRecord
from harness.records.round import RoundMember, WorkerOutcome, WorkerShare

A, B = "hanoi_" + "ab" * 16, "hue_" + "cd" * 16


def round_(number: int, workers: Sequence[str], *, stage: str = "typical", lost: str = "", portals: Sequence[str] = ("p",)) -> RoundRecord:
    shares = (WorkerShare(A, 100, 1, 0, 2_000, 9_000, 20.0, 60), WorkerShare(B, 90, 27, 3, 4_000, 80_000, 30.0, 60))
    window = WindowRecord(
        number, stage, 1.0, 0.0, 60.0, {}, {"search": 190}, (), number, 190, counts={"visits_ok": 189, "visits_timeout": 1},
        health=WindowHealth(late_p99_us=1_000, late_max_us=5_000, busy_percent=10.0, seconds=60), shares=shares if len(workers) > 1 else (),
    )  # fmt: skip
    return RoundRecord(
        number, 0, f"{number:03d}-00", 0, "2026-11-22T00:00:00+00:00", closed=False, members=tuple(RoundMember(worker) for worker in workers),
        slots=tuple(SlotRecord(portal, f"{portal}-seed1", 9, (window,)) for portal in portals),
        outcome=tuple(WorkerOutcome(worker, worker != lost, worker == lost, 0.4) for worker in workers),
    )  # fmt: skip


def test_each_worker_has_its_failures_and_its_lateness() -> None:
    rounds = [round_(0, [A, B], stage=LONE), round_(1, [A, B]), round_(2, [A, B], lost=B), round_(3, [A])]
    assert by_worker(rounds) == (
        WorkerFigures("hanoi_abababab", 3, 0, 3, 390, 3, 0, 2.0, 9.0, 20.0),
        WorkerFigures("hue_cdcdcdcd", 2, 1, 2, 180, 54, 6, 4.0, 80.0, 30.0),
    )
    assert list(in_words(by_worker(rounds)))[1] == (
        "worker hue_cdcdcdcd: 180 visits in 2 windows, 54 failed (30.0 %), 6 dropped or cut off by us; begun late by 4.0 ms at p99 and"
        " 80.0 ms at most; busy 30 %; lost in 1 of 2 rounds"
    )


def test_a_portal_has_figures_of_its_own() -> None:
    rounds = [round_(1, [A, B], portals=("p", "q")), round_(2, [A, B], portals=("q",))]
    assert [each.visits for each in by_worker(rounds, "p")] == [100, 90]
    assert [each.visits for each in by_worker(rounds)] == [300, 270]


def test_one_worker_alone_and_evidence_of_an_earlier_version_say_nothing() -> None:
    assert by_worker([round_(1, [A]), round_(2, [A])]) == ()
    (slot,) = round_(1, [A, B]).slots
    early = replace(round_(1, [A, B]), slots=(replace(slot, windows=(replace(slot.windows[0], shares=()),)),))
    assert by_worker([early]) == ()


def test_a_worker_without_visits_has_no_share_of_failures() -> None:
    assert WorkerFigures("w", 1, 0, 1, 0, 0, 0, 0.0, 0.0, 0.0).failed_percent == 0.0
