"""Every page with commands, followed from top to bottom as a reader would; what they print is compared with what the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.reader import ELSEWHERE, QUICK, ROOT, follow
from tests.docs.shell_blocks import SHELLS
from tests.docs.snippets import snippets

PAGES = [
    page.relative_to(ROOT).as_posix()
    for page in sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
    if any(not block.note and (page.name, block.language) not in ELSEWHERE for block in snippets(page, *SHELLS))
]


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if page not in QUICK])
def test_a_page_is_followed_to_its_end(page: str, tmp_path: Path) -> None:
    assert follow(ROOT / page, tmp_path)
