"""The same evidence gives the same bytes of scores, and evidence of which one bit has changed gives none."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import jsonschema
import pytest

from harness.errors import EvidenceError
from tests.e2e.commands import invoke
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import assert_sealed, load
from tests.e2e.test_bad_input import assert_refused
from tests.recorded.conftest import PORTALS, RECORDED, as_recorded

SCHEMA = Path(__file__).parents[2] / "results" / "schemas" / "performance-scores-1.json"
EVIDENCE = {
    "the plan": "plan.json",
    "a round": "rounds/round-001-00.json",
    "rows of a lone citizen": "samples/portal=slow/run=slow-seed7/part-000-00.parquet",
    "rows under load": "samples/portal=fast/run=fast-seed7/part-001-00.parquet",
    "a page that was kept": "pages/refusing/search-blocked-1.html",
}


def test_the_recorded_evidence_gives_the_recorded_bytes(scored: Sweep) -> None:
    assert (scored.folder / "faults.json").read_bytes() == (RECORDED / "faults.json").read_bytes()
    assert as_recorded((scored.folder / "scores.json").read_bytes()) == (RECORDED / "scores.json").read_bytes()
    assert scored.finished.out.encode() == (scored.folder / "scores.json").read_bytes()


def test_a_report_written_anew_changes_no_file(scored: Sweep) -> None:
    """Neither the evidence nor the scores, of which there is one revision, nor the report's own bytes."""
    before = {path: path.read_bytes() for path in sorted(scored.folder.rglob("*")) if path.is_file()}
    done = invoke(scored.folder.parent, "report", "demo")
    assert done.code == 0, done.said
    assert {path: path.read_bytes() for path in sorted(scored.folder.rglob("*")) if path.is_file()} == before


@pytest.mark.parametrize("file", EVIDENCE.values(), ids=EVIDENCE)
@pytest.mark.parametrize("where", [0.01, 0.5, 0.99])
def test_one_flipped_bit_is_refused_by_name(folder: Path, file: str, where: float) -> None:
    before = (folder / "scores.json").read_bytes()
    content = bytearray((folder / file).read_bytes())
    content[int(len(content) * where)] ^= 1
    (folder / file).write_bytes(content)
    refused(folder, file)
    assert (folder / "scores.json").read_bytes() == before


@pytest.mark.parametrize("file", [name for name in EVIDENCE.values() if name != "plan.json"])
def test_a_missing_file_is_refused_by_name(folder: Path, file: str) -> None:
    (folder / file).unlink()
    refused(folder, file)


def refused(folder: Path, file: str) -> None:
    """`harness score` refuses ``file``, and so do the others who read evidence."""
    assert_refused(invoke(folder.parent, "score", "demo"), EvidenceError.exit_code, f"demo/{file}", "SHA-256")


def test_every_command_that_reads_evidence_checks_it(folder: Path) -> None:
    part = folder / EVIDENCE["rows under load"]
    part.write_bytes(part.read_bytes()[:-1])
    for command in (("score", "demo"), ("report", "demo"), ("explain", "demo", "fast")):
        assert_refused(invoke(folder.parent, *command), EvidenceError.exit_code, part.name, "SHA-256")


def test_the_recorded_folder_is_whole() -> None:
    assert_sealed(RECORDED, PORTALS)


def test_the_scores_are_valid_to_somebody_else(scored: Sweep) -> None:
    document = load(scored.folder / "scores.json")
    jsonschema.Draft202012Validator(load(SCHEMA)).validate(document)
    with (scored.folder / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["portal"] for line in lines} == PORTALS
    assert (scored.folder / "scores.xlsx").stat().st_size > 0
    named = {item["file"] for score in document["scores"] for item in score["evidence"]}
    assert all((scored.folder / name).is_file() for name in named)


def test_scores_leave_the_folder_as_they_are(scored: Sweep, tmp_path: Path) -> None:
    done = invoke(scored.folder.parent, "export", "demo", "--out", str(tmp_path / "out"))
    assert done.code == 0, done.said
    for name in ("scores.json", "scores.csv", "scores.xlsx"):
        assert (tmp_path / "out" / name).read_bytes() == (scored.folder / name).read_bytes()


def test_a_sweep_is_no_worse_and_no_better_than_itself(scored: Sweep) -> None:
    done = invoke(scored.folder.parent, "compare", "demo", "demo")
    assert done.code == 0, done.said
    assert re.search(r"^0 of [1-9]\d* changes are named", done.out, re.MULTILINE), done.said
    changes = json.loads(invoke(scored.folder.parent, "compare", "demo", "demo", "--json").out)["changes"]
    assert {change["effect"] for change in changes} <= {0, 1}  # no difference, and a ratio of one
