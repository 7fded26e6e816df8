"""Locust's own page in a real browser: portal and workload in its start form, two tests after each other in one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.e2e.commands import LOCUST, Running, free_port, spooled, started
from tests.e2e.evidence import assert_sealed, load, rows
from tests.publish.browser import chromium

pytestmark = pytest.mark.browser
PATIENCE_S = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web")


@pytest.fixture(scope="module")
def page(folder: Path, catalog: Path) -> Iterator[tuple[Chrome, Running]]:
    port = free_port()
    with chromium() as browser, started([*LOCUST, "--web-port", port, "--catalog", str(catalog)], folder) as locust:
        locust.until(lambda: answers(f"http://127.0.0.1:{port}/"), "the page")
        browser.set_window_size(1280, 1600)
        browser.get(f"http://127.0.0.1:{port}/")
        yield browser, locust


def test_the_form_offers_portals_and_workloads(page: tuple[Chrome, Running]) -> None:
    browser, locust = page
    unfold(browser)
    portals, workloads = chosen(browser, "portal"), chosen(browser, "workload")
    assert {"swift", "sluggish", "ordinary", "binh-dinh"} <= {option.get_attribute("value") for option in portals.options}
    assert {"", "steady", "demo"} <= {option.get_attribute("value") for option in workloads.options}
    assert portals.first_selected_option.get_attribute("value") == "ordinary"
    assert {address for address, _ in locust.listening()} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {"Host": "portal.example"}),
        ("POST", "/swarm", {"Host": "portal.example:8089", "Origin": "http://portal.example:8089"}),
        ("POST", "/swarm", {"Origin": "http://portal.example"}),
        ("POST", "/swarm", {"Origin": "null"}),
        ("POST", "/swarm", {"Sec-Fetch-Site": "cross-site"}),
        ("GET", "/stop", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
        ("GET", "/stop", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}),
    ],
)
def test_another_sites_page_is_refused(page: tuple[Chrome, Running], method: str, path: str, headers: dict[str, str]) -> None:
    browser, _ = page
    address = browser.current_url.rstrip("/") + path
    assert httpx.request(method, address, headers=headers).status_code == 403
    assert httpx.get(browser.current_url, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status_code == 200


def test_two_swarms_after_each_other_each_leave_their_evidence(page: tuple[Chrome, Running], folder: Path) -> None:
    browser, locust = page
    for portal in ("swift", "sluggish"):
        swarm(browser, portal)
        locust.until(lambda: spooled(folder / "results", 30_000), "rows")
        assert {address for address, _ in locust.listening()} == {"127.0.0.1"}
        button(browser, "STOP").click()
        sealed = only_of(folder / "results", portal)
        locust.until(lambda sealed=sealed, portal=portal: (sealed / "manifests" / f"{portal}.json").is_file(), "the manifest")
        assert_sealed(sealed, {portal})
        assert load(sealed / "plan.json")["workload"] == "steady"
        counted = load(sealed / "counted.json")
        hosts = rows(sealed, portal)
        hosts = hosts[hosts["start_us"] > 0]
        called_by_gateway = counted[portal]["payments"]["paid"]
        assert counted[portal]["requests"] == int((hosts["host_owner"] == "portal").sum()) + called_by_gateway
    locust.interrupt()
    assert locust.ended() == 0, locust.said
    assert locust.errors == []
    assert len(list((folder / "results").glob("*/plan.json"))) == 2


def swarm(browser: Chrome, portal: str) -> None:
    """Fill in the start form and send it."""
    if not browser.find_elements(By.NAME, "userCount"):
        button(browser, "NEW").click()
    unfold(browser)
    chosen(browser, "portal").select_by_value(portal)
    chosen(browser, "workload").select_by_value("steady")
    for name, value in (("userCount", "40"), ("spawnRate", "1")):
        field = browser.find_element(By.NAME, name)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(value)
    button(browser, "START").click()


def unfold(browser: Chrome) -> None:
    """Open the part of the form that holds our own options."""
    header = button(browser, "Custom parameters")
    if header.get_attribute("aria-expanded") != "true":
        header.click()
    WebDriverWait(browser, PATIENCE_S).until(lambda found: found.find_element(By.NAME, "portal").is_displayed())


def chosen(browser: Chrome, name: str) -> Select:
    return Select(browser.find_element(By.NAME, name))


def button(browser: Chrome, text: str) -> WebElement:
    """A button that can be pressed, by its words."""

    def found(_browser: Chrome) -> WebElement | None:
        for element in browser.find_elements(By.TAG_NAME, "button"):
            if element.is_displayed() and element.is_enabled() and element.text.strip() == text:
                return element
        return None

    return WebDriverWait(browser, PATIENCE_S, ignored_exceptions=(StaleElementReferenceException,)).until(found, f"no button {text!r}")


def only_of(results: Path, portal: str) -> Path:
    (folder,) = results.glob(f"*-{portal}-steady-*")
    return folder


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False
