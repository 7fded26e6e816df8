"""What an answer is: its kind, and the encoding of its text, as browsers decide them.

Markup, texts, JSON, XML, forms and rules on the content type all ask here. Section numbers are those of the Fetch, MIME
Sniffing and HTML Standards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser

from harness.client.exchange import Headers
from harness.pages.bounds import parsed
from harness.pages.encodings import DEFAULT, UTF_8, UTF_16, encoding_of_label, encoding_of_mark

PRESCANNED_BYTES = 1024


class MediaKind(StrEnum):
    """What is done with an answer."""

    HTML = "html"
    XHTML = "xhtml"  # XML with the elements of HTML
    XML = "xml"
    JSON = "json"
    TEXT = "text"
    OTHER = "other"  # a picture, a PDF, a download


class MediaType(NamedTuple):
    """A media type without its parameters, in small letters, and the label of its charset; both empty where none is named."""

    essence: str
    charset: str

    def is_like(self, wanted: str) -> bool:
        """Whether the type begins as a wanted one does, in any case of letters; a charset is compared by its encoding."""
        essence, _, parameters = wanted.partition(";")
        named = parsed_media_type(f"a/a;{parameters}")
        charset = named.charset if named is not None else ""
        return self.essence.startswith(essence.strip().lower()) and (
            not charset or encoding_of_label(charset) == encoding_of_label(self.charset)
        )


_NO_TYPE = MediaType("", "")
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_ESSENCE = re.compile(rf"[\t\n\r ]*({_WORD}/{_WORD})[\t\n\r ]*(?:;|$)")
_PARAMETER = re.compile(rf'[\t\n\r ]*({_WORD})=(?:"((?:[^"\\]|\\.)*)"?[^;]*|([^;]*))(?:;|$)|[^;]*(?:;|$)', re.DOTALL)
_ONE_FIELD = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
_SCRIPTS = frozenset({"application/javascript", "application/x-javascript", "application/ecmascript"})
_MAYBE_JSON = b'{["'
_BLANKS = b"\t\n\f\r "
_HTML_START = re.compile(
    rb"[\t\n\f\r ]*(?:<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[ >]|<!--)", re.IGNORECASE
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_MEDIA_MAGIC = (b"%PDF-", b"%!PS-Adobe-", b"GIF8", b"\x89PNG", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b\x08", b"Rar!", b"RIFF", b"BM")


def media_type(headers: Headers) -> MediaType:
    """The media type of an answer (Fetch, 2.2.2, "extract a MIME type"): of several the last; a charset stays while the type does."""
    return _extracted(tuple(headers.get_all("content-type")))


@lru_cache(maxsize=512)
def _extracted(fields: tuple[str, ...]) -> MediaType:
    found = _NO_TYPE
    for field in fields:
        for value in _ONE_FIELD.findall(field):
            parsed = parsed_media_type(value)
            if parsed is None or parsed.essence == "*/*":
                continue
            keeps = parsed.essence == found.essence and not parsed.charset
            found = found if keeps else parsed
    return found


def parsed_media_type(value: str) -> MediaType | None:
    """One value (MIME Sniffing, 4.4, "parse a MIME type"); None where it is no media type."""
    start = _ESSENCE.match(value)
    if start is None:
        return None
    charset, at = "", start.end()
    while at < len(value):
        found = _PARAMETER.match(value, at)
        assert found is not None  # the last alternative matches anything
        if not charset and found[1] and found[1].lower() == "charset":
            charset = re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3].rstrip("\t\n\r ")
        at = found.end()
    return MediaType(start[1].lower(), charset)


def kind_of(essence: str, body: bytes, *, nosniff: bool) -> MediaKind:
    """The kind by the media type; by the first bytes only where no type is named (MIME Sniffing, 7).

    HTML that is sent as plain text is text: a browser shows its source.
    """
    if not essence or essence in {"unknown/unknown", "application/unknown"}:
        return _sniffed(body, scriptable=not nosniff)
    if essence == "text/html":
        return MediaKind.HTML
    if essence == "application/xhtml+xml":
        return MediaKind.XHTML
    if essence.endswith("+xml") or essence in {"text/xml", "application/xml"}:
        return MediaKind.XML
    if essence.endswith("+json") or essence in {"text/json", "application/json"}:
        return MediaKind.JSON
    return MediaKind.TEXT if essence.startswith("text/") or essence in _SCRIPTS else MediaKind.OTHER


def may_be_json(kind: MediaKind, body: bytes) -> bool:
    """Whether an answer that is sent as a page or as text begins like JSON. Scripts read it as JSON all the same."""
    return kind in {MediaKind.HTML, MediaKind.TEXT} and body[:64].lstrip(_BLANKS + b"\xef\xbb\xbf")[:1] in _MAYBE_JSON


def _sniffed(body: bytes, *, scriptable: bool) -> MediaKind:
    """The kind of an answer without a type (MIME Sniffing, 7.1, "identifying an unknown MIME type")."""
    if scriptable and _HTML_START.match(body):
        return MediaKind.HTML
    if scriptable and body.lstrip(_BLANKS).startswith(b"<?xml"):
        return MediaKind.XML
    if body.startswith(_MEDIA_MAGIC):
        return MediaKind.OTHER
    encoding, _ = encoding_of_mark(body)
    return MediaKind.TEXT if encoding is not None or _BINARY.search(body[:1445]) is None else MediaKind.OTHER


def encoding_of(kind: MediaKind, charset: str, body: bytes) -> tuple[str, int]:
    """The name of the encoding of an answer's text, and the length of its byte order mark.

    HTML, 13.2.3.2 ("determining the character encoding"): a byte order mark, the charset of the Content-Type, the page's own
    ``<meta>``, and where nothing names one UTF-8 for bytes that are valid UTF-8 (step 8 allows this), else windows-1258
    (step 9, the line for Vietnamese). XML names its own in its declaration; it and JSON are UTF-8 otherwise.
    """
    marked, mark_bytes = encoding_of_mark(body)
    if marked is not None:
        return marked, mark_bytes
    named = encoding_of_label(charset) if charset else None
    if named is None and kind is MediaKind.HTML:
        named = _prescanned(body[:PRESCANNED_BYTES]) or _named_later(body)
    elif named is None and kind in {MediaKind.XML, MediaKind.XHTML}:
        named = _xml_declared(body) or UTF_8
    if named is None:
        named = UTF_8 if kind is MediaKind.JSON or _is_utf8(body) else DEFAULT
    return named, 0


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


_DECLARED = re.compile(rb"<\?xml(?=[\t\n\r ])[^>]*?\bencoding[\t\n\r ]*=[\t\n\r ]*(?:\"([^\"]*)\"|'([^']*)')")


def _xml_declared(body: bytes) -> str | None:
    """The encoding of an XML declaration (HTML, 13.2.3.2, "get an XML encoding"); UTF-16 that can be read so is not UTF-16."""
    found = _DECLARED.match(body[:PRESCANNED_BYTES])
    if found is None:
        return None
    named = encoding_of_label((found[1] or found[2] or b"").decode("latin-1"))
    return UTF_8 if named in UTF_16 else named


_ATTRIBUTE = re.compile(
    rb"[\t\n\f\r /]*(?:(>)|([^\t\n\f\r />][^\t\n\f\r />=]*)(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:\"([^\"]*)\"|'([^']*)'|([^\t\n\f\r >]*)))?)"
)
_TAG = re.compile(rb"<!--|<(?:(meta)(?=[\t\n\f\r /])|/?[A-Za-z][^\t\n\f\r >]*|[!/?])", re.IGNORECASE)
_IN_CONTENT = re.compile(r"charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:\"([^\"]*)\"|'([^']*)'|([^\t\n\f\r ;\"'][^\t\n\f\r ;]*))", re.IGNORECASE)


def _prescanned(head: bytes) -> str | None:
    """The encoding that a page names in its first bytes (HTML, 13.2.3.2, "prescan a byte stream"): comments do not count."""
    if head.startswith((b"<\x00?\x00x\x00", b"\x00<\x00?\x00x")):
        return "UTF-16LE" if head.startswith(b"<") else "UTF-16BE"
    at = 0
    while (tag := _TAG.search(head, at)) is not None:
        if tag[0] == b"<!--":
            at = head.find(b"-->", tag.start() + 2) + 3
            if at < 3:
                break
        elif tag[0] in {b"<!", b"</", b"<?"}:
            at = head.find(b">", tag.end()) + 1
            if not at:
                break
        else:
            attributes, at = _attributes(head, tag.end())
            if tag[1] and (named := _named_by_meta(attributes)) is not None:
                return named
    return _xml_declared(head)


def _attributes(head: bytes, at: int) -> tuple[Mapping[str, str | None], int]:
    """The attributes of a tag from here on, the first of a name; and where the tag ends."""
    attributes: dict[str, str | None] = {}
    while (found := _ATTRIBUTE.match(head, at)) is not None:
        at = found.end()
        if found[1]:
            break
        name, value = found[2], found[3] or found[4] or found[5] or b""
        attributes.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return attributes, at


def _named_by_meta(attributes: Mapping[str, str | None]) -> str | None:
    """The encoding that a ``<meta>`` names: in ``charset``, or in ``content`` beside ``http-equiv=content-type``."""
    label = attributes.get("charset")
    if label is None and (attributes.get("http-equiv") or "").lower() == "content-type":
        found = _IN_CONTENT.search(attributes.get("content") or "")
        label = (found[1] or found[2] or found[3]) if found is not None else None
    named = encoding_of_label(label) if label is not None else None
    if named in UTF_16:  # the tag could not be read if that were true
        return UTF_8
    return "windows-1252" if named == "x-user-defined" else named


def _named_later(body: bytes) -> str | None:
    """The encoding that a ``<meta>`` after the first bytes names: the browser begins anew (HTML, 13.2.3.5, "changing the encoding")."""
    if b"charset" not in body and b"CHARSET" not in body:
        return None
    nodes = parsed(LexborHTMLParser, body).css("meta")
    return next((named for node in nodes if (named := _named_by_meta(node.attributes)) is not None), None)
