"""The truth log: one line for each request, written by a thread of its own; it can be read while it grows."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from harness.simulator.clock import wake

FLUSH_EVERY_S = 0.1

TruthRow = tuple[str, int, str, str, int, int, int, int, int, int]


class TruthLog:
    """Collects rows in memory, formats them on the event loop, and writes them in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        self._rows: list[TruthRow] = []
        self._chunks: SimpleQueue[tuple[bytes, asyncio.Future[None] | None] | None] = SimpleQueue()
        self._writer = Thread(target=self._write, name="truth-log", daemon=True)
        self._writer.start()
        self.add = self._rows.append  # called for every request: one bound method, no function around it

    async def flush(self) -> None:
        """Return when all rows so far can be read from the file."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._chunks.put((self._take(), done))
        await done

    async def flush_periodically(self) -> None:
        """Pass rows to the writer every ``FLUSH_EVERY_S`` seconds until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            if self._rows:
                self._chunks.put((self._take(), None))

    def close(self) -> None:
        """Write the remaining rows; return when the file is complete."""
        self._chunks.put((self._take(), None))
        self._chunks.put(None)
        self._writer.join()
        os.close(self._file)

    async def lines(self, portal: str, since_us: int) -> AsyncIterator[bytes]:
        """The lines of one portal ("": of all) whose request arrived at ``since_us`` or later."""
        await self.flush()
        wanted = f'{{"portal":{json.dumps(portal)},'.encode() if portal else b""
        with self.path.open("rb") as file:
            while chunk := file.readlines(1 << 18):
                found = [line for line in chunk if line.startswith(wanted) and (not since_us or json.loads(line)["arrival_us"] >= since_us)]
                yield b"".join(found)
                await asyncio.sleep(0)

    def _take(self) -> bytes:
        text = "".join(map(_line, self._rows))
        self._rows.clear()
        return text.encode()

    def _write(self) -> None:
        while (item := self._chunks.get()) is not None:
            chunk, done = item
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._file, view) :]
            if done is not None:
                done.get_loop().call_soon_threadsafe(wake, done)


def _line(row: TruthRow) -> str:
    portal, number, method, path, status, arrival, start, end, size, port = row
    shown = json.dumps(path) if '"' in path or "\\" in path or not path.isascii() or not path.isprintable() else f'"{path}"'
    return (
        f'{{"portal":"{portal}","number":{number},"method":"{method}","path":{shown},"status":{status},"arrival_us":{arrival},'
        f'"start_us":{start},"end_us":{end},"bytes":{size},"client_port":{port}}}\n'
    )
