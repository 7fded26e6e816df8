"""Pages as people print and watch them: A4 without a row that is cut, and the live page through a whole sweep."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from harness import publish
from tests.e2e.commands import HARNESS, started
from tests.programs import require_programs
from tests.publish import simulated_night as night
from tests.publish.accessibility import WIDTHS, findings, screen, too_wide
from tests.publish.browser import address_of, chromium, complaints, shown
from tests.publish.served import served

pytestmark = [pytest.mark.slow, pytest.mark.browser]

MARK_ROWS = """
  let number = 0;
  for (const row of document.querySelectorAll('tbody tr')) {
    const cell = row.cells[0];
    if (!cell || !cell.getClientRects().length) continue;
    cell.style.position = 'relative';
    for (const [end, side] of [['t', 'top'], ['b', 'bottom']]) {
      const mark = document.createElement('span');
      mark.textContent = ' §' + number + end + '§ ';
      mark.style.cssText = 'position:absolute;left:0;font-size:1px;line-height:1px;white-space:nowrap;' + side + ':0';
      cell.append(mark);
    }
    row.dataset.number = number++;
  }
  return [number, [...document.querySelectorAll('table.matrix tbody tr')].map(row => row.dataset.number)];
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module", params=[6, 84])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """The folder of a report of so many portals."""
    folder = tmp_path_factory.mktemp("report")
    several = night.sweep_scores() if request.param == 6 else night.many_scores(request.param)
    person = night.PORTALS[0]
    rows = {several.scorecards[0].portal: night.frame(person, windows=2, window_s=20)}
    runs = [night.run_facts(person) for person in night.PORTALS]
    publish.report(several, runs, rows, folder, extras=publish.ReportExtras(provenance=night.PROVENANCE))
    return request.param, folder


@pytest.mark.parametrize("page", ["report.html", "report/p1.html", "report/p5.html"])
def test_no_row_of_a_table_is_cut_on_paper(browser: Chrome, report: tuple[int, Path], page: str, tmp_path: Path) -> None:
    (pdftotext,) = require_programs("pdftotext", packages="poppler-utils")
    portals, folder = report
    browser.get(address_of(folder / page))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    rows, matrix = browser.execute_script(MARK_ROWS)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    path = tmp_path / "page.pdf"
    path.write_bytes(base64.b64decode(printed["data"]))
    pages = subprocess.run([pdftotext, str(path), "-"], check=True, capture_output=True, text=True).stdout.split("\f")
    at = {mark: number for number, text in enumerate(pages) for mark in re.findall(r"§(\d+[tb])§", text)}
    assert len(at) == 2 * rows > 0, "each row is printed, with its upper and its lower edge"
    assert [number for number in range(rows) if at[f"{number}t"] != at[f"{number}b"]] == []
    if page == "report.html":
        assert len(matrix) == portals
        assert len({at[f"{number}t"] for number in matrix}) <= (2 if portals > 6 else 1)
    boxes = subprocess.run([pdftotext, "-bbox", str(path), "-"], check=True, capture_output=True, text=True).stdout
    width, height = (float(each) for each in re.findall(r'<page width="([\d.]+)" height="([\d.]+)"', boxes)[0])
    assert (round(width), round(height)) == (595, 842), "A4"
    edges = [(float(left), float(right)) for left, right in re.findall(r'<word xMin="([-\d.]+)" yMin="[-\d.]+" xMax="([-\d.]+)"', boxes)]
    assert min(left for left, _ in edges) > 20
    assert max(right for _, right in edges) < width - 20


def test_the_live_page_follows_a_sweep_to_its_points(browser: Chrome, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    with started([HARNESS, "demo", "--seed", "7"], tmp_path) as demo, served(results) as url:
        demo.until(lambda: list(results.glob("*/live.json")), "the live state")
        complaints(browser)
        browser.get(f"{url}live")
        seen: set[str] = set()

        def count(selector: str) -> int:
            return int(browser.execute_script("return document.querySelectorAll(arguments[0]).length", selector))

        def is_moving() -> bool:
            seen.add(browser.execute_script("return document.querySelectorAll('#state .tiles dd')[3]?.innerText ?? ''"))
            return len(seen) > 5

        demo.until(is_moving, "visits that begin while the page is looked at")
        for width in WIDTHS:
            with screen(browser, width):
                assert too_wide(browser, width) == []
                assert findings(browser) == []
        assert "Đang đo" in shown(browser)
        assert count("#state .points") == 0, "nobody steers by points"
        WebDriverWait(browser, 240).until(lambda _: count("#state .points"))  # the demo may have ended before the page has the news
        assert "Đã đo xong" in shown(browser)
        assert demo.ended() == 0, demo.said
        report = WebDriverWait(browser, 30).until(lambda found: found.find_element(By.LINK_TEXT, "Xem báo cáo của đợt đo"))
        report.click()  # written after the scores
        assert browser.current_url.endswith("/report.html")
        assert complaints(browser) == []
