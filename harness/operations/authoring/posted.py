"""Reads the body of a recorded request, as browsers and proxies write it into a HAR."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_string
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from harness.catalog.json_file import read_json_text

URLENCODED = "application/x-www-form-urlencoded"
FILE_TYPES = re.compile(
    r"^(?:application/(?:octet-stream|pdf|zip|msword|vnd\.openxmlformats[\w.-]*)|image/[\w.+-]+|video/[\w.+-]+|audio/[\w.+-]+)"
)
_UPLOAD_HEAD = re.compile(r"\A(?:content-[a-z]+:[^\r\n]*\r?\n)+\r?\n", re.IGNORECASE)
_ON_THE_WIRE = re.compile(r"(?:[\w*.+~-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_LOOKS_URLENCODED = re.compile(r"[^\s=&{}<>]+=[^\s=&{}<>]*(?:&[^\s=&{}<>]+=[^\s=&{}<>]*)*")
_FIRST_BOUNDARY = re.compile(r"--([^\s]+)\r?\ncontent-disposition:", re.IGNORECASE)

Attached = Callable[[Mapping[str, Any]], bytes | None]
"""Takes the content or post data of an entry and answers the bytes of the file that stands in for its text; None without one."""


@dataclass(frozen=True, slots=True)
class PostedField:
    """One field of a body; a file has a name instead of a value."""

    name: str
    value: str
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """The body of one request."""

    mime: str = ""
    text: str = ""
    fields: Sequence[PostedField] = ()
    size_bytes: int = 0  # as the capture states it
    lost: bool = False  # a body was sent, and the capture does not hold it
    decoded: bool = False  # the fields stood percent-encoded, and there was no text to compare them with
    taken_for: str = ""  # the type by the looks of the text, where the capture names none

    @property
    def is_file(self) -> bool:
        """Whether the body is a file and nothing else."""
        return FILE_TYPES.match(self.mime) is not None

    @property
    def typed(self) -> Sequence[PostedField]:
        """What a person may have typed: the fields without files, or the texts of a JSON body by their keys."""
        if self.fields or self.text.lstrip()[:1] not in ("{", "["):
            return [item for item in self.fields if item.filename is None]
        return list(_texts_of(read_json_text(self.text, "", []), ""))


def _texts_of(data: Any, name: str) -> Iterator[PostedField]:
    if isinstance(data, str):
        yield PostedField(name, data)
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _texts_of(value, str(key))
    elif isinstance(data, list):
        for value in data:
            yield from _texts_of(value, name)


def read_posted(request: Mapping[str, Any], headers: Mapping[str, str], attached: Attached) -> Posted:
    """The body of a request; ``headers`` have names in lower case. Raises NoBase64Error."""
    given = request.get("postData") or {}
    mime = _in_small_letters(str(given.get("mimeType") or headers.get("content-type", "")))
    raw = attached(given)
    text = str(given.get("text") or "")
    if raw is None and given.get("encoding") == "base64":
        raw = from_base64(text, "request.postData.text")
    if raw is not None:
        text = raw.decode("utf-8", errors="replace")
    taken_for = "" if mime else _type_by_looks(text)
    mime = _with_boundary(mime or taken_for, text)
    text = text if mime.startswith("multipart/") else as_utf8(text)
    text = _UPLOAD_HEAD.sub("", text) if mime.startswith(("multipart/", URLENCODED)) else text  # Firefox: the head of the upload stream
    params = given.get("params") or []
    size = max(_number(headers.get("content-length")), _number(request.get("bodySize")), len(text))
    discarded = "not included" in str(given.get("comment", ""))
    lost = discarded or (not (text or params) and (size > 0 or mime.startswith("multipart/")))
    fields, decoded = ([], False) if lost else _fields(text, mime, params)
    return Posted(mime, text, fields, size, lost, decoded, taken_for)


class NoBase64Error(ValueError):
    """A body is no base64 although its entry says so; the message is its key."""


def from_base64(text: str, key: str) -> bytes:
    """The bytes of a body; raises NoBase64Error with its key."""
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise NoBase64Error(key) from error


def _in_small_letters(mime: str) -> str:
    """A media type whose type knows no case; its parameters do (RFC 9110, section 8.3.1)."""
    kind, semicolon, parameters = mime.partition(";")
    return kind.strip().lower() + semicolon + parameters


def _type_by_looks(text: str) -> str:
    """What a form sends, by the text of a body; empty for any other body."""
    if _FIRST_BOUNDARY.match(text):
        return "multipart/form-data"
    return URLENCODED if _LOOKS_URLENCODED.fullmatch(text) else ""


def _with_boundary(mime: str, text: str) -> str:
    """The type with the boundary that the body begins with, where the capture has left it out."""
    found = _FIRST_BOUNDARY.match(text) if mime.startswith("multipart/") and "boundary=" not in mime.lower() else None
    return f'{mime.rstrip("; ")}; boundary="{found[1]}"' if found else mime


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _fields(text: str, mime: str, params: Sequence[Mapping[str, Any]]) -> tuple[list[PostedField], bool]:
    """The fields; the text decides wherever there is one, because tools differ in whether they decode ``params``."""
    kind = mime.lower()
    if kind.startswith("multipart/") and text:
        return _parts(text, mime), False
    if kind.startswith(URLENCODED) and text:
        return [PostedField(name, value) for name, value in parse_qsl(text, keep_blank_values=True)], False
    if text:
        return [], False
    pairs = [(str(item["name"]), str(item.get("value") or ""), item.get("fileName")) for item in params]
    encoded = kind.startswith(URLENCODED) and any("%" in part for name, value, _ in pairs for part in (name, value))
    if encoded and all(_ON_THE_WIRE.fullmatch(part) for name, value, _ in pairs for part in (name, value)):
        return [PostedField(unquote_plus(name), unquote_plus(value), filename) for name, value, filename in pairs], True
    return [PostedField(*pair) for pair in pairs], False


def _parts(text: str, mime: str) -> list[PostedField]:
    parts = message_from_string(f"Content-Type: {mime}\n\n" + text.replace("\r\n", "\n")).walk()
    named = ((part, part.get_param("name", header="content-disposition")) for part in parts)
    return [
        PostedField(as_utf8(str(name)), as_utf8(str(part.get_payload())), None if (file := part.get_filename()) is None else as_utf8(file))
        for part, name in named
        if name is not None
    ]


def as_utf8(text: str) -> str:
    """A text whose UTF-8 was read as Latin-1: mitmproxy does so where a type names no charset. Any other text as it is."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text
