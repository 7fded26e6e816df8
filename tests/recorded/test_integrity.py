"""Evidence that somebody has added to, taken from or made up is refused by name; a night without its last step is not lost."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import EvidenceError
from harness.operations import integrity
from tests.e2e.commands import invoke
from tests.e2e.evidence import load
from tests.e2e.test_bad_input import assert_refused

ROWS = "samples/portal=slow/run=slow-seed7/part-001-00.parquet"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (ROWS, "samples/portal=slow/run=slow-seed7/part-002-00.parquet"),
        (ROWS, "samples/portal=slow/run=other/part-001-00.parquet"),
        ("rounds/round-001-00.json", "rounds/round-002-00.json"),
        ("pages/refusing/search-blocked-1.html", "pages/slow/search-blocked-1.html"),
    ],
)
def test_a_file_laid_beside_the_evidence_is_refused(folder: Path, source: str, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / source, folder / name)
    assert_refused(invoke(folder.parent, "score", "demo"), EvidenceError.exit_code, name, "in no manifest")


def test_a_file_that_the_manifests_no_longer_list_is_refused(folder: Path) -> None:
    for path in (folder / "manifests").glob("*.json"):
        manifest = load(path)
        manifest["evidence"] = [item for item in manifest["evidence"] if item["file"] != ROWS]
        path.write_text(json.dumps(manifest), encoding="utf-8")
    assert_refused(invoke(folder.parent, "score", "demo"), EvidenceError.exit_code, ROWS, "in no manifest")


def _rewritten(folder: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Other rows, and manifests with their digest."""
    path = folder / ROWS
    pq.write_table(change(pq.ParquetFile(path).read()), path)
    found = sha256(path.read_bytes()).hexdigest()
    for manifest in (folder / "manifests").glob("*.json"):
        facts = load(manifest)
        for item in facts["evidence"]:
            if item["file"] == ROWS:
                item["sha256"] = found
        manifest.write_text(json.dumps(facts), encoding="utf-8")


def test_rows_that_the_sealed_counts_do_not_know_are_refused(folder: Path) -> None:
    _rewritten(folder, lambda rows: pa.concat_tables([rows, rows.slice(0, rows.num_rows // 2)]))
    assert_refused(invoke(folder.parent, "score", "demo"), EvidenceError.exit_code, ROWS, "visits of window", "as round-001-00.json counts")


def test_rows_without_their_columns_are_refused(folder: Path) -> None:
    _rewritten(folder, lambda rows: rows.drop_columns(["outcome"]))
    assert_refused(invoke(folder.parent, "score", "demo"), EvidenceError.exit_code, ROWS, "no column outcome")


def test_rows_that_would_fill_the_memory_are_refused_before_they_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "LARGEST_PART_BYTES", 1000)
    done = invoke(folder.parent, "score", "demo")
    assert done.code == EvidenceError.exit_code, done.said
    assert re.search(rf"{ROWS}: content is \d+ bytes unpacked, at most 1000 are read; expected rows as they were written", done.err)


def test_a_night_without_its_last_step_is_scored(folder: Path) -> None:
    before = load(folder / "scores.json")
    shutil.rmtree(folder / "manifests")
    done = invoke(folder.parent, "score", "demo", "--criteria", "demo@1")
    assert done.code == 0, done.said
    after = load(folder / "scores.json")
    assert [entry["points"] for entry in after["scores"]] == [entry["points"] for entry in before["scores"]]
    listed = {item["file"] for item in load(folder / "manifests" / "slow.json")["evidence"]}
    assert {"ledger.jsonl", "counted.json", "health/round-001-00.jsonl", "rounds/round-001-00.json", ROWS} <= listed
    with (folder / "ledger.jsonl").open("a", encoding="utf-8") as ledger:
        ledger.write("{}\n")
    assert_refused(invoke(folder.parent, "score", "demo"), EvidenceError.exit_code, "ledger.jsonl", "SHA-256")


def test_a_folder_without_a_sealed_round_is_no_evidence(folder: Path) -> None:
    shutil.rmtree(folder / "manifests")
    shutil.rmtree(folder / "rounds")
    assert_refused(invoke(folder.parent, "score", "demo"), EvidenceError.exit_code, "manifests", "no round of this sweep was sealed")
