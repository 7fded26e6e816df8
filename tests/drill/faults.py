"""Reads the table of the drill, `faults.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the table. Tests are ids of pytest; without brackets all of a test's cases."""

    group: str
    fault: str
    expected: str
    tests: tuple[str, ...]
    control: str = ""
    harm: str = ""  # what the control shows
    bound_s: int = 120  # the longest that one of its tests may take; what takes longer hangs, and has failed


_TABLE = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
FAULTS = tuple(Fault(group, **{**row, "tests": tuple(row["tests"])}) for group, rows in _TABLE["faults"].items() for row in rows)
NOT_DONE: dict[str, str] = _TABLE["not done"]
"""Faults that cannot be had here, and why."""
