"""An answer as the citizen sees it: markup, JSON and text are read when they are first asked for, once each."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from selectolax.lexbor import LexborNode

from harness.client import Exchange
from harness.origins import is_sendable, resolve
from harness.pages.bounds import beyond_bounds_of_html, beyond_bounds_of_json, beyond_bounds_of_xml, beyond_size, is_light
from harness.pages.delta_response import DeltaPart, apply_delta, delta_parts, delta_tree, may_be_delta
from harness.pages.encodings import UTF_8, decoded_text
from harness.pages.markup import XmlTree, html_tree
from harness.pages.media import MediaKind, MediaType, encoding_of, kind_of, may_be_json, media_type
from harness.pages.once import Once
from harness.pages.partial_response import apply_changes, is_partial_response, parse_contents, shown_text
from harness.pages.text import SELECTORS, SoughtText, is_direct, is_plainly_shown, readable_text, squeezed
from harness.pages.values import MissingValueError

_GUARD = re.compile(r"\)\]\}',?\n")
"""What some servers write before JSON so that it is no script; Angular's ``HttpClient`` takes exactly this off."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""The escape of half a character; one without its other half can be sent nowhere."""
_DOCUMENTS = frozenset({MediaKind.HTML, MediaKind.XHTML})


class Page:
    """One answer. ``url`` is where it came from, after all redirects; ``changes`` are partial responses that came later."""

    def __init__(self, exchange: Exchange, changes: Sequence[Page] = ()) -> None:
        self.exchange = exchange
        self.url = exchange.url
        self.status = exchange.status
        self.body = exchange.body
        self._changes = changes
        self._found: dict[str, LexborNode | None] = {}

    @Once
    def media_type(self) -> MediaType:
        """The media type and charset that the headers name."""
        return media_type(self.exchange.headers)

    @Once
    def _declared(self) -> MediaKind:
        """What the answer is by its headers and first bytes."""
        essence = self.media_type.essence
        nosniff = not essence and self.exchange.headers.get("x-content-type-options").lower() == "nosniff"
        return kind_of(essence, self.body, nosniff=nosniff)

    @property
    def beyond_bounds(self) -> str:
        """The bound on the work of reading an answer that this one exceeds, in words; empty where it may be read."""
        if not self.body:
            return ""
        kind = self._declared
        if kind is MediaKind.HTML:
            of_html = "" if self._is_light else beyond_bounds_of_html(self.body)
            return of_html or (beyond_bounds_of_json(self.body) if may_be_json(kind, self.body) else "")
        if kind in {MediaKind.XML, MediaKind.XHTML}:
            return beyond_bounds_of_xml(self.body)
        if kind is MediaKind.JSON or may_be_json(kind, self.body):
            return beyond_bounds_of_json(self.body)
        if kind is MediaKind.TEXT and may_be_delta(self.body):
            return beyond_bounds_of_html(self.body)
        return beyond_size(self.body) if kind is MediaKind.TEXT else ""

    @Once
    def _is_light(self) -> bool:
        return is_light(self.body)

    @Once
    def kind(self) -> MediaKind:
        """What the answer is; JSON also where it is sent as a page or as text."""
        kind = self._declared
        if kind is MediaKind.XML and self._xml.is_xhtml:
            return MediaKind.XHTML
        return MediaKind.JSON if may_be_json(kind, self.body) and self._is_json() else kind

    @Once
    def is_markup(self) -> bool:
        """Whether the answer has elements: HTML, XHTML, XML or a delta response. HTML without any tag has none."""
        return (b"<" in self.body and (self.kind in _DOCUMENTS or self.kind is MediaKind.XML)) or bool(self.delta)

    @property
    def is_document(self) -> bool:
        """Whether a browser shows the answer in place of the page before; XML and JSON are read by scripts."""
        return self.is_markup and self.kind in _DOCUMENTS

    @Once
    def delta(self) -> tuple[DeltaPart, ...]:
        """The parts of a delta response of ASP.NET, which is sent as plain text; none where the answer is another one."""
        return delta_parts(self.text) if self.kind is MediaKind.TEXT and may_be_delta(self.body) else ()

    @property
    def fault(self) -> str:
        """Why the rest of an answer in XML or XHTML cannot be read; empty where all of it can."""
        return self._xml.error if self.kind in {MediaKind.XML, MediaKind.XHTML} else ""

    @property
    def is_partial(self) -> bool:
        """Whether the answer changes parts of the page that is shown (Jakarta Faces, ASP.NET)."""
        return bool(self.delta) or (self.kind is MediaKind.XML and not self._xml.error and is_partial_response(self._xml.root))

    def changed_by(self, partial: Page) -> Page:
        """The page after a partial response."""
        return Page(self.exchange, (*self._changes, partial))

    @Once
    def _encoding(self) -> tuple[str, int]:
        return encoding_of(self.kind, self.media_type.charset, self.body)

    @property
    def encoding(self) -> str:
        """The name of the encoding of the text, by the Encoding Standard; forms of the page are sent in it."""
        return self._encoding[0]

    @Once
    def text(self) -> str:
        """The answer as it was sent, decoded."""
        encoding, mark_bytes = self._encoding
        return decoded_text(self.body[mark_bytes:], encoding)

    @Once
    def _root(self) -> LexborNode | None:
        """The root of the parsed markup, or None where the answer is not markup."""
        if not self.is_markup:
            return None
        if self.delta:
            return delta_tree(self.delta)
        if self.kind is MediaKind.HTML:
            encoding, mark_bytes = self._encoding
            is_utf8 = encoding == UTF_8
            root = html_tree(self.body[mark_bytes:], light=self._is_light) if is_utf8 else html_tree(self.text.encode())
        else:
            root = self._xml.root
        for partial in self._changes:
            if root is not None and partial.delta:
                apply_delta(root, partial.delta)
            elif root is not None and partial._root is not None:  # noqa: SLF001  (a page of its own class)
                apply_changes(root, partial._root)  # noqa: SLF001
        return root

    @Once
    def _xml(self) -> XmlTree:
        encoding, mark_bytes = encoding_of(MediaKind.XML, self.media_type.charset, self.body)
        tree = XmlTree(decoded_text(self.body[mark_bytes:], encoding))
        if is_partial_response(tree.root) and tree.root is not None:
            parse_contents(tree.root)
        return tree

    @Once
    def json(self) -> Any:
        """The parsed JSON, whatever type the answer names; raises MissingValueError where it is not JSON."""
        encoding, mark_bytes = encoding_of(MediaKind.JSON, self.media_type.charset, self.body)
        text = decoded_text(self.body[mark_bytes:], encoding)
        guard = _GUARD.match(text)
        try:
            data = json.loads(text[guard.end() :] if guard is not None else text, parse_constant=_no_constant)
            if _SURROGATE.search(text) is not None:
                json.dumps(data, ensure_ascii=False).encode()
        except ValueError as error:
            raise MissingValueError(f"the answer is not JSON ({error})") from None
        except RecursionError:
            raise MissingValueError("the answer is JSON with too many levels") from None
        return data

    def _is_json(self) -> bool:
        try:
            return self.json is not NotImplemented
        except MissingValueError:
            return False

    @Once
    def readable(self) -> str:
        """The text that a citizen can read, its marks composed and its white space squeezed; see docs/profiles.md.

        Of markup, what is shown of it. Of JSON, the answer as it was sent, its texts without escapes and entities, and what is
        shown of the HTML in them. Of everything else, all.
        """
        if self.is_markup and self._root is not None:
            if self.is_partial and not self.delta:
                return squeezed(shown_text(self._root))
            return squeezed(readable_text(self._root, is_html=self.kind is not MediaKind.XML))
        if self.kind is MediaKind.JSON and self._is_json() and any(sign in self.text for sign in "\\&<"):
            texts = list(_texts(self.json))
            sources = [text.encode("utf-8", "replace") for text in texts if "<" in text]
            trees = map(html_tree, sources if not beyond_bounds_of_html(b"".join(sources)) else ())
            shown = " ".join([readable_text(tree) for tree in trees if tree is not None])
            return squeezed(f"{self.text}\n{html.unescape(' '.join(texts))}\n{shown}")
        return squeezed(self.text)

    def holds(self, text: SoughtText | str) -> bool:
        """Whether a citizen can read a text in the answer, with any white space between its words."""
        sought = text if isinstance(text, SoughtText) else None
        if self._is_direct and sought is not None and not sought.may_be_in(self.body):
            return False
        plain = text if isinstance(text, str) else text.text
        if self.kind is MediaKind.HTML and self._root is not None and is_plainly_shown(self._root, plain):
            return True
        return (sought or SoughtText(plain, for_many=False)).is_in(self.readable)

    def holds_in_any_case(self, text: str) -> bool:
        """Whether a citizen can read a text in the answer, whatever letters are capitals."""
        return SoughtText(text, for_many=False).text.casefold() in self.readable.casefold()

    @Once
    def _is_direct(self) -> bool:
        return self.kind is MediaKind.HTML and self.encoding == UTF_8 and not self._changes and is_direct(self.body)

    @property
    def title(self) -> str:
        """The title, or an empty text."""
        node = self.first("title")
        return "" if node is None else squeezed(node.text(deep=True)).strip()

    @property
    def words(self) -> int:
        """How many words a browser shows: those of the body that can be read; of other answers, all."""
        body = self.first("body")
        return len((self.text if body is None else readable_text(body)).split())

    @Once
    def base(self) -> str:
        """What addresses in the page are relative to: its ``<base href>``, or its own URL."""
        node = self.first("base[href]")
        base = self.url if node is None else resolve(self.url, node.attributes.get("href") or "")
        return base if is_sendable(base) else self.url

    def nodes(self, selector: str) -> list[LexborNode]:
        """Every element that a selector matches; none where the answer is not markup."""
        root = self._root
        return [] if root is None else all_within(root, selector)

    def first(self, selector: str) -> LexborNode | None:
        """The first element that a selector matches."""
        if selector not in self._found:
            root = self._root
            self._found[selector] = None if root is None else first_within(root, selector)
        return self._found[selector]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no value of JSON")


def _texts(data: Any) -> Iterator[str]:
    """Every text in JSON, also those that are keys."""
    left = [data]
    while left:
        item = left.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            left.extend(item.values())
            left.extend(item)
        elif isinstance(item, list):
            left.extend(item)


def all_within(node: LexborNode, selector: str) -> list[LexborNode]:
    """Every element that a selector matches within a node, itself included, in the order of the page."""
    return SELECTORS.find(selector, node)


def first_within(node: LexborNode, selector: str) -> LexborNode | None:
    """The first element that a selector matches within a node, itself included."""
    found: list[LexborNode] = SELECTORS.find_first(selector, node)  # type: ignore[attr-defined]  # public, but not in its stub
    return found[0] if found else None
