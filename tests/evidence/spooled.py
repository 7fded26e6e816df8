"""Rows, batches and records of one round, as a worker sends them and the master spools them."""

from __future__ import annotations

from typing import Any

from harness.records import RoundRecord, Sample, SlotRecord, WindowKey, WindowRecord
from harness.records.fleet_messages import Batch, BatchContents, pack
from harness.records.round import RoundMember, WorkerOutcome

TOKEN = "s#001-00"


def key(portal: str, window: int, stage: str = "typical", worker: str = "w0") -> WindowKey:
    return WindowKey("s", 1, f"{portal}-seed1", window, portal, stage, worker)


def row(visit: int, *, request: int = 0, outcome: str = "ok", start_us: int = 1_000) -> Sample:
    step = ("", "") if request < 0 else ("find", "search")
    return Sample(
        "search",
        visit,
        *step,
        request,
        0,
        1,
        "http://127.0.0.1:1",
        "portal",
        "GET",
        900,
        start_us,
        2_000,
        3_000,
        0,
        0,
        0,
        False,
        0,
        10,
        200,
        outcome,
    )


def record(*portals: str, stage: str = "typical", number: int = 1) -> RoundRecord:
    window = WindowRecord(1, stage, 1.0, 0.0, 2.0, {}, {"search": 2}, (), 1, 2)
    return RoundRecord(
        number, 0, "001-00", 0, "2026-11-22T00:00:00+00:00", closed=False, members=(RoundMember("w0", 0, 0, 5),),
        slots=tuple(SlotRecord(portal, f"{portal}-seed1", 9, (window,)) for portal in portals),
        outcome=(WorkerOutcome("w0", complete=True, lost=False, longest_silence_s=0.4, batches=1),),
    )  # fmt: skip


def batch(keys: dict[int, WindowKey], rows: list[tuple[int, Sample]], sequence: int = 0, **contents: Any) -> Batch:
    blob = pack(BatchContents(keys, [(k, *sample) for k, sample in rows], **contents))
    return Batch(TOKEN, sequence, len(rows), blob)
