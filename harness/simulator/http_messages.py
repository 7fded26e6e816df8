"""HTTP requests and answers as handlers see them: fields, files, cookies, and bodies as bytes."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from python_multipart.multipart import Field, File, FormParser, parse_options_header


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart form."""

    name: str
    media_type: str
    content: bytes


@dataclass(slots=True)
class PostedForm:
    """The fields and the files of a request's body, in the order they were sent."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[Upload]] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The first value, stripped; "" where there is none."""
        values = self.fields.get(name)
        return values[0].strip() if values else ""

    def upload(self, name: str) -> Upload | None:
        """The first file of this field that is not empty."""
        return next((item for item in self.files.get(name, ()) if item.content), None)


class ReceivedRequest:
    """One request with its whole body; query, headers and form are parsed on first use."""

    def __init__(self, method: str, path: str, query_string: bytes, headers: list[tuple[bytes, bytes]], body: bytes, number: int) -> None:
        self.method = method
        self.path = path
        self.query_string = query_string
        self.raw_headers = headers
        self.body = body
        self.number = number
        self.parts: tuple[str, ...] = ()  # the path segments that the route's pattern matched

    @cached_property
    def query(self) -> dict[str, str]:
        """Query fields by name; the last value where a name is repeated."""
        return dict(parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True))

    @cached_property
    def headers(self) -> dict[str, str]:
        """Headers by lower-case name; the last value where a name is repeated, but cookies are joined."""
        found: dict[str, str] = {}
        for raw_name, raw_value in self.raw_headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            found[name] = f"{found[name]}; {value}" if name == "cookie" and name in found else value
        return found

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Cookies by name."""
        pairs = (item.partition("=") for item in self.headers.get("cookie", "").split(";"))
        return {name.strip(): value.strip() for name, sign, value in pairs if sign}

    @cached_property
    def form(self) -> PostedForm:
        """The body as a form, urlencoded or multipart; empty where it is neither."""
        kind, options = parse_options_header(self.headers.get("content-type", ""))
        if kind == b"multipart/form-data" and b"boundary" in options:
            return _multipart(self.body, options[b"boundary"])
        form = PostedForm()
        if kind == b"application/x-www-form-urlencoded":
            for name, value in parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True):
                form.fields.setdefault(name, []).append(value)
        return form

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        return json_object(self.body)


@dataclass(slots=True)
class Answer:
    """Status, headers and body of an HTTP answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""

    def with_cookie(self, name: str, value: str, *, max_age: int | None = None) -> Answer:
        """The same answer that also sets a cookie."""
        age = "" if max_age is None else f"; Max-Age={max_age}"
        self.headers.append((b"set-cookie", f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}".encode()))
        return self

    def padded(self, least_bytes: int) -> Answer:
        """The same page, padded to a size by a comment; what is no HTML page stays as it is."""
        missing = least_bytes - len(self.body)
        if missing <= 0 or not dict(self.headers).get(b"content-type", b"").startswith(b"text/html"):
            return self
        kept = [(name, value) for name, value in self.headers if name != b"content-length"]
        body = self.body + b"<!--" + b"." * max(missing - 7, 0) + b"-->"
        return Answer(self.status, [*kept, (b"content-length", str(len(body)).encode())], body)


class EarlyAnswer(Exception):  # noqa: N818  (an answer, not an error)
    """Ends a handler: the client gets this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_object(text: bytes | str) -> dict[str, Any]:
    """The JSON object in ``text``; empty where there is none, or where it cannot be written as UTF-8."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # json reads half a surrogate pair, but SQLite cannot store it
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def whole_number(text: object, default: int) -> int:
    """The whole number from 0 that a field holds, or ``default``; more than 15 digits do not fit a database column."""
    shown = str(text)
    return int(shown) if shown.isascii() and shown.isdigit() and len(shown) <= 15 else default


def html(body: bytes | str, status: int = 200) -> Answer:
    """An HTML answer."""
    return _typed(body.encode() if isinstance(body, str) else body, b"text/html; charset=utf-8", status)


def json_answer(value: object, status: int = 200) -> Answer:
    """A JSON answer in UTF-8; Vietnamese letters are not escaped."""
    return _typed(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), b"application/json; charset=utf-8", status)


def redirect(location: str, status: int = HTTPStatus.FOUND) -> Answer:
    """A redirect without a body."""
    safe = quote(location, safe=":/?#[]@!$&'()*+,;=%-._~")
    return Answer(int(status), [(b"location", safe.encode()), (b"content-length", b"0")])


def _typed(body: bytes, kind: bytes, status: int) -> Answer:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), (b"content-length", str(len(body)).encode())]
    return Answer(status, headers, body)


def _multipart(body: bytes, boundary: bytes) -> PostedForm:
    fields: list[Field] = []
    files: list[File] = []
    parser = FormParser("multipart/form-data", fields.append, files.append, boundary=boundary, config={"MAX_MEMORY_FILE_SIZE": math.inf})
    try:
        parser.write(body)
        parser.finalize()
    except ValueError:  # python-multipart's parse errors: a broken body has no fields
        return PostedForm()
    form = PostedForm()
    for field_ in fields:
        form.fields.setdefault(_text(field_.field_name), []).append(_text(field_.value))
    for file in files:
        file.file_object.seek(0)
        upload = Upload(_text(file.file_name), file.content_type or "application/octet-stream", file.file_object.read())
        form.files.setdefault(_text(file.field_name), []).append(upload)
    return form


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")
