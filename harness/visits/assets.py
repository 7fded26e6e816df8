"""Assets: what a page refers to, fetched as a browser does: in parallel, each once, only from the hosts of the target."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gevent.pool import Pool

from harness.client import Exchange, LeanSession
from harness.origins import origin_of, resolve, without_fragment
from harness.pages.addresses import address_on
from harness.pages.media import media_type
from harness.pages.page import Page
from harness.records import PORTAL, Outcome
from harness.visits.actor import Actor
from harness.visits.composing import common_headers, may_send_to, with_trace
from harness.visits.recording import record_answer
from harness.visits.state import RequestPlace, VisitState
from harness.visits.timing import monotonic_us

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
_STYLE_URL = re.compile(rb"url\(\s*+(?:\"([^\"]++)\"|'([^']++)'|([^\"'()\s]++))\s*+\)|@import\s++[\"']([^\"']++)[\"']")


def fetch_assets(state: VisitState, actor: Actor, page: Page, place: RequestPlace) -> None:
    """Fetch what a page refers to and the actor has not fetched before; ``place`` moves on to the last row.

    A failure is a row that says so. The citizen goes on, as a browser does without a picture. Once the visit's patience has
    no time left for the host of the page, the rest is not fetched.
    """
    sessions: list[LeanSession] = []
    wanted = _new(state, actor, asset_urls(page))
    try:
        while wanted:
            due_us = state.last_end_us
            sessions += [state.callbacks.new_session() for _ in range(min(PARALLEL, len(wanted)) - len(sessions))]
            found: list[str] = []
            for exchange in _in_parallel(state, actor, page, wanted, sessions):
                place.next_request()
                place.intended_us = due_us
                answered = exchange.outcome is Outcome.OK
                fine = answered and exchange.status < 400
                record_answer(state, place, exchange, Outcome.HTTP_ERROR if answered and not fine else exchange.outcome)
                state.last_end_us = max(state.last_end_us, exchange.end_us)
                if fine and media_type(exchange.headers).essence == "text/css":
                    found.extend(_referred_by_style(exchange))
            wanted = _new(state, actor, found)
    finally:
        for session in sessions:
            session.close()


def _new(state: VisitState, actor: Actor, urls: Iterable[str]) -> list[str]:
    """The URLs that are to be fetched, each once; from now on the actor has them."""
    wanted = [url for url in dict.fromkeys(urls) if url not in actor.fetched and may_send_to(state.target, url)]
    actor.fetched.update(wanted)
    return wanted


def asset_urls(page: Page) -> Iterator[str]:
    """The absolute URLs of what a page refers to: scripts first, then images, style sheets and the rest."""
    for selector, attribute in _SOURCES:
        for node in page.nodes(selector):
            attributes = node.attributes
            if selector == "link[href]" and (attributes.get("rel") or "").lower() not in _LINKS:
                continue
            value = attributes.get(attribute)
            if value and not value.startswith(("data:", "javascript:", "about:")):
                yield without_fragment(address_on(page, value))


def _referred_by_style(exchange: Exchange) -> Iterator[str]:
    for match in _STYLE_URL.finditer(exchange.body):
        reference = next(filter(None, match.groups())).decode("utf-8", errors="replace")
        if not reference.startswith(("data:", "#")):
            yield without_fragment(resolve(exchange.url, reference))


def _in_parallel(state: VisitState, actor: Actor, page: Page, urls: list[str], sessions: list[LeanSession]) -> list[Exchange]:
    common = {**common_headers(state), "Accept": "*/*", "Referer": without_fragment(page.url)}
    queue = list(reversed(urls))
    done: list[Exchange] = []
    patience, began_us = state.patience, monotonic_us()
    owner = state.target.owners.get(origin_of(page.url), PORTAL)

    def work(session: LeanSession) -> None:
        while queue:
            url = queue.pop()
            took_us = monotonic_us() - began_us
            if patience is not None and patience.left_us(owner) <= took_us:
                return
            cookies = actor.session.cookies_for(url)
            headers = {**common, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else common
            timeouts = patience.limits(owner, None, took_us) if patience is not None else None
            done.append(session.request("GET", url, headers=with_trace(state, url, headers), timeouts=timeouts))

    pool = Pool(len(sessions))
    for session in sessions:
        pool.spawn(work, session)
    pool.join(raise_error=True)
    if patience is not None:
        patience.spend(owner, monotonic_us() - began_us)
    return sorted(done, key=lambda exchange: exchange.start_us)
