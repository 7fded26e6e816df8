"""Read an answer: interim heads, the final head, and a body framed in any of the ways of HTTP/1."""

from __future__ import annotations

from dataclasses import dataclass

from harness.client.chunks import Chunks
from harness.client.connection import Connection
from harness.client.decoding import too_large
from harness.client.exchange import Exchange, ExchangeError, Headers
from harness.client.head import CHUNKED, UNTIL_CLOSE, Head, may_end_a_head, read_head
from harness.records import Outcome


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """The largest answer that is read, in bytes."""

    head: int = 262_144  # Chromium's limit
    body: int = 16_777_216  # as it came and decoded; assumed: no page, script or attachment of a portal is that large


_INTERIM_ANSWERS = 32  # 1xx heads before an answer; a server with more never answers


def receive_answer(connection: Connection, exchange: Exchange, first_byte_us: int, total_us: int, sizes: SizeLimits) -> Head:
    """Read one whole answer into ``exchange`` (its body still encoded).

    The deadlines are points in time. Raises ExchangeError; the exchange then holds what was read before.
    """
    data = _next(connection, first_byte_us, "first byte")
    if not data:
        raise ExchangeError(Outcome.RESET, "closed before any answer", unanswered=True)
    exchange.first_byte_us = connection.moment_us
    bodiless = exchange.method == "HEAD"
    head = read_head(data, bodiless=bodiless)
    if head is None or head.status < 200:
        data, head = _later_head(connection, exchange, data, total_us=total_us, sizes=sizes)
    end, length = head.end, head.length
    exchange.wire_bytes += end
    exchange.status = head.status
    exchange.headers = Headers(wire=head.raw)
    if length >= 0 and len(data) - end == length:
        exchange.body = data[end:]
        exchange.wire_bytes += length
    else:
        _read_body(connection, exchange, head, data[end:], total_us=total_us, limit=sizes.body)
    exchange.end_us = connection.moment_us
    return head


def _later_head(connection: Connection, exchange: Exchange, data: bytes, *, total_us: int, sizes: SizeLimits) -> tuple[bytes, Head]:
    """The final head, where it comes in pieces or after interim heads.

    The first byte of this head is the first byte of the answer: ``100 Continue`` and ``103 Early Hints`` are not answers.
    """
    bodiless = exchange.method == "HEAD"
    interim = 0
    piece = data
    while True:
        head = read_head(data, bodiless=bodiless) if may_end_a_head(data, len(piece)) else None
        if head is None:
            if len(data) > sizes.head:
                raise ExchangeError(Outcome.PROTOCOL, f"a head of more than {sizes.head} bytes")
            piece = _next(connection, total_us, "head")
            if not piece:
                raise ExchangeError(Outcome.RESET, f"closed after {len(data)} bytes of the head")
            if not data:
                exchange.first_byte_us = connection.moment_us
            data += piece
        elif head.status >= 200:
            return data, head
        else:
            interim += 1
            if head.status == 101:
                raise ExchangeError(Outcome.PROTOCOL, "101 Switching Protocols, which was not asked for")
            if interim > _INTERIM_ANSWERS:
                raise ExchangeError(Outcome.PROTOCOL, f"more than {_INTERIM_ANSWERS} interim answers")
            data = piece = data[head.end :]
            exchange.first_byte_us = connection.moment_us
            exchange.wire_bytes += head.end


def _read_body(connection: Connection, exchange: Exchange, head: Head, data: bytes, *, total_us: int, limit: int) -> None:
    if head.length == CHUNKED:
        surplus = _read_chunks(connection, exchange, data, total_us, limit)
    elif head.length == UNTIL_CLOSE:
        _read_until_close(connection, exchange, data, total_us, limit)
        surplus = b""
        head.keep_alive = False
    else:
        surplus = _read_length(connection, exchange, data, head.length, total_us=total_us, limit=limit)
    if surplus:
        head.keep_alive = False  # surplus bytes must not become the next answer


def _read_length(connection: Connection, exchange: Exchange, data: bytes, length: int, *, total_us: int, limit: int) -> bytes:
    if length > limit:
        raise too_large(limit)
    pieces = [data]
    have = len(data)
    exchange.wire_bytes += min(have, length)
    while have < length:
        piece = _next(connection, total_us, "body")
        if not piece:
            raise ExchangeError(Outcome.RESET, f"closed after {have} of {length} bytes of the body")
        pieces.append(piece)
        exchange.wire_bytes += min(len(piece), length - have)
        have += len(piece)
    body = b"".join(pieces)
    exchange.body = body[:length]
    return body[length:]


def _read_chunks(connection: Connection, exchange: Exchange, data: bytes, total_us: int, limit: int) -> bytes:
    chunks = Chunks()
    exchange.wire_bytes += len(data)
    while not chunks.feed(data):
        if chunks.size > limit or exchange.wire_bytes > 2 * limit:  # with tiny chunks, most bytes are framing
            raise too_large(limit)
        data = _next(connection, total_us, "body")
        if not data:
            raise ExchangeError(Outcome.RESET, f"closed inside a chunk, after {chunks.size} bytes of the body")
        exchange.wire_bytes += len(data)
    if chunks.size > limit:
        raise too_large(limit)
    exchange.wire_bytes -= len(chunks.surplus)
    exchange.body = b"".join(chunks.pieces)
    return chunks.surplus


def _read_until_close(connection: Connection, exchange: Exchange, data: bytes, total_us: int, limit: int) -> None:
    pieces = [data]
    have = len(data)
    exchange.wire_bytes += have
    while piece := _next(connection, total_us, "body"):
        pieces.append(piece)
        have += len(piece)
        exchange.wire_bytes += len(piece)
        if have > limit:
            raise too_large(limit)
    exchange.body = b"".join(pieces)


def _next(connection: Connection, deadline_us: int, phase: str) -> bytes:
    try:
        return connection.receive(deadline_us, phase)
    except OSError as error:
        raise ExchangeError(Outcome.RESET, f"{phase}: {error}", unanswered=phase == "first byte") from None
