"""Locust's own page in a real browser: portal and workload in its start form, two tests after each other in one process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.e2e.commands import LOCUST, Running, free_port, spooled, started
from tests.e2e.evidence import STEP, assert_sealed, load, rows
from tests.publish.accessibility import WIDTHS, findings, screen, too_wide
from tests.publish.browser import chromium, complaints, requested, shown

pytestmark = pytest.mark.browser
PATIENCE_S = 60
HOLDS_START = """from pathlib import Path
import gevent
from locust import events

@events.test_start.add_listener
def hold(**_):
    Path("held").touch()
    while not Path("go").exists():
        gevent.sleep(0.02)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web")


@pytest.fixture(scope="module")
def page(folder: Path, catalog: Path) -> Iterator[tuple[Chrome, Running]]:
    port = free_port()
    (folder / "holds_start.py").write_text(HOLDS_START, encoding="utf-8")
    command, option, scenarios = LOCUST
    with (
        chromium() as browser,
        started([command, option, f"{scenarios},holds_start.py", "--web-port", port, "--catalog", str(catalog)], folder) as locust,
    ):
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


def test_a_host_of_ones_own_is_refused_on_the_page(page: tuple[Chrome, Running], folder: Path) -> None:
    """Before: the test began, ended at once, and the page did not say why."""
    browser, _ = page
    assert "no host attribute" not in shown(browser), "the form does not ask for what it refuses"
    field = browser.find_element(By.NAME, "host")
    field.send_keys("http://127.0.0.1:9")
    button(browser, "START").click()
    told = "host is http://127.0.0.1:9; expected no host: what is loaded is ordinary (embedded, on a free port of this machine)."
    WebDriverWait(browser, PATIENCE_S).until(lambda found: told in shown(found))
    assert not (folder / "results").exists()
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.DELETE)


def test_two_swarms_after_each_other_each_leave_their_evidence(page: tuple[Chrome, Running], folder: Path) -> None:
    browser, locust = page
    for portal in ("swift", "sluggish"):
        for file in ("held", "go"):
            (folder / file).unlink(missing_ok=True)
        swarm(browser, portal)
        locust.until((folder / "held").exists, "a test that begins")
        with polled_states(browser) as states:
            locust.until(lambda states=states: len(states) > 9, "states of a test that begins")
            assert {*states} == {"spawning"}, "of another state the page would not ask again"
            (folder / "go").touch()
            locust.until(lambda: spooled(folder / "results", 30_000), "rows")
        assert {*states} <= {"spawning", "running"}
        assert {address for address, _ in locust.listening()} == {"127.0.0.1"}
        if portal == "swift":
            look_at_our_tab(browser, portal)
        with polled_states(browser) as states:
            locust.until(lambda states=states: len(states) > 0, "a state before the end")
            button(browser, "STOP").click()
            sealed = only_of(folder / "results", portal)
            locust.until(lambda sealed=sealed, portal=portal: (sealed / "manifests" / f"{portal}.json").is_file(), "the manifest")
        assert [state for state, _ in groupby(states)] in (["running"], ["running", "stopped"]), "the page asks until the test has ended"
        assert_sealed(sealed, {portal})
        assert load(sealed / "plan.json")["workload"] == "steady"
        locust.until(
            lambda sealed=sealed: state_of(browser)["said"].startswith(f"kept in results/{sealed.name}: "), "the line on what was kept"
        )
        assert_steps_are_those_of_the_evidence(state_of(browser), sealed, portal)
        counted = load(sealed / "counted.json")
        hosts = rows(sealed, portal)
        hosts = hosts[hosts["start_us"] > 0]
        called_by_gateway = counted[portal]["payments"]["paid"]
        assert counted[portal]["requests"] == int((hosts["host_owner"] == "portal").sum()) + called_by_gateway
    assert len(list((folder / "results").glob("*/plan.json"))) == 2


def test_our_tab_has_no_finding_of_accessibility(page: tuple[Chrome, Running]) -> None:
    browser, _ = page
    if not tabs(browser, "CITIZENS"):
        swarm(browser, "swift")
    WebDriverWait(browser, PATIENCE_S).until(lambda found: tabs(found, "CITIZENS"))[0].click()
    WebDriverWait(browser, PATIENCE_S).until(lambda found: "Citizens in flight" in shown(found))
    for width in WIDTHS:
        with screen(browser, width):
            assert findings(browser, "#citizens") == []


