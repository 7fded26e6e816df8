"""Citizens walk journeys through a portal; rows become a verdict, a verdict becomes points.

from harness import open_sweep
sweep = open_sweep("results/<sweep>")    # checked; steps(), rows(), windows(), scores() are pandas frames: docs/analysis.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.version import __version__

if TYPE_CHECKING:
    from os import PathLike

    from harness.operations.sweep_frames import SweepFrames

__all__ = ["__version__", "open_sweep"]


def open_sweep(
    folder: str | PathLike[str], *, catalog: str | PathLike[str] | None = None, criteria: str = "", unfinished: bool = False
) -> SweepFrames:
    """Open the evidence and the scores of one sweep as pandas frames. Nothing is written.

    Every file that has a digest is compared with it: docs/analysis.md says which have none.

    ``catalog``: the folder with portals and criteria of one's own, as for ``--catalog``. ``criteria``: the set (ID@VERSION or a YAML file)
    that says which hosts are charged to a portal; empty for the one that the sweep was scored by. ``unfinished``: also open a sweep that is
    under way or was cut off; its verdicts may still change. Raises EvidenceError, which names each file that is missing or was changed.
    """
    # Here and not above: a worker of Locust imports this package, and pandas takes a second in which it serves no citizen.
    from pathlib import Path  # noqa: PLC0415

    from harness.operations.sweep_frames import read_sweep  # noqa: PLC0415

    return read_sweep(Path(folder), catalog=None if catalog is None else Path(catalog), criteria=criteria, unfinished=unfinished)
