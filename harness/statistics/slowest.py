"""The slowest response, as a figure that does not grow with the number of requests.

A raw maximum grows: 11.7 s among 300 and 21.8 s among 15,000 draws of one log-normal. So the maximum is taken over a fixed
number of steps. A hash of visit and attempt chooses them, independent of their outcome and of the order of rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Unsigned = npt.NDArray[np.uint64]


def chosen(identity: npt.NDArray[np.int64], seed: int, count: int) -> npt.NDArray[np.intp] | None:
    """The positions of ``count`` steps with the smallest keyed hashes; None where there are fewer steps.

    ``identity`` is unique for each step. The hash is one-to-one on 64 bits, so there are no ties.
    """
    if len(identity) < count:
        return None
    if len(identity) == count:
        return np.arange(count)
    hashes = _splitmix64(identity.astype(np.uint64) ^ np.uint64(seed & 0xFFFF_FFFF_FFFF_FFFF))
    return np.argpartition(hashes, count - 1)[:count]


def _splitmix64(state: Unsigned) -> Unsigned:
    """The finaliser of the splitmix64 generator: a bijection that spreads neighbouring numbers."""
    mixed: Unsigned = state + np.uint64(0x9E37_79B9_7F4A_7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return mixed ^ (mixed >> np.uint64(31))
