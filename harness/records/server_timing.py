"""What a server says of its own time: the metrics of ``Server-Timing`` (W3C) in one answer, and their columns beside the rows.

Only names and durations are kept. A description is free text, which could hold personal data.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from harness.records.columns import COLUMNS, Column

MOST_METRICS = 16
"""Kept of one answer (assumed: servers and networks in front of them send one to ten)."""
LONGEST_NAME = 40
"""Characters of a metric's name (assumed: names in use have up to 30). With MOST_METRICS it bounds what a portal adds to a batch."""
METRIC_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{LONGEST_NAME - 1}}}")
"""A name that is kept. The standard allows more signs; some of them begin a formula in a spreadsheet or mean something to a shell."""
LONGEST_US = 3_600_000_000
"""A longer duration is none (assumed: no citizen waits an hour for an answer)."""


MOST_NAMES = 100
"""Different names that one worker keeps of one portal in one round (assumed: ten hosts with ten each). Names that change with every
answer tell nothing, and would make each row several times as large."""


class ServerMetric(NamedTuple):
    """One metric: what the server calls it, and how long it took by the server's own account."""

    name: str
    duration_us: int


class ServerTiming(NamedTuple):
    """The metrics of one answer, and how many more it had that cannot be kept."""

    metrics: tuple[ServerMetric, ...]
    left_out: int = 0

    def within(self, names: set[str]) -> ServerTiming:
        """The same with metrics of known names only; a new name is added to ``names``, as long as these are fewer than MOST_NAMES."""
        kept = []
        for metric in self.metrics:
            if metric.name in names or len(names) < MOST_NAMES:
                names.add(metric.name)
                kept.append(metric)
        return ServerTiming(tuple(kept), self.left_out + len(self.metrics) - len(kept))


ROW_KEYS = ("window", "journey", "visit", "goal", "step", "request", "hop", "attempt")
"""The columns that tell one row of a run from all others that were sent."""

_OF_ROW = {column.name: column for column in COLUMNS}
SERVER_TIMING_COLUMNS = (
    *(_OF_ROW[name] for name in ROW_KEYS),
    Column("metric", "int16", ""),  # position among those kept of its answer, from 0
    Column("name", "category", ""),
    Column("duration_us", "int64", "µs"),
)
"""One row a metric, with the key of the row of its answer."""
