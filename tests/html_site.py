"""Small sites on ports that the kernel picks: a server in a thread, and a site of one kind of page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

Server = TypeVar("Server", bound=ThreadingHTTPServer)


@contextmanager
def in_a_thread(server: Server) -> Iterator[Server]:
    """The server, which answers until the test is done with it. By itself http.server looks for its end only twice a second."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class HtmlHandler(BaseHTTPRequestHandler):
    """Answers requests by ``answer``, in silence."""

    def answer(self, html: str, status: int = 200, **fields: str) -> None:
        """Send a page; ``fields``: further header fields, with _ for -."""
        body = html.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body)), **fields}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def serving(handler: type[HtmlHandler]) -> Iterator[int]:
    """Serve, and answer the port."""
    with in_a_thread(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        yield server.server_port
