from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from harness import publish
from harness.publish.scoreboard import standings
from harness.publish.wording import day_text
from tests.publish import simulated_night as night
from tests.publish.browser import address_of, chromium, complaints, requested, shown
from tests.publish.served import served

pytestmark = pytest.mark.browser
WITH_ROWS = ("quang-ngai", "thua-thien-hue")


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def folder(scores, tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    frames = {person.portal: night.frame(person, windows=2, window_s=20) for person in night.PORTALS if person.portal in WITH_ROWS}
    extras = publish.ReportExtras(provenance=night.PROVENANCE, health=tuple(night.health_readings()), shortened=True)
    publish.export(scores, results / scores.sweep)
    publish.report(scores, [night.run_facts(person) for person in night.PORTALS], frames, results / scores.sweep, extras=extras)
    return results


@pytest.fixture(scope="module")
def addresses(scores, folder):
    """The pages of the sweep, of a portal with rows and of one without points."""
    pages = [f"report/p{place}.html" for place, standing in enumerate(standings(scores), start=1) if standing.card.portal in WITH_ROWS]
    return [address_of(folder / scores.sweep / page) for page in ("report.html", *pages)]


@pytest.fixture
def report(browser, scores, folder):
    url = address_of(folder / scores.sweep / "report.html")
    browser.get(url)
    yield browser, url
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_pages_open_from_disk_and_ask_for_nothing(browser, addresses):
    for url in addresses:
        browser.get(url)
        assert requested(browser) == [url]
        assert complaints(browser) == []
        assert "Bảng điểm nhóm hiệu năng".casefold() in shown(browser).casefold()


def test_the_pages_lead_to_each_other(report, scores):
    browser, url = report
    browser.find_element(By.LINK_TEXT, "Quảng Ngãi").send_keys(Keys.ENTER)
    assert browser.current_url == url.replace("report.html", f"report/p{place_of(scores, 'quang-ngai')}.html")
    assert "Quảng Ngãi" in shown(browser)
    browser.find_element(By.CSS_SELECTOR, ".over a").click()
    assert browser.current_url == f"{url}#p{place_of(scores, 'quang-ngai')}"


def test_the_matrix_is_sorted_by_a_click_or_a_key_and_those_without_points_stay_below(report):
    browser, url = report

    def names():
        return [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".matrix tbody th a")]

    by_points = names()
    name, *_ = browser.find_elements(By.CSS_SELECTOR, ".matrix th.name button")
    name.send_keys(Keys.ENTER)
    assert names() == ["Bình Định", "Bộ Nội vụ", "Điện Biên", "Lâm Đồng", "Quảng Ngãi", "Thừa Thiên Huế"]
    assert browser.find_element(By.CSS_SELECTOR, ".matrix th.name").get_attribute("aria-sort") == "ascending"
    points = browser.find_element(By.CSS_SELECTOR, ".matrix th.name + th button")
    browser.execute_script("arguments[0].click()", points)
    assert names() == by_points
    browser.execute_script("arguments[0].click()", points)
    assert names() == [*reversed(by_points[:-1]), by_points[-1]]
    assert complaints(browser) == []
    assert requested(browser)[-1] == url


def place_of(scores, portal):
    return 1 + [standing.card.portal for standing in standings(scores)].index(portal)


def test_the_language_switch_works_without_a_script(browser, addresses):
    for url in addresses[:2]:
        browser.get(url)
        assert "Bộ tiêu chí" in shown(browser)
        assert "Criteria set" not in shown(browser)
        browser.find_element(By.CSS_SELECTOR, "label[for=choose-en]").click()
        english = shown(browser)
        assert "Criteria set" in english
        assert "Bộ tiêu chí" not in english
        assert "Quảng Ngãi" not in english
        hidden = browser.find_elements(By.CSS_SELECTOR, "svg tspan[lang=vi]")
        assert hidden
        assert not any(element.is_displayed() for element in hidden[:20])


@pytest.mark.parametrize(("languages", "begins"), [("en-GB,vi", "Criteria set"), ("fr", "Bộ tiêu chí"), ("vi-VN,en", "Bộ tiêu chí")])
def test_a_page_begins_with_the_language_of_the_browser_and_with_vietnamese_for_others(browser, addresses, languages, begins):
    agent = browser.execute_script("return navigator.userAgent")
    browser.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": languages})
    for url in addresses[:2]:
        browser.get(url)
        assert begins in shown(browser)
    browser.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": "vi-VN"})
    assert complaints(browser) == []


def test_the_switch_answers_to_the_keyboard(report):
    browser, _ = report
    radio = browser.find_element(By.ID, "choose-vi")
    browser.execute_script("arguments[0].focus()", radio)
    radio.send_keys(Keys.ARROW_RIGHT)
    assert browser.find_element(By.ID, "choose-en").is_selected()
    assert "Scoreboard" in shown(browser)


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_sticks_out_at_any_width(browser, addresses, width):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 700}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for url in addresses:
        browser.get(url)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, url
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("language", ["vi", "en"])
def test_words_in_charts_do_not_run_over_each_other(browser, addresses, language):
    for url in addresses:
        browser.get(url)
        browser.find_element(By.CSS_SELECTOR, f"label[for=choose-{language}]").click()
        assert browser.execute_script(OVERLAPS) == [], url


OVERLAPS = """
        const bad = [];
        for (const svg of document.querySelectorAll('figure svg')) {
          const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]).filter(([, b]) => b.width);
          const frame = svg.getBoundingClientRect();
          for (let i = 0; i < boxes.length; i++) {
            const [name, a] = boxes[i];
            if (a.left < frame.left - 1 || a.right > frame.right + 1) bad.push(svg.ariaLabel + ': cut off: ' + name);
            for (let j = i + 1; j < boxes.length; j++) {
              const b = boxes[j][1];
              const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
              if (w > 2 && h > 3) bad.push(svg.ariaLabel + ': ' + name + ' / ' + boxes[j][0]);
            }
          }
        }
        return bad;"""


def test_pages_over_sweeps_lead_to_the_report(browser, scores, folder):
    with served(folder) as url:
        requested(browser)
        browser.get(url)
        browser.find_element(By.LINK_TEXT, "Bảng điểm qua các ngày đo").click()
        assert "Bình Định" in shown(browser)
        browser.find_element(By.LINK_TEXT, day_text(scores.nights[-1]).vi).send_keys(Keys.ENTER)
        assert browser.current_url == f"{url}sweeps/{scores.sweep}/report.html"
        assert complaints(browser) == []
        assert all(asked.startswith(url) for asked in requested(browser))
