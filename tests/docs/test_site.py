"""The documentation site: built strictly in both languages, read without a network, the same text as on the forge."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from mkdocs.commands.build import build
from mkdocs.config import load_config
from selectolax.lexbor import LexborHTMLParser
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.publish.accessibility import screen, too_wide
from tests.publish.browser import address_of, chromium, requested

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
VIETNAMESE = DOCS / "vi"
PHONE = 390  # pixels
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data", "embed": "src"}
"""Elements that make a browser ask for something, and the attribute that names it."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both languages, as ``make site`` builds them. A warning ends the build."""
    made = tmp_path_factory.mktemp("site")
    for config, folder in (("mkdocs.yml", made), ("mkdocs.vi.yml", made / "vi")):
        build(load_config(str(ROOT / config), strict=True, site_dir=str(folder)))
    return made


def pages() -> list[tuple[Path, str]]:
    """Each source with its page in the site."""
    sources = sorted(DOCS.rglob("*.md"))
    return [
        (source, re.sub(r"(README)?\.md$", lambda end: "index.html" if end[1] else ".html", source.relative_to(DOCS).as_posix()))
        for source in sources
    ]


def test_a_page_that_is_missing_ends_the_build(tmp_path: Path) -> None:
    shutil.copytree(DOCS / "site_build", tmp_path / "docs" / "site_build")
    (tmp_path / "docs" / "index.md").write_text("# Here\n\n[There](there.md)\n", encoding="utf-8")
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:", 1)[0]
    (tmp_path / "mkdocs.yml").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit, match="1 warnings in strict mode"):
        build(load_config(str(tmp_path / "mkdocs.yml"), strict=True))


def test_every_page_is_in_the_site(site: Path) -> None:
    assert len(pages()) > 30
    for source, page in pages():
        assert (site / page).is_file(), source


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        tree = LexborHTMLParser(page.read_text(encoding="utf-8"))
        for tag, attribute in LOADING.items():
            for element in tree.css(f"{tag}[{attribute}]"):
                address = str(element.attributes[attribute])
                if tag == "link" and element.attributes.get("rel") in {"alternate", "prev", "next"}:
                    continue
                assert "//" not in address, f"{page.name} loads {address}"
                if page.name != "404.html":  # its addresses begin at the root of a server
                    assert (page.parent / unquote(address)).is_file(), f"{page.name} loads {address}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_both_languages_lead_to_each_other(site: Path) -> None:
    for page, language, other in ((site / "index.html", "en", "vi/index.html"), (site / "vi" / "index.html", "vi", "../index.html")):
        tree = LexborHTMLParser(page.read_text(encoding="utf-8"))
        assert tree.css_first("html").attributes["lang"] == language
        assert tree.css_first(f'a.md-select__link[href="{other}"]') is not None


@pytest.mark.parametrize(
    ("source", "page"), pages(), ids=lambda value: value.relative_to(DOCS).as_posix() if isinstance(value, Path) else ""
)
def test_the_site_shows_what_the_forge_shows(site: Path, source: Path, page: str) -> None:
    """The same headings, rows, list items and code blocks by two readers of Markdown, of which one is strict about blank lines."""
    forge = LexborHTMLParser(MarkdownIt("commonmark").enable("table").render(source.read_text(encoding="utf-8")))
    shown = LexborHTMLParser((site / page).read_text(encoding="utf-8")).css_first("article")
    for selector in ("h2", "h3", "h4", "tr", "th", "td", "li", "pre"):
        texts = [words(element.text()) for element in forge.css(selector)]
        assert texts == [words(element.text()) for element in shown.css(selector)], f"{selector}: is there a blank line before it?"


def words(text: str) -> str:
    """A text without what the site adds: marks of headings, blanks, and paths of files that are no pages of it."""
    return re.sub(r"\s+|#$|\([\w./-]*/[\w./-]+\)|[\w./-]*/[\w./-]+", "", text)


@pytest.mark.browser
def test_pages_are_read_and_searched_from_the_disk_without_a_network(site: Path) -> None:
    with chromium() as browser:
        for page, query in ((site / "quickstart.html", "warm-up"), (site / "vi" / "khieu-nai.html", "hiệu năng")):
            browser.get(address_of(page))
            with screen(browser, PHONE):
                assert too_wide(browser, PHONE) == []
            browser.find_element(By.CSS_SELECTOR, "label[for=__search]").click()
            browser.find_element(By.CSS_SELECTOR, "input.md-search__input").send_keys(query)
            WebDriverWait(browser, 20).until(lambda seen: seen.find_elements(By.CSS_SELECTOR, ".md-search-result__item a"))
        asked = requested(browser)
        assert asked
        assert all(address.startswith(("file:", "blob:")) for address in asked), asked
