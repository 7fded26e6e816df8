"""docs/dependencies.md names every dependency that pyproject.toml declares, and no other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
DEVELOPMENT = [each for each in GROUPS["dev"] if isinstance(each, str)] + GROUPS["build"]  # dev includes build


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", each, maxsplit=1)[0].lower() for each in requirements}


def section(title: str) -> dict[str, list[str]]:
    """The rows of a section's table: package → its other cells."""
    text = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("| `")]
    return {row[0].strip("` ").lower(): row[1:] for row in rows}


@pytest.mark.parametrize(
    ("title", "declared"),
    [("At run time", names(PROJECT["project"]["dependencies"])), ("For development", names(DEVELOPMENT))],
)
def test_declared_and_documented_are_the_same(title: str, declared: set[str]) -> None:
    assert set(section(title)) == declared


@pytest.mark.parametrize("title", ["At run time", "For development"])
def test_each_has_a_field_a_reason_and_an_alternative(title: str) -> None:
    for package, cells in section(title).items():
        assert len(cells) == 3, package
        assert all(cells), package


def test_locked_versions_meet_what_is_declared() -> None:
    locked = {line.split("==")[0].lower() for line in (ROOT / "requirements" / "run.lock").read_text().splitlines() if "==" in line}
    assert names(PROJECT["project"]["dependencies"]) <= locked
