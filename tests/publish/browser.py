"""Debian's Chromium under selenium, with everything it asks the network for written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from tests.programs import require_programs

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--accept-lang=vi-VN", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


def require_chromium() -> tuple[str, str]:
    """The paths of browser and driver, as ``require_programs`` finds them."""
    binary, driver = require_programs("chromium", "chromedriver", packages="chromium and chromium-driver")
    return binary, driver


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A browser of its own (``require_chromium``)."""
    binary, driver = require_chromium()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = binary
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        browser = Chrome(options=options, service=Service(driver))
        try:
            yield browser
        finally:
            browser.quit()


def requested(browser: Chrome) -> list[str]:
    """Addresses asked for since the last call; what stands in the page itself (data:) is none."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]
    return [url for url in asked if not url.startswith(("data:", "chrome://", "about:"))]


def complaints(browser: Chrome) -> list[str]:
    """What stands on the console."""
    return [entry["message"] for entry in browser.get_log("browser")]


def shown(browser: Chrome) -> str:
    """The text that a reader sees."""
    return str(browser.execute_script("return document.body.innerText"))


def address_of(path: Path) -> str:
    """A file's address for a browser."""
    return path.resolve().as_uri()
