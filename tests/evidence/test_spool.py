"""From batches to Parquet: every row arrives once, readers see all columns, a sealed round takes no more."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.evidence import Spool, SweepFolder
from harness.evidence.batches import Tallied, read_batches
from harness.evidence.chain import chain_problems, read_links
from harness.evidence.facts import Reason, Verdict
from harness.evidence.spool import recover_rounds
from harness.evidence.verdict import judge_run
from harness.records import (
    COLUMNS,
    LONE,
    FailureCount,
    FailureKind,
    HealthLine,
    LedgerLine,
    LoneWalk,
    Met,
    Plan,
    PlannedTarget,
    RoundRecord,
    Sample,
    SharedFailure,
    SlotRecord,
    WindowKey,
    WindowRecord,
    read_ledger,
    read_plan,
    read_round,
)
from harness.records.fleet_messages import Batch, BatchContents, pack
from harness.records.kept_walks import LARGEST_FILE, PackedWalk
from harness.records.round import RoundMember, WorkerOutcome, WorkerShare
from harness.records.step_failures import FailedPage

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


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    return SweepFolder(tmp_path / "s")


@pytest.fixture
def crashing(folder: SweepFolder) -> Iterator[Spool]:
    """A spool whose process ends in the middle of a round: the kernel closes its files."""
    spool = Spool(folder)
    yield spool
    for _, file in spool._open.values():
        file.close()


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


def test_a_crash_leaves_a_spool_that_can_be_read_up_to_the_cut(folder: SweepFolder, crashing: Spool) -> None:
    crashing.open_round(TOKEN, record("fast"))
    for sequence in range(3):
        crashing.append("w0", batch({0: key("fast", 1)}, [(0, row(sequence))], sequence=sequence))
    path = folder.spool("001-00")
    path.write_bytes(path.read_bytes()[:-20])
    tallied = Tallied()
    assert [b.rows[0][2] for _, b in read_batches(path, record("fast"), "s", tallied)] == [0, 1]
    assert "no whole batch" in tallied.refused[""].reason
    assert folder.planned("001-00").exists()
    assert folder.sealed_rounds() == ()


def test_a_round_that_a_crash_left_open_is_sealed_as_incomplete_and_never_scored(folder: SweepFolder, crashing: Spool) -> None:
    folder.path.mkdir()
    folder.plan.write_text(Plan("s", 1, "poisson", "w", (), (), 1.0, 2.0, {}, "", "2026-11-22").to_json(), encoding="utf-8")
    crashing.open_round(TOKEN, record("fast"))
    crashing.append("w0", batch({0: key("fast", 1)}, [(0, row(1)), (0, row(1, request=-1))], sequence=0))
    with folder.spool("001-00").open("ab") as spool:
        spool.write(b"\x83\xa6worker")
    (folder.path / "rounds" / ".round-001-00.json.01234567.new").write_text("{", encoding="utf-8")
    assert recover_rounds(folder) == ("001-00",)
    sealed = read_round(folder.round("001-00"))
    (window,) = sealed.slots[0].windows
    assert (sealed.incomplete, window.counts) == (True, {"requests_ok": 1, "visits_ok": 1})
    assert [(each.worker, each.complete, each.batches) for each in sealed.outcome] == [("w0", False, 1)]
    assert pd.read_parquet(folder.samples)["visit"].tolist() == [1, 1]
    (run,) = (judge_run(read_plan(folder.plan), [sealed], portal) for portal in ("fast",))
    assert [(each.verdict, each.reasons) for each in run.windows] == [(Verdict.VOID, (Reason("interrupted"),))]
    assert list(chain_problems(folder)) == []
    assert sorted(path.name for path in (folder.path / "rounds").iterdir()) == ["round-001-00.json"]
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    assert recover_rounds(folder) == ()
    assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before


def test_what_a_crash_left_of_a_sealed_round_is_removed(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("fast"))
    spool.append("w0", batch({0: key("fast", 1)}, [(0, row(1))]))
    kept = {path: path.read_bytes() for path in (folder.planned("001-00"), folder.spool("001-00"))}
    spool.seal_round(TOKEN, record("fast"))
    sealed = folder.round("001-00").read_bytes()
    for path, content in kept.items():
        path.write_bytes(content)
    assert recover_rounds(folder) == ()
    assert folder.round("001-00").read_bytes() == sealed
    assert not any(path.exists() for path in kept)


def test_a_round_of_which_nothing_came_is_recovered_too(folder: SweepFolder, crashing: Spool) -> None:
    crashing.open_round(TOKEN, record("fast"))
    folder.spool("001-00").unlink()
    assert recover_rounds(folder) == ("001-00",)
    assert read_round(folder.round("001-00")).incomplete


def test_rounds_of_a_later_night_say_so(folder: SweepFolder) -> None:
    spool = Spool(folder, night="2026-11-23")
    spool.open_round(TOKEN, record("fast"))
    spool.seal_round(TOKEN, record("fast"))
    (round_,) = folder.rounds()
    plan = Plan("s", 1, "poisson", "w", (), (), 1.0, 2.0, {}, "", "2026-11-22")
    assert {window.night for window in judge_run(plan, [round_, replace(round_, night="")], "fast").windows} == {"2026-11-22", "2026-11-23"}


def lone_round(folder: SweepFolder, rows: list[tuple[int, Sample]], *portals: str, checks: str = "", **contents: Any) -> Spool:
    """A sealed round of lone citizens; rows and contents count portals from 0."""
    spool = Spool(folder)
    sealed = replace(record(*portals, stage=LONE), checks=checks)
    spool.open_round(TOKEN, sealed)
    spool.append("w0", batch({i: key(portal, 1, LONE) for i, portal in enumerate(portals)}, rows, **contents))
    spool.seal_round(TOKEN, sealed)
    return spool


def test_the_record_of_a_lone_round_says_what_each_walk_met(folder: SweepFolder) -> None:
    kind = FailureKind("search", "find", "search", "blocked", "firewall", "status 403, expected 2xx")
    page = FailedPage(kind, 1, "http://127.0.0.1:1/", 403, 9, markup=True, text="<p>no</p>", truncated=False)
    ended = [
        (0, row(1, outcome="blocked")._replace(status=403)), (0, row(1, request=-1, outcome="blocked")), (1, row(1, outcome="connect")),
        (1, row(1, request=-1, outcome="connect")), (2, row(1)), (2, row(1, request=-1)),
    ]  # fmt: skip
    spool = lone_round(folder, ended, "a", "b", "c", failures=((0, FailureCount(*kind, 1)),), pages=((0, page),))
    walks = [walk for portal in ("a", "b", "c") for walk in spool.lone_walks(portal)]
    assert walks == [
        LoneWalk(
            "a", "search", "blocked", "find", "search", 403, "portal", "firewall: status 403, expected 2xx", "pages/a/search-blocked-1.html"
        ),
        LoneWalk("b", "search", "connect", "find", "search", 200),
        LoneWalk("c", "search", "ok"),
    ]
    sealed = read_round(folder.round("001-00"))
    assert list(sealed.lone_walks) == walks
    assert sealed.refusals == {"a": "blocked", "b": "unreachable"}
    assert spool.doubtful(TOKEN) == frozenset()
    assert Spool(folder).lone_walks("a") == spool.lone_walks("a")  # as a later attempt reads it


def test_each_lone_walk_is_a_file_of_the_round_and_of_the_chain(folder: SweepFolder) -> None:
    folder.lone("a", "001-00", "search", 9).parent.mkdir(parents=True)
    folder.lone("a", "001-00", "search", 9).write_bytes(b"left by an attempt that was cut off")
    ended = [(0, row(1)), (0, row(1, request=-1)), (1, row(2)), (1, row(2, request=-1))]
    walks = ((0, PackedWalk("search", 1, b"first")), (1, PackedWalk("search", 2, b"second")))
    spool = lone_round(folder, ended, "a", "b", walks=walks)
    files = ["lone/a/001-00-search-1.jsonl.gz", "lone/b/001-00-search-2.jsonl.gz"]
    assert [folder.relative(path) for path in folder.lone_of("001-00")] == files
    assert [(folder.path / file).read_bytes() for file in files] == [b"first", b"second"]
    assert [walk.file for portal in ("a", "b") for walk in spool.lone_walks(portal)] == files
    assert {each.file for each in read_links(folder)["001-00"].files} >= {*files}
    facts = json.loads(folder.round("001-00").read_text(encoding="utf-8"))
    assert [walk["file"] for walk in facts["lone_walks"]] == files


@pytest.mark.parametrize(
    "walk",
    [PackedWalk("../../x", 1, b""), PackedWalk("search", -1, b""), PackedWalk("search", 1, b"x" * (LARGEST_FILE + 1))],
    ids=["outside the folder", "no visit", "too large"],
)
def test_a_lone_walk_that_is_none_is_refused(folder: SweepFolder, walk: PackedWalk) -> None:
    lone_round(folder, [(0, row(1))], "a", walks=((0, walk),))
    (refused,) = read_round(folder.round("001-00")).refused_batches
    assert refused.batches == 1
    assert [path.name for path in folder.path.iterdir() if path.name == "lone"] == []


def test_a_walk_that_skips_a_goal_says_where(folder: SweepFolder) -> None:
    skipped = row(1, outcome="skipped", start_us=0)._replace(goal="file", step="submit", status=0)
    spool = lone_round(folder, [(0, row(1)), (0, skipped), (0, row(1, request=-1, outcome="skipped"))], "a")
    assert spool.lone_walks("a") == (LoneWalk("a", "search", "skipped", "file", "submit"),)


def test_a_walk_that_a_stop_cut_off_is_no_walk(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("a", stage=LONE))
    spool.append("w0", batch({0: key("a", 1, LONE)}, [(0, row(1, request=-1, outcome="aborted"))]))
    spool.seal_round(TOKEN, replace(record("a", stage=LONE), stopped=True))
    assert spool.lone_walks("a") == ()


def test_a_check_under_load_is_no_lone_walk_before_the_load(folder: SweepFolder) -> None:
    spool = lone_round(folder, [(0, row(1, outcome="blocked")), (0, row(1, request=-1, outcome="blocked"))], "a", checks="001-00")
    assert spool.lone_walks("a") == ()
    assert [walk.outcome for walk in read_round(folder.round("001-00")).lone_walks] == ["blocked"]


@pytest.mark.parametrize(
    ("outcome", "status", "doubtful"),
    [("blocked", 403, True), ("not_served", 429, True), ("not_served", 503, False), ("timeout", 0, False)],
)
def test_a_portal_that_refuses_many_is_doubtful_and_one_that_has_too_much_to_do_is_not(
    folder: SweepFolder, outcome: str, status: int, doubtful: bool
) -> None:
    """A status 503 under load is what an overloaded portal says; a lone citizen after the load would tell nothing."""
    spool = Spool(folder)
    spool.open_round(TOKEN, record("a", "b"))
    rows = [(k, row(n, request=-1)) for k in (0, 1) for n in range(18)]
    for k, count in ((0, 2), (1, 0)):
        for n in range(18, 18 + count):
            rows += [(k, row(n, outcome=outcome)._replace(status=status)), (k, row(n, request=-1, outcome=outcome))]
    rows += [(k, row(30 + n, request=-1, outcome="not_served", start_us=0)) for k in (0, 1) for n in range(60)]  # turned away after a stop
    spool.append("w0", batch({0: key("a", 1), 1: key("b", 1)}, rows, sequence=0))
    spool.seal_round(TOKEN, record("a", "b"))
    assert spool.doubtful(TOKEN) == (frozenset({"a"}) if doubtful else frozenset())
    window = read_round(folder.round("001-00")).slots[0].windows[0]
    assert (window.begun, window.counts["turned_away"], window.counts.get("refused", 0)) == (20, 60, 2 if doubtful else 0)


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


LOGIN = "http://127.0.0.1:9"


def at_login(visit: int, outcome: str, *, status: int = 503, end_us: int = 3_000) -> Sample:
    return row(visit, outcome=outcome)._replace(host=LOGIN, host_owner="identity", status=status, end_us=end_us, step="log_in")


def with_plan(folder: SweepFolder) -> Spool:
    """A spool of a sweep in which portal a has a shared login, and portal b calls the same host its own."""
    targets = (PlannedTarget("a", "any", {}, shared_hosts=(LOGIN,)), PlannedTarget("b", "any", {}, shared_hosts=()))
    plan = Plan("s", 1, "poisson", "w", targets, (), 1.0, 2.0, {}, "", "2026-11-22", shared_lost_max=0.05)
    folder.path.mkdir()
    folder.plan.write_text(plan.to_json(), encoding="utf-8")
    return Spool(folder)


def test_visits_that_end_at_a_shared_host_are_counted_by_journey_and_host(folder: SweepFolder) -> None:
    spool = with_plan(folder)
    spool.open_round(TOKEN, record("a", "b"))
    failed = [at_login(1, "http_error"), row(1, request=-1, outcome="http_error")]
    own = [row(2, outcome="timeout"), at_login(2, "skipped"), row(2, request=-1, outcome="timeout")]
    asset = [at_login(3, "http_error"), row(3, outcome="timeout"), row(3, request=-1, outcome="timeout")]
    limited = [at_login(4, "not_served", status=429), row(4, request=-1, outcome="not_served")]
    rows = [(index, each) for index in (0, 1) for each in (*failed, *own, *asset, *limited, row(5), row(5, request=-1))]
    spool.append("w0", batch({0: key("a", 1), 1: key("b", 1)}, rows))
    spool.seal_round(TOKEN, record("a", "b"))
    a, b = (slot.windows[0] for slot in read_round(folder.round("001-00")).slots)
    assert a.shared_failures == (SharedFailure("search", LOGIN, "identity", 2, 5),)
    assert b.shared_failures == ()
    assert (a.counts.get("refused"), b.counts["refused"]) == (None, 1)  # a limit of the shared host is not the portal's
    facts = json.loads(folder.round("001-00").read_text(encoding="utf-8"))
    assert ["shared_failures" in slot["windows"][0] for slot in facts["slots"]] == [True, False]


def test_a_lone_walk_names_the_shared_host_that_stopped_it(folder: SweepFolder) -> None:
    spool = with_plan(folder)
    spool.open_round(TOKEN, record("a", "b", stage=LONE))
    rows = [(index, each) for index in (0, 1) for each in (at_login(1, "http_error"), row(1, request=-1, outcome="http_error"))]
    spool.append("w0", batch({0: key("a", 1, LONE), 1: key("b", 1, LONE)}, rows))
    spool.seal_round(TOKEN, record("a", "b", stage=LONE))
    (of_a,), (of_b,) = spool.lone_walks("a"), spool.lone_walks("b")
    assert (of_a.host, of_a.met, of_b.host, of_b.met) == (LOGIN, Met.SHARED_HOST, "", Met.PORTAL_FAILED)


def test_answers_that_refuse_our_test_data_are_counted(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("a"))
    refused, empty_pool = row(1, outcome="dropped"), row(2, outcome="dropped", start_us=0)._replace(status=0)
    spool.append("w0", batch({0: key("a", 1)}, [(0, refused), (0, empty_pool)]))
    spool.seal_round(TOKEN, record("a"))
    assert read_round(folder.round("001-00")).slots[0].windows[0].counts == {"refused_as_ours": 1, "requests_dropped": 2}
