"""One uvicorn server with a socket for each origin; it ends on a signal, or when the parent process ends."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import resource
import signal
import socket
import stat
import sys
from collections.abc import Iterator

import uvicorn

from harness.errors import EnvironmentFault, Problem
from harness.simulator.configuration import Config
from harness.simulator.line import open_line
from harness.simulator.protocol import SingleWriteProtocol
from harness.simulator.router import PortRouter
from harness.simulator.sockets import TimestampingSocket

HOST = "127.0.0.1"
BACKLOG = 4096


class _Server(uvicorn.Server):
    """Prints its addresses on stdout when it is ready; signals are handled by ``_watch``."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._announcement, flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(config: Config, file: str) -> None:
    """Serve until SIGTERM, SIGINT or the end of stdin; raises EnvironmentFault for a port or processor that cannot be had."""
    if config.cpu:
        try:
            os.sched_setaffinity(0, config.cpu)
        except OSError as error:
            there = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
            remedy = f"Name processors that exist ({error.strerror})."
            raise EnvironmentFault(Problem(file, "cpu", str(list(config.cpu)), f"processors out of {there}", remedy)) from error
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (most, most)
    )  # each citizen has connections of their own: the usual limit of 1,024 is too low
    asyncio.run(_serve(config, file))


async def _serve(config: Config, file: str) -> None:
    router = PortRouter(config)
    sockets: list[socket.socket] = []
    lines: list[asyncio.Server] = []
    try:
        scheme = "https" if config.tls else "http"
        for name in router.names():
            public = _bound(name, config.ports.get(name, 0), file)
            sockets.append(public)
            router.bind(name, public.getsockname()[1], scheme)
            if (traits := router.line_of(name)) is not None:
                sockets[-1] = _bound(name, 0, file)
                router.bind_behind(name, sockets[-1].getsockname()[1])
                lines.append(await open_line(public, sockets[-1], traits))
        logging.getLogger("uvicorn.error").disabled = True  # it would report answers that early_close cuts off as errors
        settings = uvicorn.Config(
            router,
            http=SingleWriteProtocol,
            loop="asyncio",
            lifespan="off",
            ws="none",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=config.keep_alive_s,
            timeout_graceful_shutdown=1,
            ssl_certfile=config.tls.cert if config.tls else None,
            ssl_keyfile=config.tls.key if config.tls else None,
        )
        server = _Server(settings, json.dumps({"pid": os.getpid(), **router.addresses()}))
        _watch(server)
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)  # fewer pauses; they do not get longer, since requests leave few cycles
        log = asyncio.create_task(router.truth.flush_periodically())
        await server.serve(sockets)
        log.cancel()
    finally:
        for line in lines:
            line.close()
        for item in sockets:
            item.close()
        router.close()


def _bound(name: str, port: int, file: str) -> socket.socket:
    sock = TimestampingSocket.listening()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        remedy = f"Choose another, or 0 ({error.strerror})."
        raise EnvironmentFault(Problem(file, f"ports.{name}", str(port), "a port that is free on 127.0.0.1", remedy)) from error
    sock.setblocking(False)
    return sock


def _watch(server: uvicorn.Server) -> None:
    """End the server on SIGTERM, on SIGINT, and at the end of the pipe on stdin: then the parent process has ended."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return  # no stdin at all
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return  # a terminal or /dev/null does not end with the parent

    def read() -> None:
        try:
            chunk = os.read(0, 4096)
        except OSError:
            chunk = b""
        if not chunk:
            loop.remove_reader(0)
            end()

    loop.add_reader(0, read)
