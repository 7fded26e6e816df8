"""Data that is wrong on purpose: ids that are paths, and names with markup, formulas, line ends and what a terminal obeys."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.e2e.commands import harness, invoke
from tests.e2e.evidence import load
from tests.e2e.small_catalog import write_catalog
from tests.publish.pages import all_pages

pytestmark = pytest.mark.slow  # part of `make drill`

PATHS = ["../../elsewhere", "/elsewhere", "a/b", "..", "C:\\elsewhere", "a\x00b", "a\nb"]


def everything_below(folder: Path) -> set[Path]:
    """The files below a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("text", PATHS)
@pytest.mark.parametrize("kind", ["portals", "workloads", "criteria"])
def test_an_id_that_is_a_path_is_a_mistake_of_its_file(tmp_path: Path, kind: str, text: str) -> None:
    catalog = write_catalog(tmp_path / "one" / "two" / "catalog")
    path = next((catalog / kind).glob("*.yaml"))
    content = load(path)
    (content["portals"][0] if kind == "portals" else content)["id"] = text
    path.write_text(json.dumps(content), encoding="utf-8")
    before = everything_below(tmp_path)
    done = invoke(tmp_path / "one" / "two", "validate", "--catalog", "catalog")
    assert done.code == 3, done.said
    assert path.name in done.err
    assert everything_below(tmp_path) == before


@pytest.mark.parametrize("text", [text for text in PATHS if "\x00" not in text])  # no command line can hold it
@pytest.mark.parametrize(
    "command",
    [
        ("run", "PORTAL", "--workload", "smoke"),
        ("walk", "PORTAL"),
        ("explain", "demo", "PORTAL"),
        ("pack", "demo", "--portal", "PORTAL", "--out", "one.zip"),
        ("supply", "demo", "PORTAL", "--maintenance", "2026-11-22T00:00+00:00", "2026-11-22T00:01+00:00"),
        ("verify", "demo", "--portal", "PORTAL"),
    ],
    ids=lambda command: command[0],
)
def test_a_portal_that_is_a_path_is_refused_and_nothing_is_written(folder: Path, command: tuple[str, ...], text: str) -> None:
    before = {path: path.read_bytes() for path in everything_below(folder.parent)}
    does = harness if command[0] == "walk" else invoke  # it changes the process that it runs in
    done = does(folder.parent, *(text if word == "PORTAL" else word for word in command))
    assert done.code in (2, 3, 5), done.said
    assert "Traceback" not in done.err
    assert {path: path.read_bytes() for path in everything_below(folder.parent)} == before


NAME = '=Cổng<script>alert(1)</script>\r\n\x1b]0;owned\x07\u202e,"x"'


def test_a_name_with_markup_formulas_line_ends_and_escapes_is_text_everywhere(folder: Path) -> None:
    catalog = folder.parent / "catalog"
    (catalog / "portals").mkdir(parents=True)
    described = {
        "id": "slow", "name_vi": NAME, "name_en": NAME, "level": "sample", "embedded_platform": "liferay",
        "personality": {"distribution": "constant", "median_ms": 8, "servers": 1},
    }  # fmt: skip
    (catalog / "portals" / "own.yaml").write_text(json.dumps({"portals": [described]}), encoding="utf-8")
    done = invoke(folder.parent, "score", "demo", "--catalog", "catalog", "--criteria", "demo@1")
    assert done.code == 0, done.said
    assert {sign for sign in done.out + done.err if not sign.isprintable()} <= {"\n"}
    rows = list(csv.DictReader(io.StringIO((folder / "scores.csv").read_text(encoding="utf-8-sig"))))
    assert {row["portal"] for row in rows} == {score["portal"] for score in load(folder / "scores.json")["scores"]}
    assert {row["name_vi"][:2] for row in rows if row["portal"] == "slow"} == {"'="}
    page = all_pages(folder)
    assert "<script>alert" not in page
    assert not {"\x1b", "\x07", "\u202e"} & set(page)
