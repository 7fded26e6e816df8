"""An answer as the citizen sees it: markup, JSON and text are read when first asked for, once each."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from harness.client import Exchange
from harness.steps.template import MissingValueError

_CHARSET = re.compile(r"charset=[\"']?([\w-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_ENTITY = re.compile(rb"&(?:#x[0-9a-fA-F]{2}|#\d{3}|nbsp;|[A-Za-z](?:grave|acute|circ|tilde|uml|breve);)")
_QUOTED = frozenset("'\"<>&")
_SPACES = re.compile(r"\s+")
_UNREAD = object()


class Page:
    """One answer. ``url`` is where it came from, after all redirects."""

    __slots__ = ("_base", "_direct", "_json", "_plain", "_text", "_tree", "body", "exchange", "status", "url")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.url = exchange.url
        self.status = exchange.status
        self.body = exchange.body
        self._tree: LexborHTMLParser | None = None
        self._json: Any = _UNREAD
        self._text: str | None = None
        self._plain: str | None = None
        self._base: str | None = None
        self._direct: bool | None = None

    @property
    def is_markup(self) -> bool:
        """Whether a browser would show it as a page."""
        return self.body[:256].lstrip()[:1] == b"<"

    @property
    def tree(self) -> LexborHTMLParser:
        """The parsed markup."""
        if self._tree is None:
            self._tree = LexborHTMLParser(self.body if self._is_utf8() else self.text)
        return self._tree

    @property
    def json(self) -> Any:
        """The parsed JSON; raises MissingValueError where it is none."""
        if self._json is _UNREAD:
            try:
                self._json = json.loads(self.body)
            except ValueError as error:
                raise MissingValueError(f"the answer is not JSON ({error})") from None
        return self._json

    @property
    def text(self) -> str:
        """The body as text, by the charset that the answer names, else UTF-8, else what the page itself says."""
        if self._text is None:
            self._text = self._decoded()
        return self._text

    def _decoded(self) -> str:
        found = _CHARSET.search(self.exchange.headers.get("content-type"))
        names = [found.group(1)] if found else []
        inner = _META_CHARSET.search(self.body[:2048])
        for name in [*names, "utf-8", *([inner.group(1).decode("ascii")] if inner else [])]:
            try:
                return self.body.decode(name)
            except (LookupError, UnicodeDecodeError):
                continue
        return self.body.decode("utf-8", errors="replace")

    def holds(self, text: str, raw: bytes) -> bool:
        """Whether a text (``raw`` is its UTF-8) is in the answer, however its letters and spaces are written there."""
        if raw in self.body:
            return True
        if self._is_plain() and _QUOTED.isdisjoint(text):
            return b" " in raw and _spaced(raw).search(self.body) is not None
        return _squeezed(text) in self.plain

    def _is_plain(self) -> bool:
        """Whether letters can only stand as they are: UTF-8, no entities or escapes of letters, no combining marks."""
        if self._direct is None:
            body = self.body
            written_otherwise = _ENTITY.search(body) is not None or b"\\u" in body
            combining = b"\xcc" in body or b"\xcd" in body  # U+0300 to U+036F begin with CC or CD
            self._direct = not written_otherwise and not combining and self._is_utf8()
        return self._direct

    def _is_utf8(self) -> bool:
        found = _CHARSET.search(self.exchange.headers.get("content-type"))
        return found is None or found.group(1).lower() in ("utf-8", "utf8")

    @property
    def plain(self) -> str:
        """The text with entities and escapes resolved, marks composed, and every run of white space one space."""
        if self._plain is None:
            text = self.text
            if self.body.lstrip()[:1] in (b"{", b"[", b'"'):
                try:
                    text = json.dumps(json.loads(self.body), ensure_ascii=False)
                except ValueError:
                    text = self.text
            self._plain = _squeezed(html.unescape(text))
        return self._plain

    @property
    def base(self) -> str:
        """What addresses in the page are relative to: its ``<base href>``, or its own URL."""
        if self._base is None:
            self._base = self.url
            if b"<base" in self.body or b"<BASE" in self.body:
                node = self.tree.css_first("base[href]")
                if node is not None:
                    self._base = resolve(self.url, node.attributes.get("href") or "")
        return self._base

    def nodes(self, selector: str) -> list[LexborNode]:
        """Every element that a selector matches; none where the answer is no markup."""
        return self.tree.css(selector) if self.is_markup else []

    def first(self, selector: str) -> LexborNode | None:
        """The first element that a selector matches."""
        return self.tree.css_first(selector) if self.is_markup else None


def resolve(base: str, reference: str) -> str:
    """An address in a page or a Location as an absolute URL without fragment, spelled as a browser would send it."""
    reference = reference.strip()
    if reference.startswith(("http://", "https://")):
        url = reference
    elif reference[:1] == "/" and reference[1:2] != "/":
        end = base.find("/", 8)
        url = (base if end < 0 else base[:end]) + reference
    else:
        url = urljoin(base, reference)
    at = url.find("#")
    if at >= 0:
        url = url[:at]
    if not url.isascii() or " " in url:
        url = quote(url, safe="%/:=&?~#+!$,;'@()*[]|")
    return url


@lru_cache(maxsize=1024)
def _spaced(raw: bytes) -> re.Pattern[bytes]:
    """A text whose spaces may be any white space."""
    return re.compile(rb"\s+".join(map(re.escape, raw.split())))


def _squeezed(text: str) -> str:
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text).replace("\xa0", " "))
