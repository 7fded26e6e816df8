"""Criteria sets: what is scored, from which rows, by which metric and curve, and the source of every number."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harness.catalog.basis import Basis
from harness.catalog.platform import GOALS, StepName
from harness.catalog.reading import CatalogModel, read_model
from harness.errors import CatalogError, Problem
from harness.origins import SharedOwner, locate
from harness.records.plan import PathLimits
from harness.records.step_keys import WARM_UP, StageName
from harness.statistics.metric import Metric, parse_metric
from harness.statistics.percentile import percentile_floor

Over = Literal["median_window", "mean_of_windows"]
"""Which points a criterion gets from its windows: those of the median window, or the mean of the points of all windows."""

StateWithoutPoints = Literal["blocked", "unreachable", "unproven", "address_limit", "announced_maintenance"]
DEFAULT_OVER: Over = "median_window"
_SHARES = frozenset({"ok_rate", "error_rate", "apdex", "server_cpu"})
Heading = Literal["average_response", "slowest_response", "server_efficiency", "concurrent_use", "continuous_operation", "correctness"]
_Text = Annotated[str, Field(min_length=1)]
_Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
_Share = Annotated[Decimal, Field(ge=0, le=1)]
_Positive = Annotated[Decimal, Field(gt=0)]
_HostName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]+)?$")]

JOURNEY_GOALS: dict[str, tuple[str, ...]] = {"search": ("find",), "submit": tuple(GOALS), "pay": tuple(GOALS)}
_STEP_NAMES: tuple[str, ...] = get_args(StepName)
_STEPS_OF_FIND = ("search", "open_procedure", "hand_over")


class Sourced(CatalogModel):
    """A statement with its basis (official, borrowed or assumed) and its source."""

    basis: Basis
    source: _Text


class Points(Sourced):
    """The points of a group or criterion."""

    value: Annotated[Decimal, Field(gt=0)]


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
            raise ValueError(f"{info.field_name} {', '.join(unknown)} is unknown; known are {', '.join(known)}")
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
    full: Decimal
    none: Decimal

    def __str__(self) -> str:
        return f"linear/{self.version} full {_plain(self.full)} none {_plain(self.none)}"


class Band(CatalogModel):
    """Values no worse than ``limit`` get ``share`` of the points."""

    limit: Decimal
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
        return f"bands/{self.version} " + ", ".join(f"{_plain(band.limit)} → {_plain(band.share)}" for band in self.bands)


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
        return f"log_normal/{self.version} p10 {_plain(self.p10)} median {_plain(self.median)}"


Curve = Annotated[Linear | Bands | LogNormal, Field(discriminator="kind")]


class Quota(Sourced):
    """The least measurement that a criterion needs."""

    windows: Annotated[int, Field(ge=1)]  # valid windows of the criterion's stage
    n: Annotated[int, Field(ge=1)]  # in each of them, of each selected step (or visits)
    window_s: Annotated[float, Field(gt=0)] = 60.0  # the shortest window that counts, less 2 %
    nights: Annotated[int, Field(ge=1)] = 1


class Shortening(CatalogModel):
    """Quotas relaxed for a demonstration or a first look; every output says so."""

    window_s: float | None = None
    min_windows: int | None = None
    min_n: int | None = None

    def __str__(self) -> str:
        parts = (("windows from {} s", self.window_s), ("from {} windows", self.min_windows), ("from {} steps a window", self.min_n))
        return ", ".join(text.format(f"{value:g}") for text, value in parts if value is not None)


class Criterion(CatalogModel):
    """One criterion of the performance group."""

    id: _Id
    name_vi: _Text
    name_en: _Text
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


class Group(CatalogModel):
    """A group (2024) or pillar (2023) of the whole evaluation."""

    id: _Id
    name_vi: _Text
    name_en: _Text
    points: Points


class Grade(Sourced):
    """A grade and the least total for it."""

    grade: _Text
    lowest: Annotated[Decimal, Field(ge=0)]


class FinalState(Sourced):
    """After how many nights in a row a state without points is final, and what follows then.

    ``no_points``: the state stands, without points. ``person``: a person decides, on the record.
    """

    nights: Annotated[int, Field(ge=1)]
    consequence: Literal["no_points", "person"]

    def __str__(self) -> str:
        follows = "there are no points" if self.consequence == "no_points" else "a person decides"
        return f"final after {self.nights} night{'s' * (self.nights > 1)} in a row; then {follows} ({self.basis})"


class MaintenanceNotice(Sourced):
    """How long before its beginning maintenance must be announced, so that windows that overlap it are not scored."""

    hours: Annotated[float, Field(gt=0)]

    def __str__(self) -> str:
        return f"announced at least {self.hours:g} h before it begins ({self.basis})"


class SharedRole(Sourced):
    """Hosts of one role that many portals share, such as a national login.

    ``hosts``: their names, with a port where only that one is meant. Without names it is every host to which an authorisation
    gives this role and this owner.
    """

    hosts: Annotated[tuple[_HostName, ...] | None, Field(min_length=1)] = None


class LostShare(Sourced):
    """A share of the visits of a journey in a window."""

    value: Annotated[float, Field(ge=0, lt=1)]


class SharedHosts(CatalogModel):
    """The hosts that no portal is charged for: neither their time nor their failures."""

    roles: Annotated[dict[SharedOwner, SharedRole], Field(min_length=1)]
    lost_max: LostShare  # a window that lost more of a journey's visits at such hosts is not scored

    def has(self, role: str, owner: str, origin: str) -> bool:
        """Whether a host is shared, by its role in the profile, its owner in the authorisation, and its name."""
        listed = next((each for name, each in self.roles.items() if name == role == owner), None)
        if listed is None:
            return False
        found, _ = locate(origin)
        return listed.hosts is None or (found is not None and bool({found.name, f"{found.name}:{found.port}"} & {*listed.hosts}))


class PathDoubt(Sourced):
    """When the path from us to the portals is doubted: nearly all that are measured together are slower than usual, or out of reach."""

    portals: Annotated[int, Field(ge=3)]  # at least so many are needed, on hosts of their own
    share: Annotated[float, Field(gt=0.5, le=1)]  # of them, that are hit at the same time
    windows: Annotated[int, Field(ge=1)]  # other windows of the same stage that a window is compared with, at least
    slower: Annotated[float, Field(gt=1)]  # than the median of these windows, as a factor
    added_ms: Annotated[float, Field(ge=0)]  # and slower by at least so much
    unreached: Annotated[float, Field(gt=0, le=1)]  # share of a window's visits that got no answer

    @property
    def limits(self) -> PathLimits:
        """The numbers, as a plan has them."""
        return PathLimits(self.portals, self.share, self.windows, self.slower, self.added_ms, self.unreached)


_Hour = Annotated[int, Field(ge=0, le=24)]
_Hours = tuple[_Hour, _Hour]


class ProbeRule(Sourced):
    """How probes count beside windows for ``availability``, and when slow office hours are a finding. Hours are Viet Nam's, the second excluded."""

    hours: Annotated[int, Field(ge=1, le=24)]  # of the day, in which the portal must have been observed
    day: _Hours  # office hours, Monday to Friday
    night: _Hours  # may pass midnight
    slower: Annotated[float, Field(gt=1)]  # a finding if a search takes so many times as long by day as at night
    days: Annotated[int, Field(ge=1)]  # at least so many days, and nights, with probes that got through
    least: Annotated[int, Field(ge=1)]  # at least so many probes that got through by day, and at night

    @model_validator(mode="after")
    def _day_and_night(self) -> ProbeRule:
        if self.day[0] >= self.day[1] or self.night[0] == self.night[1]:
            raise ValueError("`day` must begin before it ends, and `night` must not be empty")
        return self


