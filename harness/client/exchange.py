"""The interface of this room: one request, its answer, and its time limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Protocol

from harness.records import Outcome
from harness.records.server_timing import ServerTiming


@dataclass(frozen=True, slots=True)
class PhaseTimeouts:
    """The longest that each phase of one request may take, in seconds."""

    dns_s: float = 10.0
    connect_s: float = 10.0
    tls_s: float = 10.0
    first_byte_s: float = 60.0  # from the last byte sent to the first byte received
    total_s: float = 60.0  # from start to the last byte of the body


class Headers:
    """Header fields of an answer, in order, repeated names kept; look-ups ignore case.

    The fields of a received head are split into names and values only when all of them are asked for.
    """

    __slots__ = ("_items", "_raw")

    def __init__(self, items: Sequence[tuple[str, str]] = (), *, wire: bytes = b"") -> None:
        """``wire`` is a received head: status line first, folded lines joined."""
        self._items: Sequence[tuple[str, str]] | None = None if wire else items
        self._raw = wire

    @property
    def items(self) -> Sequence[tuple[str, str]]:
        """Names and values in the order in which they came."""
        if self._items is None:
            self._items = _split(self._raw)
            self._raw = b""
        return self._items

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field, or ``default``."""
        if self._items is None:
            raw, (usual, small, others) = self._raw, _field(name)
            at, other = raw.find(usual), raw.find(small)
            if at < 0 or 0 <= other < at:
                at = other
            if at >= 0:
                end = raw.find(b"\n", at + 1)
                return _text(raw[at + len(usual) : end if end >= 0 else len(raw)].strip(b" \t\r"))
            found = others.search(raw)
            return _text(found.group(1).strip(b" \t\r")) if found is not None else default
        wanted = name.lower()
        for key, value in self.items:
            if key.lower() == wanted:
                return value
        return default

    def get_escaped(self, name: str) -> str:
        """The first value of a field, every byte beyond ASCII as ``%XX``: browsers read a Location so."""
        if self._items is None:
            found = _field(name)[2].search(self._raw)
            raw = found[1].strip(b" \t\r") if found is not None else b""
        else:
            raw = self.get(name).encode()
        return raw.decode("ascii") if raw.isascii() else "".join([chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in raw])

    def get_all(self, name: str, most: int | None = None) -> list[str]:
        """Every value of a field, in order; the first ``most`` of them."""
        if self._items is None:
            return [_text(found[1].strip(b" \t\r")) for found in islice(_field(name)[2].finditer(self._raw), most)]
        wanted = name.lower()
        return [value for key, value in self.items if key.lower() == wanted][:most]

    def __repr__(self) -> str:
        return f"Headers({list(self.items)!r})"


def _split(head: bytes) -> list[tuple[str, str]]:
    """Names and values; lines without a colon or without a name are ignored, as in Chromium."""
    items = []
    for line in head.split(b"\n")[1:]:
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if colon and name:
            items.append((_text(name), _text(value.strip(b" \t\r"))))
    return items


@lru_cache(maxsize=256)
def _field(name: str) -> tuple[bytes, bytes, re.Pattern[bytes]]:
    """How a field begins in a head: in the usual spelling, in lower case, and as a pattern for any other spelling."""
    raw = name.encode("latin-1", "replace")
    return b"\n%b:" % raw.title(), b"\n%b:" % raw.lower(), re.compile(rb"\n" + re.escape(raw) + rb"[ \t]*:([^\n]*)", re.IGNORECASE)


def _text(raw: bytes) -> str:
    """UTF-8 where it is valid (servers send Vietnamese file names so), else Latin-1."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


_NO_HEADERS = Headers()


@dataclass(frozen=True, slots=True)
class Peer:
    """Who answered: the address that was connected to, and the certificates that it showed (DER), its own first."""

    address: str
    certificates: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Exchange:
    """One request and its answer; redirects are not followed.

    ``outcome`` is ``ok`` whenever a complete answer was read, whatever its status; otherwise one of timeout, connect,
    dns, tls, reset, protocol, left_allowed_hosts, or wrong_content (only for a body beyond the size limit), and
    ``error`` says what happened. Times are integer microseconds of ``time.monotonic_ns() // 1000``, 0 where they
    did not happen; phases are durations in the same unit, 0 on a reused connection. ``end_us`` is always set. All times
    are taken before the body is decoded.
    """

    method: str
    url: str
    host: str  # the origin: scheme://name:port
    outcome: Outcome = Outcome.OK
    error: str = ""
    status: int = 0
    headers: Headers = _NO_HEADERS
    body: bytes = b""  # decoded by its content encoding
    wire_bytes: int = 0  # received for this answer: head and encoded body
    start_us: int = 0
    first_byte_us: int = 0
    end_us: int = 0
    dns_us: int = 0
    connect_us: int = 0
    tls_us: int = 0
    reused: bool = False
    read_again: bool = False  # our parser could not read it, and a second one could
    received: bytes = b""  # where none could: the first bytes as they came
    reopened: bool = False  # the idle connection was closed when the request was sent, and a new one carried it
    server_timing: ServerTiming | None = None  # of an answer that was read whole
    peer: Peer | None = None  # only where the session has a witness; None where nothing was connected to


class ExchangeError(Exception):
    """One request failed. The session turns it into the outcome of the exchange; it never leaves this room.

    ``unanswered``: no byte of an answer was received. ``unsent``: no byte of the request was sent.
    """

    def __init__(self, outcome: Outcome, error: str, *, unanswered: bool = False, unsent: bool = False) -> None:
        self.outcome = outcome
        self.error = error
        self.unanswered = unanswered
        self.unsent = unsent
        super().__init__(error)


Witness = Callable[[bytes, Exchange], None]
"""Is told of each request as it was sent, head and body, and of its exchange."""


class HostPolicy(Protocol):
    """Decides where a citizen's requests may go."""

    def allowed(self, origin: str) -> bool:
        """Whether a request may go to an origin (``scheme://name:port``); asked before its name is looked up."""
        ...

    def allows_address(self, origin: str, address: str) -> bool:
        """Whether the name of an allowed origin may lead to this address; asked of every address that was found for it."""
        ...
