"""docs/evidence.md lists every outcome and file as the program has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.evidence import SweepFolder
from harness.records import Outcome

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    text = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]
    assert found
    return found


def test_every_outcome_has_a_meaning() -> None:
    found = [name for cell, _ in rows("Outcomes") for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(found) == sorted(Outcome)


@pytest.mark.parametrize("name", ["plan", "samples", "ledger"])
def test_the_folder_is_as_the_page_says(name: str, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    assert f"`{getattr(folder, name).name}" in PAGE


def test_paths_of_rounds_are_as_the_page_says(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    for path in (folder.round("001-00"), folder.health("001-00")):
        assert f"`{folder.relative(path)}`" in PAGE
    for part in (folder.part("…", "…", "001-00"), folder.timing_part("…", "…", "001-00")):
        assert f"`{folder.relative(part)}`" in PAGE
