"""An answer as the citizen sees it: markup, JSON and text are read when first asked for, once each."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from typing import Any
from urllib.parse import quote, urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from harness.client import Exchange
from harness.steps.template import MissingValueError

_CHARSET = re.compile(r"charset=[\"']?([\w-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_ENTITY = re.compile(rb"&(?:#x[0-9a-fA-F]{2}|#\d{3}|nbsp;|[A-Za-z](?:grave|acute|circ|tilde|uml|breve);)")
_QUOTED = frozenset("'\"<>&")
_BASE = re.compile(rb"<base\s", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_INDENT = 200  # the longest run of white space between two words of one text that is believed
_TRIALS = 8  # answers in which a text's words are counted
_UNREAD = object()


class Page:
    """One answer. ``url`` is where it came from, after all redirects."""

    __slots__ = (
        "_base",
        "_direct",
        "_found",
        "_json",
        "_plain",
        "_text",
        "_tree",
        "_utf8",
        "body",
        "exchange",
        "is_markup",
        "status",
        "url",
    )

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
        self._utf8: bool | None = None
        self._found: dict[str, LexborNode | None] = {}
        self.is_markup = self.body[:1] == b"<" or self.body[:256].lstrip()[:1] == b"<"  # a browser would show it as a page

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

    def holds(self, text: Needle) -> bool:
        """Whether a text is in the answer, however its letters and spaces are written there."""
        if text.is_in(self.body):
            return True
        if text.is_plain and self._is_plain():
            return False
        return text.squeezed in self.plain

    def _is_plain(self) -> bool:
        """Whether letters can only stand as they are: UTF-8, no entities or escapes of letters, no combining marks."""
        if self._direct is None:
            body = self.body
            combining = b"\xcc" in body or b"\xcd" in body  # U+0300 to U+036F begin with CC or CD
            self._direct = not combining and not (b"\\" in body and b"\\u" in body) and not _has_entities(body) and self._is_utf8()
        return self._direct

    def _is_utf8(self) -> bool:
        if self._utf8 is None:
            found = _CHARSET.search(self.exchange.headers.get("content-type"))
            self._utf8 = found is None or found.group(1).lower() in ("utf-8", "utf8")
        return self._utf8

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
            if _BASE.search(self.body, 0, 4096) is not None:  # it stands at the head of the head
                node = self.tree.css_first("base[href]")
                if node is not None:
                    self._base = resolve(self.url, node.attributes.get("href") or "")
        return self._base

    def nodes(self, selector: str) -> list[LexborNode]:
        """Every element that a selector matches; none where the answer is no markup."""
        return self.tree.css(selector) if self.is_markup else []

    def first(self, selector: str) -> LexborNode | None:
        """The first element that a selector matches."""
        if selector not in self._found:
            self._found[selector] = self.tree.css_first(selector) if self.is_markup else None
        return self._found[selector]


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


class Needle:
    """A text to look for, ready to be found in bytes."""

    __slots__ = ("_after", "_anchor", "_before", "_seen", "_trials", "_whole", "_words", "is_plain", "squeezed")

    def __init__(self, text: str) -> None:
        words = self._words = text.encode().split() or [b""]
        self._seen = [0] * len(words)  # how often each word stood in the first answers
        self._trials = _TRIALS if len(words) > 1 else 0
        self._look_for(words.index(max(words, key=len)))  # the longer, the fewer places to look at
        self._whole = re.compile(rb"\s+".join(map(re.escape, words))) if len(words) > 1 else None
        self.is_plain = _QUOTED.isdisjoint(text)
        self.squeezed = _squeezed(text)

    def is_in(self, body: bytes) -> bool:
        """Whether the text stands in the bytes as it is, with any white space between its words."""
        if self._trials:
            self._learn(body)
        anchor, whole = self._anchor, self._whole
        at = body.find(anchor)
        if whole is None:
            return at >= 0
        while at >= 0:  # looking for one word and then for the rest is several times faster than the pattern alone
            if whole.search(body, max(at - self._before, 0), at + self._after) is not None:
                return True
            at = body.find(anchor, at + 1)
        return False

    def _learn(self, body: bytes) -> None:
        """Which of its words is the rarest on these pages: the fewer places to look at, the sooner it is known."""
        self._trials -= 1
        self._seen = [seen + body.count(word) for seen, word in zip(self._seen, self._words, strict=True)]
        if not self._trials:
            self._look_for(min(range(len(self._words)), key=lambda place: (self._seen[place], -len(self._words[place]))))

    def _look_for(self, place: int) -> None:
        words = self._words
        self._anchor = words[place]
        self._before = sum(map(len, words[:place])) + _INDENT * place
        self._after = sum(map(len, words[place:])) + _INDENT * (len(words) - place)


def _has_entities(body: bytes) -> bool:
    at = body.find(b"&")
    for _ in range(30):  # few ampersands are looked at one by one, many are left to the pattern: whichever is faster
        if at < 0:
            return False
        if _ENTITY.match(body, at) is not None:
            return True
        at = body.find(b"&", at + 1)
    return at >= 0 and _ENTITY.search(body, at) is not None


def _squeezed(text: str) -> str:
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text).replace("\xa0", " "))
