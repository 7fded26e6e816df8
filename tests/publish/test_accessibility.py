"""One page of each kind as people of all abilities meet it, on a desk and on a phone: WCAG by axe-core, nothing too wide, no complaint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from harness import publish
from harness.scoring.scorecard import SweepScores
from tests.publish import simulated_night as night
from tests.publish.accessibility import WIDTHS, findings, screen, too_wide
from tests.publish.browser import chromium, complaints
from tests.publish.live import live_state, write_state
from tests.publish.morning import write_morning
from tests.publish.served import served
from tests.scoring.many_nights import night_series

pytestmark = pytest.mark.browser

PAGES = (
    "", "nights", "nights/average", "sweeps/night/live", "sweeps/morning/review", "sweeps/night/report.html", "sweeps/night/report/p1.html",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def address(scores: SweepScores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    results: Path = tmp_path_factory.mktemp("results")
    folder = results / "night"
    first = night.PORTALS[0]
    extras = publish.ReportExtras(provenance=night.PROVENANCE, health=tuple(night.health_readings()), shortened=True)
    publish.export(scores, folder)
    publish.report(
        scores,
        [night.run_facts(person) for person in night.PORTALS],
        {first.portal: night.frame(first, windows=2, window_s=20)},
        folder,
        extras=extras,
    )
    for scores_of_night in night_series():
        publish.export(scores_of_night, results / scores_of_night.sweep)
    write_morning(results / "morning")
    write_state(folder, live_state([(card.portal, card.name_vi, card.name_en) for card in scores.scorecards]))
    with served(results) as url:
        yield url


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_everybody(browser: Chrome, address: str, path: str) -> None:
    complaints(browser)
    for width in WIDTHS:
        with screen(browser, width):
            browser.get(address + path)
            assert too_wide(browser, width) == []
            assert findings(browser) == []
            browser.find_element(By.CSS_SELECTOR, "label[for=choose-en]").click()
            assert too_wide(browser, width) == []
    assert complaints(browser) == []
