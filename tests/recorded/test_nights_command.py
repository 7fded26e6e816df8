"""`harness nights`: one clear error where there is nothing to print, and each sweep once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.records.files import write_json
from tests.e2e.commands import invoke
from tests.e2e.evidence import load
from tests.e2e.test_bad_input import assert_refused


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("demo",), ("FOLDER is one sweep; expected a folder of sweeps with scores", "Name the folder around it")),
        (("empty",), ("FOLDER is a folder without sweeps", "Name the results folder")),
        ((".", "--portal", "fastt"), ("--portal is fastt", "Did you mean `fast`?")),
        ((".", "--portal", "fast", "--portal", "nope", "--json"), ("--portal is nope; expected a portal of the sweeps in .",)),
        (("unreadable",), ("unreadable/broken: scores is ",)),
    ],
)
def test_what_gives_no_night_is_one_error_and_nothing_is_written(folder: Path, command: tuple[str, ...], said: tuple[str, ...]) -> None:
    (folder.parent / "empty").mkdir()
    (folder.parent / "unreadable" / "broken").mkdir(parents=True)
    (folder.parent / "unreadable" / "broken" / "scores.json").write_text("{", encoding="utf-8")
    done = invoke(folder.parent, "nights", *command, "--out", "nights.csv")
    assert_refused(done, 2, *said)
    assert not (folder.parent / "nights.csv").exists()


def test_a_sweep_in_two_folders_is_counted_once_in_its_latest_revision_and_it_is_said(folder: Path) -> None:
    copy = shutil.copytree(folder, folder.parent / "a-copy")
    first = invoke(folder.parent, "nights", ".", "--portal", "fast", "--json")
    assert [row["revision"] for row in json.loads(first.out)] == [1]
    assert first.err.splitlines() == ["left out: demo: the same sweep as a-copy, which is counted"]
    write_json(folder / "scores.json", load(copy / "scores.json") | {"revision": 2, "supersedes": 1})
    later = invoke(folder.parent, "nights", ".", "--portal", "fast", "--json")
    assert [row["revision"] for row in json.loads(later.out)] == [2]
    assert later.err.splitlines() == ["left out: a-copy: the same sweep as demo, which is counted"]
