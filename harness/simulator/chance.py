"""Seeded draws keyed by request number: the n-th request of a portal gets the same draws in every run with one seed."""

from __future__ import annotations

import math
from enum import IntEnum
from hashlib import blake2b
from statistics import NormalDist

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_NORMAL = NormalDist()


class Purpose(IntEnum):
    """What a draw decides; draws of one request for two purposes are independent."""

    SERVICE = 1
    MODE = 2
    ERROR = 3
    HANG = 4
    PAYMENT = 5
    FAULT = 16  # plus the index of the fault in FAULTS


class Draws:
    """Uniform numbers of one portal, keyed by (request number, purpose); splitmix64 over a hash of seed and name."""

    __slots__ = ("_base",)

    def __init__(self, seed: int, name: str) -> None:
        self._base = int.from_bytes(blake2b(f"{seed}\0{name}".encode(), digest_size=8).digest(), "big")

    def uniform(self, number: int, purpose: int) -> float:
        """A number in (0, 1)."""
        state = (self._base + _GOLDEN * (number * 256 + purpose)) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
        return ((state >> 11) + 0.5) / 9007199254740992.0

    def happens(self, share: float, number: int, purpose: int) -> bool:
        """Whether an event of probability ``share`` happens to this request."""
        return share > 0 and self.uniform(number, purpose) < share

    def normal(self, number: int, purpose: int) -> float:
        """A standard normal deviate."""
        return _NORMAL.inv_cdf(self.uniform(number, purpose))

    def exponential(self, number: int, purpose: int) -> float:
        """An exponential deviate of mean 1."""
        return -math.log(self.uniform(number, purpose))
