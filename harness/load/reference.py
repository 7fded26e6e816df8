"""A loopback server of known delays: the client measures it while load runs, which shows the instrument's error.

The server is a process of its own (``python -m harness.load.reference``): a busy generator cannot delay both sides alike.
Its delays cycle through ``DELAYS_MS``. The body of an answer holds the true time, from the request's last byte to the
answer's first.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle

from harness.client import Exchange, LeanSession
from harness.records import Outcome

DELAYS_MS = (5, 20, 50)


class Reference:
    """One worker's reference: the server it started and the session it measures with."""

    def __init__(self, session: Callable[[], LeanSession]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.load.reference"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stdout is not None
        self._url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/"
        self._session = session()

    def measure(self) -> int | None:
        """Measured minus true time of one request, in microseconds; None where the request failed."""
        exchange: Exchange = self._session.request("GET", self._url)
        if exchange.outcome is not Outcome.OK or exchange.status != 200:
            return None
        return exchange.end_us - exchange.start_us - int(json.loads(exchange.body)["true_us"])

    def close(self) -> None:
        """End the server."""
        self._session.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


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
