"""`harness compare` on recorded evidence: whose steps are compared, and what is said where they cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

from harness.evidence import SweepFolder
from harness.operations import signing
from harness.operations.comparison import compare_sweeps
from harness.operations.pack import pack
from harness.operations.sealed_evidence import seal
from harness.operations.shipped import shipped_catalog
from harness.scoring import WhyNoSteps
from tests.e2e.commands import invoke
from tests.e2e.test_bad_input import assert_refused


def test_the_steps_of_a_portal_come_from_the_rows_of_both_sweeps(folder: Path) -> None:
    done = invoke(folder.parent, "compare", "demo", "demo", "--portal", "fast", "--json")
    assert done.code == 0, done.said
    found = json.loads(done.out)
    assert {change["portal"] for change in (*found["changes"], *found["steps"])} == {"fast"}
    assert {(change["word"], change["effect"]) for change in found["steps"]} == {("not_significant", 1.0)}
    assert [each["step"] for each in found["steps"] if each["journey"] == "search"] == ["search", "open_procedure"]


def test_where_steps_are_not_compared_it_is_said(folder: Path) -> None:
    catalog = shipped_catalog()
    assert compare_sweeps(folder, folder / "scores.json", catalog).why_no_steps is WhyNoSteps.SCORES_ONLY
    assert compare_sweeps(folder, folder, catalog, with_steps=False).why_no_steps is WhyNoSteps.NOT_ASKED_FOR
    assert_refused(invoke(folder.parent, "compare", "demo", "demo/scores.json", "--steps"), 2, "Give the folder of each sweep.")
    (folder / "removed.json").write_text("{}", encoding="utf-8")
    assert compare_sweeps(folder, folder, catalog).why_no_steps is WhyNoSteps.ROWS_REMOVED


def test_a_portal_of_neither_sweep_is_refused(folder: Path) -> None:
    assert_refused(invoke(folder.parent, "compare", "demo", "demo", "--portal", "fastt"), 2, "fastt", "Did you mean `fast`?")


def test_changed_rows_are_not_compared(folder: Path) -> None:
    part = next((folder / "samples").glob("portal=fast/**/*.parquet"))
    part.write_bytes(part.read_bytes() + b" ")
    done = invoke(folder.parent, "compare", "demo", "demo", "--portal", "fast")
    assert done.code == 5, done.said
    assert part.name in done.err


def test_an_operator_compares_a_share_with_the_whole_sweep(chained: SweepFolder, tmp_path: Path) -> None:
    signing.make_key(tmp_path / "key")
    seal(chained, shipped_catalog(), signing.signing_key(f"file:{tmp_path / 'key'}"))
    pack(chained, "fast", tmp_path / "fast.zip")
    with ZipFile(tmp_path / "fast.zip") as packed:
        packed.extractall(tmp_path / "share")
    (share,) = (tmp_path / "share").iterdir()
    found = compare_sweeps(share, chained.path, shipped_catalog(), with_steps=True)
    assert {change.portal for change in found.steps} == {"fast"}
    again = compare_sweeps(share, chained.path, shipped_catalog(), rescore="before")
    assert {change.portal for change in again.changes} == {"fast"}
    assert {change.before == change.after for change in again.changes} == {True}
