"""Garbage collection in a worker while load runs: less often, so that it interrupts less."""

from __future__ import annotations

import gc

_THRESHOLDS = (50_000, 20, 50)
"""New containers before a collection, and collections before one of the older generations. Pauses become fewer, not longer."""


def settle() -> None:
    """Before a round: exempt what exists from later collections, and make those rare.

    A visit leaves no cycles behind, so collections find next to nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
