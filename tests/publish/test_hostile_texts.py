"""What portals write changes nothing: no page has another structure, no cell is a formula, no terminal obeys, no browser runs or asks for anything."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import httpx
import openpyxl
import pytest
from rich.console import Console
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver import Chrome

from harness import publish
from harness.cli.options import say
from harness.scoring.scorecard import SweepScores
from tests.publish.accessibility import screen, too_wide
from tests.publish.browser import chromium, complaints, requested
from tests.publish.hostile_night import Says, extras_of, harmless, hostile, scores_of, write_night
from tests.publish.served import served

PAGES = (
    "", "nights", "nights/average-search", "live", "sweeps/night/review", "sweeps/night/report.html", *(f"sweeps/night/report/p{number}.html" for number in range(1, 7)),
    "sweeps/night/pages/portal/submit-wrong_content-1.html", "sweeps/night/pages/portal/submit-wrong_content-2.html",
)  # fmt: skip


class Structure(HTMLParser):
    """The elements of a page with the names of their attributes; of links, where they lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *sorted(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.elements.append((f"/{tag}",))

    def handle_comment(self, _data: str) -> None:
        self.elements.append(("comment",))


@pytest.fixture(scope="module")
def nights(scores: SweepScores, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The hostile results and the harmless ones."""
    folders = tuple(tmp_path_factory.mktemp(words.__name__) for words in (hostile, harmless))
    for folder, words in zip(folders, (hostile, harmless), strict=True):
        write_night(folder, scores, words)
    return folders[0], folders[1]


def test_every_page_has_the_structure_that_harmless_words_give_it(nights: tuple[Path, Path]) -> None:
    bad, good = ([answer.text for answer in given_out(folder)] for folder in nights)
    for path, *page in zip(PAGES, bad, good, strict=True):
        assert Structure(page[0]).elements == Structure(page[1]).elements, path
        ours = re.split("<iframe|<pre", page[0])[0]  # a saved page is shown as it came, in a frame of its own
        assert odd_signs(ours) == set(), path


def given_out(folder: Path) -> list[httpx.Response]:
    """Every page, as served."""
    with served(folder) as url:
        answers = [httpx.get(url + path, follow_redirects=True) for path in PAGES]
    assert {answer.status_code for answer in answers} == {200}
    return answers


def test_a_table_keeps_its_rows_and_columns_and_no_cell_is_a_formula(nights: tuple[Path, Path]) -> None:
    sizes = []
    for folder in nights:
        with served(folder) as url:
            texts = [httpx.get(url + path).content.decode("utf-8-sig") for path in ("nights.csv", "sweeps/night/scores.csv")]
        tables = [list(csv.reader(io.StringIO(text, newline=""))) for text in texts]
        book = openpyxl.load_workbook(folder / "night" / "scores.xlsx")
        sizes.append([*([len(row) for row in table] for table in tables), *((sheet.max_row, sheet.max_column) for sheet in book)])
        cells = [cell for table in tables for row in table for cell in row]
        assert [cell for cell in cells if cell[:1] in "=@\t\r" and cell] == []
        assert [cell for cell in cells if cell[:1] in ("+", "-") and not is_number(cell)] == []
        assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n", "b", "inlineStr"}
        assert not any(cell.hyperlink for sheet in book for row in sheet.iter_rows() for cell in row)
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("terminal", [False, True])
def test_a_terminal_is_told_nothing_that_it_would_obey(scores: SweepScores, capsys: pytest.CaptureFixture[str], terminal: bool) -> None:
    said, plain = printed(scores, hostile, capsys, terminal=terminal), printed(scores, harmless, capsys, terminal=terminal)
    assert odd_signs(said) <= odd_signs(plain) <= {"\x1b"}
    assert "\x1b[2J" not in said
    assert "\x1b]" not in said
    assert "[bold red]markup" in said.replace("\n", " "), "it is text, not markup"


def printed(scores: SweepScores, words: Says, capsys: pytest.CaptureFixture[str], *, terminal: bool) -> str:
    """Everything that commands print of such a night."""
    console = Console(file=io.StringIO(), width=200, force_terminal=terminal, color_system="truecolor" if terminal else None)
    bad, extras = scores_of(scores, words), extras_of(words)
    publish.scoreboard(bad, console)
    for card in bad.scorecards:
        publish.print_card(replace(bad, scorecards=(card,)), extras, {}, console)
    for found in extras.faults:
        for line in publish.explain_faults(found):
            say(line)
    for diagnosis in extras.diagnoses:
        for line in [*publish.explain_findings(diagnosis, "vi"), *publish.explain_findings(diagnosis, "en")]:
            say(line)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue() + capsys.readouterr().out


def odd_signs(text: str) -> set[str]:
    """Signs that a reader does not see or a terminal obeys, besides ends of lines and tabs."""
    return {sign for sign in text if unicodedata.category(sign) in {"Cc", "Cf", "Zl", "Zp", "Cs"} and sign not in "\n\t"}


def is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as running:
        yield running


@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_runs_and_asks_for_nothing(browser: Chrome, nights: tuple[Path, Path]) -> None:
    with served(nights[0]) as url:
        requested(browser)
        complaints(browser)
        for path in PAGES:
            browser.get(url + path)
            assert browser.execute_script("return window.hit") is None, path
            with pytest.raises(NoAlertPresentException):
                browser.switch_to.alert.accept()
            asked = requested(browser)
            assert [address for address in asked if address not in (url + path, f"{url}sweeps/under-way/live", f"{url}live.js")
                    and not address.endswith("/live/events")] == []  # fmt: skip
            blocked = [line for line in complaints(browser) if "sandbox" not in line]  # of the saved page, in its frame
            assert blocked == [], path
            with screen(browser, 390):
                assert too_wide(browser, 390) == [], path
