"""What servers say of their own time stands beside its rows: once, chained, and absent where nothing was said."""

from __future__ import annotations

from pathlib import Path

import msgpack
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.client.server_metrics import read_server_timing
from harness.evidence import Spool, SweepFolder
from harness.evidence.batches import _Known
from harness.evidence.chain import chain_problems, read_links
from harness.evidence.parquet import SERVER_TIMINGS
from harness.evidence.spool import recover_rounds
from harness.evidence.timing_parts import beside_rows, read_server_timings
from harness.load.outbox import Outbox
from harness.records import LONE, Plan, read_round
from harness.records.fleet_messages import Batch, BatchContents, pack, unpack
from harness.records.server_timing import ROW_KEYS, SERVER_TIMING_COLUMNS
from tests.evidence.spooled import TOKEN, batch, key, record, row
from tests.load.fleet import FakeClock

KEYS = {0: key("fast", 1), 1: key("slow", 1)}
SAID = {"server_timings": [[0, "db", 5], [0, "db", 6], [2, "app", 7]], "server_timings_left_out": [[1, 2]]}


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    folder = SweepFolder(tmp_path / "s")
    folder.path.mkdir()
    folder.plan.write_text(Plan("s", 1, "poisson", "w", (), (), 1.0, 2.0, {}, "", "2026-11-22").to_json(), encoding="utf-8")
    return folder


def a_batch(sequence: int = 0, **said: object) -> Batch:
    return batch(KEYS, [(0, row(1)), (0, row(2)), (1, row(2, request=1))], sequence, **said)


def sealed(folder: SweepFolder, *batches: Batch) -> SweepFolder:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("fast", "slow"))
    for each in batches:
        spool.append("w0", each)
    spool.seal_round(TOKEN, record("fast", "slow"))
    return folder


def test_each_metric_stands_with_the_key_of_its_row(folder: SweepFolder) -> None:
    sealed(folder, a_batch(**SAID), a_batch(1), a_batch(2, server_timings=[[0, "queue", 0]]))
    fast, slow = (read_server_timings(folder, portal) for portal in ("fast", "slow"))
    assert fast is not None
    assert slow is not None
    assert fast.schema.equals(SERVER_TIMINGS.schema, check_metadata=False)
    said = {"window": 1, "journey": "search", "goal": "find", "step": "search", "hop": 0, "attempt": 1}
    assert fast.to_pylist() == [
        {**said, "visit": 1, "request": 0, "metric": 0, "name": "db", "duration_us": 5},
        {**said, "visit": 1, "request": 0, "metric": 1, "name": "db", "duration_us": 6},
        {**said, "visit": 1, "request": 0, "metric": 0, "name": "queue", "duration_us": 0},
    ]
    assert slow.to_pylist() == [{**said, "visit": 2, "request": 1, "metric": 0, "name": "app", "duration_us": 7}]
    counts = {slot.portal: slot.windows[0].counts for slot in read_round(folder.round("001-00")).slots}
    assert (counts["fast"].get("server_timings_left_out"), counts["slow"]["server_timings_left_out"]) == (None, 2)


def test_metrics_are_read_beside_their_rows(folder: SweepFolder) -> None:
    sealed(folder, batch(KEYS, [(0, row(2)), (0, row(1, outcome="timeout")), (0, row(2, outcome="extraction", start_us=0)), (1, row(3))], server_timings=[[1, "app", 9], [0, "db", 5], [3, "app", 1]]))  # fmt: skip
    timings = read_server_timings(folder, "fast")
    assert timings is not None
    rows = pq.read_table(folder.parts("fast")[0], columns=[*ROW_KEYS, "start_us", "outcome", "host_owner"], partitioning=None)
    found = beside_rows(timings, rows)
    assert found.select(["visit", "name", "duration_us", "outcome"]).to_pylist() == [
        {"visit": 1, "name": "app", "duration_us": 9, "outcome": "timeout"},
        {"visit": 2, "name": "db", "duration_us": 5, "outcome": "ok"},
    ]
    assert beside_rows(timings, rows.slice(0, 0)).num_rows == 0
    by_pandas = pd.read_parquet(folder.path / "server_timing" / "portal=fast").merge(
        rows.to_pandas().query("start_us > 0"), on=list(ROW_KEYS)
    )
    assert sorted(by_pandas["outcome"]) == ["ok", "timeout"]


