"""The pages of a report: that of the sweep, and one a portal."""

from __future__ import annotations

import re
from pathlib import Path


def portal_pages(folder: Path) -> list[str]:
    """The pages of the portals, in the order of the scoreboard."""
    paths = (folder / "report").glob("p*.html")
    return [path.read_text(encoding="utf-8") for path in sorted(paths, key=lambda path: int(path.stem[1:]))]


def page_of(folder: Path, portal: str) -> str:
    """The page of one portal."""
    (page,) = [page for page in portal_pages(folder) if re.search(rf"<title>{re.escape(portal)} ·", page)]
    return page


def all_pages(folder: Path) -> str:
    """All pages, one after the other."""
    return (folder / "report.html").read_text(encoding="utf-8") + "".join(portal_pages(folder))
