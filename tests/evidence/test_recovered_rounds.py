"""What a crash leaves of a round: it is read up to the cut, sealed as incomplete and never scored."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from harness.evidence import Spool, SweepFolder
from harness.evidence.batches import Tallied, read_batches
from harness.evidence.chain import chain_problems
from harness.evidence.facts import Reason, Verdict
from harness.evidence.spool import recover_rounds
from harness.evidence.verdict import judge_run
from harness.records import Plan, read_plan, read_round
from tests.evidence.spooled import TOKEN, batch, key, record, row


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
