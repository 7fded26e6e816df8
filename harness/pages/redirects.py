"""Redirects in a page: refreshes, in a ``Refresh`` header or ``<meta http-equiv=refresh>``, and scripts that set the location."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple
from urllib.parse import unquote

from harness.origins import is_sendable, without_fragment
from harness.pages.addresses import address_on
from harness.pages.page import Page

REFRESH_MAX_S = 5
"""The longest delay of a refresh that is waited for and followed.

Assumed: pages that send a citizen on do so within five seconds; slower refreshes keep a page fresh or end a session.
"""

_SPACE = r"[ \t\n\f\r]*"
_REFRESH = re.compile(rf"{_SPACE}(?:(\d++)|(?=\.))[\d.]*+(?:(?=[;, \t\n\f\r]){_SPACE}[;,]?{_SPACE}(.*))?\Z", re.ASCII | re.DOTALL)
_URL = re.compile(rf"(?:url{_SPACE}={_SPACE})?(?:\"([^\"]*)|'([^']*)|(.*))", re.ASCII | re.DOTALL | re.IGNORECASE)
_LOCATION = re.compile(
    r"""(?:\b(?:window|document|top|self|parent)\s*+\.\s*+)?\blocation(?:\s*+\.\s*+href)?\s*+(?:=(?!=)\s*+|\.\s*+(?:replace|assign)\s*+\(\s*+)(["'])((?:\\.|(?!\1)[^\\\r\n])*+)\1(?!\s*+\+)"""
)
_ESCAPES = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))")

KEEP_METHOD = frozenset({307, 308})
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class PageRedirect(NamedTuple):
    """Where a page sends the browser, and after how long."""

    url: str  # absolute
    delay_s: int = 0


def page_redirect(page: Page, kinds: AbstractSet[str]) -> PageRedirect | None:
    """Where a page sends the browser soon in one of these ways (``meta``, ``script``); None where it does not."""
    if "meta" in kinds:
        refresh = next((found for text in _refreshes(page) if (found := _refresh(page, text)) is not None), None)
        if refresh is not None and refresh.delay_s <= REFRESH_MAX_S and not _only_scrolls(page, refresh.url):
            return refresh
    if "script" in kinds:
        for part in page.delta:
            if part.kind == "pageRedirect":
                return PageRedirect(address_on(page, unquote(part.content)))
        for node in page.nodes("script"):
            script = _LOCATION.search(node.text(deep=True))
            if script:
                return PageRedirect(address_on(page, _ESCAPES.sub(_unescaped, script.group(2))))
    return None


def _refreshes(page: Page) -> Iterator[str]:
    """What the header and the elements of a page say about refreshing it; the first that is valid counts."""
    if header := page.exchange.headers.get("refresh"):
        yield header
    for node in page.nodes("meta[http-equiv][content]"):
        attributes = node.attributes
        if (attributes["http-equiv"] or "").lower() == "refresh":
            yield attributes["content"] or ""


def _refresh(page: Page, text: str) -> PageRedirect | None:
    """HTML Standard, "shared declarative refresh steps". Without an address, the page itself is loaded again."""
    found = _REFRESH.match(text)
    if found is None:
        return None
    delay_s = int((found[1] or "0").lstrip("0")[:9] or 0)  # longer numbers are beyond REFRESH_MAX_S too
    if not found[2]:
        return PageRedirect(page.url, delay_s)
    address = _URL.match(found[2])
    assert address is not None
    url = address_on(page, next(part for part in address.groups() if part is not None))
    return PageRedirect(url, delay_s) if is_sendable(url) else None


def _only_scrolls(page: Page, url: str) -> bool:
    """Whether an address is a place in the same page, for which a browser sends nothing."""
    return "#" in url and without_fragment(url) == without_fragment(page.url)


def _unescaped(match: re.Match[str]) -> str:
    code = match.group(1) or match.group(2)
    return chr(int(code, 16)).encode("utf-8", "replace").decode() if code else match.group(3)  # half a character becomes a question mark
