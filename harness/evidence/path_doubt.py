"""Whether the path from us to the portals is doubted: nearly all that were measured together were slower than usual, or out of reach.

A portal is compared with its own other windows of the same stage, so a portal that is always slow is not slower than usual. A portal is
never excused alone, nor together with only a few others. docs/scoring.md has the rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from harness.origins import is_loopback_address
from harness.records import (
    LONE,
    PORTAL,
    SCORED_STAGES,
    VISIT_ROW,
    LoneWalk,
    Met,
    Outcome,
    PathLimits,
    Plan,
    RoundRecord,
    Sample,
    WindowKey,
    WindowRecord,
)

Doubts = Mapping[tuple[str, int], str]
"""Why the path is doubted, in figures, by portal and number of the window."""

OUT_OF_REACH = (Outcome.CONNECT, Outcome.DNS, Outcome.TLS, Outcome.TIMEOUT, Outcome.RESET)
"""Outcomes of visits that a broken path causes, and a portal too."""

_REQUEST, _HOP, _OWNER, _START, _END, _OUTCOME = (
    1 + Sample._fields.index(name) for name in ("request", "hop", "host_owner", "start_us", "end_us", "outcome")
)


class MeanTimes:
    """The mean time of a request at each portal's own hosts, from the rows of a round: of those that ended well, without redirects.

    The mean, because it also rises where the path is slow for only a part of a window.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[str, int], list[int]] = {}  # number and microseconds

    def take(self, key: WindowKey, row: Sequence[Any]) -> None:
        """Take a row of a batch."""
        if row[_REQUEST] == VISIT_ROW or row[_HOP] or row[_OUTCOME] != Outcome.OK or row[_OWNER] != PORTAL:
            return
        sums = self._sums.setdefault((key.portal, key.window), [0, 0])
        sums[0] += 1
        sums[1] += row[_END] - row[_START]

    def of_window(self, portal: str, window: int) -> int | None:
        """The time of one window (µs); None where no request ended well."""
        count, sum_us = self._sums.get((portal, window), (0, 0))
        return round(sum_us / count) if count else None


def hit_together(hit: Mapping[str, bool], places: Mapping[str, Collection[str]], limits: PathLimits) -> bool:
    """Whether nearly all portals were hit, and there are enough of them.

    ``hit``: by portal, whether it was. ``places``: by portal, where its own hosts are, for example their addresses. Portals with a
    place in common count as one portal, which is hit if all of them are.
    """
    groups: list[tuple[set[str], list[bool]]] = []
    for portal, was_hit in hit.items():
        mine, said = {*places.get(portal, ())}, [was_hit]
        for group in [group for group in groups if group[0] & mine]:
            groups.remove(group)
            mine, said = mine | group[0], said + group[1]
        groups.append((mine, said))
    return len(groups) >= limits.portals and sum(all(said) for _, said in groups) >= limits.share * len(groups)


def doubted_windows(plan: Plan, rounds: Iterable[RoundRecord]) -> Doubts:
    """The windows under load whose path is doubted: all that ran at a time at which nearly all portals were hit; none without limits in the plan."""
    limits = plan.path_doubt
    if limits is None:
        return {}
    rounds = [round_ for round_ in rounds if not round_.closed and not round_.incomplete]
    usual = _usual(rounds)
    found: dict[tuple[str, int], str] = {}
    for round_ in rounds:
        together: dict[tuple[float, str], list[tuple[str, WindowRecord]]] = {}
        for slot in round_.slots:
            for window in slot.windows:
                if window.stage in SCORED_STAGES:
                    together.setdefault((window.begin_s, window.stage), []).append((slot.portal, window))
        for windows in together.values():
            compared = {portal: each for portal, window in windows if (each := _compare(portal, window, usual, limits)) is not None}
            if hit_together({portal: each.hit for portal, each in compared.items()}, _own_addresses(plan, round_), limits):
                said = _in_words(compared.values())
                found.update({(portal, window.window): said for portal, window in windows})
    return found


