"""Visits that ended at a host which portals share: they are nobody's failures among the portals, and leave the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from harness.records import VISIT_ROW
from harness.scoring.rows import Integers, Rows


def without_lost(rows: Rows) -> tuple[Rows, Mapping[tuple[str, int], int]]:
    """The rows without those of lost visits, and how many visits each (journey, window) lost.

    A visit is lost if it failed, and if the first of its rows that ended as the visit did is at a shared host. All of its rows
    leave: had only the failed step left, the portal would be judged by the visits that got less far.
    """
    failed = ~rows.ok & ~rows.skipped
    failing = np.flatnonzero(failed & (rows.request != VISIT_ROW))
    if not rows.foreign[failing].any():
        return rows, {}
    visit = rows.journey.codes.astype(np.int64) * (int(rows.visit.max()) + 1) + rows.visit
    ends = np.flatnonzero(failed & (rows.request == VISIT_ROW))
    ends = ends[np.argsort(visit[ends])]
    end = ends[np.minimum(np.searchsorted(visit[ends], visit[failing]), len(ends) - 1)] if len(ends) else failing[:0]
    if not len(end):
        return rows, {}
    failing = failing[(visit[end] == visit[failing]) & (rows.outcome.codes[end] == rows.outcome.codes[failing])]
    failing = failing[np.lexsort((rows.foreign[failing], rows.end_us[failing], visit[failing]))]
    _, first = np.unique(visit[failing], return_index=True)
    lost = visit[failing[first]][rows.foreign[failing[first]]]
    return rows[~np.isin(visit, lost)], _counted(rows, ends[np.isin(visit[ends], lost)])


def _counted(rows: Rows, ends: Integers) -> Mapping[tuple[str, int], int]:
    return Counter((rows.journey.names[rows.journey.codes[end]], int(rows.window[end])) for end in ends)
