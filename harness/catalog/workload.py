"""Workloads: how many citizens arrive for which journeys, in which stages, and how they think."""

from __future__ import annotations

import math
from collections.abc import Collection
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.catalog.basis import FigureBasis
from harness.catalog.ids import PlainId
from harness.catalog.reading import CatalogModel
from harness.records.plan import ABOVE_USAGE
from harness.records.step_keys import SCORED_STAGES, StageName

_Positive = Annotated[float, Field(gt=0)]
_NotNegative = Annotated[float, Field(ge=0)]

SECONDS_PER_DAY = 86_400


class Think(CatalogModel):
    """A think time: log-normal with a median, or constant when ``sigma`` is 0; cut off at ``max_s``."""

    median_s: _NotNegative
    sigma: _NotNegative = 0.0
    max_s: _Positive = 120.0
    basis: FigureBasis = "assumed"


class Usage(CatalogModel):
    """Visits per day by journey, and how much busier the measured hour is than the mean hour."""

    per_day: dict[str, _NotNegative]
    busy_hour_factor: _Positive = 1.0
    basis: FigureBasis
    source: str
    busy_hour_basis: FigureBasis = "assumed"

    def rate_per_s(self, journey: str) -> float:
        """Arrivals per second of one journey in the measured hour."""
        return self.per_day.get(journey, 0.0) / SECONDS_PER_DAY * self.busy_hour_factor


class CurvePoint(CatalogModel):
    """A point of a rate curve: the rate as a multiple of the stage's level, at a share of the stage's length."""

    at: Annotated[float, Field(ge=0, le=1)]
    factor: _NotNegative


class Stage(CatalogModel):
    """Windows of one load level; in a ramp each window has its own."""

    stage: StageName
    windows: Annotated[int, Field(ge=1, le=10_000)] = 1
    window_s: _Positive = 60.0
    level: _Positive = 1.0
    level_ratio: _Positive = 1.0  # a ramp multiplies the level by this from window to window
    curve: tuple[CurvePoint, ...] = ()  # over the whole stage; linear between points
    basis: FigureBasis = "assumed"

    @model_validator(mode="after")
    def _curve_is_ordered(self) -> Stage:
        shares = [point.at for point in self.curve]
        if shares != sorted(set(shares)):
            raise ValueError("a curve's points must stand in order of `at`, each once")
        if self.curve and not any(point.factor > 0 for point in self.curve):
            raise ValueError("a curve needs at least one factor above 0")
        return self

    def level_of(self, window: int) -> float:
        """The load level of the stage's window number ``window``, from 0."""
        return self.level * self.level_ratio**window

    def curve_mean(self, window: int) -> float:
        """The mean of the curve over the stage's window number ``window``; 1 without a curve."""
        if not self.curve:
            return 1.0
        points = [(0.0, self.curve[0].factor), *((point.at, point.factor) for point in self.curve), (1.0, self.curve[-1].factor)]
        begin, end = window / self.windows, (window + 1) / self.windows
        area = 0.0
        for (x0, y0), (x1, y1) in pairwise(points):
            low, high = max(x0, begin), min(x1, end)
            if low < high:
                middle = y0 + (y1 - y0) * ((low + high) / 2 - x0) / (x1 - x0)
                area += middle * (high - low)
        return area / (end - begin)


class HealthLimits(CatalogModel):
    """Limits of the generator's health; a window beyond one is void. All are assumed unless a comment says otherwise."""

    cpu_percent: _Positive = 85.0  # running or ready to run; p50 rises from 100 % on (docs/benchmarks.md)
    steal_percent: _Positive = 5.0  # docs/calibration.md: at 9 % a p50 of 100 ms was 1.7 % too long
    scheduler_lag_ms: _Positive = 500.0  # the largest in the window, which the slowest step may contain
    lag_p99_ms: _Positive = 25.0
    arrival_lateness_ms: _Positive = 500.0
    lateness_p99_ms: _Positive = 25.0
    reference_error_ms: _Positive = 20.0  # median over the window
    gc_pause_ms: _Positive = 100.0
    clock_bound_ms: _Positive = 50.0
    silent_s: _Positive = 3.5  # the longest silence of a worker