def unreachable_together(plan: Plan, rounds: Iterable[RoundRecord], portal: str) -> bool:
    """Whether nearly all portals were out of reach in every round of lone walks in which this portal was."""
    limits = plan.path_doubt
    mine = [
        round_ for round_ in rounds if not round_.checks and any(_not_reached(walk) for walk in round_.lone_walks if walk.portal == portal)
    ]
    if limits is None or not mine:
        return False
    for round_ in mine:
        walks: dict[str, list[LoneWalk]] = {}
        for walk in round_.lone_walks:
            walks.setdefault(walk.portal, []).append(walk)
        hit = {each: all(map(_not_reached, found)) for each, found in walks.items()}
        if not hit_together(hit, _own_addresses(plan, round_), limits):
            return False
    return True


def _not_reached(walk: LoneWalk) -> bool:
    return walk.met is Met.NO_CONNECTION or (walk.outcome in OUT_OF_REACH and not walk.status)


@dataclass(frozen=True, slots=True)
class _Compared:
    """A window beside the portal's own other windows of the same stage."""

    slower: bool
    unreached: bool
    factor: float | None
    added_us: float

    @property
    def hit(self) -> bool:
        return self.slower or self.unreached


_Load = tuple[str, str, float, frozenset[str]]
"""Portal, stage, level and journeys: windows that have these in common are compared."""
_Usual = Mapping[_Load, list[tuple[int, int | None, float]]]
"""Window, mean time of a request (µs), and share of visits out of reach."""


def _usual(rounds: Iterable[RoundRecord]) -> _Usual:
    """The planned windows under load with which others are compared.

    Windows that lost visits at shared hosts are left out: visits that end early have other requests. Make-up windows are left out, so that
    they change no earlier finding.
    """
    found: dict[_Load, list[tuple[int, int | None, float]]] = {}
    for round_ in rounds:
        for slot in round_.slots:
            for window in slot.windows:
                once_more = window.first_serial is not None  # it replaces a window that an earlier attempt left half done
                if window.stage != LONE and (window.make_up_of is None or once_more) and not window.shared_failures:
                    found.setdefault(_load(slot.portal, window), []).append((window.window, window.mean_us, _out_of_reach(window)))
    return found


def _load(portal: str, window: WindowRecord) -> _Load:
    return portal, window.stage, window.level, window.journeys


def _compare(portal: str, window: WindowRecord, usual: _Usual, limits: PathLimits) -> _Compared | None:
    """None where a portal says nothing about the path: it has too few other windows, or was out of reach in them as well."""
    others = [each for each in usual.get(_load(portal, window), ()) if each[0] != window.window]
    if len(others) < limits.windows or median(share for *_, share in others) >= limits.unreached / 2:
        return None
    times = [time_us for _, time_us, _ in others if time_us is not None]
    usual_us = median(times) if len(times) >= limits.windows else None
    added_us = window.mean_us - usual_us if window.mean_us is not None and usual_us is not None else 0.0
    factor = window.mean_us / usual_us if window.mean_us is not None and usual_us else None
    slower = factor is not None and factor >= limits.slower and added_us >= limits.added_ms * 1000
    return _Compared(slower, _out_of_reach(window) >= limits.unreached, factor, added_us)


def _out_of_reach(window: WindowRecord) -> float:
    """The share of the begun visits that a broken path may have ended, without those that ended at a shared host."""
    ended = sum(window.counts.get(f"visits_{outcome}", 0) for outcome in OUT_OF_REACH)
    return max(ended - sum(each.lost for each in window.shared_failures), 0) / max(window.begun, 1)


def _own_addresses(plan: Plan, round_: RoundRecord) -> dict[str, set[str]]:
    """The addresses of each portal's own hosts, without hosts that portals share, and without loopback, where portals differ by port."""
    found = {}
    for target in plan.targets:
        shared = {origin.partition("://")[2].rpartition(":")[0] for origin in target.shared_hosts or ()}
        names = round_.addresses.get(target.portal, {})
        there = {address for name, addresses in names.items() if name not in shared for address in addresses}
        found[target.portal] = {address for address in there if not is_loopback_address(address)}
    return found


def _in_words(compared: Collection[_Compared]) -> str:
    slower = [each for each in compared if each.slower]
    unreached = sum(each.unreached for each in compared)
    parts = []
    if slower:
        factor, added_us = median(each.factor or 1.0 for each in slower), median(each.added_us for each in slower)
        parts.append(f"{len(slower)} of {len(compared)} portals slower, at the median {factor:.1f} times and {added_us / 1000:.0f} ms")
    if unreached:
        parts.append(f"{unreached} of {len(compared)} portals out of reach")
    return "; ".join(parts)
