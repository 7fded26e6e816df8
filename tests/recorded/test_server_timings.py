"""What servers say of their own time is evidence as the rows are: listed, checked before it is read, sealed, packed, removed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.evidence import SweepFolder
from harness.evidence.folder import portal_of
from harness.evidence.parquet import SERVER_TIMINGS, PartWriter
from harness.evidence.timing_parts import beside_rows, read_server_timings
from harness.operations.integrity import evidence_problems
from harness.operations.manifest import seal_manifests
from harness.operations.shipped import shipped_catalog
from harness.records.files import digest, write_json
from harness.records.server_timing import ROW_KEYS
from tests.docs.snippets import snippets
from tests.e2e.commands import invoke
from tests.e2e.evidence import load
from tests.recorded.conftest import RECORDED

PART = "server_timing/portal=slow/run=slow-seed7/part-001-00.parquet"


@pytest.fixture
def timed(folder: Path) -> SweepFolder:
    """The recorded sweep, as if the portal ``slow`` had said how long its database took."""
    sweep = SweepFolder(folder)
    rows = pq.read_table(folder / PART.replace("server_timing", "samples"), partitioning=None)
    writer = PartWriter(folder / PART, SERVER_TIMINGS)
    for row in rows.filter(pa.compute.field("request") >= 0).to_pylist():
        writer.add([*(row[name] for name in ROW_KEYS), 0, "db", row["end_us"] - row["first_byte_us"]])
        writer.add([*(row[name] for name in ROW_KEYS), 1, "visit", 7])  # a name that a column has too
    writer.close()
    seal_as_listed(sweep)
    return sweep


def seal_as_listed(sweep: SweepFolder) -> None:
    """Let the manifest list what is there."""
    listed = load(sweep.manifest("slow"))
    write_json(sweep.manifest("slow"), {**listed, "server_timing": [{"file": PART, "sha256": digest(sweep.path / PART)}]})


def test_a_manifest_lists_it_and_earlier_evidence_has_none(timed: SweepFolder) -> None:
    seal_manifests(timed, shipped_catalog())
    assert load(timed.manifest("slow"))["server_timing"] == [{"file": PART, "sha256": digest(timed.path / PART)}]
    assert "server_timing" not in load(timed.manifest("fast"))
    assert read_server_timings(SweepFolder(RECORDED), "slow") is None
    assert evidence_problems(timed) == []


def test_each_metric_finds_its_row(timed: SweepFolder) -> None:
    timings = read_server_timings(timed, "slow")
    assert timings is not None
    rows = pa.concat_tables([pq.read_table(part, partitioning=None) for part in timed.parts("slow")], promote_options="default")
    found = beside_rows(timings, rows)
    assert found.num_rows == timings.num_rows > 0
    assert all(row["duration_us"] == row["end_us"] - row["first_byte_us"] for row in found.to_pylist() if row["name"] == "db")


def test_the_recipe_for_pandas_reads_it(timed: SweepFolder) -> None:
    (recipe,) = [each for each in snippets(Path(__file__).parents[2] / "docs" / "evidence.md", "python") if "server_timing" in each.text]
    names: dict[str, Any] = {}
    printed = replace(recipe, text=recipe.text.replace("results/<sweep>", str(timed.path))).run(names)
    both = names["both"]
    assert len(both) > 100
    assert (both["said_visit"] == 7).all()
    assert (both["measured"] >= 0).all()
    assert "said_db" in printed


def test_scores_do_not_depend_on_it(timed: SweepFolder) -> None:
    done = invoke(timed.path.parent, "score", "demo")
    assert done.code == 0, done.said
    assert timed.scores.read_bytes() == (RECORDED / "scores.json").read_bytes()


def test_it_is_taken_for_nobody_elses(timed: SweepFolder) -> None:
    assert portal_of(PART) == "slow"
    other = timed.path / PART.replace("slow", "fast")
    other.parent.mkdir(parents=True)
    shutil.copyfile(timed.path / PART, other)
    (problem,) = evidence_problems(timed)
    assert (problem.file, problem.value) == (str(other), "in no manifest")


def _changed(**columns: Callable[[int], pa.Array]) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        for name, make in columns.items():
            table = table.set_column(table.schema.get_field_index(name), name, make(table.num_rows))
        return table

    return change


def _names(name: str) -> Callable[[int], pa.Array]:
    return lambda count: pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), count), [name])


@pytest.mark.parametrize(
    ("craft", "said"),
    [
        (lambda table: pa.concat_tables([table] * 200), "rows, at most"),
        (lambda table: table.drop_columns(["name"]), "no column name"),
        (_changed(name=_names("<script>")), "a metric with the name <script>"),
        (_changed(name=_names("\x1b[31m")), r"a metric with the name \u001b[31m"),
        (_changed(name=_names("x" * 2_000)), "a text of 2000 characters"),
        (_changed(name=lambda count: pa.array(["db"] * count)), "column name of string"),
        (_changed(duration_us=lambda count: pa.array([0.5] * count)), "column duration_us of double"),
    ],
)
def test_a_crafted_file_is_refused_before_it_is_read(timed: SweepFolder, craft: Callable[[pa.Table], pa.Table], said: str) -> None:
    pq.write_table(craft(pq.read_table(timed.path / PART, partitioning=None)), timed.path / PART)
    (problem,) = evidence_problems(timed)
    assert (problem.file, problem.key) == (str(timed.path / PART), "SHA-256")
    seal_as_listed(timed)
    (problem,) = evidence_problems(timed)
    assert said in problem.value


def test_it_goes_with_the_rows_of_an_old_sweep(timed: SweepFolder) -> None:
    results = timed.path.parent / "results"
    results.mkdir()
    timed.path.rename(results / "old")
    done = invoke(results.parent, "gc", "results", "--keep-days", "0", "--json")
    assert done.code == 0, done.said
    assert f"results/old/{PART}" in json.loads(done.out)["sweeps"][0]["files"]
    assert not (results / "old" / "server_timing").exists()
