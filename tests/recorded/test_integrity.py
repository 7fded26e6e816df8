"""Evidence that somebody has added to, taken from or made up is refused by name; a night without its last step is not lost."""

from __future__ import annotations

import json
import re
import resource
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness import open_sweep
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
        ("pages/refusing/search-blocked-1.html", "lone/slow/000-00-search-1.jsonl.gz"),
    ],
)
def test_a_file_laid_beside_the_evidence_is_refused(folder: Path, source: str, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / source, folder / name)
    assert_refused(invoke(folder.parent, "score", "demo"), EvidenceError.exit_code, name, "in no manifest")


@pytest.mark.parametrize(
    "written", ["1", "[]", "{}", '{"portal": "slow", "evidence": [{}]}', '{"portal": "slow", "evidence": [{"file": [], "sha256": ""}]}']
)
def test_a_manifest_of_another_form_is_named(folder: Path, written: str) -> None:
    (folder / "manifests" / "slow.json").write_text(written, encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"slow\.json: content is no manifest; expected a portal, and its files"):
        open_sweep(folder)


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


def _repeated(rows: pa.Table, times: int) -> pa.Table:
    """So many rows in a small file: each column is one value, which Parquet stores once."""
    return pa.table(
        {
            name: pa.repeat(rows[name][0].cast(pa.string()) if pa.types.is_dictionary(rows[name].type) else rows[name][0], times)
            for name in rows.column_names
        }
    )


@pytest.mark.parametrize(
    ("craft", "said"),
    [
        (lambda rows: _repeated(rows, 300_000), r"content is 300000 rows, at most \d+ were sent"),
        (
            lambda rows: rows.set_column(rows.schema.get_field_index("step"), "step", rows["step"].cast(pa.string())),
            "content is column step of string",
        ),
        (
            lambda rows: rows.set_column(
                rows.schema.get_field_index("step"),
                "step",
                pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows.num_rows), ["x" * 8_000_000]),
            ),
            "content is column step has a text of 8000000 characters",
        ),
        (
            lambda rows: rows.set_column(rows.schema.get_field_index("window"), "window", pa.array([[1]] * rows.num_rows)),
            "content is column window of list",
        ),
        (
            lambda rows: rows.set_column(rows.schema.get_field_index("request"), "request", pa.array(["1"] * rows.num_rows)),
            "content is column request of string",
        ),
    ],
)
def test_crafted_rows_are_refused_before_they_fill_the_memory(folder: Path, craft: Callable[[pa.Table], pa.Table], said: str) -> None:
    _rewritten(folder, craft)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = invoke(folder.parent, "score", "demo")
    assert done.code == EvidenceError.exit_code, done.said
    assert re.search(f"{ROWS}: {said}", done.err), done.err
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


@pytest.mark.parametrize("name", ["plan.json", "manifests/slow.json", "rounds/round-001-00.json", "ledger.jsonl"])
@pytest.mark.parametrize("content", [b"[" * 200_000, b"{" * 9 + b"\xff"])
def test_json_that_nobody_can_read_is_refused_in_a_line(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content + b"\n{}\n")
    assert_refused(invoke(folder.parent, "score", "demo"), EvidenceError.exit_code, name)


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
