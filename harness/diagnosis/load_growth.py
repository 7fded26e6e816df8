"""Whether the time at the server grows with the load, and from which level on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.diagnosis.finding import Finding, FindingCode, FindingFigure, Variant
from harness.diagnosis.limits import GROWTH, LEAST_ALONE, LEAST_DELAY_S, LEAST_TIME_SHARE, LEVELS_FOR_A_FIT
from harness.diagnosis.portal_rows import DiagnosedRows, Requests, Typical, at_own_hosts, typical

_HELD = 0.7
"""After a jump, each higher level keeps at least this share of the slowness of the jump's level (assumed: levels differ by chance)."""


@dataclass(frozen=True, slots=True)
class LoadLevel:
    """One level of load. ``times``: how many times as slow as the reference; the geometric mean over the places that both have."""

    visits_per_s: float
    times: float
    server_s: float  # the time of a request, by the mix of requests at this level
    reference_s: float  # the same requests at the reference's times
    excess: float  # share of the waiting time at this level that is beyond the reference's


@dataclass(frozen=True, slots=True)
class Growth:
    """The levels, compared with a lone citizen or else with the lowest level."""

    reference: Typical
    compared_with_alone: bool
    levels: tuple[LoadLevel, ...]  # ordered by load

    @property
    def times(self) -> float:
        """How many times as slow as the reference the slowest level is."""
        return max(each.times for each in self.levels)


def growth(observed: DiagnosedRows) -> Growth | None:
    """The levels of load beside their reference; None where nothing can be compared."""
    places, own = len(observed.places), at_own_hosts(observed)
    requests = {level: observed.loaded[chosen] for level, chosen in _by_level(observed).items()}
    typicals = {level: typical(rows, places, 2) for level, rows in requests.items()}
    if not typicals:
        return None
    alone = typical(observed.alone, places)
    lowest = typicals[min(typicals)]
    with_alone = int(((alone & lowest) & own).sum()) >= LEAST_ALONE
    if not with_alone and len(typicals) < 2:
        return None
    reference = alone if with_alone else lowest
    levels = tuple(_level(level, requests[level], typicals[level], reference, own) for level in sorted(typicals))
    found = tuple(level for level in levels if level is not None)
    return Growth(reference, with_alone, found) if found else None


def _by_level(observed: DiagnosedRows) -> dict[float, np.ndarray]:
    """The requests of each level. A level is the planned arrivals a second; a closed workload plans none, so there it is the measured ones."""
    windows: dict[float, list[int]] = {}
    for number, facts in observed.windows.items():
        level = facts.level or int((observed.visits.window == number).sum()) / facts.duration_s
        windows.setdefault(float(f"{level:.3g}"), []).append(number)
    return {level: np.isin(observed.loaded.window, numbers) for level, numbers in windows.items()}


def _level(level: float, rows: Requests, found: Typical, reference: Typical, own: np.ndarray) -> LoadLevel | None:
    both = (found & reference) & own
    if int(both.sum()) < LEAST_ALONE:
        return None
    count, now, before = found.count[both], found.median[both], reference.median[both]
    times = float(np.exp(np.mean(np.log(np.maximum(now, 1e-6) / np.maximum(before, 1e-6)))))
    excess_s = float((count * np.maximum(now - before, 0.0)).sum())
    mix, waiting_s = float(count.sum()), max(float(rows.total.sum()), 1e-6)
    return LoadLevel(level, times, float(count @ now) / mix, float(count @ before) / mix, min(excess_s / waiting_s, 1.0))


def growth_findings(grown: Growth | None) -> Iterator[Finding]:
    """That time grows with the load, and from which level on; or that the evidence cannot tell."""
    if grown is None:
        yield Finding(code="load_unknown", sureness="cannot_tell", remedy="measure_levels")
        return
    levels = grown.levels
    if len(levels) >= LEVELS_FOR_A_FIT and (found := _with_levels(levels)):
        yield found
        return
    slowest = max(levels, key=lambda each: each.times)
    if not _is_growth(slowest.reference_s, slowest.server_s, slowest.times, slowest.excess):
        return
    variant: Variant = "" if grown.compared_with_alone else "levels"
    figures = [FindingFigure("below", slowest.reference_s, "s"), FindingFigure("above", slowest.server_s, "s")]
    figures += [FindingFigure("times", slowest.times, "times"), FindingFigure("level", slowest.visits_per_s, "visits/s")]
    figures += [] if grown.compared_with_alone else [FindingFigure("level_below", levels[0].visits_per_s, "visits/s")]
    yield _finding("slows_under_load", variant, figures, slowest.excess)
    if len(levels) < LEVELS_FOR_A_FIT:
        figures = [FindingFigure("levels", len(levels)), FindingFigure("needed", LEVELS_FOR_A_FIT)]
        yield Finding(code="level_unknown", sureness="cannot_tell", figures=tuple(figures), remedy="measure_levels")


def _with_levels(levels: Sequence[LoadLevel]) -> Finding | None:
    """Find the level from which on requests take at least twice as long as at every lower level; or else growth from level to level."""
    for index in range(1, len(levels)):
        lower, here, higher = levels[:index], levels[index], levels[index + 1 :]
        jumps = here.times >= GROWTH * max(each.times for each in lower)
        if jumps and all(each.times >= _HELD * here.times for each in higher):
            return _between(levels[index - 1], here, levels[-1], "slows_at_level")
    rising = all(after.times >= before.times for before, after in pairwise(levels))
    return _between(levels[0], levels[-1], levels[-1], "slows_gradually") if rising else None


def _between(before: LoadLevel, after: LoadLevel, last: LoadLevel, code: FindingCode) -> Finding | None:
    times = after.times / before.times
    excess = max(last.excess - before.excess, 0.0)
    if not _is_growth(before.server_s, max(after.server_s, last.server_s), times, excess):
        return None
    figures = [FindingFigure("below", before.server_s, "s"), FindingFigure("above", after.server_s, "s")]
    figures += [FindingFigure("times", times, "times"), FindingFigure("level", after.visits_per_s, "visits/s")]
    return _finding(code, "", [*figures, FindingFigure("level_below", before.visits_per_s, "visits/s")], excess)


def _is_growth(before_s: float, after_s: float, times: float, excess: float) -> bool:
    return times >= GROWTH and after_s - before_s >= LEAST_DELAY_S and excess >= LEAST_TIME_SHARE


def _finding(code: FindingCode, variant: Variant, figures: Sequence[FindingFigure], share: float) -> Finding:
    return Finding(
        code=code, sureness="measured", variant=variant, figures=tuple(figures), share=share, share_of="time", remedy="add_capacity"
    )
