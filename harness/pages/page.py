"""An answer as the citizen sees it: markup, JSON and text are read when they are first asked for, once each."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from selectolax.lexbor import LexborCSSSelector, LexborHTMLParser, LexborNode

from harness.client import Exchange
from harness.origins import resolve
from harness.pages.text import SoughtText, squeezed
from harness.pages.values import MissingValueError

_UTF8 = frozenset({"utf-8", "utf8", ""})
_META_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_ENTITY = re.compile(rb"&(?:#x[0-9a-fA-F]{2}|#(?!3[489];|6[02];)\d{2}|nbsp;|[A-Za-z](?:grave|acute|circ|tilde|uml|breve);)")
"""An entity that stands for a letter. Entities of quotation marks, ``&``, ``<`` and ``>`` do not count: nearly every page has them."""
_UNREAD = object()
_SELECTORS = LexborCSSSelector()  # type: ignore[no-untyped-call]
"""One for all pages: making one for each page costs half as much as parsing the page."""


class Page:
    """One answer. ``url`` is where it came from, after all redirects."""

    __slots__ = ("_base", "_direct", "_found", "_json", "_plain", "_root", "_text", "body", "exchange", "is_markup", "status", "url")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.url = exchange.url
        self.status = exchange.status
        self.body = exchange.body
        self.is_markup = self.body[:256].lstrip()[:1] == b"<"  # a browser would show it as a page
        self._root: LexborNode | None = None
        self._json: Any = _UNREAD
        self._text: str | None = None
        self._plain: str | None = None
        self._base: str | None = None
        self._direct: bool | None = None
        self._found: dict[str, LexborNode | None] = {}

    def _markup(self) -> LexborNode | None:
        """The root of the parsed markup, or None where the answer is not markup."""
        if self._root is None and self.is_markup:
            self._root = LexborHTMLParser(self.body if self._is_utf8() else self.text).root
        return self._root

    @property
    def json(self) -> Any:
        """The parsed JSON; raises MissingValueError where the answer is not JSON."""
        if self._json is _UNREAD:
            try:
                self._json = json.loads(self.body)
            except ValueError as error:
                raise MissingValueError(f"the answer is not JSON ({error})") from None
        return self._json

    @property
    def text(self) -> str:
        """The body as text, by the charset of the Content-Type, else UTF-8, else the charset that the page names."""
        if self._text is None:
            self._text = self._decoded()
        return self._text

    def _decoded(self) -> str:
        named = self.exchange.headers.charset
        names = [named] if named else []
        inner = _META_CHARSET.search(self.body[:2048])
        for name in [*names, "utf-8", *([inner.group(1).decode("ascii")] if inner else [])]:
            try:
                return self.body.decode(name)
            except (LookupError, UnicodeDecodeError):
                continue
        return self.body.decode("utf-8", errors="replace")

    def holds(self, text: SoughtText) -> bool:
        """Whether a text is in the answer, however its letters and spaces are written there."""
        if text.is_in(self.body):
            return True
        if text.is_plain and self.is_direct:
            return False
        return text.squeezed in self.plain

    @property
    def is_direct(self) -> bool:
        """Whether each letter has one spelling in the body: UTF-8, without entities, escapes or combining marks."""
        if self._direct is None:
            body = self.body
            marks = b"\xcc" in body or b"\xcd" in body  # how U+0300 to U+036F begin
            escapes = b"\\" in body and b"\\u" in body  # one byte is found a hundred times faster than two
            self._direct = self._is_utf8() and not marks and not escapes and _ENTITY.search(body) is None
        return self._direct

    def _is_utf8(self) -> bool:
        return self.exchange.headers.charset in _UTF8

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
            self._plain = squeezed(html.unescape(text))
        return self._plain

    @property
    def title(self) -> str:
        """The title, or an empty text."""
        node = self.first("title")
        return "" if node is None else squeezed(node.text(deep=True)).strip()

    @property
    def words(self) -> int:
        """How many words a browser shows: those of the body without scripts, styles and templates; of other answers, all."""
        body = self.first("body")
        if body is None:
            return len(self.text.split())
        return _words(body) - sum(map(_words, all_within(body, "script, style, noscript, template")))

    @property
    def base(self) -> str:
        """What addresses in the page are relative to: its ``<base href>``, or its own URL."""
        if self._base is None:
            node = self.first("base[href]")
            self._base = self.url if node is None else resolve(self.url, node.attributes.get("href") or "")
        return self._base

    def nodes(self, selector: str) -> list[LexborNode]:
        """Every element that a selector matches; none where the answer is not markup."""
        root = self._markup()
        return [] if root is None else all_within(root, selector)

    def first(self, selector: str) -> LexborNode | None:
        """The first element that a selector matches."""
        if selector not in self._found:
            root = self._markup()
            self._found[selector] = None if root is None else first_within(root, selector)
        return self._found[selector]


def _words(node: LexborNode) -> int:
    return len(node.text(deep=True, separator=" ").split())


def all_within(node: LexborNode, selector: str) -> list[LexborNode]:
    """Every element that a selector matches within a node, itself included, in the order of the page."""
    return _SELECTORS.find(selector, node)


def first_within(node: LexborNode, selector: str) -> LexborNode | None:
    """The first element that a selector matches within a node, itself included."""
    found: list[LexborNode] = _SELECTORS.find_first(selector, node)  # type: ignore[attr-defined]  # public, but not in its stub
    return found[0] if found else None
