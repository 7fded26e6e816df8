from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from harness import publish
from tests.publish import simulated_night as night
from tests.publish.browser import address_of, chromium, complaints, requested, shown
from tests.publish.served import served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def folder(scores, tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    people = (night.PORTALS[4], night.PORTALS[5])
    frames = {person.portal: night.frame(person, windows=2, window_s=20) for person in people}
    extras = publish.ReportExtras(provenance=night.PROVENANCE, health=tuple(night.health_readings()), shortened=True)
    publish.export(scores, results / scores.sweep)
    publish.report(scores, [night.run_facts(person) for person in night.PORTALS], frames, results / scores.sweep, extras=extras)
    return results


@pytest.fixture
def report(browser, scores, folder):
    url = address_of(folder / scores.sweep / "report.html")
    browser.get(url)
    yield browser, url
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_opens_from_disk_and_asks_for_nothing(report):
    browser, url = report
    assert requested(browser) == [url]
    assert complaints(browser) == []
    assert "Bảng điểm nhóm hiệu năng" in shown(browser)


def test_the_language_switch_works_without_a_script(report):
    browser, _ = report
    assert "Kết luận" in shown(browser)
    assert "Verdict" not in shown(browser)
    browser.find_element(By.CSS_SELECTOR, "label[for=choose-en]").click()
    english = shown(browser)
    assert "Verdict" in english
    assert "Kết luận" not in english
    assert "Quảng Ngãi" not in english
    hidden = browser.find_elements(By.CSS_SELECTOR, "svg tspan[lang=vi]")
    assert hidden
    assert not any(element.is_displayed() for element in hidden[:20])


def test_the_switch_answers_to_the_keyboard(report):
    browser, _ = report
    radio = browser.find_element(By.ID, "choose-vi")
    browser.execute_script("arguments[0].focus()", radio)
    radio.send_keys(Keys.ARROW_RIGHT)
    assert browser.find_element(By.ID, "choose-en").is_selected()
    assert "Scoreboard" in shown(browser)


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_sticks_out_at_any_width(report, width):
    browser, _ = report
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 700}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("language", ["vi", "en"])
def test_words_in_charts_do_not_run_over_each_other(report, language):
    browser, _ = report
    browser.find_element(By.CSS_SELECTOR, f"label[for=choose-{language}]").click()
    overlaps = browser.execute_script("""
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
        return bad;""")
    assert overlaps == []


def test_pages_over_sweeps_lead_to_the_report(browser, scores, folder):
    with served(folder) as url:
        requested(browser)
        browser.get(url)
        browser.find_element(By.LINK_TEXT, "Bảng điểm qua các ngày đo").click()
        assert "Bình Định" in shown(browser)
        browser.find_element(By.LINK_TEXT, scores.nights[-1]).click()
        assert browser.current_url == f"{url}sweeps/{scores.sweep}/report.html"
        assert complaints(browser) == []
        assert all(asked.startswith(url) for asked in requested(browser))
