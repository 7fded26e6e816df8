"""The line in front of an origin whose connections open late or carry little: a relay, so that TLS ends behind it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from harness.simulator.personality import Personality

_PIECE = 16_384


async def open_line(public: socket.socket, inner: socket.socket, traits: Personality) -> asyncio.Server:
    """Serve ``public`` by passing its connections on to the listening socket ``inner``."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(traits.handshake_ms / 1000)
        try:
            there, towards = await asyncio.open_connection(*inner.getsockname())
        except OSError:
            writer.close()
            return
        answers = asyncio.create_task(_pass_on(there, writer, traits.line_kbit_per_s * 1000 / 8))
        await _pass_on(reader, towards, 0.0)
        await answers

    return await asyncio.start_server(carry, sock=public)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bytes_per_s: float) -> None:
    """Pass bytes on until their end, no more of them a second than the line carries."""
    with suppress(OSError):
        while data := await reader.read(_PIECE):
            writer.write(data)
            await writer.drain()
            if bytes_per_s:
                await asyncio.sleep(len(data) / bytes_per_s)
    with suppress(OSError):
        writer.close()
