"""Failures of sealed rounds: counted by window and kind, their first pages beside an index; a saved page is harmless to open."""

from __future__ import annotations

import hashlib
import http.server
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.evidence import Spool, SweepFolder
from harness.evidence.round_failures import RoundFailures
from harness.records import FailureCount, FailureKind
from harness.records.fleet_messages import BatchContents
from harness.records.step_failures import FailedPage
from tests.evidence.spooled import TOKEN, batch, key, record, row
from tests.html_site import in_a_thread
from tests.publish.browser import address_of, chromium, requested, shown

REJECTED = FailureKind("submit", "file", "submit", "wrong_content", "submission_rejected", "no text 'từ chối'")


def page(visit: int, text: str = "<p>từ chối</p>", kind: FailureKind = REJECTED) -> FailedPage:
    return FailedPage(kind, visit, "http://127.0.0.1:1/nop", 200, len(text), markup=text.startswith("<"), text=text, truncated=False)


def gathered(*pages: FailedPage, portal: str = "p") -> RoundFailures:
    failures = RoundFailures()
    failures.take(BatchContents({0: key(portal, 1)}, [], pages=tuple((0, each) for each in pages)))
    return failures


def index(folder: SweepFolder, portal: str = "p") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(folder.pages(portal).read_text(encoding="utf-8"))["pages"]
    return found


def test_a_sealed_round_counts_failures_by_window_and_kind(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("p"))
    for sequence, count in enumerate((2, 3)):
        found = {"failures": ((0, FailureCount(*REJECTED, count)),), "pages": ((0, page(7)),)}
        spool.append("w0", batch({0: key("p", 1)}, [(0, row(sequence, outcome="wrong_content"))], sequence, **found))
    spool.seal_round(TOKEN, record("p"))
    sealed = json.loads(folder.round("001-00").read_text(encoding="utf-8"))
    assert sealed["slots"][0]["windows"][0]["failures"] == [{**REJECTED._asdict(), "count": 5}]
    assert [entry["file"] for entry in index(folder)] == [f"pages/p/submit-wrong_content-{n}.html" for n in (1, 2)]


def test_pages_of_later_rounds_are_added_while_there_is_room_the_earliest_visits_first(folder: SweepFolder) -> None:
    gathered(page(9), page(4)).write_pages(folder, "001-00")
    gathered(page(20), page(21)).write_pages(folder, "002-00")
    found = index(folder)
    assert [(entry["part"], entry["visit"]) for entry in found] == [("001-00", 4), ("001-00", 9), ("002-00", 20)]
    for entry in found:
        path = folder.path / entry["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
    other = REJECTED._replace(rule="no text 'khác'")
    gathered(page(30, kind=other)).write_pages(folder, "003-00")
    assert index(folder)[-1]["file"] == "pages/p/submit-wrong_content-4.html"


def test_a_later_incident_keeps_a_page_with_its_time_also_where_the_first_one_filled_the_room(folder: SweepFolder) -> None:
    def at(second: int, visit: int) -> FailedPage:
        return replace(page(visit), when_us=second * 1_000_000)

    planned = record("p")
    gathered(at(3, 4), at(1, 1), at(2, 2), at(1, 3)).write_pages(folder, "001-00", planned.utc_of)
    gathered(at(300, 20), at(301, 21)).write_pages(folder, "004-00", planned.utc_of)
    assert [(entry["visit"], entry["at_utc"]) for entry in index(folder)] == [
        (1, "2026-11-22T00:00:01.000+00:00"), (3, "2026-11-22T00:00:01.000+00:00"), (2, "2026-11-22T00:00:02.000+00:00"),
        (20, "2026-11-22T00:05:00.000+00:00"),
    ]  # fmt: skip


def test_a_round_that_is_done_again_leaves_nothing_of_the_attempt_before(folder: SweepFolder) -> None:
    gathered(page(1), page(2)).write_pages(folder, "001-00")
    gathered(page(3)).write_pages(folder, "001-00")
    assert [entry["visit"] for entry in index(folder)] == [3]
    assert sorted(path.name for path in folder.pages("p").parent.iterdir()) == ["index.json", "submit-wrong_content-1.html"]
    gathered().write_pages(folder, "001-00")
    assert list(folder.pages("p").parent.iterdir()) == []


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server that writes down what it is asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with in_a_thread(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}", asked


def test_what_a_terminal_would_obey_is_visible_in_a_saved_page(folder: SweepFolder) -> None:
    odd = page(1, "<p>một\r\n\thai \x1b]0;owned\x07 \x9b31m</p>")
    odd = replace(odd, url="http://127.0.0.1:1/\x1b[2J\u202e")
    gathered(odd).write_pages(folder, "001-00")
    content = (folder.path / index(folder)[0]["file"]).read_bytes().decode()
    assert "một\r\n\thai \\x1b]0;owned\\x07 \\x9b31m" in content
    assert "/\\u001b[2J\\u202e" in content
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & {*content}


@pytest.mark.browser
def test_a_saved_page_shows_and_neither_runs_anything_nor_asks_for_anything(folder: SweepFolder, listener: tuple[str, list[str]]) -> None:
    url, asked = listener
    hostile = (
        f'<html><head><meta http-equiv="refresh" content="0;url={url}/refresh"><link rel="stylesheet" href="{url}/style.css">'
        f'<script src="{url}/script.js"></script></head><body onload="location=\'{url}/onload\'"><p>Hồ sơ bị từ chối &amp; trả lại</p>'
        f'<img src="{url}/image.png" onerror="parent.document.title=\'owned\'"><iframe src="{url}/frame"></iframe>'
        f'<script>document.body.textContent = "ran"; fetch("{url}/fetch")</script></body></html>"></iframe><script>fetch("{url}/out")</script>'
    )
    gathered(page(1, hostile)).write_pages(folder, "001-00")
    gathered(page(2, '{"a": "</pre><script>document.title=1</script>"}')).write_pages(folder, "002-00")
    with chromium() as browser:
        browser.get(address_of(folder.path / index(folder)[0]["file"]))
        assert "no text 'từ chối'" in shown(browser)
        browser.switch_to.frame(0)
        browser.implicitly_wait(1)
        assert browser.find_element("css selector", "p").text == "Hồ sơ bị từ chối & trả lại"
        browser.switch_to.default_content()
        assert browser.title == "p: submit wrong_content"
        assert all(address.startswith("file://") or address == "about:srcdoc" for address in requested(browser))
        browser.get(address_of(folder.path / index(folder)[1]["file"]))
        assert browser.title == "p: submit wrong_content"
        assert '{"a": "</pre>' in shown(browser)
    assert asked == []
