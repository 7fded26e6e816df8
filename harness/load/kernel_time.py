"""How right the machine's wall clock is, as the kernel knows it from the service that keeps it (NTP, PTP)."""

from __future__ import annotations

import ctypes

_STATUS_UNSYNCHRONISED = 0x40  # STA_UNSYNC of <sys/timex.h>


class _Timex(ctypes.Structure):
    """The head of ``struct timex``; the kernel writes the rest into ``rest``."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("largest_error_us", ctypes.c_long),
        ("estimated_error_us", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def wall_clock_error_us() -> int | None:
    """The largest error of the wall clock: ``maxerror`` of adjtimex(2). None where no service keeps the clock right."""
    found = _Timex()
    if ctypes.CDLL(None).adjtimex(ctypes.byref(found)) < 0 or found.status & _STATUS_UNSYNCHRONISED:
        return None
    return int(found.largest_error_us)