class Workload(CatalogModel):
    """Arrivals of a sweep against each portal; the same for all portals unless ``per_portal``."""

    id: PlainId
    name_vi: str
    name_en: str
    note: str = ""
    arrivals: Literal["poisson", "constant"] = "poisson"
    usage: Usage
    quota_per_window: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    quota_basis: FigureBasis = "assumed"
    per_portal: bool = False  # usage from a portal's daily figures where it has them (for diagnosis; such portals are not ranked)
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    in_flight_ceiling: Annotated[int, Field(ge=1)] = 500
    timeout_s: _Positive = 60.0
    patience_s: _Positive = 120.0  # for the portal's answers to one visit in all, without thinks and the waits of polls
    drain_s: _Positive = 280.0  # at least the longest thinks and polls of a visit, patience_s and timeout_s
    think: dict[str, Think] = Field(default_factory=dict)
    assets: bool = False  # citizens also fetch what pages refer to, where a profile says `assets: true`; for all portals alike
    traceparent: bool = False  # each visit's requests to the portal's own hosts name one trace (W3C Trace Context)
    health: HealthLimits = Field(default_factory=HealthLimits)
    window_s_max: _Positive | None = None  # the longest that a scored window may become to keep the load within ten times usage
    spare_windows: Annotated[int, Field(ge=0, le=20)] = 0  # rounds at the end of a night, for windows that were void or missed
    shortened: bool = False  # windows below 60 s: for demonstrations, and every output says so

    @model_validator(mode="after")
    def _windows_are_long_enough(self) -> Workload:
        short = [stage.stage for stage in self.stages if stage.stage in SCORED_STAGES and stage.window_s < 60]
        if short and not self.shortened:
            raise ValueError(f"windows below 60 s in stage {', '.join(short)} need `shortened: true`")
        if self.window_s_max is not None and self.window_s_max < self._longest_s:
            raise ValueError(f"`window_s_max` must be at least the longest scored window, {self._longest_s:g} s")
        if not any(self.rate_per_s(journey, self.stages[-1], 0) > 0 for journey in self.journeys):
            raise ValueError("no journey has any arrivals: give `usage.per_day` or `quota_per_window`")
        return self

    @property
    def journeys(self) -> tuple[str, ...]:
        """The journeys that have arrivals, in alphabetical order."""
        return tuple(sorted({*self.usage.per_day, *self.quota_per_window}))

    def without(self, journeys: Collection[str]) -> Workload:
        """The workload without the arrivals of these journeys; the others come as before."""
        per_day = {journey: visits for journey, visits in self.usage.per_day.items() if journey not in journeys}
        quota = {journey: visits for journey, visits in self.quota_per_window.items() if journey not in journeys}
        return self.model_copy(update={"usage": self.usage.model_copy(update={"per_day": per_day}), "quota_per_window": quota})

    @property
    def first_scored(self) -> Stage:
        """The first stage that is scored; the first of all where none is."""
        return next((stage for stage in self.stages if stage.stage in SCORED_STAGES), self.stages[0])

    def quota_of(self, journey: str, stage: Stage) -> float:
        """Visits of a journey besides usage in one window of a stage at level 1; ``quota_per_window`` is for the first scored stage."""
        return self.quota_per_window.get(journey, 0) * (stage.window_s / self.first_scored.window_s)

    def rate_per_s(self, journey: str, stage: Stage, window: int) -> float:
        """Arrivals per second of a journey in one window: level × (usage + quota)."""
        return stage.level_of(window) * (self.usage.rate_per_s(journey) + self.quota_of(journey, stage) / stage.window_s)

    def spread_out(self) -> Workload:
        """The workload with longer windows where its load is above ten times usage: the same visits in more time, at a lower rate.

        All scored windows become longer by one factor, up to ``window_s_max``; without that key nothing changes.
        """
        most_s = self.window_s_max or 0.0
        factor = min(self._needed_factor(), most_s / self._longest_s)
        if factor <= 1:
            return self
        stages = tuple(
            stage.model_copy(update={"window_s": float(min(math.ceil(round(stage.window_s * factor, 6)), most_s))})
            if stage.stage in SCORED_STAGES
            else stage
            for stage in self.stages
        )
        return self.model_copy(update={"stages": stages})

    @property
    def _longest_s(self) -> float:
        """The length of the longest scored window."""
        return max((stage.window_s for stage in self.stages if stage.stage in SCORED_STAGES), default=self.first_scored.window_s)

    def _needed_factor(self) -> float:
        """The factor by which windows have to become longer, so that no journey whose usage is known is above ten times its usage.

        A window that is longer by ``factor`` has level × usage × factor + level × quota visits of a journey; usage and quota are those of
        the shorter window. At most 10 × usage × factor are wanted. From level 10 on no window is long enough, and the factor is infinite.
        """
        most = 0.0
        for stage in (stage for stage in self.stages if stage.stage in SCORED_STAGES):
            level = max(stage.level_of(number) * stage.curve_mean(number) for number in range(stage.windows))
            for journey in self.quota_per_window:
                usage = self.usage.rate_per_s(journey) * stage.window_s
                quota = math.ceil(round(level * self.quota_of(journey, stage), 6))  # visits are whole
                if usage and level * usage + quota > ABOVE_USAGE * usage:
                    most = max(most, quota / (usage * (ABOVE_USAGE - level)) if level < ABOVE_USAGE else math.inf)
        return most

    def raised_by(self, journey: str, stage: Stage, window: int = 0) -> float | None:
        """How many times the arrivals of real usage are exceeded; None where usage has none of this journey."""
        usage = self.usage.rate_per_s(journey)
        return self.rate_per_s(journey, stage, window) / usage if usage else None
