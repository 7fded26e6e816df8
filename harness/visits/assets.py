"""Assets: what a page refers to, fetched as a browser does: in parallel, once a citizen, never beyond the allowed hosts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gevent.pool import Pool

from harness.client import Exchange, Session
from harness.origins import resolve
from harness.pages.page import Page
from harness.records import Outcome
from harness.visits.actor import Actor
from harness.visits.rows import Turn

if TYPE_CHECKING:
    from harness.visits.visit import Visit

PARALLEL = 6
"""Connections a browser opens to one origin under HTTP/1.1 (Chromium's and Firefox's limit)."""

_SOURCES = (
    ("script[src]", "src"),
    ("img[src]", "src"),
    ("link[href]", "href"),
    ("source[src]", "src"),
    ("iframe[src]", "src"),
    ("input[type=image][src]", "src"),
)
_LINKS = frozenset({"stylesheet", "icon", "shortcut icon", "preload", "modulepreload"})
_STYLE_URL = re.compile(rb"url\(\s*[\"']?([^\"')]+)[\"']?\s*\)|@import\s+[\"']([^\"']+)[\"']")


def fetch_assets(visit: Visit, actor: Actor, page: Page, turn: Turn, session_factory: Callable[[], Session]) -> None:
    """Fetch what a page refers to and the browser does not have yet; ``turn`` moves on to the place of the last row.

    What fails is a row that says so; the citizen goes on, as a browser would without a picture.
    """
    wanted = [url for url in dict.fromkeys(asset_urls(page)) if url not in actor.fetched and visit.may_send_to(url)]
    sessions = [session_factory() for _ in range(min(PARALLEL, len(wanted)))]
    due_us = visit.last_end_us
    try:
        while wanted:
            actor.fetched.update(wanted)
            more: list[str] = []
            for exchange in _in_parallel(visit, actor, page, wanted, sessions):
                turn.move_on()
                turn.intended_us = due_us
                fine = exchange.outcome is Outcome.OK and exchange.status < 400
                visit.rows.answered(
                    turn, exchange, Outcome.OK if fine else exchange.outcome if exchange.status == 0 else Outcome.HTTP_ERROR
                )
                visit.last_end_us = max(visit.last_end_us, exchange.end_us)
                if fine and exchange.headers.get("content-type").startswith("text/css"):
                    more.extend(_referred_by_style(exchange))
            due_us = visit.last_end_us
            wanted = [url for url in dict.fromkeys(more) if url not in actor.fetched and visit.may_send_to(url)]
    finally:
        for session in sessions:
            session.close()


def asset_urls(page: Page) -> Iterator[str]:
    """The absolute URLs of what a page refers to, in the order of the page's kinds."""
    for selector, attribute in _SOURCES:
        for node in page.nodes(selector):
            attributes = node.attributes
            if selector == "link[href]" and (attributes.get("rel") or "").lower() not in _LINKS:
                continue
            value = attributes.get(attribute)
            if value and not value.startswith(("data:", "javascript:", "about:")):
                yield resolve(page.base, value)


def _referred_by_style(exchange: Exchange) -> Iterator[str]:
    for match in _STYLE_URL.finditer(exchange.body):
        reference = (match.group(1) or match.group(2)).decode("utf-8", errors="replace")
        if not reference.startswith(("data:", "#")):
            yield resolve(exchange.url, reference)


def _in_parallel(visit: Visit, actor: Actor, page: Page, urls: list[str], sessions: list[Session]) -> list[Exchange]:
    common = {**visit.common_headers(), "Accept": "*/*", "Referer": page.url}
    queue = list(reversed(urls))
    done: list[Exchange] = []

    def work(session: Session) -> None:
        while queue:
            url = queue.pop()
            cookies = actor.session.cookies_for(url)
            headers = {**common, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else common
            done.append(session.request("GET", url, headers=headers))

    pool = Pool(len(sessions))
    for session in sessions:
        pool.spawn(work, session)
    pool.join(raise_error=True)
    return sorted(done, key=lambda exchange: exchange.start_us)
