"""What the rules changed is told apart from what the portal changed; the example of docs/publication.md is what the command says."""

from __future__ import annotations

import csv
import json
import shutil
from contextlib import chdir
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from harness.catalog import Catalog
from harness.errors import EvidenceError
from harness.evidence import SweepFolder, read_runs
from harness.operations.comparison import compare_sweeps
from harness.operations.score_folder import as_measured, evidence_of
from harness.operations.selection import select_criteria
from harness.operations.shipped import shipped_catalog
from harness.publish import read_scores
from harness.publish.import_file import to_bytes
from harness.records import read_plan
from harness.records.files import digest, read_json, write_json
from harness.scoring import score_sweep
from tests.docs.tables import tables_in
from tests.e2e.commands import invoke
from tests.e2e.test_bad_input import assert_refused
from tests.recorded.conftest import RECORDED
from tests.scoring.sets import SOURCED, criteria_data, criterion

PORTAL = "fast"
PAGE = (Path(__file__).parents[2] / "docs" / "publication.md").read_text(encoding="utf-8")
EXAMPLE = PAGE[PAGE.index("### An example checked by hand") :]
RULES, WINDOWS, POINTS, PARTS, *_ = tables_in(EXAMPLE)


def _result(cell: str) -> float | None:
    """The number that a cell ends with; its arithmetic must hold."""
    if cell in ("–", "not assessed"):
        return None
    sum_, _, result = cell.replace("−", "-").replace("×", "*").rpartition("=")
    if sum_:
        assert eval(sum_) == pytest.approx(float(result), abs=1e-12), cell
    return float(result)


def _set(version: int) -> dict[str, Any]:
    at = {1: 2, 2: 5}[version]
    criteria = [
        criterion(
            line[0], line[1], points=float(line[at]), quota={"n": 8},
            curve={"kind": "linear", "version": 1, "full": float(line[at + 1]), "none": float(line[at + 2]), **SOURCED},
        )
        for line in RULES[1:]
        if line[at] != "–"
    ]  # fmt: skip
    return criteria_data(*criteria, id="example", version=str(version))


def _not_of_the_example(_: str, names: list[str]) -> list[str]:
    others = {"pages", "ledger.jsonl", "withdrawals.json", "counted.json", "scores.json", "revisions.json", "faults.json"}
    return [name for name in names if name in others or (name.startswith("portal=") and name != f"portal={PORTAL}")]


def _make_sweep(folder: Path, seconds: list[float]) -> None:
    """The recorded sweep with one portal, in which each step of a search takes so long as its window says."""
    shutil.copytree(RECORDED, folder, ignore=_not_of_the_example)
    plan = read_json(folder / "plan.json")
    plan["targets"] = [each for each in plan["targets"] if each["portal"] == PORTAL]
    for round_ in plan["rounds"]:
        round_["slots"] = [slot for slot in round_["slots"] if slot["portal"] == PORTAL]
    write_json(folder / "plan.json", plan)
    for path in (folder / "rounds").iterdir():
        write_json(path, read_json(path) | {"slots": [slot for slot in read_json(path)["slots"] if slot["portal"] == PORTAL]})
    for path in (folder / "samples").rglob("*.parquet"):
        table = pq.read_table(path)
        rows = table.to_pylist()
        begun = {}
        for row in rows:
            if row["journey"] == "search" and row["goal"] == "find" and row["stage"] == "typical":
                first = begun.setdefault((row["visit"], row["step"], row["attempt"]), row["intended_us"])
                row["end_us"] = first + round(seconds[row["window"] - _first_window(rows)] * 1e6)
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    for path in (folder / "manifests").iterdir():
        if path.stem != PORTAL:
            path.unlink()
            continue
        manifest = read_json(path)
        write_json(path, manifest | {"evidence": [{**each, "sha256": digest(folder / each["file"])} for each in manifest["evidence"]]})


def _first_window(rows: list[dict[str, Any]]) -> int:
    return min(row["window"] for row in rows if row["stage"] == "typical")


