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
    return f" HTTP/1.1\r\n{''.join(line for _, line in _defaults(authority, user_agent))}"


@lru_cache(maxsize=256)
def _defaults(authority: str, user_agent: str) -> tuple[tuple[str, str], ...]:
    """Our own fields: the name in lower case, and the line."""
    fields = {
        "Host": authority,
        "Connection": "keep-alive",  # for servers that speak HTTP/1.0
        "User-Agent": user_agent,
        "Accept": "*/*",
        "Accept-Encoding": ACCEPTED_ENCODINGS,
    }
    return tuple((name.lower(), f"{name}: {value}\r\n") for name, value in fields.items())


@lru_cache(maxsize=256)
def _checked_name(name: str) -> str:
    """The name of a field in lower case; empty where it is none."""
    return name.lower() if _TOKEN.fullmatch(name) else ""


def _fields(authority: str, user_agent: str, cookie: str, headers: Mapping[str, str]) -> str:
    """All fields; those of the caller replace ours of the same name, except those that frame the message."""
    given: set[str] = set()
    lines: list[str] = []
    for name, value in headers.items():
        low = _checked_name(name)
        if not low or "\n" in value or "\r" in value or "\0" in value:
            raise UsageError(
                Problem("request", f"header {name!r}", repr(value), "a name and a value on one line", "Mend the profile that sets it.")
            )
        if low not in _OWN:
            given.add(low)
            lines.append(f"{name}: {value}\r\n")
    ours = [line for low, line in _defaults(authority, user_agent) if low not in given]
    if cookie and "cookie" not in given:
        ours.append(f"Cookie: {cookie}\r\n")
    return "".join(ours + lines)
