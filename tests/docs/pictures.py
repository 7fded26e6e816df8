"""The README's pictures, from a real report: `python -m tests.docs.pictures results/<sweep of harness demo>` (Debian's Chromium)."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from tests.publish.browser import chromium

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDTH = 1200
COLOURS = 64
_TOPS = """
const top = (tag, text, after) => Math.round([...document.querySelectorAll(tag)].filter(e => e.offsetParent && e.innerText.includes(text))
  .map(e => e.getBoundingClientRect().top + scrollY).find(y => y >= after));
const collapsing = top('h3', 'collapsing', 0);
return {portals: top('h2', 'Portal by portal', 0), steps: top('h4', 'Time of each step', collapsing), health: top('h4', 'Health of the generator', collapsing)};
"""


def take(report: Path) -> list[Path]:
    """The overview, and how the collapsing portal's steps and windows went; answers the files."""
    with chromium() as browser:
        browser.set_window_size(WIDTH, 1000)
        browser.get(report.resolve().as_uri())
        browser.execute_script("document.getElementById('choose-en').click()")  # type: ignore[no-untyped-call]
        at = browser.execute_script(_TOPS)  # type: ignore[no-untyped-call]
        return [_cut(browser, "overview", 0, at["portals"] - 30), _cut(browser, "collapsing", at["steps"] - 20, at["health"] - 15)]


def _cut(browser: Any, name: str, top: int, bottom: int) -> Path:
    clip = {"x": 0, "y": top, "width": WIDTH, "height": bottom - top, "scale": 1}
    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip})
    picture = Image.open(io.BytesIO(base64.b64decode(taken["data"]))).convert("RGB")
    path = FOLDER / f"{name}.png"
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


if __name__ == "__main__":
    for made in take(Path(sys.argv[1]) / "report.html"):
        sys.stdout.write(f"{made} {made.stat().st_size // 1024} kB\n")
