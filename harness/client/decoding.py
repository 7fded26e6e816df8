"""Decode content encodings, up to a size limit."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import gevent

from harness.client.exchange import ExchangeError
from harness.records import Outcome

brotli: Any
try:
    brotli = import_module("brotli")
except ImportError:  # an optional package: without it, brotli is not offered to servers
    brotli = None

ACCEPTED_ENCODINGS = "gzip, deflate, br" if brotli else "gzip, deflate"
"""The Accept-Encoding of every request."""

INFLATION = 200
"""How many times its size a body may grow to (Apache's mod_deflate has the same limit: DeflateInflateRatioLimit)."""
INFLATED_AT_ANY_RATIO = 1_048_576
"""Up to this size the ratio does not count: a short page of empty table cells is no bomb."""
_SLICE_IN, _SLICE_OUT = 65_536, 65_536  # bytes decoded at once, in less than 1 ms; brotli gives 0.5 MB at once
_TURN_S = 1e-6
"""gevent runs what waits without a time again before it looks at timers and sockets, so the wait must have a time."""

_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15


def decoded(body: bytes, encodings: Sequence[bytes], limit: int) -> bytes:
    """The body without its content encodings (in lower case, as the fields gave them).

    As in Chromium and httpx, an unknown encoding is not decoded, bytes after the end of the compressed stream are ignored,
    and a stream that ends too early gives its beginning. Raises ExchangeError: protocol for data that is not what its
    header says, wrong_content for more than ``limit`` bytes and for a bomb (see docs/client.md).
    """
    if not body:
        return body
    names = [name.strip() for value in encodings for name in value.split(b",")]
    for name in reversed(names):
        if name in {b"gzip", b"x-gzip"}:
            body = _inflated(body, _GZIP, limit)
        elif name == b"deflate":
            # the standard means zlib's format; some servers send raw deflate
            looks_like_zlib = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
            body = _inflated(body, _ZLIB if looks_like_zlib else _RAW_DEFLATE, limit)
        elif name == b"br" and brotli is not None:
            body = _unbrotlied(body, limit)
    return body


def _inflated(body: bytes, window_bits: int, limit: int) -> bytes:
    decoder = zlib.decompressobj(window_bits)
    plain = _Plain(limit)
    try:
        for at in range(0, len(body), _SLICE_IN):
            piece = body[at : at + _SLICE_IN]
            while piece and not decoder.eof:
                plain.add(decoder.decompress(piece, _SLICE_OUT), at + len(piece))
                piece = decoder.unconsumed_tail
    except zlib.error as error:
        raise ExchangeError(Outcome.PROTOCOL, f"content encoding: {error}") from None
    return plain.whole()


def _unbrotlied(body: bytes, limit: int) -> bytes:
    decoder = brotli.Decompressor()
    plain = _Plain(limit)
    try:
        for at in range(0, len(body), _SLICE_IN):
            out = decoder.process(body[at : at + _SLICE_IN], output_buffer_limit=_SLICE_OUT)
            while out:
                plain.add(out, min(at + _SLICE_IN, len(body)))
                out = b"" if decoder.is_finished() else decoder.process(b"", output_buffer_limit=_SLICE_OUT)
            if decoder.is_finished():
                break
    except brotli.error as error:
        raise ExchangeError(Outcome.PROTOCOL, f"content encoding: {error}") from None
    return plain.whole()


class _Plain:
    """What was decoded so far. Between its slices the other citizens of the process go on."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes, read: int) -> None:
        """Add a slice; ``read`` is how many encoded bytes were taken. Raises ExchangeError (wrong_content) beyond a limit."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._limit:
            raise too_large(self._limit)
        if self._size > INFLATED_AT_ANY_RATIO and self._size > INFLATION * read:
            raise ExchangeError(Outcome.WRONG_CONTENT, f"a body that grows to more than {INFLATION} times its size")
        if len(piece) >= _SLICE_OUT:
            gevent.sleep(_TURN_S)

    def whole(self) -> bytes:
        """All of it."""
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


def too_large(limit: int) -> ExchangeError:
    """The error for a body that is larger than a page can be."""
    return ExchangeError(Outcome.WRONG_CONTENT, f"a body of more than {limit} bytes")
