"""The pictures of README, quick start and the Vietnamese pages, from a real report: `python -m tests.docs.pictures results/<sweep of harness demo>` (Debian's Chromium)."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from tests.publish.browser import chromium

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDTH = 1200
COLOURS = 64
_TOP = "return document.querySelector(arguments[0]).getBoundingClientRect().top + scrollY"


def take(report: Path) -> list[Path]:
    """The beginning of a sweep's page, up to the ranks, in both languages, and of the collapsing portal's page; answers the files."""
    pictures = []
    with chromium() as browser:
        browser.set_window_size(WIDTH, 1000)
        for language, path in (("en", IMAGES / "overview.png"), ("vi", IMAGES.parent / "vi" / "bang-diem.png")):
            _open(browser, report, language)
            bottom = round(browser.execute_script(_TOP, "#states")) - 30  # type: ignore[no-untyped-call]
            pictures.append(_cut(browser, path, bottom))
        collapsing = (
            page for page in (report.parent / "report").glob("p*.html") if "<title>collapsing" in page.read_text(encoding="utf-8")
        )
        _open(browser, next(collapsing), "en")
        return [*pictures, _cut(browser, IMAGES / "collapsing.png", 1400)]


def _open(browser: Any, page: Path, language: str) -> None:
    browser.get(page.resolve().as_uri())
    browser.execute_script(f"document.getElementById('choose-{language}').click()")


def _cut(browser: Any, path: Path, bottom: int) -> Path:
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": bottom, "scale": 1}
    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip})
    picture = Image.open(io.BytesIO(base64.b64decode(taken["data"]))).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


if __name__ == "__main__":
    for made in take(Path(sys.argv[1]) / "report.html"):
        sys.stdout.write(f"{made} {made.stat().st_size // 1024} kB\n")
