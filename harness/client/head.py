"""The head of an answer: where it ends, its status, and what it says about the length of the body.

As tolerant as Chromium (net/http/http_util.cc, http_response_headers.cc, http_stream_parser.cc), because an answer that a
citizen's browser shows is not broken. Accepted: bare line feeds, folded fields, a blank before the colon, up to four bytes
before ``HTTP``, repeated equal lengths, a length beside ``chunked``. Rejected: no status line, different lengths or
locations, a head without an end.
"""

from __future__ import annotations

import re

from harness.client.exchange import ExchangeError
from harness.records import Outcome

UNTIL_CLOSE = -1
CHUNKED = -2
SLOP_BYTES = 4  # what Chromium skips before "HTTP"

_NEVER_A_BODY = frozenset({204, 205, 304})
_STATUSES = {b"http/1.%d %d " % (minor, status): (minor == 1, status) for minor in (0, 1) for status in range(100, 600)}
_STATUS_LINE = re.compile(rb"http(?:/(\d)\.(\d))?[^ \t\n]*[ \t]*(\d*)")
# One pass finds the fields that are needed here; a match without a name means that the slower reading is needed.
_FRAMING = re.compile(
    rb"\n(?:(c(?:onnection|ontent-length|ontent-encoding)|transfer-encoding|se(?:t-cookie|rver-timing)|location|keep-alive)[ \t]*:([^\n]*)|[ \t\n]|\r\n)"
)
_IDLE_LIMIT = re.compile(rb"timeout=(\d{1,6})")
_ODD = (b"", b"")
_FOLD = re.compile(rb"\r?\n[ \t]+")

Fields = list[tuple[bytes, bytes]]


class Head:
    """One head: its ``status``, and what follows from it.

    ``end`` is the offset of the body, ``raw`` what ``Headers`` splits, ``length`` the size of the body (or CHUNKED, or
    UNTIL_CLOSE), ``encodings`` the values of Content-Encoding in lower case, ``idle_limit_s`` how long the server
    promises to keep an idle connection (0: no promise), ``tells_timing`` whether there is a Server-Timing.
    """

    __slots__ = ("encodings", "end", "idle_limit_s", "keep_alive", "length", "raw", "sets_cookies", "status", "tells_timing")

    def __init__(self, raw: bytes, low: bytes, end: int, fields: Fields, *, bodiless: bool) -> None:
        self.raw = raw
        self.end = end
        self.sets_cookies = self.tells_timing = False
        self.idle_limit_s = 0
        self.encodings: tuple[bytes, ...] = ()
        modern, self.status = _STATUSES.get(low[:13]) or _status_line(low)
        connection = length = transfer = location = b""
        for name, value in fields:
            if name == b"content-length":
                length = length + b"," + value if length else value
            elif name == b"connection":
                connection += value
            elif name == b"set-cookie":
                self.sets_cookies = True
            elif name == b"content-encoding":
                self.encodings = (*self.encodings, value)
            elif name == b"transfer-encoding":
                transfer += b"," + value
            elif name == b"keep-alive":
                self.idle_limit_s = int(limit[1]) if (limit := _IDLE_LIMIT.search(value)) else 0
            elif name == b"server-timing":
                self.tells_timing = True
            elif location and value.strip() != location:
                raise ExchangeError(Outcome.PROTOCOL, "several Location fields that differ")
            else:
                location = value.strip()
        if not connection:
            self.keep_alive = modern
        else:
            self.keep_alive = b"close" not in connection if modern else b"keep-alive" in connection
        if bodiless or self.status in _NEVER_A_BODY:
            self.length = 0
        elif modern and transfer and b"chunked" in {token.strip() for token in transfer.split(b",")}:
            self.length = CHUNKED
        elif length:
            self.length = _content_length(length)
        else:
            self.length = UNTIL_CLOSE


def read_head(data: bytes, *, bodiless: bool) -> Head | None:
    """The head that ``data`` begins with, or None where its end is missing; raises ExchangeError (protocol)."""
    end = data.find(b"\r\n\r\n") + 4
    if end > 3 and data.startswith(b"HTTP"):
        raw = data[:end]
        low = raw.lower()
        fields: Fields = _FRAMING.findall(low, 0, end - 2)
        if _ODD not in fields:
            return Head(raw, low, end, fields, bodiless=bodiless)
    return _odd_head(data, bodiless)


def may_end_a_head(data: bytes, newest: int) -> bool:
    """Whether ``data`` may hold a whole head now that its last ``newest`` bytes were received.

    Without this, a head that comes byte by byte would be searched from its beginning for each byte.
    """
    if len(data) <= 2 * SLOP_BYTES + newest:
        return True
    tail = data[-newest - 2 :]
    return b"\n\r\n" in tail or b"\n\n" in tail


def _odd_head(data: bytes, bodiless: bool) -> Head | None:
    """Bare line feeds, folded fields, or other bytes before the status line."""
    start = data[: SLOP_BYTES + 4].lower().find(b"http")
    if start < 0:
        if len(data) >= SLOP_BYTES + 4:
            raise ExchangeError(Outcome.PROTOCOL, f"no status line, but {data[:40]!r}")
        return None
    end = _end_of_head(data, start)
    if end < 0:
        return None
    raw = _FOLD.sub(b" ", data[start:end].rstrip(b"\r\n")) + b"\r\n"
    low = raw.lower()
    return Head(raw, low, end, _FRAMING.findall(low), bodiless=bodiless)


def _end_of_head(data: bytes, start: int) -> int:
    """The offset after the first empty line, with either kind of line end."""
    crlf = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, crlf + 1 if crlf >= 0 else len(data))
    if bare >= 0:
        return bare + 2
    return crlf + 3 if crlf >= 0 else -1


def _status_line(low: bytes) -> tuple[bool, int]:
    match = _STATUS_LINE.match(low)
    assert match is not None  # every head begins with "http"
    modern = (match[1] or b"0", match[2] or b"0") >= (b"1", b"1")
    status = int(match[3]) if match[3] else 200  # Chromium assumes 200 where the number is missing
    if not 100 <= status <= 999:
        raise ExchangeError(Outcome.PROTOCOL, f"status {status} in {low[:40]!r}")
    return modern, status


def _content_length(text: bytes) -> int:
    """One number, also where it is repeated. A value that is not a number is ignored, and the body ends with the connection."""
    text = text.strip()
    if b"," in text:
        different = {part.strip() for part in text.split(b",")}
        if len(different) > 1:
            raise ExchangeError(Outcome.PROTOCOL, f"Content-Length given as {b' and '.join(sorted(different)).decode('latin-1')}")
        (text,) = different
    return int(text) if text.isdigit() and len(text) < 19 else UNTIL_CLOSE
