"""How long one hostile answer holds the event loop, and how much memory it takes: ``python -m benches.answers``.

Each answer is served from loopback, read by the client, checked against the bounds and read as a page. Meanwhile a second
citizen does nothing but wake every millisecond: the longest time between two of its turns is how long the others waited.
"""

from __future__ import annotations

import gzip
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer

import brotli
import gevent

from harness.client import LeanSession, Resolver, loopback_only
from harness.pages.media import MediaKind
from harness.pages.page import Page

MIB = 1 << 20
HTML, JSON, XML = "text/html; charset=utf-8", "application/json", "text/xml"


def answer(body: bytes, kind: str = HTML, more: str = "") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


ANSWERS: dict[str, Callable[[], bytes]] = {
    "a page of 24 kB, for comparison": lambda: answer(b"<p>Tra c\xe1\xbb\xa9u <b>th\xe1\xbb\xa7 t\xe1\xbb\xa5c</b></p>" * 600),
    "garbage": lambda: b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
    "two locations, tiny chunks": lambda: b"HTTP/1.1 200 OK\r\nLocation: /a\r\nLocation: /b\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 40_000 + b"0\r\n\r\n",
    "tiny chunks, 1 MiB": lambda: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * MIB + b"0\r\n\r\n",
    "a head of 5,000 cookies": lambda: answer(b"<p>x", more="".join(f"Set-Cookie: a{n}={'x' * 30}\r\n" for n in range(5_000))),
    "a gzip bomb of 1 GiB": lambda: answer(gzip.compress(gzip.compress(bytes(1024 * MIB)), 1), more="Content-Encoding: gzip, gzip\r\n"),
    "a gzip bomb of 64 MiB": lambda: answer(gzip.compress(bytes(64 * MIB)), more="Content-Encoding: gzip\r\n"),
    "a br bomb of 1 GiB": lambda: answer(brotli.compress(bytes(1024 * MIB)), more="Content-Encoding: br\r\n"),
    "gzip of 15 MiB of noise": lambda: answer(gzip.compress(os.urandom(15 * MIB), 1), "application/pdf", "Content-Encoding: gzip\r\n"),
    "a body of 15 MiB": lambda: answer(b"x" * 15 * MIB, "application/pdf"),
    "60 MB of tags": lambda: answer(b"<a>" * 20_000_000),
    "as many tags as are read": lambda: answer(b"<a></a>" * 19_990),
    "as many tags as are read, in lines": lambda: answer(b"<table>" + b"<tr><td>a<td>b" * 13_000),
    "as deep as is read": lambda: answer((b"<div>" * 250 + b"</div>" * 250) * 79),
    "deeper": lambda: answer(b"<div>" * 39_000),
    "as many options as are read": lambda: answer(b"<select>" + b"<option value=1>abc</option>" * 4_990 + b"</select>"),
    "as many attributes as are read": lambda: answer((b"<a " + b" ".join(b"a%d" % n for n in range(490)) + b">") * 1_000),
    "an element of 20,000 attributes": lambda: answer(b"<a " + b" ".join(b"a%d" % n for n in range(20_000)) + b">"),
    "as many references as are read": lambda: answer(b"<p>" + b"&a" * 200_000),
    "4 MiB of references": lambda: answer(b"<p>" + b"&a" * (2 * MIB - 2)),
    "JSON of as many values as are read": lambda: answer(b"[" + b"[]," * 49_990 + b"[]]", JSON),
    "JSON of 4 MiB of text": lambda: answer(b'["' + "ệ".encode() * (MIB + MIB // 4) + b'"]', JSON),
    "JSON, 100,000 levels": lambda: answer(b"[" * 99_000, JSON),
    "JSON of as many references as are read": lambda: answer(b'["' + b"&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" * 9_990 + b'"]', JSON),
    "XML of as many tags as are read": lambda: answer(b"<a>" + b"<b/>" * 2_990 + b"</a>", XML),
    "a script of spaces": lambda: answer(b"<script>location" + b" " * MIB + b"</script>"),
}  # fmt: skip


class Handler(StreamRequestHandler):
    """Answers one request by its number and closes."""

    prepared: tuple[bytes, ...] = ()

    def handle(self) -> None:
        """One connection."""
        number = int(self.rfile.readline().split()[1][1:])
        while self.rfile.readline().strip():
            pass
        with suppress(OSError):  # the client may have had enough
            self.wfile.write(self.prepared[number])


def held_ms(url: str) -> tuple[str, float, float]:
    """What became of an answer, the longest that another citizen waited, and how long it took in all; milliseconds."""
    longest_s, done = 0.0, False

    def other() -> None:
        nonlocal longest_s
        last_s = time.perf_counter()
        while not done:
            gevent.sleep(0.001)
            now_s = time.perf_counter()
            longest_s, last_s = max(longest_s, now_s - last_s), now_s

    waiting = gevent.spawn(other)
    gevent.sleep(0.01)
    citizen = LeanSession(loopback_only, Resolver())
    began_s = time.perf_counter()
    exchange = citizen.request("GET", url)
    gevent.sleep(0)
    said = exchange.error
    if not said:
        page = Page(exchange)
        said = page.beyond_bounds or "read"
        if said == "read" and page.kind is not MediaKind.OTHER:
            for use in (
                lambda: page.kind,
                lambda: page.first("form#a input"),
                lambda: page.nodes("meta[http-equiv]"),
                lambda: page.readable,
            ):
                use()
                gevent.sleep(0)
    took_s = time.perf_counter() - began_s
    gevent.sleep(0.002)
    done = True
    waiting.join()
    citizen.close()
    return said[:60], longest_s * 1e3, took_s * 1e3


def main() -> None:
    """A table, one line an answer."""
    names = [name for name in ANSWERS if not sys.argv[1:] or any(word in name for word in sys.argv[1:])]
    Handler.prepared = tuple(ANSWERS[name]() for name in names)
    server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("\n| answer | others waited at most, ms | in all, ms | largest memory so far, MiB | what became of it |\n|---|---|---|---|---|")
    for number, name in enumerate(names):
        runs = [held_ms(f"http://127.0.0.1:{server.server_address[1]}/{number}") for _ in range(3)]
        said, held, took = min(runs, key=lambda run: run[1])
        largest_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {name} | {held:.0f} | {took:.0f} | {largest_mib:.0f} | {said} |", flush=True)


if __name__ == "__main__":
    main()
