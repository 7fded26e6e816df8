"""When to stop loading a portal because a host that portals share does not answer well any more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class SharedHostWatch:
    """The requests of one run at shared hosts, on one worker. The run of failures goes on from round to round."""

    hosts: frozenset[str] = frozenset()  # origins
    limit: int = 0  # failures in a row; 0: no limit
    failures_in_a_row: int = 0

    def add(self, *, failed: bool) -> bool:
        """Add a request; whether the load has to end."""
        self.failures_in_a_row = self.failures_in_a_row + 1 if failed else 0
        return 0 < self.limit <= self.failures_in_a_row
