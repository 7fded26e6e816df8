"""The live state is news: whatever goes wrong with it, the sweep comes to its end."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from harness.catalog import load_catalog
from harness.evidence import SweepFolder
from harness.load.live_rounds import LiveRounds
from harness.operations.live_writer import LiveWriter
from harness.operations.shipped import scenarios_folder
from harness.records import read_plan
from harness.records.live_state import LIVE_JSON, ROW_COUNTS, read_live
from harness.records.live_steps import LiveSteps, read_steps
from tests.load.fleet import FakeClock
from tests.recorded.conftest import RECORDED


class _Broken(LiveRounds):
    def rounds(self) -> tuple[()]:
        raise KeyError("a portal that nobody planned")


@pytest.mark.parametrize("cause", ["ours", "the disk"])
def test_a_state_that_cannot_be_written_is_told_once_and_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture, cause: str) -> None:
    plan = read_plan(RECORDED / "plan.json")
    live = (_Broken if cause == "ours" else LiveRounds)(FakeClock())
    live.prepare(plan)
    if cause == "the disk":
        (tmp_path / LIVE_JSON).mkdir()  # nothing can take its place
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            writer = LiveWriter(SweepFolder(tmp_path), plan, live, {})
            writer._write("measuring")
            writer.end("ended")
    assert [record.message.partition(":")[0] for record in caplog.records] == ["the live state is not written"] * 2


def test_the_last_state_of_an_attempt_says_that_it_has_ended(tmp_path: Path) -> None:
    plan = read_plan(RECORDED / "plan.json")
    live = LiveRounds(FakeClock())
    live.prepare(plan)
    LiveWriter(SweepFolder(tmp_path), plan, live, {}).end("aborted")
    state = read_live(tmp_path)
    assert state is not None
    assert (state.state, state.windows_done, state.rounds) == ("aborted", 0, ())
    assert [portal.state for portal in state.portals] == ["waiting"] * len(plan.targets)
    assert read_steps(tmp_path) == LiveSteps(plan.sweep, state.began_utc, ())


def test_thresholds_and_limits_stand_in_the_state_and_outcomes_are_those_of_the_sealed_rounds(tmp_path: Path) -> None:
    folder = shutil.copytree(RECORDED, tmp_path / "sweep")
    plan, criteria = read_plan(folder / "plan.json"), load_catalog(scenarios_folder()).criteria["demo"]
    live = LiveRounds(FakeClock())
    live.prepare(plan)
    LiveWriter(SweepFolder(folder), plan, live, {}, criteria).end("ended")
    state = read_live(folder)
    assert state is not None
    assert (state.health_limits, state.criteria_set) == (plan.health, criteria.named)
    assert [(each.id, each.points_max) for each in state.criteria] == [(each.id, float(each.points.value)) for each in criteria.criteria]
    average = state.criteria[0]
    assert (average.unit, average.full_at, average.none_at) == ("s", 0.25, 1.0)
    windows = [(slot.portal, window) for each in SweepFolder(folder).rounds() for slot in each.slots for window in slot.windows]
    for portal in state.portals:
        sealed = [window.counts for name, window in windows if name == portal.portal]
        assert portal.outcomes == {name: count for name in ROW_COUNTS if (count := sum(counts.get(name, 0) for counts in sealed))}
        assert portal.failed == sum(count for name, count in portal.outcomes.items() if name.startswith("visits_") and name != "visits_ok")
    assert sum(portal.outcomes.get("visits_ok", 0) for portal in state.portals) > 100
