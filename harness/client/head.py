"""The head of an answer: where it ends, its status, and what it says about the length of the body.

Read with the leniency of Chromium (net/http/http_util.cc, http_response_headers.cc, http_stream_parser.cc), because
what a citizen's browser shows must not be judged broken: bare line feeds, folded fields, a blank before the colon, up to
four bytes of rubbish before ``HTTP``, repeated equal lengths, a length beside ``chunked``. Rejected, as there: no status
line, lengths or locations that contradict each other, a head without an end.
"""

from __future__ import annotations

import re

from harness.client.faults import Fault
from harness.samples import Outcome

UNTIL_CLOSE = -1
CHUNKED = -2
SLOP_BYTES = 4  # what Chromium skips before "HTTP"

_NEVER_A_BODY = frozenset({204, 205, 304})
_STATUS_LINE = re.compile(rb"http(?:/(\d)\.(\d))?[^ \t\n]*[ \t]*(\d*)", re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n[ \t]+")
_BLANK_BEFORE_COLON = re.compile(rb"(\n[^\s:]+)[ \t]+:")


def end_of_head(data: bytes) -> int:
    """The offset just behind the empty line that ends a head, or -1 where it has not come yet."""
    crlf = data.find(b"\n\r\n")
    bare = data.find(b"\n\n", 0, crlf + 1 if crlf >= 0 else len(data))
    if bare >= 0:
        return bare + 2
    return crlf + 3 if crlf >= 0 else -1


def start_of_answer(data: bytes) -> int:
    """The offset of the status line, or -1 where the first bytes hold none (yet)."""
    return data[: SLOP_BYTES + 4].lower().find(b"http")


class Head:
    """One head: ``status``, ``raw`` (ready for ``Headers``), ``length`` of the body and ``keep_alive``."""

    __slots__ = ("keep_alive", "length", "low", "raw", "status")

    def __init__(self, raw: bytes, *, bodiless: bool) -> None:
        low = raw.lower()
        if b"\n " in low or b"\n\t" in low or b" :" in low or b"\t:" in low:
            raw = _tidied(raw)
            low = raw.lower()
        self.raw = raw
        self.low = low
        if low.startswith(b"http/1.1 ") and low[9:12].isdigit() and low[12:13] in b" \r\n":
            modern = True
            self.status = int(low[9:12])
        else:
            modern, self.status = _status_line(low)
        connection = b",".join(self.values(b"connection")) if b"\nconnection:" in low else b""
        self.keep_alive = b"close" not in connection if modern else b"keep-alive" in connection
        if bodiless or self.status in _NEVER_A_BODY:
            self.length = 0
        elif modern and b"\ntransfer-encoding:" in low and _chunked(self.values(b"transfer-encoding")):
            self.length = CHUNKED
        else:
            self.length = self._content_length()
        if b"\nlocation:" in low and len(set(self.values(b"location"))) > 1:
            raise Fault(Outcome.PROTOCOL, "several Location fields that differ")

    def values(self, name: bytes) -> list[bytes]:
        """Every value of a field (its name in lower case), values in lower case as well."""
        found = []
        wanted = b"\n" + name + b":"
        at = self.low.find(wanted)
        while at >= 0:
            begin = at + len(wanted)
            end = self.low.find(b"\n", begin)
            found.append(self.low[begin:end].strip())
            at = self.low.find(wanted, end)
        return found

    def _content_length(self) -> int:
        at = self.low.find(b"\ncontent-length:")
        if at < 0:
            return UNTIL_CLOSE
        end = self.low.find(b"\n", at + 16)
        text = self.low[at + 16 : end].strip()
        if b"," in text or self.low.find(b"\ncontent-length:", end) >= 0:
            different = {part.strip() for value in self.values(b"content-length") for part in value.split(b",")}
            if len(different) > 1:
                raise Fault(Outcome.PROTOCOL, f"Content-Length given as {b' and '.join(sorted(different)).decode('latin-1')}")
            (text,) = different
        # a length that is no number is passed over, and the body then ends with the connection
        return int(text) if text.isdigit() else UNTIL_CLOSE


def _tidied(raw: bytes) -> bytes:
    return _BLANK_BEFORE_COLON.sub(rb"\1:", _FOLD.sub(b" ", raw))


def _status_line(low: bytes) -> tuple[bool, int]:
    match = _STATUS_LINE.match(low)
    assert match is not None  # every head begins with its status line
    modern = (match[1] or b"0", match[2] or b"0") >= (b"1", b"1")
    status = int(match[3]) if match[3] else 200  # Chromium assumes 200 where the number is missing
    if not 100 <= status <= 999:
        raise Fault(Outcome.PROTOCOL, f"status {status} in {low[:40]!r}")
    return modern, status


def _chunked(values: list[bytes]) -> bool:
    return any(part.strip() == b"chunked" for value in values for part in value.split(b","))
