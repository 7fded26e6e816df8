"""One command measures the 84 portals of 2024. Each portal has points or a reason. The next portals begin while the last ones drain.

How long it takes is printed by ``python -m benches.night --set 2024 --workload smoke --at-once 12``; docs/benchmarks.md has the figures.
"""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest

from tests.e2e.commands import HARNESS
from tests.e2e.evidence import load, only_folder, rows

LONGEST_S = 3000.0  # a hang is a failure; nothing is judged by its duration


@pytest.mark.slow
def test_84_portals_have_points_or_a_reason_after_one_night(tmp_path: Path) -> None:
    command = [HARNESS, "sweep", "--set", "2024", "--workload", "smoke", "--at-once", "12", "--results", "results"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    folder = only_folder(tmp_path / "results")
    scores = {entry["portal"]: entry for entry in load(folder / "scores.json")["scores"]}
    assert len(scores) == 84
    for portal, entry in scores.items():
        assert entry["points"] is not None or entry["reasons"], portal
    unfinished = {entry["verdict"] for entry in scores.values()} & {"void", "insufficient"}
    assert done.returncode == (10 if unfinished else 0), done.stderr[-4000:]
    records = [load(path) for path in (folder / "rounds").glob("round-???-??.json")]
    drained_us = dict.fromkeys((record["name"] for record in records), 0)
    for portal in scores:
        found = rows(folder, portal)
        found = found[(found["start_us"] > 0) & (found["round"] > 0)]
        spans = found.groupby("round").agg(begin_us=("start_us", "min"), end_us=("end_us", "max"))
        for (_, before), (_, after) in itertools.pairwise(spans.iterrows()):
            assert before["end_us"] < after["begin_us"], f"{portal} is loaded while it drains"
        for record in records:
            if record["round"] in spans.index and any(slot["portal"] == portal for slot in record["slots"]):
                drained_us[record["name"]] = max(drained_us[record["name"]], spans.loc[record["round"], "end_us"])
    loaded = sorted((record for record in records if record["round"]), key=lambda record: record["start_us"])
    beside = sum(after["start_us"] < drained_us[before["name"]] for before, after in itertools.pairwise(loaded))
    assert beside > len(loaded) / 2, "most parts begin while the one before drains"
