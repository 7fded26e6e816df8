"""The search for the highest arrival rate at which a portal meets an objective: which level to measure next, and the answer.

A level is one rate, held and judged. The search goes through four parts, and everything follows from the levels measured so far:

1. It doubles the rate until a level fails, or halves it until one passes. The first rate that fails is measured again; two of three decide.
2. It halves the gap between the highest passing and the lowest failing level until the edge is located: the gap is at most half of
   the resolution.
3. It measures both bounds of the answer, half a resolution below and above the edge, ``CONFIRMED`` times each. Where one of these
   levels says otherwise, that bound moves outwards by another half: chance decides near the edge, and the interval is wider then.
4. It measures a level well below the edge again. A portal that has become worse has no capacity that one night could find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

LevelPurpose = Literal["search", "confirm", "drift"]
AnswerState = Literal["found", "at_least", "below", "drifting", "stopped", "undecided"]
LimitCode = Literal[
    "", "authorisation", "ceiling", "largest_rate", "smallest_rate", "generator", "safety_stop", "levels", "scatter", "permission_ended"
]

CONFIRMED = 2
"""Levels of one rate that have to agree before the rate bounds the answer (assumed: one alone may pass or fail by chance)."""
CHECK_AT_MOST = 0.75
"""Drift is looked for at the highest passing rate up to this share of the passing bound: nearer to the bound chance decides (assumed)."""
WORSE, WORSE_S = 1.05, 0.002
"""Drift: the interval of a step's median begins above the end of the earlier one times this factor, and this many seconds (assumed: what
identical levels of a queue never reached in simulation, and more than the instrument's own error)."""
_OUTWARDS = 8
"""How often a bound may move outwards (assumed): four resolutions from the edge nothing is found that deserves the name."""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Where a search begins and ends."""

    start_per_s: float  # visits per second
    smallest_per_s: float  # below it a level would take too long
    # The defaults are assumed.
    resolution: float = 0.15  # the width of the answer, as a share of the rate at the edge; a narrower answer takes more levels
    most_levels: int = 40  # a search from 1 to 10 visits a second whose levels agree takes 14
    void_repeats: int = 2  # of one level, after which the search ends: a disturbance passes, a limit of the instrument stays


@dataclass(frozen=True, slots=True)
class SearchLimit:
    """Why an interval is not narrower, or why there is no answer; ``detail`` has the figures. Without a code nothing limits the answer."""

    code: LimitCode = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RateCeiling:
    """The highest rate that may be sent, and what sets it."""

    per_s: float
    by: SearchLimit


@dataclass(frozen=True, slots=True)
class MeasuredLevel:
    """One level: its rate, and what came of it. A void level is our fault and says nothing of the portal."""

    rate_per_s: float
    purpose: LevelPurpose = "search"
    missed: tuple[str, ...] = ()  # parts of the objective that it did not meet
    void: str = ""  # why it does not count
    stopped: str = ""  # the safety limit that ended its arrivals
    medians_s: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # by step: the interval of its median

    @property
    def passes(self) -> bool:
        """Whether it met the whole objective."""
        return not (self.missed or self.void or self.stopped)


@dataclass(frozen=True, slots=True)
class LevelToMeasure:
    """What to measure next."""

    rate_per_s: float
    purpose: LevelPurpose


@dataclass(frozen=True, slots=True)
class CapacityAnswer:
    """What a search has found. A bound is None where no rate was confirmed as such; without an answer both are."""

    state: AnswerState
    passing_per_s: float | None = None
    failing_per_s: float | None = None
    limit: SearchLimit = SearchLimit()


def next_level(settings: SearchSettings, measured: Sequence[MeasuredLevel], ceiling: RateCeiling) -> LevelToMeasure | CapacityAnswer:
    """The level to measure next, or the answer. ``measured``: all levels so far, in order."""
    search = _Search(settings, measured, ceiling)
    if not measured:
        return search.begin()
    last = measured[-1]
    if last.stopped:
        return CapacityAnswer("stopped", search.confirmed_low(), None, SearchLimit("safety_stop", last.stopped))
    if len(measured) >= settings.most_levels:
        return search.cut_short(SearchLimit("levels", str(settings.most_levels)))
    if given_up := _given_up(settings, measured):
        instrument = SearchLimit("generator", given_up[-1].void)
        if len(given_up) > 1 or search.high is not None or search.low is None:
            return search.cut_short(instrument)
        search = _Search(settings, measured, RateCeiling(search.low, instrument))  # what passed below it is still confirmed
    elif last.void:
        return LevelToMeasure(last.rate_per_s, last.purpose)
    return search.locate() or search.confirm()


def _given_up(settings: SearchSettings, measured: Sequence[MeasuredLevel]) -> list[MeasuredLevel]:
    """The last level of each streak of void levels at one rate that is longer than ``void_repeats`` allows."""
    streaks = [list(levels) for _, levels in groupby(measured, key=lambda each: (bool(each.void), each.rate_per_s))]
    return [streak[-1] for streak in streaks if streak[-1].void and len(streak) > settings.void_repeats]


def answer_so_far(settings: SearchSettings, measured: Sequence[MeasuredLevel], ceiling: RateCeiling, why: SearchLimit) -> CapacityAnswer:
    """What is confirmed, where no further level may be measured."""
    return _Search(settings, measured, ceiling).cut_short(why)


def is_slower(before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]]) -> bool:
    """Whether the median of a step lies clearly above what it was."""
    return any(low > WORSE * before[step][1] + WORSE_S for step, (low, _) in after.items() if step in before)


class _Search:
    """The levels that count, and what they lead to."""

    def __init__(self, settings: SearchSettings, measured: Sequence[MeasuredLevel], ceiling: RateCeiling) -> None:
        self.settings, self.ceiling = settings, ceiling
        self.counted = [each for each in measured if not each.void and not each.stopped]
        self.searched: dict[float, list[bool]] = {}
        for each in self.counted:
            if each.purpose == "search":
                self.searched.setdefault(each.rate_per_s, []).append(each.passes)
        passing = {rate: 2 * sum(passes) > len(passes) for rate, passes in self.searched.items()}
        self.high = min((rate for rate, passes in passing.items() if not passes), default=None)
        self.low = max((rate for rate, passes in passing.items() if passes and (self.high is None or rate < self.high)), default=None)

    def begin(self) -> LevelToMeasure | CapacityAnswer:
        """The first level."""
        if self.ceiling.per_s < self.settings.smallest_per_s:
            return CapacityAnswer("undecided", limit=self.ceiling.by)
        return LevelToMeasure(_rounded(min(self.settings.start_per_s, self.ceiling.per_s)), "search")

    def locate(self) -> LevelToMeasure | None:
        """The next level of the first two parts; None once the edge is located, or out of reach."""
        low, high = self.low, self.high
        if high is not None and self.is_doubtful(high):
            return LevelToMeasure(high, "search")
        if high is None:
            assert low is not None
            rate = min(2 * low, self.ceiling.per_s)
            return LevelToMeasure(_rounded(rate), "search") if rate > low * (1 + self.settings.resolution / 2) else None
        if low is None:
            return LevelToMeasure(_rounded(high / 2), "search") if high / 2 >= self.settings.smallest_per_s else None
        middle = _rounded((low + high) / 2)
        near = high - low <= self.settings.resolution / 2 * high or not low < middle < high
        return None if near else LevelToMeasure(middle, "search")

    def is_doubtful(self, high: float) -> bool:
        """Whether the only failing rate is to be measured again: it failed once, or as often as it passed.

        The gap below it is halved next, and a failure by chance, of a cold cache for example, would lead to a wrong one.
        """
        failing = sum(not any(passes) for passes in self.searched.values())
        votes = self.searched[high]
        return (failing == 1 and len(votes) == 1) or 2 * sum(votes) == len(votes)

    def confirm(self) -> LevelToMeasure | CapacityAnswer:
        """The next level of the last two parts, or the answer."""
        for rates, passes in ((self.candidates(-1), True), (self.candidates(1), False)):
            rate = next((rate for rate in rates if self.agree(rate, passes=passes)), None)
            if rate is not None and self.votes(rate) < CONFIRMED:
                return LevelToMeasure(rate, "confirm")
        low, high = self.confirmed_low(), self.confirmed_high()
        if self.low is not None and (check := self.check_drift(self.low)) is not None:
            return check
        if low is None:
            return self.cut_short(self.scatter() if high is None or self.low is not None else SearchLimit("smallest_rate"))
        limit = SearchLimit() if high is not None else self.scatter() if self.high is not None else self.ceiling.by
        return CapacityAnswer("found" if high is not None else "at_least", low, high, limit)

    def check_drift(self, low: float) -> LevelToMeasure | CapacityAnswer | None:
        """A level that was measured early is measured again; one that is worse twice is drift."""
        passing = sorted(each.rate_per_s for each in self.counted if each.passes and each.purpose == "search")
        rate = max((rate for rate in passing if rate <= CHECK_AT_MOST * low), default=passing[0] if passing else low)
        before = next(each for each in self.counted if each.rate_per_s == rate)
        checks = [each for each in self.counted if each.purpose == "drift"]
        worse = [not each.passes or is_slower(before.medians_s, each.medians_s) for each in checks]
        if not checks or worse == [True]:
            return LevelToMeasure(rate, "drift")
        return CapacityAnswer("drifting") if all(worse) else None

    def candidates(self, side: int) -> Iterator[float]:
        """Rates that may bound the answer on one side (-1 below, 1 above), from the edge outwards."""
        if self.low is not None and self.high is not None:
            edge, first = (self.low + self.high) / 2, 1
        else:
            edge, first = self.low or self.high or 0.0, 0
            if (self.low is None) == (side < 0):  # nothing was found on this side
                return
        for number in range(first, first + _OUTWARDS):
            rate = _rounded(edge * (1 + side * number * self.settings.resolution / 2))
            if self.settings.smallest_per_s <= rate <= self.ceiling.per_s:
                yield rate

    def agree(self, rate: float, *, passes: bool) -> bool:
        """Whether no level of a rate says otherwise."""
        return all(each.passes == passes for each in self.of_bound(rate))

    def votes(self, rate: float) -> int:
        """How many levels of a rate count for a bound."""
        return len(self.of_bound(rate))

    def of_bound(self, rate: float) -> list[MeasuredLevel]:
        """The levels of a rate, those of the drift check left out."""
        return [each for each in self.counted if each.rate_per_s == rate and each.purpose != "drift"]

    def confirmed_low(self) -> float | None:
        """The passing bound."""
        return next((rate for rate in self.candidates(-1) if self.agree(rate, passes=True) and self.votes(rate) >= CONFIRMED), None)

    def confirmed_high(self) -> float | None:
        """The failing bound."""
        return next((rate for rate in self.candidates(1) if self.agree(rate, passes=False) and self.votes(rate) >= CONFIRMED), None)

    def scatter(self) -> SearchLimit:
        """Why no bound was confirmed: the ceiling is too near to the edge, or levels disagree far from the edge."""
        near = self.high is not None and self.high * (1 + self.settings.resolution) > self.ceiling.per_s
        return self.ceiling.by if near else SearchLimit("scatter")

    def cut_short(self, why: SearchLimit) -> CapacityAnswer:
        """The answer of a search that cannot go on: what is confirmed so far."""
        low, high = self.confirmed_low(), self.confirmed_high()
        if low is not None:
            return CapacityAnswer("at_least" if high is None else "found", low, high, why)
        known = high is not None and self.low is None  # nothing passed, and one rate surely fails
        return CapacityAnswer("below", None, high, why) if known else CapacityAnswer("undecided", limit=why)


def _rounded(rate: float) -> float:
    """Three significant digits: a rate that can be said."""
    return float(f"{rate:.3g}")