def test_where_nothing_was_said_there_is_no_file(folder: SweepFolder) -> None:
    sealed(folder, a_batch())
    assert not (folder.path / "server_timing").exists()
    assert read_server_timings(folder, "fast") is None
    assert "server_timing" not in folder.round("001-00").read_text(encoding="utf-8")


def test_a_batch_of_an_older_worker_has_none() -> None:
    blob = msgpack.unpackb(pack(BatchContents(KEYS, [[0, *row(1)]])), strict_map_key=False)
    del blob["server_timings"], blob["server_timings_left_out"]
    assert unpack(msgpack.packb(blob)) == BatchContents(KEYS, [[0, *row(1)]])


def test_a_lone_citizens_answers_are_there_too(folder: SweepFolder) -> None:
    planned = record("fast", stage=LONE)
    spool = Spool(folder)
    spool.open_round(TOKEN, planned)
    lone = {0: key("fast", 1, LONE)}
    spool.append("w0", batch(lone, [(0, row(1)), (0, row(1, request=-1))], server_timings=[[0, "db", 5]]))
    spool.seal_round(TOKEN, planned)
    found = read_server_timings(folder, "fast")
    assert found is not None
    assert found["duration_us"].to_pylist() == [5]


def test_the_chain_covers_it(folder: SweepFolder) -> None:
    sealed(folder, a_batch(**SAID))
    (part,) = folder.timing_parts("slow")
    (link,) = read_links(folder).values()
    assert folder.relative(part) == "server_timing/portal=slow/run=slow-seed1/part-001-00.parquet"
    assert folder.relative(part) in {file.file for file in link.files}
    part.write_bytes(part.read_bytes() + b"x")
    (problem,) = chain_problems(folder)
    assert str(part) in str(problem)


def test_a_sealing_that_was_cut_off_leaves_no_metric_twice(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("fast", "slow"))
    spool.append("w0", a_batch(**SAID))
    left = {path: path.read_bytes() for path in (folder.planned("001-00"), folder.spool("001-00"))}
    spool.seal_round(TOKEN, record("fast", "slow"))
    before = read_server_timings(folder, "fast")
    folder.round("001-00").unlink()  # the process died just before it was written
    folder.link("001-00").unlink()
    for path, content in left.items():
        path.write_bytes(content)
    assert recover_rounds(folder) == ("001-00",)
    assert read_server_timings(folder, "fast") == before
    assert list(chain_problems(folder)) == []


def test_files_of_a_cut_off_sealing_do_not_stay_where_the_spool_lost_their_rows(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("fast", "slow"))
    spool.append("w0", a_batch(**SAID))
    left = {folder.planned("001-00"): folder.planned("001-00").read_bytes(), folder.spool("001-00"): b""}
    spool.seal_round(TOKEN, record("fast", "slow"))
    folder.round("001-00").unlink()
    folder.link("001-00").unlink()
    for path, content in left.items():
        path.write_bytes(content)
    assert recover_rounds(folder) == ("001-00",)
    assert read_server_timings(folder, "fast") is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(alphabet='aé=+<;," dur.1-\x00', max_size=60) | st.sampled_from(["db;dur=1", "db;dur=3600000", "x" * 99 + ";dur=1"]),
        max_size=40,
    )
)
def test_nothing_that_a_portal_says_spoils_its_batch(values: list[str]) -> None:
    said = []
    box = Outbox(said.append, FakeClock(), "t", (KEYS[0],))
    timing, names = read_server_timing(values), {"db"}
    if timing is not None:
        box.add_server_timing(0, timing.within(names))
    box.add_row(0, row(1))
    box.flush()
    _Known(record("fast"), "s").check("w0", unpack(said[0].blob))


def test_the_columns_are_the_rows_key_and_the_metric() -> None:
    assert [column.name for column in SERVER_TIMING_COLUMNS] == [*ROW_KEYS, "metric", "name", "duration_us"]
