"""The tree of an answer's markup: HTML with scripts on, XHTML, and XML."""

from __future__ import annotations

import html.entities
import re
from xml.parsers import expat

from selectolax.lexbor import LexborHTMLParser, LexborNode

from harness.pages.bounds import parsed

_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]*;)")
_OF_XML = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})
XHTML = "http://www.w3.org/1999/xhtml"


def html_tree(source: bytes, *, light: bool = False) -> LexborNode | None:
    """The root of HTML in UTF-8; ``light`` if it is known to be. Scripts are on, so what ``<noscript>`` holds is text (HTML, 13.2.6.4.4)."""
    return (_tree(source) if light else parsed(_tree, source)).root


def _tree(source: bytes) -> LexborHTMLParser:
    return LexborHTMLParser(source, scripting=True)


def html_pieces(source: str) -> list[LexborNode]:
    """The elements and texts of a piece of HTML, wherever it may stand in a page."""
    parsed = LexborHTMLParser(source, is_fragment=True, fragment_tag="template", scripting=True)
    pieces = []
    node = parsed.root
    while node is not None:
        pieces.append(node)
        node = node.next
    return pieces


class XmlTree:
    """The elements of XML as one tree; CDATA is text in it.

    As in a browser, the tree ends where the XML is not well formed; ``error`` then says why.
    """

    def __init__(self, source: str) -> None:
        self.root: LexborNode | None = None
        self.error = ""
        self._document = LexborHTMLParser("")
        self._open: list[LexborNode] = []
        self._texts: list[str] = []
        parser = expat.ParserCreate("utf-8")  # what the declaration names does not count any more
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._texts.append
        try:
            parser.Parse(_NAMED.sub(_character, source).encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            self.error = str(error)
            self._flush()

    @property
    def is_xhtml(self) -> bool:
        """Whether its elements are those of HTML."""
        return self.root is not None and self.root.tag == "html" and self.root.attributes.get("xmlns") == XHTML

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._flush()
        node = self._document.create_node(name)
        for key, value in attributes.items():
            node.attrs[key] = value
        if self._open:
            self._open[-1].insert_child(node)
            node = self._open[-1].last_child or node
        else:
            self.root = node
        self._open.append(node)

    def _end(self, name: str) -> None:
        self._flush()
        self._open.pop()

    def _flush(self) -> None:
        if self._texts and self._open:
            self._open[-1].insert_child("".join(self._texts))
        self._texts.clear()


def _character(found: re.Match[str]) -> str:
    """A named character of HTML, which XHTML may use as well."""
    return found[0] if found[1] in _OF_XML else html.entities.html5.get(found[1], found[0])