def test_it_ends_in_order(page: tuple[Chrome, Running]) -> None:
    _, locust = page
    locust.interrupt()
    assert locust.ended() == 0, locust.said
    assert locust.errors == []


def look_at_our_tab(browser: Chrome, portal: str) -> None:
    """Citizens, arrivals, steps and the generator, drawn beside Locust's own tabs and readable on a phone."""
    requested(browser)
    WebDriverWait(browser, PATIENCE_S).until(lambda found: tabs(found, "CITIZENS"))[0].click()
    WebDriverWait(browser, PATIENCE_S).until(
        lambda found: f"{portal}\nCitizens in flight" in shown(found) and "submit: find/search" in shown(found)
    )
    labels = [chart.get_attribute("aria-label") or "" for chart in browser.find_elements(By.CSS_SELECTOR, "#citizens svg[role=img]")]
    assert [label.partition(",")[0] for label in labels] == [
        "Citizens in flight", "Arrivals since the start of the test", "Processor of the busiest worker", "Delays of the generator",
    ]  # fmt: skip
    state = state_of(browser)
    (of_portal,) = state["portals"]
    assert of_portal["due"] >= of_portal["begun"] + of_portal["turned_away"] >= of_portal["history"][-2][3] > 0
    assert [worker["worker"] for worker in state["health"]["workers"]] == ["local"]
    for width in WIDTHS:
        with screen(browser, width):
            assert too_wide(browser, width) == []
    tabs(browser, "STATISTICS")[0].click()
    WebDriverWait(browser, PATIENCE_S).until_not(lambda found: "Citizens in flight" in shown(found))
    assert all(url.startswith(browser.current_url.partition("?")[0]) for url in requested(browser)), "nothing from elsewhere"
    assert complaints(browser) == []


def assert_steps_are_those_of_the_evidence(state: Any, sealed: Path, portal: str) -> None:
    """Count and median of each step, recomputed from the rows."""
    found = rows(sealed, portal)
    found = found[found["stage"] == "typical"]
    ours = found["outcome"].isin(["aborted", "dropped"])
    cut_off = set(found[ours]["visit"])
    found = found[~((found["outcome"] == "skipped") & found["visit"].isin(cut_off))]
    took = found.groupby(STEP).agg(
        begin=("intended_us", "min"), end=("end_us", "max"), ok=("outcome", lambda outcomes: (outcomes == "ok").all()),
        ours=("outcome", lambda outcomes: outcomes.isin(["aborted", "dropped"]).any()),
    )  # fmt: skip
    took = took[~took["ours"]].reset_index()
    took["ms"] = ((took["end"] - took["begin"]) / 1000).where(took["ok"], math.inf)
    recomputed = {
        f"{journey}: {goal}/{step}": (len(ms), sorted(ms)[math.ceil(len(ms) / 2) - 1])
        for (journey, goal, step), ms in took.groupby(["journey", "goal", "step"])["ms"]
    }
    on_page = {each["name"]: (each["n"], each["percentiles_ms"][0]) for each in state["steps"]}
    assert on_page == {name: (n, None if n < 8 else round(median)) for name, (n, median) in recomputed.items()}
    assert max(n for n, _ in on_page.values()) > 8


def state_of(browser: Chrome) -> Any:
    """What the page's script draws."""
    return httpx.get(browser.current_url.partition("?")[0].rstrip("/") + "/citizens/state.json").json()


@contextmanager
def polled_states(browser: Chrome) -> Iterator[list[str]]:
    """The states of the test that Locust's page may read meanwhile."""
    states: list[str] = []
    done = Event()
    address = browser.current_url.partition("?")[0].rstrip("/") + "/stats/requests"

    def poll() -> None:
        while not done.wait(0.02):
            states.append(httpx.get(address).json()["state"])

    with ThreadPoolExecutor() as beside:
        polling = beside.submit(poll)
        yield states
        done.set()
        polling.result()


def tabs(browser: Chrome, text: str) -> list[WebElement]:
    return [element for element in browser.find_elements(By.CSS_SELECTOR, "[role=tab]") if element.text.strip() == text]


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
