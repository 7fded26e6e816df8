"""One portal's visits on the clock: arrivals, citizens in flight, waiting times, and how visits ended. Times are UTC, in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.evidence.facts import WindowFacts
from harness.publish.reduction import measured
from harness.records import VISIT_ROW, Outcome, RoundRecord
from harness.scoring import Integers
from harness.scoring.rows import Flags
from harness.scoring.scored_units import Visits
from harness.scoring.windows import utc_time
from harness.statistics.percentile import Floats, percentile

VISITS_IN_A_SECTION: Final = 12
"""The fewest planned visits of a section (assumed: enough that one visit does not decide its median)."""
MOST_SECTIONS: Final = 60
"""The most sections of all windows together (assumed: a reader cannot tell more apart on a chart)."""
LONGEST_PAUSE_S: Final = 5.0
"""Windows with a longer pause between them stand apart on the axis (assumed: a shorter one is a gap of few pixels)."""
BINS: Final = 300
"""Intervals of the axis for which citizens in flight are shown (assumed: about two pixels each)."""

WorkerClocks = Mapping[tuple[int, str], int]
"""By window and worker: UTC in µs since 1970, minus the worker's monotonic clock."""


@dataclass(frozen=True, slots=True)
class Section:
    """A window, or a part of one. Visits belong to it by their planned arrival."""

    window: int
    begin_s: float
    end_s: float
    planned: int  # visits that were due
    begun: int  # of them
    ended: Mapping[str, int]  # by the outcome of the visit
    waiting_s: Mapping[str, float]  # by journey: the median of all waiting in a visit that ended well, think times left out

    @property
    def failed(self) -> int:
        """Visits that did not end well."""
        return self.planned - self.ended.get(Outcome.OK, 0)


@dataclass(frozen=True, slots=True)
class OverTime:
    """What happened at one portal, on the clock."""

    spans: tuple[tuple[float, float], ...]  # the windows with their drains; a new one after a longer pause
    sections: tuple[Section, ...]
    in_flight_s: Floats  # where each bin begins
    in_flight: Integers  # the most citizens at once in it


def clock_of(portal: str, rounds: Iterable[RoundRecord]) -> WorkerClocks:
    """The clocks of the workers in each window of a portal."""
    return {
        (window.window, member.worker): round_.utc_of_zero_us(member.worker)
        for round_ in rounds
        for slot in round_.slots
        if slot.portal == portal
        for window in slot.windows
        for member in round_.members
    }


@dataclass(frozen=True, slots=True)
class _Closed:
    """The visits that have an end row, an entry each."""

    window: Integers
    journey: npt.NDArray[np.str_]
    outcome: npt.NDArray[np.str_]
    due_s: Floats
    begun_s: Floats
    end_s: Floats
    begun: Flags
    waiting_s: Floats


