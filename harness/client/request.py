"""The bytes of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from harness.client.decoding import ACCEPTED_ENCODINGS
from harness.errors import Problem, UsageError
from harness.origins import Origin

DEFAULT_USER_AGENT = "dichvucong-harness"

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods that may be sent again when it is not known whether they were processed (RFC 9110, section 9.2.2)."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_USUAL = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"})
_ALWAYS_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
_OWN = frozenset({"host", "content-length", "transfer-encoding", "connection"})  # the client frames the message


def written(
    method: str, origin: Origin, path: str, *, user_agent: str, cookie: str, headers: Mapping[str, str] | None, body: bytes
) -> bytes:
    """Head and body of one request; raises UsageError for a method or a header that does not fit on its line."""
    if headers:
        text = f"{method} {path} HTTP/1.1\r\n{_fields(origin.authority, user_agent, cookie, headers)}"
    else:
        tail = _tail(origin.authority, user_agent)
        text = f"{method} {path}{tail}Cookie: {cookie}\r\n" if cookie else f"{method} {path}{tail}"
    if body or method in _ALWAYS_WITH_LENGTH:
        text = f"{text}Content-Length: {len(body)}\r\n"
    if method not in _USUAL and not _TOKEN.fullmatch(method):
        raise UsageError(Problem("request", "method", repr(method), "an HTTP method such as GET", "Mend the profile that asks for it."))
    return f"{text}\r\n".encode() + body


@lru_cache(maxsize=256)
def _tail(authority: str, user_agent: str) -> str:
    """What follows the path in a request without headers of its own."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in _defaults(authority, user_agent).items())
    return f" HTTP/1.1\r\n{fields}"


def _defaults(authority: str, user_agent: str) -> dict[str, str]:
    return {
        "Host": authority,
        "Connection": "keep-alive",  # for servers that speak HTTP/1.0
        "User-Agent": user_agent,
        "Accept": "*/*",
        "Accept-Encoding": ACCEPTED_ENCODINGS,
    }


def _fields(authority: str, user_agent: str, cookie: str, headers: Mapping[str, str]) -> str:
    """All fields; those of the caller replace ours of the same name, except those that frame the message."""
    given = {name.lower() for name in headers}
    fields = [
        (name, value) for name, value in _defaults(authority, user_agent).items() if name.lower() not in given or name.lower() in _OWN
    ]
    if cookie and "cookie" not in given:
        fields.append(("Cookie", cookie))
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or "\n" in value or "\r" in value or "\0" in value:
            raise UsageError(
                Problem("request", f"header {name!r}", repr(value), "a name and a value on one line", "Mend the profile that sets it.")
            )
        if name.lower() not in _OWN:
            fields.append((name, value))
    return "".join(f"{name}: {value}\r\n" for name, value in fields)
