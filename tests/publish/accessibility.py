"""What axe-core finds on a page, and whether a page fits its screen. `make` fetches axe-core from npm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome

from tests.programs import lack

AXE = Path(__file__).resolve().parents[2] / ".axe"
SERIOUS = ("moderate", "serious", "critical")
WIDTHS = (1400, 390)


@cache
def _source() -> str:
    """axe-core as a script; where it is missing, ``lack`` says so."""
    found = sorted(AXE.glob("*/axe.min.js"))
    if not found:
        lack("needs axe-core: `make test` fetches it")
    return found[-1].read_text(encoding="utf-8")


def findings(browser: Chrome, within: str = "") -> list[str]:
    """What axe-core finds on the page, or in the element of a selector, that is more than minor; a line each."""
    browser.execute_script(_source())
    browser.set_script_timeout(120)
    result: dict[str, Any] = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(arguments[0] || document, {resultTypes: ['violations']}).then(done, error => done({error: String(error)}));",
        within or None,
    )
    assert "error" not in result, result["error"]
    return [
        f"{found['impact']} {found['id']}: {node['target']} {node['html'][:200]} {node['failureSummary'][:300]}"
        for found in result["violations"]
        if found["impact"] in SERIOUS
        for node in found["nodes"][:5]
    ]


@contextmanager
def screen(browser: Chrome, width: int, height: int = 900) -> Iterator[None]:
    """A screen of this width, a phone's below 700 pixels."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def too_wide(browser: Chrome, width: int) -> list[str]:
    """What makes the whole page scroll sideways; nothing where it does not."""
    if browser.execute_script("return document.documentElement.scrollWidth") <= width:
        return []
    found: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > arguments[0] + 1)"
        ".slice(-5).map(e => e.outerHTML.slice(0, 200))",
        width,
    )
    return found or ["the page"]