def _supply_servers(folder: Path) -> None:
    """Figures of two servers that are 80 % busy, three of each in every window."""
    began = [datetime.fromisoformat(window.began_utc) for window in read_runs(SweepFolder(folder))[0].windows if window.stage == "typical"]
    (folder / "supplied").mkdir()
    with (folder / "supplied" / f"{PORTAL}.servers.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("time_utc", "server", "role", "cpu_percent"))
        for moment in (each + timedelta(seconds=second) for each in began for second in (1, 2, 3)):
            lines.writerows((moment.isoformat(), role, role, 80) for role in ("application", "database"))


def _score(folder: Path, catalog: Catalog, name: str) -> None:
    sweep = SweepFolder(folder)
    plan, runs = read_plan(sweep.plan), read_runs(sweep)
    scores = score_sweep(plan.sweep, evidence_of(sweep, runs, (), catalog), as_measured(select_criteria(catalog, name), plan, runs))
    sweep.scores.write_bytes(to_bytes(scores))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sets in ``rules`` and the sweeps ``last-month`` and ``this-month``. Not to be changed."""
    above = tmp_path_factory.mktemp("example")
    (above / "rules" / "criteria").mkdir(parents=True)
    for version in (1, 2):
        (above / "rules" / "criteria" / f"example-v{version}.yaml").write_text(yaml.safe_dump(_set(version)), encoding="utf-8")
    catalog = shipped_catalog(above / "rules")
    before, after = ([float(cell) for cell in line[1:]] for line in WINDOWS[1:])
    _make_sweep(above / "last-month", before)
    _make_sweep(above / "this-month", after)
    _supply_servers(above / "this-month")
    _score(above / "last-month", catalog, "example@1")
    _score(above / "this-month", catalog, "example@2")
    return above


def _compare(folder: Path, *more: str) -> dict[str, Any]:
    done = invoke(folder, "compare", "last-month", "this-month", "--catalog", "rules", "--no-steps", "--json", *more)
    assert done.code == 0, done.said
    found = json.loads(done.out)
    assert isinstance(found, dict)
    return found


def _points(ruled: dict[str, Any] | None) -> float | None:
    return None if ruled is None else ruled["points"]


def test_the_example_of_the_page_is_what_the_command_finds(example: Path) -> None:
    before = {path: path.read_bytes() for path in example.rglob("*") if path.is_file()}
    found = _compare(example)
    rules = found["rule_changes"]
    (portal,) = rules["portals"]
    sides = ("before", "rescored", "after")
    lines = {each["criterion"]: each for each in portal["criteria"]} | {"in all": portal}
    printed = {name: [_points(each[side]) for side in sides] for name, each in lines.items()}
    assert printed | {"of": [portal[side]["points_max"] for side in sides]} == {line[0]: [*map(_result, line[1:])] for line in POINTS[1:]}
    parts = ("by_rules", "by_portal", "one_sweep", "whole")
    assert {name: [each["parts"][part] for part in parts] for name, each in lines.items()} == {
        line[0]: [*map(_result, line[1:5])] for line in PARTS[1:]
    }
    words = {each["criterion"]: each["word"].replace("_", " ") for each in found["changes"]}
    assert words == {line[0]: line[5] for line in PARTS[1:] if line[5]}
    assert (rules["rescored"], rules["same_version"], rules["not_reproduced"]) == ("before", False, [])
    assert {path: path.read_bytes() for path in example.rglob("*") if path.is_file()} == before


def test_it_says_what_changed_and_that_the_totals_are_unlike(example: Path) -> None:
    done = invoke(example, "compare", "last-month", "this-month", "--catalog", "rules", "--no-steps", "--lang", "en")
    assert done.code == 0, done.said
    assert "average: thresholds: full points at ≤ 1 s; no points at ≥ 5 s → full points at ≤ 0.5 s; no points at ≥ 4.5 s" in done.out
    assert "completed: points 6 → 5" in done.out
    assert "median: new, 3 points" in done.out
    assert "slowest: gone, 4 points before" in done.out
    assert "fast: the assessed criteria differ. At most 20 points were assessed before, 18 when scored again, 20 after." in done.out
    row = next(line.split() for line in done.out.splitlines() if line.startswith("In all"))
    assert row == ["In", "all", "17", "/", "20", "13.25", "/", "18", "13.45", "/", "20", "-3.75", "-1.4", "+1.6", "-3.55"]
    assert "server-cpu: Before, later rules: the operator supplied no server figures" in done.out


def test_the_later_sweep_can_be_scored_again_instead(example: Path) -> None:
    rules = _compare(example, "--rescore", "after")["rule_changes"]
    (portal,) = rules["portals"]
    assert pytest.approx(15.8) == (5 - 2.4) / (5 - 1) * 10 + (9 - 2.4) / (9 - 1) * 4 + 6
    assert [portal[side]["points"] for side in ("before", "rescored", "after")] == [17, 15.8, 13.45]
    assert portal["parts"] == {"whole": -3.55, "by_portal": -1.2, "by_rules": -2.35, "one_sweep": 0.0}


def test_a_gate_judges_the_portals_part_alone(example: Path, tmp_path: Path) -> None:
    done = invoke(example, "compare", "last-month", "this-month", "--catalog", "rules", "--no-steps", "--fail-on-worse", "--lang", "en")
    assert done.code == 11, done.said
    assert "only the portal's part is judged" in done.err
    folder = shutil.copytree(example, tmp_path / "example")
    _score(shutil.copytree(folder / "last-month", folder / "same-rows"), shipped_catalog(folder / "rules"), "example@2")
    _as_of_another_sweep(folder / "same-rows" / "scores.json")
    by_rules_alone = invoke(folder, "compare", "last-month", "same-rows", "--catalog", "rules", "--no-steps", "--fail-on-worse", "--json")
    assert by_rules_alone.code == 0, by_rules_alone.said
    (portal,) = json.loads(by_rules_alone.out)["rule_changes"]["portals"]
    assert portal["parts"] == {"whole": -3.75, "by_rules": -3.75, "by_portal": 0.0, "one_sweep": 0.0}


def _as_of_another_sweep(path: Path) -> None:
    """One sweep is not judged against itself."""
    write_json(path, json.loads(path.read_bytes()) | {"sweep": "another"})


def test_without_rows_it_is_refused_and_says_what_to_give(example: Path, tmp_path: Path) -> None:
    alone = tmp_path / "scores.json"
    shutil.copyfile(example / "last-month" / "scores.json", alone)
    refused = invoke(example, "compare", str(alone), "this-month", "--catalog", "rules")
    assert_refused(refused, 2, "BEFORE", "example@1", "example@2", "Give the sweep's folder", "--rescore after")
    taken = invoke(example, "compare", str(alone), "this-month", "--catalog", "rules", "--rescore", "after", "--no-steps", "--json")
    assert json.loads(taken.out)["rule_changes"]["rescored"] == "after"
    with chdir(tmp_path):
        shutil.copytree(example, "removed")
        note = {"at_utc": "2026-11-26T00:00:00Z", "keep_days": 1, "files": [], "schema": "evidence-removed/1"}
        write_json(Path("removed/last-month/removed.json"), note)
        assert_refused(invoke(Path("removed"), "compare", "last-month", "this-month", "--catalog", "rules"), 5, "harness gc", "archive")


def test_rules_that_changed_without_a_new_version_are_told_first(example: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(example, tmp_path / "example")
    other = _set(2) | {"version": "1"}
    (folder / "rules" / "criteria" / "example-v2.yaml").unlink()
    (folder / "rules" / "criteria" / "example-v1.yaml").write_text(yaml.safe_dump(other), encoding="utf-8")
    _score(folder / "this-month", shipped_catalog(folder / "rules"), "example@1")
    done = invoke(folder, "compare", "last-month", "this-month", "--catalog", "rules", "--no-steps", "--lang", "en")
    assert done.code == 0, done.said
    assert "example@1 has one content in the earlier sweep and another in the later one" in done.out.splitlines()[1]
    assert "-3.75" in done.out
    assert "nothing shows whether the points that were given out come out of the evidence again" in done.out
    refused = invoke(folder, "compare", "this-month", "last-month", "--catalog", "rules")
    assert_refused(refused, 2, "example@1 (SHA-256", "Give --catalog the folder that these scores were made with")


def test_points_that_do_not_come_out_of_the_evidence_are_named(example: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(example, tmp_path / "example")
    scores = read_json(folder / "last-month" / "scores.json")
    (card,) = scores["scores"]
    card["criteria"][2]["points"], card["points"] = 5.9, 16.9  # of `completed`
    write_json(folder / "last-month" / "scores.json", scores)
    catalog = shipped_catalog(folder / "rules")
    found = compare_sweeps(folder / "last-month", folder / "this-month", catalog, with_steps=False).rule_changes
    assert found is not None
    assert found.not_reproduced == (PORTAL,)


def test_earlier_nights_that_the_scores_count_are_scored_again_with_them(example: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(example, tmp_path / "example")
    catalog, sweep, night = shipped_catalog(folder / "rules"), SweepFolder(folder / "last-month"), SweepFolder(folder / "night-before")
    shutil.copytree(sweep.path, night.path)
    plan, runs = read_plan(sweep.plan), read_runs(sweep)
    criteria = as_measured(select_criteria(catalog, "example@1"), plan, runs, [night])
    scores = score_sweep(plan.sweep, evidence_of(sweep, runs, [night], catalog), criteria)
    sweep.scores.write_bytes(to_bytes(scores))
    found = compare_sweeps(sweep.path, folder / "this-month", catalog, with_steps=False).rule_changes
    assert found is not None
    assert found.not_reproduced == ()
    named = {
        each.file.split("/")[1] for card in read_scores(sweep.scores).scorecards for each in card.evidence if each.file.startswith("..")
    }
    assert named == {"night-before"}
    shutil.rmtree(night.path)
    with pytest.raises(EvidenceError, match="night-before"):
        compare_sweeps(sweep.path, folder / "this-month", catalog, with_steps=False)
