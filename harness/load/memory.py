"""A worker's memory while load runs: the garbage collector looks at it less often."""

from __future__ import annotations

import gc

_THRESHOLDS = (50_000, 20, 50)
"""Containers made before the young are looked at, and how many such looks before one at the older: fewer, not longer pauses."""


def settle() -> None:
    """Before a round: what is here stays for it, and later collections need not look at it.

    A visit leaves no cycles behind, so that collections find next to nothing: the simulator has the same thresholds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
