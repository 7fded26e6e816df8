"""Kernel receive timestamps: when bytes arrived, not when a busy process read them.

With SO_TIMESTAMPNS (socket(7)) Linux gives, beside the bytes of ``recvmsg``, the time at which the last of them arrived. A
generator with 200 answers waiting reads the last of them tens of milliseconds late; the timestamp keeps this delay out of
the portals' figures. Where there is no timestamp (another system, the end of a stream), the time of reading counts.
"""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from time import time_ns
from typing import Any

# asm-generic/socket.h; Python has no name for it. The number differs on alpha, mips, parisc and sparc.
_SO_TIMESTAMPNS = 35 if sys.platform == "linux" and struct.calcsize("l") == 8 else 0
_TIMESPEC = struct.Struct("=qq")
_LONGEST_NS = 60 * 10**9
"""A longer wait than this is a step of the wall clock, and counts as 0."""

ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)


def enable_timestamps(sock: Any) -> None:
    """Ask the kernel for receive timestamps on this socket; a kernel without them is no error."""
    if _SO_TIMESTAMPNS:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def unread_us(ancillary: Any) -> int:
    """How long the bytes that ``recvmsg`` just gave had waited to be read, in microseconds; 0 without a timestamp.

    The timestamp is wall clock time. It is compared with the wall clock now, and the caller subtracts the wait from the
    monotonic clock, so that an adjustment of the wall clock matters only during the wait.
    """
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            waited_ns = time_ns() - seconds * 1_000_000_000 - nanoseconds
            return int(waited_ns // 1000) if 0 < waited_ns < _LONGEST_NS else 0
    return 0
