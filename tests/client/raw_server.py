"""A server that speaks whatever it is told to, byte for byte: one script for each connection, each in a thread."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self


class Peer:
    """One accepted connection, as a script sees it."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.seen = b""

    def read_request(self) -> bytes:
        """One whole request; empty when the client has gone."""
        while b"\r\n\r\n" not in self.seen:
            if not self._more():
                return b""
        head, _, rest = self.seen.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(rest) < length:
            if not self._more():
                return b""
            rest = self.seen.partition(b"\r\n\r\n")[2]
        self.seen = rest[length:]
        return head + b"\r\n\r\n" + rest[:length]

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def send_bytewise(self, data: bytes) -> None:
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(data)):
            self.sock.sendall(data[at : at + 1])

    def wait_for_close(self) -> None:
        """Until the client has closed; what it sends is thrown away."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _more(self) -> bytes:
        try:
            data: bytes = self.sock.recv(65536)
        except OSError:
            return b""
        self.seen += data
        return data


Script = Callable[[Peer], None]


class RawServer:
    """Listens on a port the kernel picks; connection *n* gets script *n*, the last script serves all that follow."""

    def __init__(self, scripts: Sequence[Script], tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, 0))
        self._listener.listen(128)
        self._scripts = scripts
        self._tls = tls
        self._threads: list[threading.Thread] = []
        self._open: list[Any] = []
        self.port = self._listener.getsockname()[1]
        self.accepted = 0
        self.problems: list[BaseException] = []
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if tls else 'http'}://{shown}:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        assert not self.problems, self.problems

    def join_scripts(self) -> None:
        """Wait until every script has ended by itself."""
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.accepted, len(self._scripts) - 1)]
            self.accepted += 1
            self._open.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock, script), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: Any, script: Script) -> None:
        inner = sock
        try:
            if self._tls is not None:
                inner = self._tls.wrap_socket(sock, server_side=True)
                self._open.append(inner)
            script(Peer(inner))
        except OSError:
            pass  # the client went away, which some tests are about
        except BaseException as error:
            self.problems.append(error)
        finally:
            with contextlib.suppress(OSError):
                inner.close()


def answering(data: bytes, *, close: bool = False) -> Script:
    """A script that answers every request with the same bytes."""

    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.send(data)
            if close:
                return

    return script


def plain(body: bytes = b"hello", fields: bytes = b"", status: bytes = b"200 OK") -> bytes:
    """A well-formed answer."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), fields, body)