class CriteriaSet(CatalogModel):
    """A versioned set: the groups of the whole evaluation, and the criteria inside its performance group."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")]
    version: Annotated[str, Field(pattern=r"^\d+(\.\d+)*$")]
    name_vi: _Text
    name_en: _Text
    note: str = ""
    provisional: bool
    points_total: Points
    groups: tuple[Group, ...]
    performance_group: _Id
    grades: tuple[Grade, ...] = ()
    between_bands: Literal["lower", "nearest"] = "lower"  # a total of 89.5, where 80–89 and 90–100 are printed
    criteria: tuple[Criterion, ...]
    states: dict[StateWithoutPoints, FinalState] = Field(default_factory=dict)
    maintenance_notice: MaintenanceNotice | None = None  # None: maintenance counts for availability alone, whenever it was announced
    shared: SharedHosts | None = None  # without it: time at hosts of any other owner is not charged, and their failures are
    path_doubt: PathDoubt | None = None  # without it the path is never doubted
    probes: ProbeRule | None = None  # without it availability is of windows alone
    latest: bool = False  # of several nights, only the latest windows, as many as the quota of a criterion needs
    shortening: Shortening | None = None

    @field_validator("groups")
    @classmethod
    def _groups_add_up(cls, groups: tuple[Group, ...], info: ValidationInfo) -> tuple[Group, ...]:
        _each_once(group.id for group in groups)
        total = info.data.get("points_total")
        _adds_up("groups", (group.points.value for group in groups), None if total is None else total.value)
        return groups

    @field_validator("performance_group")
    @classmethod
    def _is_a_group(cls, name: str, info: ValidationInfo) -> str:
        known = [group.id for group in info.data.get("groups", ())]
        if known and name not in known:
            raise ValueError(f"one of the groups: {', '.join(known)}")
        return name

    @field_validator("grades")
    @classmethod
    def _grades_fall(cls, grades: tuple[Grade, ...]) -> tuple[Grade, ...]:
        _each_once(grade.grade for grade in grades)
        lowest = [grade.lowest for grade in grades]
        if lowest != sorted(set(lowest), reverse=True) or (lowest and lowest[-1] != 0):
            raise ValueError("grades must stand from the best to the worst, the last from 0")
        return grades

    @field_validator("criteria")
    @classmethod
    def _criteria_add_up(cls, criteria: tuple[Criterion, ...], info: ValidationInfo) -> tuple[Criterion, ...]:
        _each_once(criterion.id for criterion in criteria)
        groups = {group.id: group for group in info.data.get("groups", ())}
        group = groups.get(info.data.get("performance_group", ""))
        _adds_up("criteria", (criterion.points.value for criterion in criteria), None if group is None else group.points.value)
        return criteria

    @property
    def group(self) -> Group:
        """The performance group."""
        return next(group for group in self.groups if group.id == self.performance_group)

    @property
    def shared_owners(self) -> frozenset[str] | None:
        """The owners of hosts that are not charged to a portal; None where the set does not say it."""
        return None if self.shared is None else frozenset(self.shared.roles)

    @property
    def named(self) -> str:
        """Id and version, as ``--criteria`` takes them."""
        return f"{self.id}@{self.version}"

    @property
    def version_numbers(self) -> tuple[int, ...]:
        """The version as numbers: "1.10" is newer than "1.9"."""
        return tuple(map(int, self.version.split(".")))

    @property
    def sha256(self) -> str:
        """The digest of the set's content; comments and layout of its file do not count."""
        data = self.model_dump(mode="json", exclude={"shortening", "latest"})
        for criterion in data["criteria"]:  # sets from before the keys `over`, `states` and those below keep their digest
            if criterion["over"] == DEFAULT_OVER:
                del criterion["over"]
        for key in ("states", "maintenance_notice", "shared", "path_doubt", "probes"):
            if not data[key]:
                del data[key]
        return sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def printed_version(self) -> str:
        """The version, and whether it was applied shortened."""
        return self.version if self.shortening is None else f"{self.version}+shortened ({self.shortening})"

    def shortened(self, *, window_s: float | None = None, min_windows: int | None = None, min_n: int | None = None) -> CriteriaSet:
        """The same set with shorter windows or smaller counts allowed; its version, and so every output, says so.

        Numbers that are stricter than the set's own relax nothing. ``slowest(n)`` takes its maximum over
        what there is where that is fewer; floors of percentiles stay.
        """
        return self.model_copy(update={"shortening": Shortening(window_s=window_s, min_windows=min_windows, min_n=min_n)})

    def of_latest_windows(self) -> CriteriaSet:
        """The same set, which judges each criterion on the latest windows of all nights, as many as its quota needs."""
        return self.model_copy(update={"latest": True})

    def quota_of(self, criterion: Criterion) -> Quota:
        """The quota of a criterion, shortened where the set is."""
        quota, short = criterion.quota, self.shortening or Shortening()
        return quota.model_copy(
            update={
                "windows": min(quota.windows, short.min_windows or quota.windows),
                "n": min(quota.n, short.min_n or quota.n),
                "window_s": min(quota.window_s, short.window_s or quota.window_s),
            }
        )


