"""What `harness.open_sweep` gives: typed frames of the recorded sweep, from files that are what was sealed, and nothing written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness import open_sweep
from harness.errors import EvidenceError, UsageError
from harness.evidence import SweepFolder
from harness.operations.attempts import only_attempt
from harness.operations.sweep_frames import SweepFrames
from harness.publish.frame_columns import ROWS, SCORECARDS, SCORES, STEPS, WINDOWS, FrameColumn
from harness.records.files import digest, read_json, write_json
from harness.records.sweep_journal import JournalLine, append_to_journal
from tests.e2e.commands import invoke
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import load
from tests.recorded.conftest import PORTALS, RECORDED, announce_maintenance
from tests.recorded.portal_evidence import Portal

FRAMES: Mapping[str, tuple[FrameColumn, ...]] = {
    "rows": ROWS,
    "steps": STEPS,
    "windows": WINDOWS,
    "scores": SCORES,
    "scorecards": SCORECARDS,
}


@pytest.fixture(scope="module")
def sweep(scored: Sweep) -> SweepFrames:
    return open_sweep(scored.folder)


@pytest.mark.parametrize("name", FRAMES)
def test_each_frame_has_its_columns_and_types(sweep: SweepFrames, name: str) -> None:
    frame = getattr(sweep, name)()
    assert len(frame)
    assert [*frame.columns] == [each.name for each in FRAMES[name]]
    assert [str(dtype) for dtype in frame.dtypes] == [each.dtype for each in FRAMES[name]]


def test_rows_are_all_requests_and_some_columns_are_as_among_all(sweep: SweepFrames) -> None:
    rows = sweep.rows()
    parts = sorted((RECORDED / "samples").rglob("*.parquet"))
    assert len(rows) == sum(len(pd.read_parquet(path)) for path in parts)
    assert set(rows["portal"]) == PORTALS == {*sweep.portals}
    mine = rows[rows["portal"] == "slow"].reset_index(drop=True)
    names = ["end_utc", "portal", "status"]
    pd.testing.assert_frame_equal(sweep.rows("slow", names), mine[names], check_categorical=False)


def test_clock_times_are_those_of_the_rounds_and_absent_where_a_moment_never_came(sweep: SweepFrames) -> None:
    rows = sweep.rows("collapsing")
    records = {record.round: record for record in SweepFolder(RECORDED).rounds()}
    for name in ("intended", "start", "first_byte", "end"):
        never = rows[f"{name}_us"] == 0
        assert (rows[f"{name}_utc"].isna() == never).all()
    assert (rows["first_byte_us"] == 0).any()
    sampled = rows[rows["start_us"] > 0].iloc[::47]
    assert len(sampled) > 10
    for row in sampled.itertuples():
        record = records[min(row.round, 1)]  # rounds 1 to 7 are measured in one
        assert row.start_utc.isoformat(timespec="milliseconds") == record.utc_of(row.worker, row.start_us)


def test_steps_are_those_of_steps_parquet(scored: Sweep, sweep: SweepFrames) -> None:
    table = pd.read_parquet(scored.folder / "steps.parquet")
    steps = sweep.steps()
    same = [name for name in table.columns if name in steps.columns]
    assert {"duration_us", "charged_us", "begin_utc", "verdict", "ok"} < {*same}
    pd.testing.assert_frame_equal(
        steps[same].astype({"stage": str, "verdict": str}),
        table.sort_values("portal", kind="stable").reset_index(drop=True)[same].astype({"stage": str, "verdict": str}),
        check_dtype=False, check_categorical=False, check_column_type=False,
    )  # fmt: skip
    assert (steps["took_s"][steps["ok"]] == steps["charged_us"][steps["ok"]] / 1e6).all()
    assert (steps["took_s"][~steps["ok"]] == float("inf")).all()
    assert (steps["ok"] == (steps["outcome"] == "ok")).all()


@pytest.mark.parametrize("portal", ["collapsing", "failing-payments"])
def test_the_outcome_of_a_step_is_that_of_its_first_row_that_failed(scored: Sweep, sweep: SweepFrames, portal: str) -> None:
    entry = next(each for each in load(scored.folder / "scores.json")["scores"] if each["portal"] == portal)
    keys = ["journey", "visit", "goal", "step", "attempt"]
    expected = Portal(scored.folder, entry).steps.astype(dict.fromkeys(("journey", "goal", "step"), str)).set_index(keys)["outcome"]
    steps = sweep.steps(portal).astype(dict.fromkeys(("journey", "goal", "step", "outcome"), str)).set_index(keys)["outcome"]
    found = steps.reindex(expected.index)
    assert (found == expected).all()
    assert (found != "ok").any()
    turned_away = steps.drop(expected.index)
    of_load = turned_away[turned_away.index.get_level_values("visit") >= 2_000_000]  # behind the lone walk and the warm-up
    assert set(of_load) <= {"not_served"}


def test_windows_have_the_verdicts_of_the_manifests_and_the_counts_of_the_rounds(scored: Sweep, sweep: SweepFrames) -> None:
    windows = sweep.windows()
    listed = [
        (each["portal"], window) for each in map(load, sorted((scored.folder / "manifests").glob("*.json"))) for window in each["windows"]
    ]
    assert [*zip(windows["portal"], windows["window"], windows["verdict"], strict=True)] == [
        (portal, window["window"], window["verdict"]) for portal, window in listed
    ]
    assert windows["scored"].sum() == 5 * 6
    visits = sweep.rows("collapsing").query("request == -1").groupby("window").size()
    mine = windows[windows["portal"] == "collapsing"].set_index("window")
    assert (mine["planned"] == visits).all()
    assert (mine["begun"] + mine["turned_away"] == mine["planned"]).all()
    assert ((windows["end_utc"] - windows["begin_utc"]).dt.total_seconds() > 0).all()


def test_scores_and_scorecards_are_those_of_scores_json(scored: Sweep, sweep: SweepFrames) -> None:
    cards = load(scored.folder / "scores.json")["scores"]
    scores = sweep.scores().set_index(["portal", "criterion"])
    for card in cards:
        for each in card["criteria"]:
            line = scores.loc[(card["portal"], each["id"])]
            for name in ("value", "points", "value_measured", "failures"):
                expected = float("inf") if name == "value" and each["censored"] else each.get(name)
                assert (pd.isna(line[name]) and expected is None) or line[name] == expected
    assert (scores["value"] == float("inf")).any()
    points = sweep.scorecards().set_index("portal")["points"]
    assert {portal: None if pd.isna(value) else value for portal, value in points.items()} == {
        card["portal"]: card["points"] for card in cards
    }


def test_metadata_say_what_was_measured(sweep: SweepFrames) -> None:
    about = sweep.metadata
    assert about.sweep == load(RECORDED / "plan.json")["sweep"]
    assert (about.state, about.nights, about.seed, about.criteria, about.sealed_by) == ("ended", ("2026-11-25",), 7, "demo@1", "")
    assert {*about.vantage_points} == PORTALS


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("rows", ("slwo",), "Did you mean `slow`?"),
        ("windows", ("slwo",), "one of collapsing, "),
        ("steps", (["fast", "slwo"],), "portal is slwo; .*Did you mean `slow`?"),
        ("rows", (7,), "portal is 7; expected one of collapsing, "),
        ("rows", ("slow", "took_s"), "columns is took_s; "),
        ("rows", ("slow", ["took_s"]), "columns of rows: sweep, "),
    ],
)
def test_what_is_not_there_is_named(sweep: SweepFrames, name: str, arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        getattr(sweep, name)(*arguments)


def test_several_portals_are_those_of_each(sweep: SweepFrames) -> None:
    for frame in (sweep.rows, sweep.steps, sweep.windows):
        several = frame(["slow", "fast", "slow"])
        alone = [frame(name) for name in ("slow", "fast")]
        assert [*several["portal"]] == [name for each in alone for name in each["portal"]]
        assert not len(frame([]))


def test_a_changed_file_is_named_with_its_digest(folder: Path) -> None:
    part = next((folder / "samples" / "portal=slow").rglob("part-001-00.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"!")
    expected = next(each["sha256"] for each in load(folder / "manifests" / "slow.json")["evidence"] if each["file"].endswith(part.name))
    with pytest.raises(EvidenceError, match=rf"part-001-00\.parquet: SHA-256 is \w+; expected {expected}\. Restore"):
        open_sweep(folder, unfinished=True)


def test_a_sweep_without_manifests_is_opened_only_if_asked_for_and_nothing_is_written(folder: Path) -> None:
    for path in (folder / "manifests").iterdir():
        path.unlink()
    before = {path: digest(path) for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(EvidenceError, match=r"cut off before its plan was carried out; .*unfinished=True"):
        open_sweep(folder)
    cut_off = open_sweep(folder, unfinished=True)
    assert cut_off.metadata.state == "aborted"
    pd.testing.assert_frame_equal(cut_off.steps("slow"), open_sweep(RECORDED).steps("slow"))
    assert {path: digest(path) for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("events", "state"), [(("begun", "aborted"), "aborted"), (("begun",), "aborted"), (("begun", "ended"), "ended")])
def test_the_journal_says_whether_a_sweep_has_ended(folder: Path, events: tuple[Any, ...], state: str) -> None:
    for event in events:
        append_to_journal(folder / "journal.jsonl", JournalLine(1, event, "2026-11-25T23:30:00+00:00"))
    if state != "ended":
        with pytest.raises(EvidenceError, match="cut off"):
            open_sweep(folder)
    assert open_sweep(folder, unfinished=True).metadata.state == state


def test_a_sweep_under_way_is_opened_only_if_asked_for(folder: Path) -> None:
    with only_attempt(SweepFolder(folder)):
        with pytest.raises(EvidenceError, match="sweep is under way; expected a sweep that has ended"):
            open_sweep(folder)
        assert open_sweep(folder, unfinished=True).metadata.state == "under way"


def test_scores_that_are_not_there_or_of_other_evidence_are_refused(folder: Path) -> None:
    scores = folder / "scores.json"
    document = json.loads(scores.read_bytes())
    document["scores"][0]["evidence"][0]["sha256"] = "0" * 64
    write_json(scores, document)
    with pytest.raises(EvidenceError, match=f"expected {'0' * 64}, by scores.json"):
        open_sweep(folder).scores()
    scores.unlink()
    with pytest.raises(EvidenceError, match=r"scores\.json: path is not there; .*harness score demo"):
        open_sweep(Path("demo")).scorecards()


@pytest.mark.parametrize(("key", "value"), [("value", 0.156672), ("id", "average-pay"), ("n", 1), ("reason", "another")])
def test_scores_that_were_changed_after_they_were_given_out_are_refused(folder: Path, key: str, value: object) -> None:
    document = json.loads((folder / "scores.json").read_bytes())
    document["scores"][0]["criteria"][0][key] = value
    write_json(folder / "scores.json", document)
    sweep = open_sweep(folder)
    for frame in (sweep.scores, sweep.scorecards, sweep.steps, sweep.windows):
        with pytest.raises(
            EvidenceError, match=r"scores\.json: SHA-256 of the contents of revision 1 is \w+; expected \w+, by revisions\.json"
        ):
            frame()


@pytest.mark.parametrize("command", [("export", "demo"), ("push", "http://127.0.0.1:9/", "--drafts", "--scores", "demo/scores.json")])
def test_scores_that_were_changed_are_not_handed_on(folder: Path, command: tuple[str, ...]) -> None:
    document = json.loads((folder / "scores.json").read_bytes())
    document["scores"][0]["criteria"][0]["value"] = 0.156672
    write_json(folder / "scores.json", document)
    said = invoke(folder.parent, *command)
    assert said.code == EvidenceError.exit_code
    assert "expected" in said.err
    assert "by revisions.json" in said.err


def test_another_set_under_the_same_name_is_refused_and_an_unknown_one_too(folder: Path) -> None:
    document = json.loads((folder / "scores.json").read_bytes())
    document["criteria_set"]["sha256"] = "0" * 64
    write_json(folder / "scores.json", document)
    (folder / "revisions.json").unlink()  # it would be noticed by its digest before
    with pytest.raises(EvidenceError, match=f"criteria demo@1 is .*expected SHA-256 {'0' * 64}, as scores.json has it"):
        open_sweep(folder).steps()
    with pytest.raises(EvidenceError, match=r"criteria is own@1; expected one of .*, or a YAML file\. Give `catalog`"):
        open_sweep(folder, criteria="own@1").steps()


def test_windows_in_announced_maintenance_are_not_scored(folder: Path) -> None:
    announce_maintenance(folder, "slow", "2026-11-25T23:31:16+00:00", "2026-11-25T23:31:17+00:00")
    sweep = open_sweep(folder, criteria="demo@2")
    windows = sweep.windows("slow").set_index("window")
    assert windows["verdict"].to_dict() == {number: "blocked" if number == 3 else "valid" for number in range(8)}
    assert windows.loc[3, "reasons"] == "announced_maintenance"
    steps = sweep.steps("slow")
    assert set(steps["window"][steps["scored"]]) == {2, 4, 5, 6, 7}


def test_neither_harness_nor_a_locust_process_loads_pandas() -> None:
    """Really loaded, and not only by the import contract, which does not see what the package of an imported module loads."""
    code = """
import sys, harness
assert callable(harness.open_sweep)
assert not {"pandas", "pyarrow", "harness.operations"} & {*sys.modules}
import harness.scenario
assert "harness.operations.locust_worker" in sys.modules
assert not {"pandas", "matplotlib", "starlette", "harness.publish"} & {*sys.modules}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_sweep_says_what_it_is(sweep: SweepFrames) -> None:
    assert repr(sweep) == f"<sweep {read_json(RECORDED / 'plan.json')['sweep']}, ended, 6 portals>"
