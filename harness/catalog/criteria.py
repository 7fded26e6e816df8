"""Criteria: what is scored, from which rows, by which metric and curve, and the source of every number."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harness.catalog.basis import Basis
from harness.catalog.ids import PlainId
from harness.catalog.platform import GOALS, StepName
from harness.catalog.reading import CatalogModel
from harness.errors import did_you_mean
from harness.records.step_keys import WARM_UP, StageName
from harness.statistics.metric import Metric, parse_metric
from harness.statistics.percentile import percentile_floor

Over = Literal["median_window", "mean_of_windows"]
"""Which points a criterion gets from its windows: those of the median window, or the mean of the points of all windows."""

DEFAULT_OVER: Over = "median_window"
_SHARES = frozenset({"ok_rate", "error_rate", "apdex", "server_cpu"})
Heading = Literal["average_response", "slowest_response", "server_efficiency", "concurrent_use", "continuous_operation", "correctness"]
SomeText = Annotated[str, Field(min_length=1)]
_Share = Annotated[Decimal, Field(ge=0, le=1)]
_MOST = 10**9  # assumed: far above every time, rate and share, and below what a float holds
_Value = Annotated[Decimal, Field(ge=-_MOST, le=_MOST)]
_Positive = Annotated[Decimal, Field(gt=0, le=_MOST)]

JOURNEY_GOALS: dict[str, tuple[str, ...]] = {"search": ("find",), "submit": tuple(GOALS), "pay": tuple(GOALS)}
_STEP_NAMES: tuple[str, ...] = get_args(StepName)
_STEPS_OF_FIND = ("search", "open_procedure", "hand_over")


class Sourced(CatalogModel):
    """A statement with its basis (official, borrowed or assumed) and its source."""

    basis: Basis
    source: SomeText


class Points(Sourced):
    """The points of a group or criterion."""

    value: _Positive


class Selection(CatalogModel):
    """The steps and visits of a criterion; a key that is left out selects all."""

    journey: Annotated[tuple[str, ...], Field(min_length=1)]
    stage: StageName
    goal: Annotated[tuple[str, ...] | None, Field(min_length=1)] = None
    step: Annotated[tuple[str, ...] | None, Field(min_length=1)] = None
    owner: Literal["portal", "any"] = "portal"  # any: time at hosts of other owners is charged too

    @field_validator("stage")
    @classmethod
    def _never_the_warm_up(cls, stage: str) -> str:
        if stage == WARM_UP:
            raise ValueError("a stage that is scored; the warm-up never is")
        return stage

    @field_validator("journey", "goal", "step")
    @classmethod
    def _known(cls, names: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        known = {"journey": tuple(JOURNEY_GOALS), "goal": tuple(GOALS), "step": _STEP_NAMES}[str(info.field_name)]
        unknown = [name for name in names or () if name not in known]
        if unknown:
            raise ValueError(
                f"{info.field_name} {', '.join(unknown)} is unknown; known are {', '.join(known)}. {did_you_mean(unknown[0], known)}".rstrip()
            )
        return names

    @model_validator(mode="after")
    def _not_empty(self) -> Selection:
        for journey in self.journey:
            goals = [goal for goal in JOURNEY_GOALS[journey] if self.goal is None or goal in self.goal]
            if not goals or (goals == ["find"] and self.step and not set(self.step) & set(_STEPS_OF_FIND)):
                raise ValueError(f"the selection is empty: journey {journey} has none of these goals and steps")
        return self

    def takes(self, journey: str, goal: str, step: str) -> bool:
        """Whether a step of a journey is selected."""
        return journey in self.journey and (self.goal is None or goal in self.goal) and (self.step is None or step in self.step)

    def __str__(self) -> str:
        goals = "" if self.goal is None else f", goal {' '.join(self.goal)}"
        steps = "all steps" if self.step is None else " ".join(self.step)
        charged = "the portal's own time" if self.owner == "portal" else "time at every host"
        return f"journey {' '.join(self.journey)}{goals}: {steps}; stage {self.stage}; {charged}"


class Linear(Sourced):
    """Full points up to ``full``, no points from ``none`` on, linear between; in the metric's unit."""

    kind: Literal["linear"]
    version: Literal[1]
    full: _Value
    none: _Value

    def __str__(self) -> str:
        return f"linear/{self.version} full {plain_number(self.full)} none {plain_number(self.none)}"


class Band(CatalogModel):
    """Values no worse than ``limit`` get ``share`` of the points."""

    limit: _Value
    share: _Share


