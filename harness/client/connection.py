"""One TCP or TLS connection on gevent's event loop: connect, send, receive, each until a deadline.

gevent's own sockets start and stop a watcher and a timer for each read. Here one read watcher runs as long as the
connection lives. A read then costs one system call, and the end of an idle connection is noticed at once, not at the
next request.
"""

from __future__ import annotations

import _ssl
import errno
import os
import socket as _patched_or_not
import ssl
from contextlib import suppress
from time import monotonic_ns
from typing import Any

from gevent import monkey
from greenlet import getcurrent

from harness.client.deadlines import NEVER_US, deadlines
from harness.client.exchange import ExchangeError, Peer
from harness.client.timestamps import ANCILLARY_BYTES, enable_timestamps, unread_us
from harness.origins import Origin
from harness.records import Outcome

_Socket: Any = monkey.get_original("socket", "socket")  # the plain one, whether or not Locust has patched this process
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""What this machine lacks for another connection: descriptors, memory, or local ports. Nothing of it is the portal's."""
_IN_PROGRESS = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY, errno.EINTR})
_READ, _WRITE = 1, 2
_BUFFER_BYTES = 65536
KEPT_BYTES = 262_144
"""How many bytes of an answer are kept while it comes, for a second parser and for the evidence: the largest head fits."""


