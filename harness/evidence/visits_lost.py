"""Visits of one round that ended at a host which portals share: they are not the portal's failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.records import VISIT_ROW, Outcome, Sample, SharedFailure, WindowKey

_JOURNEY, _VISIT, _REQUEST, _HOST, _OWNER, _OUTCOME = (
    1 + Sample._fields.index(name) for name in ("journey", "visit", "request", "host", "host_owner", "outcome")
)


class VisitsLost:
    """Counts them from the rows of a round. A visit ended where the first of its rows with the visit's own outcome is."""

    def __init__(self, shared_hosts: Mapping[str, frozenset[str]]) -> None:
        self._hosts = shared_hosts  # origins, by portal
        self._failing: dict[tuple[str, int], dict[str, tuple[str, str]]] = {}  # of visits under way: outcome → host and its owner
        self._lost: dict[tuple[str, int], Counter[tuple[str, str, str]]] = {}  # by portal and window: journey, host and its owner
        self._visits: Counter[tuple[str, int, str]] = Counter()

    def take(self, key: WindowKey, row: Sequence[Any]) -> None:
        """Take a row of a batch; those of one visit come in order, the one that closes it last."""
        if not self._hosts.get(key.portal):
            return
        visit, journey, outcome = (key.portal, row[_VISIT]), row[_JOURNEY], row[_OUTCOME]
        if row[_REQUEST] != VISIT_ROW:
            if outcome not in {Outcome.OK, Outcome.SKIPPED}:
                self._failing.setdefault(visit, {}).setdefault(outcome, (row[_HOST], row[_OWNER]))
            return
        self._visits[key.portal, key.window, journey] += 1
        host, owner = self._failing.pop(visit, {}).get(outcome, ("", ""))
        if host in self._hosts[key.portal]:
            self._lost.setdefault((key.portal, key.window), Counter())[journey, host, owner] += 1

    def of_window(self, portal: str, window: int) -> tuple[SharedFailure, ...]:
        """The visits that one window lost, by journey and host."""
        return tuple(
            SharedFailure(journey, host, owner, lost, self._visits[portal, window, journey])
            for (journey, host, owner), lost in sorted(self._lost.get((portal, window), Counter()).items())
        )
