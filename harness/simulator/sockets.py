"""Sockets with kernel receive timestamps: a request's arrival in the truth log does not depend on a busy event loop."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Any

from harness.simulator.clock import now_us

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; where the kernel refuses it, the time of reading is used
_TIMESPEC = struct.Struct("=qq")
_ROOM = socket.CMSG_SPACE(_TIMESPEC.size)
_LONGEST_NS = 60 * 10**9  # a longer wait means that the wall clock was set


class TimestampingSocket(socket.socket):
    """A listening socket; its connections know the kernel receive timestamp of their last read.

    asyncio reads a plain connection with ``recv`` and a TLS connection with ``recv_into``; both call ``recvmsg`` here.
    """

    received_us = 0

    @classmethod
    def listening(cls) -> TimestampingSocket:
        """A TCP socket, not yet bound; connections that it accepts inherit the timestamps."""
        # asyncio switches Nagle's algorithm off only where the protocol is named; otherwise a body waits 40 ms for the ACK of its head.
        sock = cls(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        return sock

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection, as a TimestampingSocket."""
        number, address = self._accept()  # type: ignore[attr-defined]  # as in socket.socket.accept
        accepted = TimestampingSocket(self.family, self.type, self.proto, fileno=number)
        accepted.setblocking(False)
        return accepted, address

    def recv(self, size: int, flags: int = 0) -> bytes:
        """The next bytes; stores their receive timestamp."""
        data, ancillary, _, _ = self.recvmsg(size, _ROOM, flags)
        self.received_us = _receive_timestamp_us(ancillary)
        return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """The next bytes into ``buffer``; stores their receive timestamp."""
        view = memoryview(buffer)[:size] if size else buffer
        count, ancillary, _, _ = self.recvmsg_into([view], _ROOM, flags)
        self.received_us = _receive_timestamp_us(ancillary)
        return count


def _receive_timestamp_us(ancillary: Any) -> int:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            waited_ns = time.time_ns() - seconds * 1_000_000_000 - nanoseconds
            if 0 < waited_ns < _LONGEST_NS:
                return now_us() - int(waited_ns // 1000)
    return now_us()
