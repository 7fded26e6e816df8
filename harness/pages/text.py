"""The text of an answer that a citizen can read, and texts to look for in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from selectolax.lexbor import LexborCSSSelector, LexborHTMLParser, LexborNode

from harness.pages.values import MissingValueError

SELECTORS = LexborCSSSelector()  # type: ignore[no-untyped-call]
"""One for all pages: making one for each page costs half as much as parsing the page."""

_SPACES = re.compile(r"\s+")
_NOTHING = ("\xad", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\ufeff")
"""Soft hyphen; zero-width space, non-joiner and joiner; marks of direction; word joiner, byte order mark."""
_HIDDEN = "[hidden], [style*=none i], [style*=hidden i], dialog:not([open])"
_HIDING_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
_TAGS = LexborHTMLParser("")
_TEXT = 2  # Lexbor's number for a text
_SIGNS_SEARCHED = 24
_WHITE = rb"(?:[\t\n\v\f\r\x1c-\x20]|&nbsp;|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)"
_ENDS_OF_WHITE = rb"\t\n\v\f\r\x1c-\x20;\x80-\x8a\x9f\xa0\xa8\xa9\xaf"  # the last byte of each of them
_LATER_LETTER = re.compile(r"(?<= )\S*?([!-~])([^\x00-\x7f])")  # with a mark, which markup has nowhere
_ONE_SPELLING = re.compile(r"[ !#-%(-;=?-_a-~À-ÃÈ-ÊÌÍÒ-ÕÙÚÝà-ãè-êìíò-õùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ]+")
"""Texts of Vietnamese letters and ASCII, without what HTML often writes as references."""
_REFERENCE = re.compile(
    rb"&(?:#(?!3[489];|6[02];)|(?!(?:amp|lt|gt|quot|apos|nbsp|copy|raquo|laquo|hellip);)[A-Za-z][A-Za-z0-9]*;|[A-Za-z]+(?:grave|acute|circ|tilde|uml|shy)|nbsp(?!;))"
)
_OTHER_SPELLINGS = tuple(  # of Kelvin's sign a K is composed
    (pattern[:1], re.compile(pattern))
    for pattern in (b"\xcc", b"\xcd", b"\xc2\xad", b"\xe2(?:\x80[\x8b-\x8f]|\x81\xa0|\x84\xaa)", b"\xef\xbb\xbf", b"\x00")
)
"""Each after its first byte, which most pages lack: one byte is found thirty times faster than a pattern."""


def _numbers(names: str) -> frozenset[int]:
    return frozenset(_TAGS.create_node(name).tag_id for name in names.split())


_UNSEEN = _numbers("area base basefont datalist link meta noembed noframes param rp script style template noscript iframe")
"""HTML, 15.3.1 ("hidden elements") without the title, which a tab shows; and what stands in for scripts and frames: both are on."""
_BLOCKS = _numbers(
    "html body address article aside blockquote br button caption center col colgroup dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr input legend li listing main menu nav ol optgroup"
    " option p plaintext pre search section select summary table tbody td textarea tfoot th thead title tr ul video audio canvas object xmp"
)
"""HTML, 15.3 ("flow content", "tables", "lists"): elements whose text stands apart from the text around them, and ``<br>``."""


class SoughtText:
    """A text to look for in what a citizen can read.

    The text of a page is what is left of its source without tags and hidden parts. So a text that can be read stands in the
    source as a whole, or its beginning stands before a ``<``. The same holds from any later letter on, which then stands after
    the letter before it, a space or a ``>``. A search for both in the bytes spares most pages the reading.
    """

    __slots__ = ("_needed", "text")

    def __init__(self, text: str, *, for_many: bool = True) -> None:
        """``for_many``: many answers are searched, which is worth a second pattern. Raises MissingValueError for a blank text."""
        self.text = " ".join(composed(text).split())
        if not self.text:
            raise MissingValueError("the text to look for is empty")
        is_searched = for_many and _ONE_SPELLING.fullmatch(self.text) is not None
        self._needed = tuple(map(re.compile, _needed(self.text))) if is_searched else ()

    def is_in(self, readable: str) -> bool:
        """Whether the text stands in a squeezed one."""
        return self.text in readable

    def may_be_in(self, source: bytes) -> bool:
        """False where HTML in UTF-8 cannot show the text; ``source`` writes each letter in one way (``is_direct``)."""
        return all(pattern.search(source) is not None for pattern in self._needed)


def _needed(text: str) -> Iterator[bytes]:
    """Patterns for a text from its beginning, and from a letter in a later word on; a page that shows the text holds each."""
    if (later := _LATER_LETTER.search(text)) is not None:
        at = later.start(2)
        letter, before = text[at].encode(), re.escape(later[1].encode()[-1:])
        rest = _beginning(text[at:]).removeprefix(letter)
        yield letter + b"(?<=[>" + before + _ENDS_OF_WHITE + b"]" + letter + b")" + rest  # a search is fast if the letter comes first
    yield _beginning(text)


def _beginning(text: str) -> bytes:
    """A pattern for the first signs of a text: all of them, or some that a ``<`` follows."""
    pattern = b""
    for sign in reversed(text[:_SIGNS_SEARCHED]):
        here = _WHITE + b"+" if sign == " " else re.escape(sign.encode())
        pattern = here + (b"(?:" + _WHITE + b"*<|" + pattern + b")" if pattern else b"")
    return pattern


def is_direct(source: bytes) -> bool:
    """Whether each letter has one spelling in HTML in UTF-8: no references, combining marks or signs that nobody sees."""
    if b"&" in source and _REFERENCE.search(source) is not None:
        return False
    return all(first not in source or pattern.search(source) is None for first, pattern in _OTHER_SPELLINGS)


def is_plainly_shown(root: LexborNode, text: str) -> bool:
    """Whether a text stands as it is in one piece of text that a citizen can read. False says nothing."""
    if '"' in text or "\\" in text:
        return False
    found: list[LexborNode] = SELECTORS.find_first(f':lexbor-contains("{text}")', root)  # type: ignore[attr-defined]  # public
    if not found or not any(text in (piece.text_content or "") for piece in found[0].iter(include_text=True) if piece.tag_id == _TEXT):
        return False
    node: LexborNode | None = found[0]
    while node is not None:
        if node.tag_id in _UNSEEN or hides(node):
            return False
        node = node.parent
    return True


def reads(node: LexborNode, text: SoughtText) -> bool:
    """Whether a citizen can read a text in an element."""
    return text.is_in(squeezed(readable_text(node)))


def composed(text: str) -> str:
    """A text with its marks composed and without characters that nobody sees."""
    text = unicodedata.normalize("NFC", text)
    for sign in _NOTHING:
        if sign in text:
            text = text.replace(sign, "")
    return text


def squeezed(text: str) -> str:
    """A composed text with every run of white space one space."""
    return _SPACES.sub(" ", composed(text))


def readable_text(root: LexborNode, *, is_html: bool = True) -> str:
    """The composed text that a citizen can read in an element; white space stands between blocks, not between inline elements.

    Left out are comments, attributes, scripts, styles, templates, ``<noscript>``, and what ``hidden``, ``style="display: none"``
    or ``visibility: hidden`` hides. Style sheets and scripts are not run, so what they alone hide is read. In XML that is not
    HTML every element stands apart and nothing is hidden.
    """
    hidden = _hidden_within(root) if is_html else frozenset()
    unseen = _UNSEEN if is_html else frozenset()
    pieces: list[str] = []
    after: list[LexborNode | str | None] = []  # where to go on after an element: its next sibling, or white space
    node: LexborNode | str | None = root.first_child
    while True:
        if isinstance(node, LexborNode):
            tag = node.tag_id
            if tag == _TEXT:
                pieces.append(node.text_content or "")
                node = node.next
            elif tag in unseen or (hidden and node.mem_id in hidden):
                node = node.next
            else:
                after.append(node.next)
                if tag in _BLOCKS or not is_html:
                    pieces.append(" ")
                    after.append(" ")
                node = node.first_child
        else:
            if node is not None:
                pieces.append(node)
            if not after:
                return composed("".join(pieces))
            node = after.pop()


def _hidden_within(root: LexborNode) -> frozenset[int]:
    found = SELECTORS.find(_HIDDEN, root)
    if not found:
        return frozenset()
    return frozenset(node.mem_id for node in found if hides(node))


def hides(node: LexborNode) -> bool:
    """Whether an element hides itself and what it holds from a citizen."""
    attributes = node.attributes
    return (
        "hidden" in attributes
        or (node.tag == "dialog" and "open" not in attributes)
        or ("style" in attributes and _HIDING_STYLE.search(attributes["style"] or "") is not None)
    )
