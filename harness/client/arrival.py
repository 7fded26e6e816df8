"""When received bytes had arrived: the kernel's own note of it, not the moment at which a busy process came to read them.

With SO_TIMESTAMPNS (socket(7)) Linux tells, beside the bytes that ``recvmsg`` gives, when the last of them came in. A
generator that has 200 answers waiting reads the last of them tens of milliseconds after it came; the kernel's note keeps
that out of every portal's figures. Where there is none (another system, the end of a stream) it is the moment of reading.
"""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from time import time_ns
from typing import Any

# asm-generic/socket.h; Python has no name for it. Other numbers rule on alpha, mips, parisc and sparc.
_SO_TIMESTAMPNS = 35 if sys.platform == "linux" and struct.calcsize("l") == 8 else 0
_TIMESPEC = struct.Struct("=qq")
_LONGEST_NS = 60 * 10**9
"""A longer wait than this is a step of the wall clock between the note and its reading, and is not believed."""

ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)


def note_arrivals(sock: Any) -> None:
    """Ask the kernel to note when bytes arrive on this socket; asking where it cannot is no error."""
    if _SO_TIMESTAMPNS:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def unread_us(ancillary: Any) -> int:
    """For how long what ``recvmsg`` just gave had been waiting to be read, in microseconds; 0 where the kernel did not say.

    The kernel notes the wall clock's time: comparing that with the wall clock now, and only then counting back on the
    monotonic clock, leaves no more room for the wall clock's adjustments than the wait itself.
    """
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            waited_ns = time_ns() - seconds * 1_000_000_000 - nanoseconds
            return int(waited_ns // 1000) if 0 < waited_ns < _LONGEST_NS else 0
    return 0
