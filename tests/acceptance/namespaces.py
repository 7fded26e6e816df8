"""Machines in one: network namespaces on a switch of their own, without a way out, and a proxy that delays what it passes on."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.commands import Running, started
from tests.programs import machine_lacks, require_programs

NETWORK = "192.0.2"
"""For documentation (RFC 5737); no route leads out of the switch."""


_NUMBERS = itertools.count()


def require_namespaces() -> None:
    """Skip the test where network namespaces cannot be made: without root, or where the kernel forbids them. No package changes that."""
    if os.geteuid() != 0:
        machine_lacks("network namespaces need root")
    require_programs("ip", packages="iproute2")
    try:
        with machines(1):
            pass
    except subprocess.CalledProcessError as error:
        machine_lacks(f"this machine makes no network namespaces: {error.stderr or error}")


class Machine:
    """One namespace with an address on the switch."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.address = name, f"{NETWORK}.{number}"
        self._cable = f"{name}-c"

    def plug_in(self, switch: str) -> None:
        _ip("netns", "add", self.name)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _ip("link", "set", self._cable, "netns", switch)
        _ip("-n", switch, "link", "set", self._cable, "master", "switch", "up")
        _ip("-n", self.name, "link", "set", "lo", "up")
        _ip("-n", self.name, "addr", "add", f"{self.address}/24", "dev", "eth0")
        _ip("-n", self.name, "link", "set", "eth0", "up")

    def cut_off(self) -> None:
        """Its network is down, as where a cable is pulled out."""
        _ip("-n", self.name, "link", "set", "eth0", "down")

    def put_back(self) -> None:
        """Its network is up again."""
        _ip("-n", self.name, "link", "set", "eth0", "up")

    @contextmanager
    def running(self, folder: Path, *command: str) -> Iterator[Running]:
        """A command under way on this machine, in a folder of its own there."""
        folder.mkdir(parents=True, exist_ok=True)
        with started(self._here(command), folder) as process:
            yield process

    def asked(self, code: str, *arguments: str) -> Any:
        """What Python code prints as JSON on this machine."""
        done = subprocess.run(self._here([sys.executable, "-c", code, *arguments]), check=True, capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)

    def _here(self, command: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]


@contextmanager
def machines(count: int) -> Iterator[list[Machine]]:
    """So many machines on one switch."""
    stem = f"h{os.getpid() % 10_000}{next(_NUMBERS)}"
    switch = f"{stem}s"
    made = [Machine(f"{stem}{chr(97 + number)}", number + 1) for number in range(count)]
    try:
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        for machine in made:
            machine.plug_in(switch)
        yield made
    finally:
        for name in (*(machine.name for machine in made), switch):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


DELAY_PROXY = """
import asyncio, sys
host, port, to_host, to_port, delay_s = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5])

async def pass_on(reader, writer):
    loop, due = asyncio.get_running_loop(), asyncio.Queue()
    async def write():
        while True:
            when, data = await due.get()
            await asyncio.sleep(max(0.0, when - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()
    task = asyncio.create_task(write())
    try:
        while data := await reader.read(65536):
            due.put_nowait((loop.time() + delay_s, data))
    except OSError:
        pass
    due.put_nowait((loop.time() + delay_s, b""))
    await asyncio.gather(task, return_exceptions=True)

async def serve(reader, writer):
    try:
        there, back = await asyncio.open_connection(to_host, to_port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(pass_on(reader, back), pass_on(there, writer), return_exceptions=True)

async def main():
    server = await asyncio.start_server(serve, host, port)
    print("ready", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
"""Arguments: host and port to listen on, host and port to pass on to, seconds of delay in each direction."""
