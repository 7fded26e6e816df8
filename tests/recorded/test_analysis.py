"""docs/analysis.md: every block runs on the recorded demo and prints what the page says; its numbers are those of scores.json and the report."""

from __future__ import annotations

import inspect
import math
import re
import runpy
from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from harness import open_sweep
from harness.operations.sweep_frames import SweepFrames, SweepMetadata
from harness.publish.frame_columns import ROWS, SCORECARDS, SCORES, STEPS, WINDOWS, FrameColumn
from harness.records import COLUMNS
from harness.scoring import score_portal
from harness.statistics.percentile import percentile
from tests.docs.snippets import Snippet, snippets
from tests.e2e.conftest import Sweep
from tests.recorded.page_tables import is_printed, tables, title
from tests.scoring.recorded_night import DEMO, recorded_run

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "analysis.md"
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))


MEDIAN = next(each for each in DEMO.criteria if each.id == "average-search")
MEDIAN = MEDIAN.model_copy(update={"metric": "p50", "select": MEDIAN.select.model_copy(update={"step": ("search",)})})
"""The criterion on the mean of a search, on its median instead: the demo's windows have too few steps for a p95."""


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """The names that the page's blocks make; filled by ``page``."""
    return {}


@pytest.fixture(scope="module", autouse=True)
def page(scored: Sweep, names: dict[str, Any]) -> Mapping[int, str]:
    """What each block printed, by its line."""
    return {block.line: _printed(block, names, scored.folder) for block in snippets(PAGE, "python", "sql")}


def _printed(block: Snippet, names: dict[str, Any], folder: Path) -> str:
    there = replace(block, text=block.text.replace("results/<sweep>", str(folder)))
    printed = duckdb.sql(there.text).df().to_string(index=False) + "\n" if block.language == "sql" else there.run(names)
    return re.sub(" +$", "", printed, flags=re.MULTILINE)


def test_each_block_prints_what_stands_below_it(page: Mapping[int, str]) -> None:
    blocks = snippets(PAGE, "python", "sql", "text")
    assert len(page) == sum(block.language != "text" for block in blocks) > 10
    for block, below in pairwise(blocks):
        if block.language != "text":
            assert below.language == "text", f"line {block.line}: what it prints stands below a block"
            assert page[block.line] == below.text, f"line {block.line}"


def criterion(scored: Sweep, portal: str, name: str) -> Mapping[str, Any]:
    return next(each for each in scored.scores[portal]["criteria"] if each["id"] == name)


def of_windows(scored: Sweep, portal: str, name: str) -> dict[int, float]:
    return {each["window"]: each["value"] for each in criterion(scored, portal, name)["per_window"]}


def test_its_mean_and_its_points_are_those_of_the_scores(scored: Sweep, names: Mapping[str, Any]) -> None:
    assert names["average"].round(6).to_dict() == of_windows(scored, "slow", "average-search")
    given = [points for *_, points in criterion(scored, "slow", "average-search")["points_per_window"]]
    assert names["points"].to_list() == given
    assert names["line"]["value"] == round(names["median_window"](names["average"]), 6)


def test_its_shares_are_those_of_the_scores(scored: Sweep, names: Mapping[str, Any]) -> None:
    paid = criterion(scored, "failing-payments", "payments-confirmed")
    assert (100 - names["error_rate"]).round(6).to_dict() == of_windows(scored, "failing-payments", "payments-confirmed")
    assert 100 - names["median_window"](names["error_rate"]) == paid["value"]
    for journey in ("search", "submit", "pay"):
        assert names["ended_well"][journey].round(6).to_dict() == of_windows(scored, "collapsing", f"visits-{journey}")


def test_its_percentile_of_a_step_is_that_of_the_scores(names: Mapping[str, Any]) -> None:
    typical, nearest_rank = names["typical"], names["nearest_rank"]
    for portal in ("slow", "collapsing"):
        mine = typical[(typical["portal"] == portal) & (typical["journey"] == "search") & (typical["step"] == "search")].groupby("window")[
            "took_s"
        ]
        assert all(nearest_rank(took_s, 95) == percentile(took_s.to_numpy(), 95, floor=False) for _, took_s in mine)
        medians = mine.agg(nearest_rank, 50)
        (median,) = score_portal([recorded_run(portal)], DEMO.model_copy(update={"criteria": (MEDIAN,)})).criteria
        assert {each.window: math.inf if each.value is None else each.value for each in median.per_window} == medians.round(6).to_dict()
        assert (math.inf if median.censored else median.value) == round(names["median_window"](medians), 6)


