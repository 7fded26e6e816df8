"""docs/load.md lists the keys and defaults of a workload as the model has them, and the shipped workloads."""

from __future__ import annotations

import re
from pathlib import Path

from harness.catalog.workload import HealthLimits, Stage, Workload

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "load.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[list[str]]:
    text = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]


def test_every_key_of_a_workload_and_a_stage_is_explained() -> None:
    named = {name.split(".")[0] for row in first_cells("Workloads") for name in re.findall(r"`([a-z_.]+)`", row[0])}
    assert set(Workload.model_fields) <= named
    assert set(Stage.model_fields) - {"basis"} <= named


def test_every_shipped_workload_is_named() -> None:
    shipped = {path.stem for path in (ROOT / "scenarios" / "workloads").glob("*.yaml")}
    assert shipped <= {row[0].strip("`") for row in first_cells("Workloads")}


def test_health_limits_are_those_of_the_model() -> None:
    found = {row[0].strip("`"): float(row[1]) for row in first_cells("Generator health")}
    assert found == HealthLimits().model_dump()
