"""uvicorn's HTTP protocol, changed so that head and body of an answer are one write."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from harness.simulator.clock import now_us

_HEAD = b"HTTP/1.1 "
_CONTINUE = b"HTTP/1.1 100 "


class _SingleWriteTransport:
    """A transport that holds the head of an answer until its body is written, or until the next turn of the event loop.

    uvicorn writes head and body apart: two segments that wake the client twice. Servers in front of real portals send one.
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


class SingleWriteProtocol(HttpToolsProtocol):
    """The protocol of every connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
        """Put our transport between uvicorn and the socket."""
        sock = transport.get_extra_info("socket")
        self._socket = getattr(sock, "_sock", None)  # asyncio gives a wrapper of the socket
        super().connection_made(_SingleWriteTransport(transport, self.loop))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Store the receive timestamp of these bytes, then parse them."""
        self._received_us = getattr(self._socket, "received_us", 0) or now_us()
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins: it arrived with the bytes that are being parsed."""
        super().on_message_begin()
        self.scope["received_us"] = self._received_us  # type: ignore[typeddict-unknown-key]  # a key for our own application