class Bands(Sourced):
    """Bands from best to worst; a value gets the first band that it reaches, and no points beyond the last."""

    kind: Literal["bands"]
    version: Literal[1]
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _ordered(self) -> Bands:
        shares = [band.share for band in self.bands]
        limits = [band.limit for band in self.bands]
        if shares != sorted(set(shares), reverse=True) or 0 in shares:
            raise ValueError("bands must stand from the best share to the worst, each smaller than the one before and above 0")
        if limits not in (sorted(set(limits)), sorted(set(limits), reverse=True)):
            raise ValueError("the limits of the bands must all rise or all fall, each once")
        return self

    def __str__(self) -> str:
        return f"bands/{self.version} " + ", ".join(f"{plain_number(band.limit)} → {plain_number(band.share)}" for band in self.bands)


class LogNormal(Sourced):
    """Lighthouse's curve: a share of 0.90 at ``p10`` and of 0.50 at ``median``."""

    kind: Literal["log_normal"]
    version: Literal[1]
    p10: _Positive
    median: _Positive

    @model_validator(mode="after")
    def _p10_is_better(self) -> LogNormal:
        if self.p10 >= self.median:
            raise ValueError("p10 (0.90 of the points) must be below the median (0.50)")
        return self

    def __str__(self) -> str:
        return f"log_normal/{self.version} p10 {plain_number(self.p10)} median {plain_number(self.median)}"


Curve = Annotated[Linear | Bands | LogNormal, Field(discriminator="kind")]


class Quota(Sourced):
    """The least measurement that a criterion needs."""

    windows: Annotated[int, Field(ge=1)]  # valid windows of the criterion's stage
    n: Annotated[int, Field(ge=1)]  # in each of them, of each selected step (or visits)
    window_s: Annotated[float, Field(gt=0)] = 60.0  # the shortest window that counts, less 2 %
    nights: Annotated[int, Field(ge=1)] = 1


class Criterion(CatalogModel):
    """One criterion of the performance group."""

    id: PlainId
    name_vi: SomeText
    name_en: SomeText
    heading: Heading
    points: Points
    metric: str
    select: Selection
    combine: Literal["mean", "worst"] = "mean"  # of the selected steps' values, in each window
    over: Over = DEFAULT_OVER
    curve: Curve
    quota: Quota
    required: Literal["always", "when_measured", "never"] = "when_measured"

    @field_validator("metric")
    @classmethod
    def _parses(cls, text: str) -> str:
        return str(parse_metric(text))

    @property
    def parsed(self) -> Metric:
        """The metric, parsed."""
        return parse_metric(self.metric)

    @property
    def basis(self) -> Basis:
        """The weakest basis of any number in it."""
        weakest: tuple[Basis, ...] = ("assumed", "borrowed", "official")
        return next(basis for basis in weakest if basis in {self.points.basis, self.curve.basis, self.quota.basis})

    @property
    def source(self) -> str:
        """Where its points, thresholds and quotas come from, each with its basis."""
        parts = (("points", self.points), ("curve", self.curve), ("quota", self.quota))
        return "; ".join(f"{name}: {part.basis}, {part.source}" for name, part in parts)

    @model_validator(mode="after")
    def _fits_its_metric(self) -> Criterion:
        _check_direction(self.parsed, self.curve)
        metric, count = self.parsed, self.quota.n
        if metric.figure == "slowest" and metric.argument is not None and count < metric.argument:
            raise ValueError(f"{metric} needs quota.n of at least {metric.argument}")
        if metric.figure == "percentile" and metric.argument is not None and count < percentile_floor(metric.argument):
            raise ValueError(f"{metric} needs quota.n of at least {percentile_floor(metric.argument)}: below that there is no estimate")
        if metric.figure == "sustained" and self.select.stage != "ramp":
            raise ValueError("sustained is read from the held levels of stage ramp")
        if self.over == "mean_of_windows" and metric.figure not in _SHARES:
            raise ValueError(f"over: mean_of_windows is for shares ({', '.join(sorted(_SHARES))}); remove it from {metric}")
        return self


def _check_direction(metric: Metric, curve: Linear | Bands | LogNormal) -> None:
    if isinstance(curve, LogNormal):
        if metric.higher_is_better:
            raise ValueError(f"a log-normal curve is for times; of {metric} more is better, use linear or bands")
        return
    limits = (curve.full, curve.none) if isinstance(curve, Linear) else tuple(band.limit for band in curve.bands)
    best = {"%": 100, "": 1}.get(metric.unit)
    if best is not None and not all(0 <= limit <= best for limit in limits):
        raise ValueError(f"{metric} lies between 0 and {best}: no value reaches a number of the curve beyond them")
    first, last = limits[0], limits[-1]
    if isinstance(curve, Linear) and first == last:
        raise ValueError("full and none must differ; use bands for a single limit")
    if first != last and (first > last) != metric.higher_is_better:
        better = "more" if metric.higher_is_better else "less"
        raise ValueError(f"the curve runs the wrong way: of {metric} {better} is better")


def plain_number(number: Decimal) -> str:
    """A number without an exponent and without zeros at its end."""
    return format(number.normalize(), "f")
