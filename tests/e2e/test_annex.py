"""A sweep is scored again: to the same bytes, and by a made-up official annex, whose points and totals are what a hand says."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import UsageError
from tests.e2e.commands import Finished, invoke
from tests.e2e.conftest import Sweep
from tests.e2e.evidence import load
from tests.e2e.test_bad_input import assert_refused
from tests.operations.endpoint import Answer, endpoint

ACT = {"basis": "official", "source": "a made-up decision"}
ONE_WINDOW = {"windows": 1, "n": 1, "window_s": 1, **ACT}
SELECT = {"journey": ["search"], "stage": "typical"}


def _annex(folder: Path) -> str:
    """15 points for any search below 30 s, 5 for servers: full at 75 %, none at 100 %. JSON is YAML."""
    speed = {
        "id": "speed", "name_vi": "Tốc độ", "name_en": "Speed", "heading": "average_response", "points": {"value": 15, **ACT}, "metric": "mean",
        "select": {**SELECT, "step": ["search"]}, "curve": {"kind": "bands", "version": 1, "bands": [{"limit": 30, "share": 1}], **ACT},
        "quota": ONE_WINDOW, "required": "always",
    }  # fmt: skip
    servers = {
        "id": "servers", "name_vi": "Máy chủ", "name_en": "Servers", "heading": "server_efficiency", "points": {"value": 5, **ACT},
        "metric": "server_cpu", "select": SELECT, "curve": {"kind": "linear", "version": 1, "full": 75, "none": 100, **ACT},
        "quota": ONE_WINDOW, "required": "never",
    }  # fmt: skip
    annex = {
        "id": "phu-luc-gia-dinh", "version": "1", "name_vi": "Phụ lục giả định", "name_en": "Made-up annex", "provisional": False,
        "points_total": {"value": 100, **ACT}, "performance_group": "performance", "between_bands": "lower",
        "groups": [
            {"id": "functions", "name_vi": "Chức năng", "name_en": "Functions", "points": {"value": 80, **ACT}},
            {"id": "performance", "name_vi": "Hiệu năng", "name_en": "Performance", "points": {"value": 20, **ACT}},
        ],
        "grades": [{"grade": "A", "lowest": 80, **ACT}, {"grade": "B", "lowest": 0, **ACT}],
        "criteria": [speed, servers],
    }  # fmt: skip
    (folder / "annex.yaml").write_text(json.dumps(annex, ensure_ascii=False), encoding="utf-8")
    return "annex.yaml"


def _busy(folder: Path, cpu_percent: float) -> str:
    """Prometheus text of swift's two servers in the middle of each of its windows."""
    text = ["# TYPE cpu_busy_percent gauge"]
    for path in sorted(folder.glob("rounds/round-[0-9][0-9][0-9]-[0-9][0-9].json")):
        round_ = load(path)
        for window in (window for slot in round_["slots"] if slot["portal"] == "swift" for window in slot["windows"]):
            middle = datetime.fromisoformat(round_["began_utc"]) + timedelta(seconds=window["begin_s"] + 1)
            for server, role, busy in (("app-1", "application", 40), ("db-1", "database", cpu_percent)):
                text.append(f'cpu_busy_percent{{server="{server}",role="{role}"}} {busy} {round(middle.timestamp() * 1000)}')
    return "\n".join(text)


def _revision(folder: Path, *command: str) -> tuple[int, int | None, float | None]:
    """After a command that must succeed: the revision, what it supersedes, and swift's points."""
    finished = invoke(folder, *command)
    assert finished.code == 0, finished.said
    document = load(folder / "copy" / "scores.json")
    return document["revision"], document["supersedes"], next(s["points"] for s in document["scores"] if s["portal"] == "swift")


@pytest.fixture
def folder(tmp_path: Path, small_sweeps: tuple[Sweep, Sweep]) -> Path:
    shutil.copytree(small_sweeps[0].folder, tmp_path / "copy")
    return tmp_path


def test_an_annex_and_late_figures_are_new_revisions_and_the_totals_are_by_hand(folder: Path, catalog: Path) -> None:
    scoring = ("score", "copy", "--criteria", _annex(folder), "--catalog", str(catalog))
    assert _revision(folder, *scoring) == (2, 1, 15.0)
    with endpoint(Answer(_busy(folder / "copy", 80))) as operator:
        supply = ("supply", "copy", "swift", "--from", operator.url, "--metric", "cpu_busy_percent", "--catalog", str(catalog))
        assert invoke(folder, *supply).code == 0
    assert _revision(folder, *scoring) == (3, 2, 19.0)  # 15 + 5 · (100 - 80) / (100 - 75)
    before = (folder / "copy" / "scores.json").read_bytes()
    (folder / "copy" / "scores.json").unlink()
    assert _revision(folder, *scoring) == (3, 2, 19.0)
    assert (folder / "copy" / "scores.json").read_bytes() == before
    (folder / "groups.csv").write_text("portal,functions\nswift,61\nsluggish,64\n", encoding="utf-8")
    totals = invoke(folder, "total", "--scores", "copy/scores.json", "--groups", "groups.csv", "--criteria", "annex.yaml")
    assert _lines(totals) == {"swift": "80.0 A", "sluggish": "79.0 B"}


def test_pages_and_explanations_keep_to_the_set_of_the_scores(folder: Path, catalog: Path) -> None:
    ours = ("--catalog", str(catalog))
    assert _revision(folder, "score", "copy", "--criteria", _annex(folder), *ours) == (2, 1, 15.0)
    for command in (("report", "copy"), ("explain", "copy", "swift")):
        assert_refused(invoke(folder, *command, *ours), UsageError.exit_code, "--criteria is phu-luc-gia-dinh")
    explained = invoke(folder, "explain", "copy", "swift", "--criteria", "annex.yaml", *ours)
    assert "criteria set phu-luc-gia-dinh 1" in explained.out, explained.said
    assert _revision(folder, "report", "copy", "--criteria", "annex.yaml", *ours) == (2, 1, 15.0)


def test_scoring_again_gives_the_same_bytes_and_a_lost_catalog_is_named(folder: Path, catalog: Path) -> None:
    before = (folder / "copy" / "scores.json").read_bytes()
    (folder / "copy" / "scores.json").unlink()
    again = invoke(folder, "score", "copy", "--catalog", str(catalog), "--json")
    assert again.code == 0, again.said
    assert (folder / "copy" / "scores.json").read_bytes() == before
    assert again.out.encode() == before
    without = invoke(folder, "score", "copy", "--criteria", "473-QD-BTTTT-2024")
    assert_refused(without, UsageError.exit_code, "copy", "--catalog")
    assert (folder / "copy" / "scores.json").read_bytes() == before


def test_the_sweeps_of_a_folder_are_one_table(folder: Path) -> None:
    shown = invoke(folder, "nights", ".", "--out", "nights.csv")
    assert shown.code == 0, shown.said
    with (folder / "nights.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["portal"], line["verdict"], line["windows"]) for line in lines] == [("sluggish", "valid", "1"), ("swift", "valid", "1")]


def _lines(finished: Finished) -> dict[str, str]:
    assert finished.code == 0, finished.said
    found = (line.partition(" ")[::2] for line in finished.out.splitlines())
    return {name: rest.strip() for name, rest in found if name in ("swift", "sluggish")}