class Connection:
    """One open connection of one citizen. Every wait ends with an event, or with ExchangeError (timeout) at its deadline."""

    __slots__ = ("_clock", "_expired", "_incoming", "_outgoing", "_reads", "_shown", "_socket", "_tls", "_waiter", "address", "below", "closed", "deadline_us", "ended", "good_until_us", "moment_us", "origin", "peer", "received", "received_bytes")  # fmt: skip

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.closed = False
        self.below: Connection | None = None  # the next idle connection to the same origin
        self.moment_us = 0  # when the last received bytes arrived, by the kernel receive timestamp
        self.ended = False  # the server has closed its side
        self.received: list[bytes] = []  # the answer under way as it came, up to KEPT_BYTES; an empty piece is the end of the stream
        self.received_bytes = 0
        self.good_until_us = NEVER_US  # until when the server has promised to keep the idle connection
        self.deadline_us = NEVER_US
        self._clock = deadlines()
        self._waiter: Any = None
        self._expired = False
        self._socket: Any = None
        self._reads: Any = None
        self._tls: ssl.SSLObject | None = None
        self._shown: ssl.SSLObject | None = None  # as _tls, but kept after a handshake that failed
        self.address = ""  # where the connection leads
        self.peer: Peer | None = None  # only for a session with a witness
        self._incoming: ssl.MemoryBIO
        self._outgoing: ssl.MemoryBIO

    def connect(self, address: str, deadline_us: int, source: str = "") -> None:
        """Open the TCP connection, from the address ``source`` of this machine if one is given.

        Raises ExchangeError: connect, timeout, or dropped where ``source`` cannot be used or this machine has no socket left.
        """
        self.address = address
        family = _patched_or_not.AF_INET6 if ":" in address else _patched_or_not.AF_INET
        try:
            self._socket = sock = _Socket(family, _patched_or_not.SOCK_STREAM)
        except OSError as error:
            raise ExchangeError(Outcome.DROPPED, f"a socket for {address}: {error.strerror}") from None
        self._clock.add(self)
        try:
            sock.setblocking(False)
            sock.setsockopt(_patched_or_not.IPPROTO_TCP, _patched_or_not.TCP_NODELAY, 1)
            enable_timestamps(sock)
            if source:
                _bind(sock, source)
            code = sock.connect_ex((address, self.origin.port))
            if code in _IN_PROGRESS:
                code = sock.connect_ex((address, self.origin.port))  # on loopback the connection is there at once, without the event loop
            if code == errno.EISCONN:
                code = 0
            elif code in _IN_PROGRESS:
                self._wait_writable(deadline_us, f"connect to {address}")
                code = sock.getsockopt(_patched_or_not.SOL_SOCKET, _patched_or_not.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code))  # noqa: TRY301  (one place writes the message)
        except OSError as error:
            self.close()
            outcome = Outcome.DROPPED if error.errno in _OURS else Outcome.CONNECT
            raise ExchangeError(outcome, f"connect to {address} port {self.origin.port}: {error.strerror}") from None
        except BaseException:
            self.close()
            raise
        self._reads = self._clock.hub.loop.io(sock.fileno(), _READ)
        self._reads.start(self._on_readable)

    def handshake(self, context: ssl.SSLContext, deadline_us: int) -> None:
        """TLS with certificate and name checked as the context says; raises ExchangeError (tls, timeout)."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=self.origin.name)
        self._shown = tls
        try:
            while True:
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    self._flush(deadline_us)
                    self._feed(deadline_us, "TLS handshake")
                else:
                    break  # the last TLS 1.3 message is sent with the request, in one packet
        except ssl.SSLCertVerificationError as error:
            with suppress(OSError):  # the server may have closed already
                self._socket.send(self._outgoing.read())  # the TLS alert about the certificate
            self.close()
            raise ExchangeError(Outcome.TLS, f"certificate of {self.origin.name}: {error.verify_message}") from None
        except OSError as error:
            self.close()
            raise ExchangeError(Outcome.TLS, f"TLS handshake with {self.origin.text}: {error}") from None
        except BaseException:
            self.close()
            raise
        self._tls = tls

    def certificates(self) -> tuple[bytes, ...]:
        """The certificates (DER) that the server showed, its own first, also where they were refused; none without TLS."""
        shown: Any = self._shown
        chain = shown._sslobj.get_unverified_chain() if shown is not None else None  # noqa: SLF001  (public from Python 3.13 on)
        return tuple(each.public_bytes(_ssl.ENCODING_DER) for each in chain or ())

    def send(self, data: bytes, deadline_us: int) -> None:
        """Hand all bytes to the kernel.

        Raises ExchangeError (timeout), ExchangeError (reset, with ``unsent``) when the connection is gone before it took a single byte,
        and OSError when it broke later.
        """
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        sent = 0
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            pass
        except OSError as error:
            raise ExchangeError(Outcome.RESET, f"sending the request: {error}", unanswered=True, unsent=True) from None
        if sent < len(data):
            self._send_rest(memoryview(data)[sent:], deadline_us)

    def receive(self, deadline_us: int, phase: str) -> bytes:
        """The next bytes, after waiting for them; empty at the end of the stream. Raises OSError, ExchangeError (timeout)."""
        data = self._receive_tls(deadline_us, phase) if self._tls is not None else self._take(deadline_us, phase)
        self.received_bytes += len(data)
        if self.received_bytes <= KEPT_BYTES:
            self.received.append(data)
        return data

    def forget_received(self) -> None:
        """Another answer begins."""
        self.received, self.received_bytes = [], 0

    def usable(self) -> bool:
        """Whether the connection can carry another request as far as can be known before sending it.

        Bytes after the last answer are the end of the stream or were not asked for; only a TLS session ticket is allowed.
        This costs one system call, and finds an end of the stream that the event loop has not seen yet.
        """
        if self.closed:
            return False
        try:
            data = self._socket.recv(_BUFFER_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if data and self._tls is not None:
            self._incoming.write(data)
            try:
                self._tls.read(1)
            except ssl.SSLWantReadError:
                return True
            except OSError:
                pass
        self.close()
        return False

    def close(self) -> None:
        """Close at once, without waking a greenlet that waits on it."""
        self.closed = True
        self._clock.discard(self)
        if self._reads is not None:
            self._reads.stop()
            self._reads.close()
            self._reads = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def expire(self) -> None:
        """The deadline has passed: wake the waiting greenlet, which then raises."""
        if self._waiter is not None:
            self._expired = True
            self._wake()

    def _receive_tls(self, deadline_us: int, phase: str) -> bytes:
        tls, incoming = self._tls, self._incoming
        assert tls is not None
        pieces: list[bytes] = []
        while True:
            try:
                while incoming.pending or incoming.eof or tls.pending():
                    piece = tls.read(_BUFFER_BYTES)
                    if not piece:
                        self.ended = True
                        return b"".join(pieces)
                    pieces.append(piece)
            except ssl.SSLWantReadError:
                pass
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                self.ended = True
                return b"".join(pieces)  # servers omit close_notify; framing decides whether the answer is complete
            if pieces:
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)
            if self._outgoing.pending:
                self._flush(deadline_us)
            self._feed(deadline_us, phase)

    def _take(self, deadline_us: int, phase: str) -> bytes:
        """The next received bytes; sets ``moment_us``, when they arrived."""
        while True:
            self._wait(deadline_us, phase)
            try:
                data: bytes
                data, ancillary, _flags, _address = self._socket.recvmsg(_BUFFER_BYTES, ANCILLARY_BYTES)
            except BlockingIOError:
                continue
            waited_us = unread_us(ancillary)
            self.moment_us = monotonic_ns() // 1000 - waited_us
            self._clock.unread_max_us = max(self._clock.unread_max_us, waited_us)
            return data

    def _feed(self, deadline_us: int, phase: str) -> None:
        if data := self._take(deadline_us, phase):
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self, deadline_us: int) -> None:
        data = self._outgoing.read()
        if data:
            self._send_rest(memoryview(data), deadline_us)

    def _send_rest(self, rest: memoryview, deadline_us: int) -> None:
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                self._wait_writable(deadline_us, "sending the request")

    def _wait_writable(self, deadline_us: int, phase: str) -> None:
        writes = self._clock.hub.loop.io(self._socket.fileno(), _WRITE)
        writes.start(self._wake)
        if self._reads is not None:
            self._reads.stop()
        try:
            self._wait(deadline_us, phase)
        finally:
            writes.stop()
            writes.close()
            if self._reads is not None:
                self._reads.start(self._on_readable)

    def _wait(self, deadline_us: int, phase: str) -> None:
        switch = self._clock.hub.switch
        self.deadline_us = deadline_us
        self._waiter = getcurrent()
        try:
            while self._waiter is not None:
                switch()
        finally:
            self._waiter = None
            self.deadline_us = NEVER_US
        if self._expired:
            self._expired = False
            raise ExchangeError(Outcome.TIMEOUT, f"{phase}: not within its time limit", unanswered=True)

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            waiter.switch()

    def _on_readable(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            waiter.switch()
        else:
            self.usable()  # an idle connection: the server closes it, or sends bytes that nobody asked for


def _bind(sock: Any, source: str) -> None:
    """Send from this address; the kernel picks the port."""
    try:
        sock.bind((source, 0))
    except OSError as error:
        raise ExchangeError(Outcome.DROPPED, f"second address {source}: {error.strerror}") from None
