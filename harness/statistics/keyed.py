"""Randomness that depends on what it is for, not on when it is drawn.

Every random choice is keyed by (seed, run, visit, purpose): the same seed gives the same schedule, citizens and forms
whatever the number of workers and whatever else was drawn before.
"""

from __future__ import annotations

import random
from hashlib import blake2b


def keyed_seed(*key: str | int) -> int:
    """A 64-bit seed from a key; parts are length-prefixed, so ("a", "bc") and ("ab", "c") differ."""
    parts = [str(part).encode() for part in key]
    data = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def keyed_random(*key: str | int) -> random.Random:
    """A generator of its own for one purpose, for example ``keyed_random(seed, run, visit, "person")``."""
    return random.Random(keyed_seed(*key))  # noqa: S311  (reproducible, not secret)
