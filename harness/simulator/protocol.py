"""uvicorn's HTTP protocol, with the head of an answer and its body handed to the kernel together."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from harness.simulator.clock import now_us

_HEAD = b"HTTP/1.1 "
_CONTINUE = b"HTTP/1.1 100 "


class _Joining:
    """A transport that keeps the head of an answer until its body comes, or until the loop's next turn where none does.

    uvicorn writes the two apart: two segments, and a client that is woken twice. Together they are one, as the servers in
    front of real portals send them. It costs the simulator nothing and spares the generator beside it a wake-up a request.
    """

    __slots__ = ("_head", "_loop", "_transport", "get_extra_info", "is_closing", "pause_reading", "resume_reading")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD) and not data.startswith(_CONTINUE):
            self._head = data
            self._loop.call_soon(self._flush)  # answers to HEAD have no body
            return
        self._transport.write(data)

    def _flush(self) -> None:
        if self._head:
            data, self._head = self._head, b""
            if not self._transport.is_closing():
                self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class JoiningProtocol(HttpToolsProtocol):
    """What uvicorn runs on every connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
        """Put ourselves between uvicorn and the socket."""
        sock = transport.get_extra_info("socket")
        self._stamped = getattr(sock, "_sock", None)  # asyncio hands out its own wrapper of the socket
        super().connection_made(_Joining(transport, self.loop))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Note when these bytes came in, before anything is done with them."""
        self._received_us = getattr(self._stamped, "received_us", 0) or now_us()
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins with the bytes that have just come: that is its arrival."""
        super().on_message_begin()
        self.scope["received_us"] = self._received_us  # type: ignore[typeddict-unknown-key]  # our own key, for our own application
