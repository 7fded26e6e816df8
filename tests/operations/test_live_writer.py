"""The live state is news: whatever goes wrong with it, the sweep comes to its end."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from harness.evidence import SweepFolder
from harness.load.live_rounds import LiveRounds
from harness.operations.live_writer import LiveWriter
from harness.records import read_plan
from harness.records.live_state import LIVE_JSON, read_live
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
