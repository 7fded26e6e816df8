"""The server behind the reference of known delays, as a file that is run by itself and loads nothing but Python's own library.

Its delays cycle through ``DELAYS_MS``. The body of an answer holds the true time, from the request's last byte to the
answer's first. It prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from itertools import cycle

DELAYS_MS = (5, 20, 50)


class _Server(asyncio.Protocol):
    delays = cycle(DELAYS_MS)

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._received.endswith(b"\r\n\r\n"):
            self._received = b""
            began_ns = time.monotonic_ns()
            asyncio.get_running_loop().call_later(next(self.delays) / 1000, self._answer, began_ns)

    def _answer(self, began_ns: int) -> None:
        body = json.dumps({"true_us": (time.monotonic_ns() - began_ns) // 1000}).encode()
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    parent_gone = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), lambda: parent_gone.set() if not os.read(sys.stdin.fileno(), 1) else None)
    await parent_gone.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
