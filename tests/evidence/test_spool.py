"""From batches to Parquet: every row arrives once, readers see all columns, a sealed round takes no more."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from harness.evidence import Spool, SweepFolder
from harness.evidence.chain import chain_problems
from harness.records import COLUMNS, HealthLine, LedgerLine, Plan, read_ledger, read_round
from harness.records.fleet_messages import Batch
from harness.records.round import RoundMember, WorkerShare
from tests.evidence.spooled import TOKEN, batch, key, record, row


def test_rows_become_a_data_set_that_pandas_reads_whole(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("fast", "slow"))
    keys = {0: key("fast", 1), 1: key("slow", 1)}
    spool.append("w0", batch(keys, [(0, row(1)), (1, row(2, outcome="timeout"))], sequence=0))
    spool.append("w0", batch(keys, [(0, row(1, request=-1))], sequence=1))
    spool.seal_round(TOKEN, record("fast", "slow"))
    rows = pd.read_parquet(folder.samples)
    assert set(rows.columns) == {column.name for column in COLUMNS}
    assert sorted(rows["portal"].astype(str)) == ["fast", "fast", "slow"]
    assert rows.loc[rows["portal"] == "slow", "outcome"].tolist() == ["timeout"]
    facts = json.loads(folder.round("001-00").read_text(encoding="utf-8"))
    assert facts["slots"][0]["windows"][0]["counts"] == {"requests_ok": 1, "visits_ok": 1}
    assert not folder.spool("001-00").exists()


def test_a_sealed_round_is_the_next_link_of_the_chain(folder: SweepFolder) -> None:
    """Also where another process goes on after a crash, and where a round was cut off between its link and its record."""
    folder.path.mkdir()
    folder.plan.write_text(Plan("s", 1, "poisson", "w", (), (), 1.0, 2.0, {}, "", "2026-11-22").to_json(), encoding="utf-8")
    for number, name in enumerate(("000-00", "001-50", "001-00")):
        spool = Spool(SweepFolder(folder.path))
        one = replace(record("fast"), name=name)
        spool.open_round(name, one)
        spool.append("w0", replace(batch({0: key("fast", 1)}, [(0, row(number))]), token=name))
        spool.seal_round(name, one)
        shutil.copyfile(folder.link(name), folder.link("009-00"))
    links = [json.loads(folder.link(name).read_text(encoding="utf-8")) for name in ("000-00", "001-50", "001-00")]
    assert [link["previous"]["file"] for link in links] == ["plan.json", "chain/round-000-00.json", "chain/round-001-50.json"]
    assert [item["file"] for item in links[2]["files"]] == [
        "health/round-001-00.jsonl", "rounds/round-001-00.json", "samples/portal=fast/run=fast-seed1/part-001-00.parquet",
    ]  # fmt: skip
    folder.link("009-00").unlink()
    assert list(chain_problems(folder)) == []


def test_what_cannot_be_written_is_told_once_and_leaves_no_half_record(folder: SweepFolder) -> None:
    """A limit on the size of files stands for the full disk."""
    told: list[Exception] = []
    spool = Spool(folder, unwritable=told.append)
    spool.open_round(TOKEN, record("fast"))
    spool.append("w0", batch({0: key("fast", 1)}, [(0, row(1))], sequence=0))
    folder.reserve.write_bytes(b"room")
    path, line = folder.spool("001-00"), LedgerLine("fast", "fast-seed1", 2, "H1", "dossier")
    size, (soft, hard) = path.stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)
    second = replace(batch({0: key("fast", 1)}, [(0, row(2))], sequence=1), ledger=(line,))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        for _ in range(2):
            with pytest.raises(OSError, match="File too large"):
                spool.append("w0", second)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(told) == 1
    assert not folder.reserve.exists()
    assert path.stat().st_size == size
    spool.append("w0", second)
    spool.seal_round(TOKEN, record("fast"))
    assert sorted(pd.read_parquet(folder.samples)["visit"]) == [1, 2]
    assert [kept.code for kept in read_ledger(folder.ledger).lines] == ["H1"]


def test_a_batch_after_sealing_is_counted_and_refused(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("fast"))
    spool.seal_round(TOKEN, record("fast"))
    spool.append("w0", batch({0: key("fast", 1)}, [(0, row(9))], sequence=7))
    assert json.loads(folder.late("001-00").read_text(encoding="utf-8")) == {"batches_after_sealing": 1}


def test_batches_of_other_rounds_come_while_a_round_is_sealed_and_its_own_are_late(folder: SweepFolder) -> None:
    folder.path.mkdir()
    folder.plan.write_text(Plan("s", 1, "poisson", "w", (), (), 1.0, 2.0, {}, "", "2026-11-22").to_json(), encoding="utf-8")

    def meanwhile(work: Callable[[], Any]) -> Any:
        if not folder.sealed_rounds() and folder.spool("001-01").exists():
            line = LedgerLine("slow", "slow-seed1", 2, "H2", "dossier")
            spool.append("w0", replace(batch({0: key("slow", 1)}, [(0, row(2))]), token="s#001-01", ledger=(line,)))
            spool.append("w0", batch({0: key("fast", 1)}, [(0, row(9))], sequence=7))
        return work()

    spool = Spool(folder, aside=meanwhile)
    first, second = record("fast"), replace(record("slow"), name="001-01", part=1)
    spool.open_round(TOKEN, first)
    spool.open_round("s#001-01", second)
    spool.append("w0", batch({0: key("fast", 1)}, [(0, row(1))]))
    spool.seal_round(TOKEN, first)
    assert json.loads(folder.late("001-00").read_text(encoding="utf-8")) == {"batches_after_sealing": 1}
    spool.seal_round("s#001-01", second)
    rows = pd.read_parquet(folder.samples)
    assert sorted(zip(rows["portal"].astype(str), rows["visit"], strict=True)) == [("fast", 1), ("slow", 2)]
    assert [json.loads(folder.link(name).read_text())["ledger_bytes"] for name in ("001-00", "001-01")] == [0, folder.ledger.stat().st_size]
    assert list(chain_problems(folder)) == []


def test_a_receipt_that_a_worker_hands_over_later_enters_the_ledger_once(folder: SweepFolder) -> None:
    first, second = (LedgerLine("fast", "fast-seed1", visit, f"H{visit}", "dossier", when_us=visit) for visit in (1, 2))
    spool = Spool(folder)
    spool.open_round(TOKEN, record("fast"))
    spool.append("w0", replace(batch({0: key("fast", 1)}, [(0, row(1))]), ledger=(first,)))
    spool.seal_round(TOKEN, record("fast"))
    for sequence, line in enumerate((first, second, second)):
        spool.append("w0", Batch(f"{TOKEN} receipts", sequence, 0, b"", ledger=(line,)))
    assert [line.code for line in read_ledger(folder.ledger).lines] == ["H1", "H2"]


def test_each_of_several_workers_has_its_share_of_a_window(folder: SweepFolder) -> None:
    two = replace(record("fast"), members=(RoundMember("w0"), RoundMember("w1", 1, 5_000_000, 9)))
    health = HealthLine(
        at_us=6_000_000, cpu_percent=40.0, busy_percent=41.0, steal_percent=0.0, lag_max_us=900, lag_us=(100,), late_max_us=70, late_us=(50,), late_count=1,
        unread_max_us=7, gc_max_us=0, parsing_us=5, sockets=9, rss_bytes=1, in_flight=3, reference_us=-40,
    )  # fmt: skip
    spool = Spool(folder)
    spool.open_round(TOKEN, two)
    for worker, outcomes in (("w0", ["ok", "ok"]), ("w1", ["ok", "timeout", "not_served", "dropped", "aborted"])):
        ended = [(0, row(number, request=-1, outcome=outcome)) for number, outcome in enumerate(outcomes)]
        spool.append(worker, batch({0: key("fast", 1, worker=worker)}, ended, health=(health,) if worker == "w1" else ()))
    spool.seal_round(TOKEN, two)
    (window,) = read_round(folder.round("001-00")).slots[0].windows
    assert window.shares == (WorkerShare("w0", 2, 0, 0), WorkerShare("w1", 5, 2, 2, 50, 70, 41.0, 1))


def test_one_worker_leaves_no_shares(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("fast"))
    spool.append("w0", batch({0: key("fast", 1)}, [(0, row(1, request=-1))]))
    spool.seal_round(TOKEN, record("fast"))
    assert "shares" not in json.loads(folder.round("001-00").read_text(encoding="utf-8"))["slots"][0]["windows"][0]


def test_receipts_are_on_disk_before_the_batch_is_acknowledged(folder: SweepFolder, crashing: Spool) -> None:
    crashing.open_round(TOKEN, record("fast"))
    crashing.append("w0", replace(batch({}, []), ledger=(LedgerLine("fast", "fast-seed1", 1, "H08.12.03-261122-0001", "dossier"),)))
    entry = json.loads(folder.ledger.read_text(encoding="utf-8"))
    assert (entry["code"], entry["worker"], entry["round"]) == ("H08.12.03-261122-0001", "w0", TOKEN)


def test_health_is_reduced_to_the_worst_worker_of_the_window(folder: SweepFolder) -> None:
    second = HealthLine(
        at_us=1_000_000, cpu_percent=40.0, busy_percent=41.0, steal_percent=0.0, lag_max_us=900, lag_us=(100, 900), late_max_us=50,
        late_us=(50,), late_count=1, unread_max_us=7, gc_max_us=0, parsing_us=5, sockets=9, rss_bytes=1, in_flight=3, reference_us=-40,
    )  # fmt: skip
    later = replace(second, at_us=2_000_000, cpu_percent=60.0, reference_us=None)
    spool = Spool(folder)
    spool.open_round(TOKEN, record("fast"))
    spool.append("w0", batch({}, [], health=(second, later)))
    spool.seal_round(TOKEN, record("fast"))
    health = json.loads(folder.round("001-00").read_text(encoding="utf-8"))["slots"][0]["windows"][0]["health"]
    assert (health["cpu_percent"], health["lag_max_us"], health["reference_error_us"], health["seconds"]) == (50.0, 900, 40, 2)


def test_answers_that_refuse_our_test_data_are_counted(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("a"))
    refused, empty_pool = row(1, outcome="dropped"), row(2, outcome="dropped", start_us=0)._replace(status=0)
    spool.append("w0", batch({0: key("a", 1)}, [(0, refused), (0, empty_pool)]))
    spool.seal_round(TOKEN, record("a"))
    assert read_round(folder.round("001-00")).slots[0].windows[0].counts == {"refused_as_ours": 1, "requests_dropped": 2}
