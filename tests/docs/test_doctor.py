"""docs/doctor.md names every check with its limits, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from harness.operations.machine_check import (
    BUSY_PROCESS,
    BUSY_TO_BE_WRONG,
    CITIZEN_BYTES,
    FILES_BESIDE,
    HOLDS_PORT_S,
    PROCESS_BYTES,
    SLOW_GOVERNORS,
    check_machine,
)
from tests.operations.test_doctor import GOOD, NIGHT

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` (\|.*)\|$", PAGE, re.MULTILINE))


def test_every_check_has_its_row_in_the_order_of_the_command() -> None:
    assert [*ROWS] == [each.check for each in check_machine(GOOD, NIGHT)]


def test_the_limits_are_those_of_the_program() -> None:
    assert (BUSY_PROCESS, BUSY_TO_BE_WRONG) == (0.2, 0.5)
    assert "a fifth of one" in ROWS["idle"]
    assert "less than half of one" in ROWS["idle"]
    assert set(re.findall(r"`(\w+)`", ROWS["governor"])) == SLOW_GOVERNORS
    assert f"{FILES_BESIDE} more" in ROWS["files"]
    assert f"last {HOLDS_PORT_S} s" in ROWS["ports"]
    assert f"{PROCESS_BYTES / 1e9:g} GB for each process of ours and {CITIZEN_BYTES // 1000} kB for each citizen" in ROWS["memory"]