def test_its_table_of_steps_is_that_of_the_report(scored: Sweep, names: Mapping[str, Any]) -> None:
    compared = 0
    for path in sorted((scored.folder / "report").glob("p*.html")):
        portal = title(path).split(" · ")[0]
        mine = names["table_of_steps"](names["steps"][names["steps"]["portal"] == portal])
        for shown in (each for each in tables(path) if each.columns[:2] == ("Step", "n")):
            journey = ""
            for cells in shown.rows:
                if not any(cells[1:]):
                    journey = cells[0].lower()
                    continue
                line = mine.loc[(journey, cells[0].replace(" ", "_"))]
                for cell, value in zip(cells[1:], line, strict=True):
                    assert is_shown(cell, value), (portal, journey, cells, value)
                    compared += 1
    assert compared > 400


def is_shown(cell: str, value: float | None) -> bool:
    """Whether a cell of the report shows a value: a dash stands for none."""
    if value is None or pd.isna(value):
        return cell == "–"
    return cell == "∞" if math.isinf(value) else is_printed(cell.rstrip(" %"), value)


def test_its_slowest_visits_are_those_of_the_report(scored: Sweep, names: Mapping[str, Any]) -> None:
    path = next(path for path in (scored.folder / "report").glob("p*.html") if title(path).startswith("ordinary"))
    (shown,) = (each for each in tables(path) if each.columns[:2] == ("Journey", "Waiting (s)"))
    first = [row for journey in ("Pay", "Search", "Submit") for row in [row for row in shown.rows if row[0] == journey][:3]]
    found = [*names["slowest"].items()]
    assert len(first) == len(found) == 9
    for cells, ((journey, window, visit), waiting_s) in zip(first, found, strict=True):
        assert (cells[0].lower(), cells[3], cells[5].rpartition("/")[2]) == (journey, str(window), str(visit))
        assert is_printed(cells[1], waiting_s)


@pytest.mark.parametrize(
    ("heading", "columns"),
    [("rows", ROWS[len(COLUMNS) :]), ("steps", STEPS), ("windows", WINDOWS), ("scores", SCORES), ("scorecards", SCORECARDS)],
)
def test_each_column_is_documented_and_no_other(heading: str, columns: Sequence[FrameColumn]) -> None:
    found = table(f"Columns of {heading}")
    assert [FrameColumn(name.strip("`"), dtype, unit) for name, dtype, unit, _ in found] == [*columns]
    assert all(meaning for *_, meaning in found)


def test_columns_of_rows_are_those_of_the_evidence_and_clock_times() -> None:
    assert [each[:3] for each in ROWS[: len(COLUMNS)]] == [tuple(each) for each in COLUMNS]


def test_parameters_methods_and_metadata_are_documented() -> None:
    assert {name.strip("`") for name, _ in table("Metadata")} == {each.name for each in fields(SweepMetadata)}
    listed = {name for cell, _ in table("Open a sweep") for name in re.findall(r"`(\w+)(?:\([^`]*\))?`", cell)}
    public = {name for name in vars(SweepFrames) if not name.startswith("_")}
    assert listed == public | {*inspect.signature(open_sweep).parameters} - {"folder"}


def table(heading: str) -> list[list[str]]:
    """The lines of the tables below a heading."""
    text = re.split(rf"^##+ {heading}$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    text = re.split(r"^##", text, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.replace("| |", "|  |").splitlines()
        if line.startswith("| `")
    ]
    assert lines
    return lines


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_example_runs_and_draws_its_picture(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    with chdir(tmp_path):
        runpy.run_path(str(example))
    assert (tmp_path / f"{example.stem}.png").read_bytes()[1:4] == b"PNG"
    assert re.search(r"^search +not_served +True +63$", capsys.readouterr().out, re.MULTILINE)
