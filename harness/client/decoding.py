"""Decode content encodings, up to a size limit."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from harness.client.exchange import ExchangeError
from harness.records import Outcome

brotli: Any
try:
    brotli = import_module("brotli")
except ImportError:  # an optional package: without it, brotli is not offered to servers
    brotli = None

ACCEPTED_ENCODINGS = "gzip, deflate, br" if brotli else "gzip, deflate"
"""The Accept-Encoding of every request."""

_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15


def decoded(body: bytes, encodings: Sequence[bytes], limit: int) -> bytes:
    """The body without its content encodings (in lower case, as the fields gave them).

    As in Chromium and httpx, an unknown encoding is not decoded, bytes after the end of the compressed stream are ignored,
    and a stream that ends too early gives its beginning. Raises ExchangeError: protocol for data that is not what its
    header says, wrong_content for more than ``limit`` bytes (see docs/client.md).
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
    try:
        plain = zlib.decompressobj(window_bits).decompress(body, limit + 1)
    except zlib.error as error:
        raise ExchangeError(Outcome.PROTOCOL, f"content encoding: {error}") from None
    if len(plain) > limit:
        raise too_large(limit)
    return plain


def _unbrotlied(body: bytes, limit: int) -> bytes:
    decoder = brotli.Decompressor()
    pieces: list[bytes] = []
    size = 0
    try:
        while body or not decoder.can_accept_more_data():
            piece = decoder.process(body, output_buffer_limit=limit + 1 - size)
            body = b""
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise too_large(limit)
    except brotli.error as error:
        raise ExchangeError(Outcome.PROTOCOL, f"content encoding: {error}") from None
    return b"".join(pieces)


def too_large(limit: int) -> ExchangeError:
    """The error for a body that is larger than a page can be."""
    return ExchangeError(Outcome.WRONG_CONTENT, f"a body of more than {limit} bytes")