def over_time(rows: pd.DataFrame, visits: Visits, windows: Sequence[WindowFacts], clock: WorkerClocks) -> OverTime | None:
    """The visits of the measured stages on the clock; None without any, or where a clock is not known.

    ``visits``: the same rows, tabulated, for the waiting times.
    """
    closed = measured(rows)
    closed = closed[closed["request"] == VISIT_ROW]
    pairs = [(int(window), str(worker)) for window, worker in zip(closed["window"], closed["worker"], strict=True)]
    facts = {each.window: each for each in windows}
    numbers = sorted({window for window, _ in pairs})
    if not pairs or not set(pairs) <= clock.keys() or not facts.keys() >= set(numbers):
        return None
    zero_us = np.array([clock[pair] for pair in pairs], dtype=np.int64)
    due_s, begun_s, end_s = ((closed[name].to_numpy(dtype=np.int64) + zero_us) / 1e6 for name in ("intended_us", "start_us", "end_us"))
    begun = (closed["start_us"] > 0).to_numpy()
    window, visit = (closed[name].to_numpy(dtype=np.int64) for name in ("window", "visit"))
    journey, outcome = (closed[name].to_numpy(dtype=np.str_) for name in ("journey", "outcome"))
    found = _Closed(window, journey, outcome, due_s, begun_s, end_s, begun, _waiting_s(visits, visit))
    sections = [each for number in numbers for each in _sections(found, facts[number], MOST_SECTIONS // len(numbers))]
    spans = _spans([_extent(found, facts[number]) for number in numbers])
    in_flight = _in_flight(begun_s[begun], end_s[begun], spans)
    return OverTime(spans, tuple(sorted(sections, key=lambda each: each.begin_s)), *in_flight)


def _extent(visits: _Closed, window: WindowFacts) -> tuple[float, float]:
    """Begin and end of a window, its drain included."""
    began = utc_time(window.began_utc).timestamp()
    last = visits.end_s[(visits.window == window.window) & visits.begun]
    return began, max(began + window.duration_s, float(last.max(initial=0.0)))


def _sections(visits: _Closed, window: WindowFacts, most: int) -> Iterator[Section]:
    """The parts of a window, equally long, with some visits each."""
    here = visits.window == window.window
    count = max(1, min(int(here.sum()) // VISITS_IN_A_SECTION, most))
    began, width = utc_time(window.began_utc).timestamp(), window.duration_s / count
    place = np.clip((visits.due_s - began) // width, 0, count - 1)
    for number in range(count):
        mine = here & (place == number)
        well = mine & (visits.outcome == Outcome.OK)
        names, counts = np.unique(visits.outcome[mine], return_counts=True)
        waiting = {name: np.sort(visits.waiting_s[well & (visits.journey == name)]) for name in np.unique(visits.journey[well]).tolist()}
        yield Section(
            window.window, began + number * width, began + (number + 1) * width,
            int(mine.sum()), int((mine & visits.begun).sum()), dict(zip(names.tolist(), counts.tolist(), strict=True)),
            {name: percentile(values, 50, floor=False) or 0.0 for name, values in waiting.items()},  # none is empty
        )  # fmt: skip


def _waiting_s(visits: Visits, numbers: Integers) -> Floats:
    """The waiting time of each visit, by its number; 0 where it has no step."""
    order = np.argsort(visits.visit, kind="stable")
    known, waited = visits.visit[order], visits.whole_us[order]
    if not len(known):
        return np.zeros(len(numbers))
    place = np.searchsorted(known, numbers).clip(0, len(known) - 1)
    return np.where(known[place] == numbers, waited[place], 0) / 1e6


def _spans(extents: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The extents, joined where they touch or nearly do."""
    spans: list[tuple[float, float]] = []
    for begin, end in sorted(extents):
        if spans and begin <= spans[-1][1] + LONGEST_PAUSE_S:
            spans[-1] = spans[-1][0], max(spans[-1][1], end)
        else:
            spans.append((begin, end))
    return tuple(spans)


def _in_flight(begun_s: Floats, end_s: Floats, spans: Sequence[tuple[float, float]]) -> tuple[Floats, Integers]:
    """The most visits under way at once, in bins of equal length within each span."""
    whole = sum(end - begin for begin, end in spans)
    edges = np.concatenate([np.linspace(begin, end, max(2, round(BINS * (end - begin) / whole) + 1))[:-1] for begin, end in spans])
    moments = np.concatenate((begun_s, end_s))
    change = np.concatenate((np.ones(len(begun_s), dtype=np.int64), -np.ones(len(end_s), dtype=np.int64)))
    order = np.lexsort((change, moments))  # who leaves at the moment at which another comes is not counted with it
    moments, level = moments[order], np.cumsum(change[order])
    before = np.searchsorted(moments, edges, side="right") - 1
    most = np.where(before >= 0, level[before.clip(0)], 0) if len(level) else np.zeros(len(edges), dtype=np.int64)
    inside = np.searchsorted(edges, moments, side="right") - 1
    np.maximum.at(most, inside.clip(0), level)
    return edges, most