def read_criteria(path: Path) -> CriteriaSet:
    """The criteria set of one file; CatalogError with every problem in it."""
    problems: list[Problem] = []
    found = read_model(path, CriteriaSet, problems)
    if found is None:
        raise CatalogError(*problems)
    return found


def _check_direction(metric: Metric, curve: Linear | Bands | LogNormal) -> None:
    if isinstance(curve, LogNormal):
        if metric.higher_is_better:
            raise ValueError(f"a log-normal curve is for times; of {metric} more is better, use linear or bands")
        return
    first, last = (curve.full, curve.none) if isinstance(curve, Linear) else (curve.bands[0].limit, curve.bands[-1].limit)
    if isinstance(curve, Linear) and first == last:
        raise ValueError("full and none must differ; use bands for a single limit")
    if first != last and (first > last) != metric.higher_is_better:
        better = "more" if metric.higher_is_better else "less"
        raise ValueError(f"the curve runs the wrong way: of {metric} {better} is better")


def _adds_up(what: str, points: Iterable[Decimal], expected: Decimal | None) -> None:
    total = sum(points, Decimal(0))
    if not total:
        raise ValueError(f"at least one of the {what}")
    if expected is not None and total != expected:
        raise ValueError(f"{what} whose points add up to {_plain(expected)}; these add up to {_plain(total)}")


def _each_once(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"each id once; {name} stands twice")
        seen.add(name)


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
