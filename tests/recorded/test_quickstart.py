"""The scoreboard in the quick start is what the recorded evidence gives."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Sweep

PAGE = Path(__file__).parents[2] / "docs" / "quickstart.md"


def test_the_board_in_the_quick_start_is_that_of_the_recorded_evidence(newest: Sweep) -> None:
    printed = [line.rstrip() for line in newest.finished.out.splitlines() if not line.startswith("  demo/")]
    assert PAGE.read_text(encoding="utf-8").split("```text\n", 1)[1].split("```", 1)[0].splitlines() == printed
