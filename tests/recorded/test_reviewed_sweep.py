"""The worklist of a recorded sweep, followed by commands: what was supplied is settled on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import invoke
from tests.e2e.conftest import Sweep

BEGIN, END = "2026-11-25T23:30+00:00", "2026-11-25T23:33+00:00"


def items(folder: Path, *options: str) -> list[dict[str, Any]]:
    done = invoke(folder.parent, "review", folder.name, "--json", *options)
    assert done.code == 0, done.said
    return list(json.loads(done.out)["items"])


def run(folder: Path, *command: str) -> None:
    done = invoke(folder.parent, *command)
    assert done.code == 0, done.said


@pytest.mark.slow
def test_a_supplied_announcement_settles_maintenance(newest: Sweep, tmp_path: Path) -> None:
    folder = shutil.copytree(newest.folder, tmp_path / "demo")
    assert [(item["portal"], item["kind"], item["state"]) for item in items(folder)] == [
        ("", "not_assessed", "open"), ("", "not_assessed", "open"), ("refusing", "blocked", "open"), ("", "not_assessed", "for_information"),
    ]  # fmt: skip
    run(folder, "supply", "demo", "slow", "--maintenance", BEGIN, END)
    run(folder, "score", "demo", "--criteria", "demo")
    (late,) = items(folder, "--kind", "late_maintenance")
    assert (late["portal"], late["state"], late["commands"][0][:3]) == ("slow", "open", ["harness", "supply", "demo"])
    (tmp_path / "notice.txt").write_text("Thông báo bảo trì", encoding="utf-8")
    shown = [word if word != "FILE" else "notice.txt" for word in late["commands"][0][1:]]
    shown[shown.index("TIME")] = "2026-11-23T09:00+07:00"
    run(folder, *shown)
    run(folder, *late["commands"][1][1:], "--criteria", "demo")
    (settled,) = items(folder, "--kind", "late_maintenance")
    assert (settled["state"], settled["until"]) == ("settled", None)
