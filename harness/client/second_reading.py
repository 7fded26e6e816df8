"""A second parser for answers that ours cannot read: h11, on the same bytes.

Nothing is sent again. If h11 reads the answer, its reading counts, and nobody is blamed. If it cannot either, or if the
answer is beyond the bounds below, the outcome is ``protocol``, the portal's.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import NamedTuple

import gevent
import h11

from harness.client.connection import KEPT_BYTES, Connection
from harness.client.exchange import Exchange, ExchangeError, Headers
from harness.records import Outcome

SECOND_PARSER = f"h11 {version('h11')}"

_EVENTS = 4_096
"""The most heads and pieces of a body that h11 reads from one answer. Assumed: an honest answer of KEPT_BYTES has a hundredth of it."""
_EVENTS_AT_ONCE = 100
"""Then the other citizens of the process go on."""


class SecondHead(NamedTuple):
    """What follows from a head that h11 has read, as `Head` says it."""

    encodings: tuple[bytes, ...]
    sets_cookies: bool
    tells_timing: bool
    keep_alive: bool = False  # what follows such an answer on its connection is not trusted
    idle_limit_s: int = 0


def read_again(connection: Connection, exchange: Exchange, ours: ExchangeError, total_us: int) -> SecondHead:
    """Read the answer that is under way into ``exchange``, from its first byte on.

    Bytes that have not come yet are waited for only if h11 accepts the head. Raises ExchangeError (protocol), with what both
    parsers say.
    """
    try:
        return _read(connection, exchange, total_us)
    except (h11.RemoteProtocolError, _Beyond) as error:
        said = str(error)
    except (ExchangeError, OSError) as error:
        said = f"the rest did not come: {error}"
    raise ExchangeError(Outcome.PROTOCOL, f"{ours.error}; h11: {said}") from None


class _Beyond(Exception):  # noqa: N818  (it does not leave this file)
    """The answer is beyond what is read a second time."""


def _read(connection: Connection, exchange: Exchange, total_us: int) -> SecondHead:
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=KEPT_BYTES)
    parser.send(h11.Request(method=exchange.method, target="/", headers=[("Host", "portal")]))
    parser.send(h11.EndOfMessage())
    waiting = list(reversed(connection.received))
    response: h11.Response | None = None
    body: list[bytes] = []
    for number in range(1, _EVENTS + 1):
        if number % _EVENTS_AT_ONCE == 0:
            gevent.sleep(1e-6)
        event = parser.next_event()
        while event is h11.NEED_DATA:
            if not waiting and response is None:
                raise _Beyond("it wants more of the head")
            parser.receive_data(waiting.pop() if waiting else connection.receive(total_us, "body"))
            if connection.received_bytes > KEPT_BYTES:
                raise _Beyond(f"more than {KEPT_BYTES} bytes are not read twice")
            event = parser.next_event()
        if isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage) and response is not None:
            return _taken(exchange, connection, response, b"".join(body))
        elif not isinstance(event, h11.InformationalResponse):
            raise _Beyond("it is no answer to what was asked")
    raise _Beyond(f"more than {_EVENTS} pieces are not read twice")


def _taken(exchange: Exchange, connection: Connection, response: h11.Response, body: bytes) -> SecondHead:
    raw = list(response.headers.raw_items())
    lines = [b"HTTP/1.1 %d %s" % (response.status_code, bytes(response.reason)), *(b"%s: %s" % field for field in raw)]
    exchange.status, exchange.headers = response.status_code, Headers(wire=b"\r\n".join(lines) + b"\r\n")
    exchange.body, exchange.wire_bytes = body, connection.received_bytes
    exchange.read_again, exchange.end_us = True, connection.moment_us
    fields = [(name.lower(), value) for name, value in raw]
    encodings = tuple(value.lower() for name, value in fields if name == b"content-encoding")
    names = {name for name, _ in fields}
    return SecondHead(encodings, b"set-cookie" in names, b"server-timing" in names)
