"""A bad batch in a spool is refused alone, by name: the others are sealed, and the round says that rows are missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence import Spool, SweepFolder
from harness.evidence.batches import Tallied, read_batches
from harness.evidence.window_verdict import judge_window
from harness.records import FailureCount, FailureKind, HealthLine, Plan, Sample, WindowKey, read_round
from harness.records.fleet_messages import LARGEST_BLOB, MOST_LISTS, Batch, BatchContents, pack, unpack
from harness.records.kept_walks import PackedWalk
from harness.records.round import RefusedBatches, RoundMember, WorkerOutcome
from harness.records.server_timing import LONGEST_NAME, LONGEST_US, MOST_METRICS
from harness.records.step_failures import FailedPage
from tests.evidence.spooled import TOKEN, key, record, row

KIND = FailureKind("search", "find", "search", "wrong_content", "", "text, expected another")
PAGE = FailedPage(KIND, 1, "http://127.0.0.1:1/", 200, 9, markup=True, text="<p>no</p>", truncated=False, when_us=5)
HEALTH = HealthLine(1_000_000, 40.0, 41.0, 0.0, 900, (100, 900), 50, (50,), 1, 7, 0, 5, 9, 1, 3, -40)
WINDOW = {0: key("fast", 1)}


def contents(visit: int = 1, *, keys: dict[int, WindowKey] | None = None, row_: Any = None, **others: Any) -> BatchContents:
    return BatchContents(WINDOW if keys is None else keys, [[0, *row(visit)] if row_ is None else row_], **others)


def changed(**values: Any) -> list[Any]:
    return [0, *(values.get(name, value) for name, value in row(1)._asdict().items())]


def of_key(**values: Any) -> BatchContents:
    return contents(keys={0: WINDOW[0]._replace(**values)})


BAD: dict[str, Callable[[], bytes]] = {
    "garbage": lambda: b"\xff\x00garbage",
    "nothing": lambda: b"",
    "no map": lambda: bytes(msgpack.packb([1, 2])),
    "lists as keys": lambda: b"\x81\x91\x01\x02",
    "nested deeply": lambda: b"\x91" * 2_000 + b"\x01",
    "cut off": lambda: pack(contents())[:-20],
    "more after it": lambda: pack(contents()) + b"\x01",
    "too many lists": lambda: bytes(msgpack.packb([[]] * (MOST_LISTS + 1))),
    "too large": lambda: b"\x00" * (LARGEST_BLOB + 1),
    "a length that is not there": lambda: b"\xdd\xff\xff\xff\xff",
    "short row": lambda: pack(contents(row_=[0, *row(1)][:-1])),
    "long row": lambda: pack(contents(row_=[0, *row(1), 7])),
    "no row": lambda: pack(contents(row_={"visit": 1})),
    "text for a time": lambda: pack(contents(row_=changed(end_us="late"))),
    "a fraction for a time": lambda: pack(contents(row_=changed(end_us=0.5))),
    "truth for a time": lambda: pack(contents(row_=changed(end_us=True))),
    "a number for truth": lambda: pack(contents(row_=changed(reused=2))),
    "nothing for text": lambda: pack(contents(row_=changed(host=None))),
    "bytes for text": lambda: pack(contents(row_=changed(host=b"x"))),
    "number too large": lambda: pack(contents(row_=changed(end_us=1 << 63))),
    "status too large": lambda: pack(contents(row_=changed(status=1 << 15))),
    "long name": lambda: pack(contents(row_=changed(host="h" * 1_001))),
    "unknown outcome": lambda: pack(contents(row_=changed(outcome="fine"))),
    "window that is not named": lambda: pack(contents(row_=[1, *row(1)])),
    "window's index as text": lambda: pack(contents(row_=["0", *row(1)])),
    "another portal": lambda: pack(of_key(portal="slow")),
    "a portal outside the folder": lambda: pack(of_key(portal="../../../fast")),
    "another run": lambda: pack(of_key(run="fast-seed2")),
    "another window": lambda: pack(of_key(window=2)),
    "another stage": lambda: pack(of_key(stage="peak")),
    "another round": lambda: pack(of_key(round=2)),
    "another sweep": lambda: pack(of_key(sweep="t")),
    "another worker": lambda: pack(of_key(worker="w1")),
    "failure of no window": lambda: pack(contents(failures=((3, FailureCount(*KIND, 1)),))),
    "fewer than no failures": lambda: pack(contents(failures=((0, FailureCount(*KIND, -1)),))),
    "page outside the folder": lambda: pack(contents(pages=((0, replace(PAGE, kind=KIND._replace(step="../../x"))),))),
    "page of an unknown outcome": lambda: pack(contents(pages=((0, replace(PAGE, kind=KIND._replace(outcome="/x"))),))),
    "page of no window": lambda: pack(contents(pages=((3, PAGE),))),
    "page beyond the end of time": lambda: pack(contents(pages=((0, replace(PAGE, when_us=1 << 62)),))),
    "page that is too long": lambda: pack(contents(pages=((0, replace(PAGE, text="ạ" * 200_000)),))),
    "lone walk of a loaded window": lambda: pack(contents(walks=((0, PackedWalk("search", 1, b"x")),))),
    "server timing of no row": lambda: pack(contents(server_timings=[[1, "db", 1]])),
    "server timing before all rows": lambda: pack(contents(server_timings=[[-1, "db", 1]])),
    "server timing that is too short": lambda: pack(contents(server_timings=[[0, "db"]])),
    "server timing that is no list": lambda: pack(contents(server_timings=["abc"])),
    "server timing with a fraction": lambda: pack(contents(server_timings=[[0, "db", 0.5]])),
    "server timing with truth": lambda: pack(contents(server_timings=[[0, "db", True]])),
    "server timing before time": lambda: pack(contents(server_timings=[[0, "db", -1]])),
    "server timing beyond all time": lambda: pack(contents(server_timings=[[0, "db", LONGEST_US + 1]])),
    "server timing with a formula": lambda: pack(contents(server_timings=[[0, "+cmd", 1]])),
    "server timing with a long name": lambda: pack(contents(server_timings=[[0, "n" * (LONGEST_NAME + 1), 1]])),
    "too many server timings": lambda: pack(contents(server_timings=[[0, "db", 1]] * (MOST_METRICS + 1))),
    "server timings that are none": lambda: pack(contents(server_timings={"0": 1})),
    "left out in no window": lambda: pack(contents(server_timings_left_out=((3, 1),))),
    "left out less than nothing": lambda: pack(contents(server_timings_left_out=((0, -1),))),
    "health beyond all measure": lambda: pack(contents(health=(replace(HEALTH, cpu_percent=float("nan")),))),
}  # fmt: skip


def plan() -> Plan:
    return Plan("s", 1, "poisson", "w", (), (), 1.0, 2.0, {}, "", "2026-11-22")


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    folder = SweepFolder(tmp_path / "s")
    folder.path.mkdir()
    folder.plan.write_text(plan().to_json(), encoding="utf-8")
    return folder


def sealed(folder: SweepFolder, blobs: list[bytes], *, rows: int | None = None, spoil: Callable[[bytes], bytes] = bytes) -> list[int]:
    """Seal a round with these batches of worker w0, and a good one of w1; answers the visits of the sealed rows."""
    workers = ("w0", "w1")
    outcome = [WorkerOutcome(worker, complete=True, lost=False, longest_silence_s=0.1) for worker in workers]
    ended = (replace(outcome[0], batches=len(blobs), rows=rows), replace(outcome[1], batches=1, rows=1))
    planned = replace(record("fast"), members=tuple(RoundMember(worker) for worker in workers), outcome=())
    spool = Spool(folder)
    spool.open_round(TOKEN, planned)
    for number, blob in enumerate(blobs):
        spool.append("w0", Batch(TOKEN, number, 1, blob))
    spool.append("w1", Batch(TOKEN, 0, 1, pack(contents(99, keys={0: key("fast", 1, worker="w1")}))))
    path = folder.spool(planned.name)
    path.write_bytes(spoil(path.read_bytes()))
    spool.seal_round(TOKEN, replace(planned, outcome=ended))
    return sorted(pd.read_parquet(folder.samples)["visit"]) if folder.parts("fast") else []


def reasons(folder: SweepFolder) -> dict[str, str]:
    round_ = read_round(folder.round("001-00"))
    slot = round_.slots[0]
    judged = judge_window(plan(), round_, slot, slot.windows[0], unreadable_is_ours=False)
    return {reason.code: reason.detail for reason in judged.reasons}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_batch_is_refused_alone(folder: SweepFolder, bad: Callable[[], bytes]) -> None:
    good = [pack(contents(visit, health=(HEALTH,), failures=((0, FailureCount(*KIND, 1)),), pages=((0, PAGE),))) for visit in (1, 3)]
    assert sealed(folder, [good[0], bad(), good[1]], rows=3) == [1, 3, 99]
    round_ = read_round(folder.round("001-00"))
    (refused,) = round_.refused_batches
    assert (refused.worker, refused.batches, refused.seq) == ("w0", 1, 1)
    assert refused.reason
    assert [each.complete for each in round_.outcome] == [False, True]
    assert reasons(folder)["rows_lost"] == f"1 of 2 workers; 1 batches of w0 refused ({refused.reason})"
    assert [path.name for path in folder.path.parent.iterdir()] == ["s"]


def test_good_batches_leave_nothing_in_the_record(folder: SweepFolder) -> None:
    assert sealed(folder, [pack(contents(1)), pack(contents(2))], rows=2) == [1, 2, 99]
    assert "refused_batches" not in json.loads(folder.round("001-00").read_text(encoding="utf-8"))
    assert "rows_lost" not in reasons(folder)


def test_rows_are_counted_against_the_workers_own_count(folder: SweepFolder) -> None:
    assert sealed(folder, [pack(contents(1)), pack(contents(2))], rows=3) == [1, 2, 99]
    assert reasons(folder)["rows_lost"] == "1 of 2 workers"


def test_a_batch_cut_off_at_the_end_of_the_spool_is_named(folder: SweepFolder) -> None:
    assert sealed(folder, [pack(contents(1))], rows=1, spoil=lambda spool: spool[:-20]) == [1]
    (refused,) = read_round(folder.round("001-00")).refused_batches
    assert refused.worker == ""
    assert refused.reason.endswith("bytes of the spool are no whole batch")
    assert reasons(folder)["rows_lost"].startswith("1 of 2 workers; 1 batches of nobody refused (the last ")


def test_a_batch_is_refused_once_for_each_time_it_came(folder: SweepFolder) -> None:
    assert sealed(folder, [b"\xff", pack(contents(1)), b"\xfe", b"\x1b[31m"], rows=1) == [1, 99]
    (refused,) = read_round(folder.round("001-00")).refused_batches
    assert refused == RefusedBatches("w0", 3, 0, refused.reason)


def test_a_spool_with_other_things_between_its_batches_keeps_the_batches(folder: SweepFolder) -> None:
    between = bytes(msgpack.packb({"worker": 7, "seq": "x", "blob": "y"})) + bytes(msgpack.packb(None))
    assert sealed(folder, [pack(contents(1))], rows=1, spoil=lambda spool: between + spool + between) == [1, 99]
    (refused,) = read_round(folder.round("001-00")).refused_batches
    assert (refused.worker, refused.batches) == ("", 4)
    assert "rows_lost" not in reasons(folder)  # each worker's batches are all there


GOOD = pack(contents(2, health=(HEALTH,), failures=((0, FailureCount(*KIND, 1)),), pages=((0, PAGE),)))
MUTATIONS = st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4)


@settings(max_examples=300, deadline=None)
@given(MUTATIONS, st.integers(0, len(GOOD)))
def test_no_mutation_of_a_batch_reaches_the_others(
    tmp_path_factory: pytest.TempPathFactory, mutations: list[tuple[int, int]], end: int
) -> None:
    spoiled = bytearray(GOOD)
    for position, value in mutations:
        spoiled[position] = value
    path = tmp_path_factory.mktemp("spool") / "round"
    blobs = [pack(contents(1)), bytes(spoiled[:end] if end % 2 else spoiled), pack(contents(3))]
    path.write_bytes(b"".join(msgpack.packb({"worker": "w0", "seq": number, "blob": blob}) for number, blob in enumerate(blobs)))
    tallied = Tallied()
    visit = 1 + Sample._fields.index("visit")
    visits = [batch.rows[0][visit] for _, batch in read_batches(path, record("fast"), "s", tallied) if batch.rows]
    assert (visits[0], visits[-1]) == (1, 3)
    assert tallied.batches["w0"] + sum(each.batches for each in tallied.refused.values()) == 3


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 9), inner),
    ).map(msgpack.packb)
)
def test_bytes_that_are_no_batch_give_one_kind_of_error(blob: bytes) -> None:
    try:
        unpack(blob)
    except ValueError:
        return
    assert b"keys" in blob


SHARE = st.floats(0, 1, exclude_max=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(SHARE, st.integers(0, 255)), max_size=5), SHARE | st.none())
def test_a_spool_spoiled_anywhere_is_sealed(
    tmp_path_factory: pytest.TempPathFactory, mutations: list[tuple[float, int]], end: float | None
) -> None:
    """Where something is lost, the record says so. (A byte that changes a value to another good one is not found here.)"""
    folder = SweepFolder(tmp_path_factory.mktemp("sweep"))

    def spoil(spool: bytes) -> bytes:
        spoiled = bytearray(spool)
        for position, value in mutations:
            spoiled[int(position * len(spool))] = value
        return bytes(spoiled if end is None else spoiled[: int(end * len(spool))])

    visits = sealed(folder, [GOOD, pack(contents(3))], rows=2, spoil=spoil)
    round_ = read_round(folder.round("001-00"))
    assert len(visits) == 3 or round_.refused_batches or not all(each.complete for each in round_.outcome)
