"""The steps of a sweep so far: written whole, read back, and an error with its name where they are no such file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import EvidenceError
from harness.records.live_steps import BOUNDS_S, STEPS_JSON, LiveStep, LiveSteps, read_steps, write_steps

STEP = LiveStep("p", "submit", "file", "submit", {"ok": 2, "timeout": 1}, (0,) * len(BOUNDS_S) + (2,), 61.5)


def test_steps_are_read_as_they_were_written_and_leave_nothing_beside_them(tmp_path: Path) -> None:
    assert read_steps(tmp_path) is None
    write_steps(tmp_path, LiveSteps("s", "2026-11-21T22:00:00+00:00", (STEP,)))
    assert read_steps(tmp_path) == LiveSteps("s", "2026-11-21T22:00:00+00:00", (STEP,))
    assert [path.name for path in tmp_path.iterdir()] == [STEPS_JSON]


@pytest.mark.parametrize("content", ["", "[]", '{"sweep": "s"}', "[" * 100_000])
def test_a_file_that_is_none_is_an_error_with_its_name(tmp_path: Path, content: str) -> None:
    (tmp_path / STEPS_JSON).write_text(content, encoding="utf-8")
    with pytest.raises(EvidenceError, match=rf"{STEPS_JSON}.*Remove it"):
        read_steps(tmp_path)


def test_buckets_without_their_bounds_are_an_error(tmp_path: Path) -> None:
    write_steps(tmp_path, LiveSteps("s", "", (STEP,), bounds_s=(1.0,)))
    with pytest.raises(EvidenceError, match="another number of buckets"):
        read_steps(tmp_path)
