"""Random numbers that depend on their purpose and not on the order of drawing.

Every random choice is keyed by (seed, run, visit, purpose): the same seed gives the same schedule, citizens and forms
for any number of workers, whatever else was drawn before.
"""

from __future__ import annotations

import random
from functools import lru_cache
from hashlib import blake2b


def keyed_seed(*key: str | int) -> int:
    """A 64-bit seed from a key; parts are length-prefixed, so ("a", "bc") and ("ab", "c") differ."""
    return int.from_bytes(blake2b(b"".join(map(_part, key)), digest_size=8).digest(), "big")


@lru_cache(maxsize=4096)  # seeds, runs and purposes repeat with each visit
def _part(part: str | int) -> bytes:
    data = str(part).encode()
    return len(data).to_bytes(4, "big") + data


def keyed_random(*key: str | int) -> random.Random:
    """A separate generator for one purpose, for example ``keyed_random(seed, run, visit, "person")``."""
    return random.Random(keyed_seed(*key))  # noqa: S311  (reproducible, not secret)
