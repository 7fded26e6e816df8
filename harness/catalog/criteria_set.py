"""A criteria set: the groups, grades and criteria of one version, and what it adds to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harness.catalog.criteria import DEFAULT_OVER, Criterion, Points, Quota, SomeText, Sourced, plain_number
from harness.catalog.ids import PlainId, spelled
from harness.catalog.not_charged import FinalState, MaintenanceNotice, PathDoubt, SharedHosts, StateWithoutPoints
from harness.catalog.reading import CatalogModel, read_model
from harness.errors import CatalogError, Problem, did_you_mean


class Shortening(CatalogModel):
    """Quotas relaxed for a demonstration or a first look; every output says so."""

    window_s: float | None = None
    min_windows: int | None = None
    min_n: int | None = None

    def __str__(self) -> str:
        parts = (("windows from {} s", self.window_s), ("from {} windows", self.min_windows), ("from {} steps a window", self.min_n))
        return ", ".join(text.format(f"{value:g}") for text, value in parts if value is not None)


class Group(CatalogModel):
    """A group (2024) or pillar (2023) of the whole evaluation."""

    id: PlainId
    name_vi: SomeText
    name_en: SomeText
    points: Points


class Grade(Sourced):
    """A grade and the least total for it."""

    grade: SomeText
    lowest: Annotated[Decimal, Field(ge=0)]


_Hour = Annotated[int, Field(ge=0, le=24)]
_Hours = tuple[_Hour, _Hour]


class ProbeRule(Sourced):
    """How probes count beside windows for ``availability``, and when slow office hours are reported.

    Hours are those of Viet Nam; the first is included, the second is not.
    """

    hours: Annotated[int, Field(ge=1, le=24)]  # of the day, in which the portal must have been observed
    day: _Hours  # office hours, Monday to Friday
    night: _Hours  # may pass midnight
    slower: Annotated[float, Field(gt=1)]  # reported if a search takes so many times as long by day as at night
    days: Annotated[int, Field(ge=1)]  # at least so many days, and nights, with probes that got through
    least: Annotated[int, Field(ge=1)]  # at least so many probes that got through by day, and at night

    @model_validator(mode="after")
    def _day_and_night(self) -> ProbeRule:
        if self.day[0] >= self.day[1] or self.night[0] == self.night[1]:
            raise ValueError("`day` must begin before it ends, and `night` must not be empty")
        return self


class CriteriaSet(CatalogModel):
    """A versioned set: the groups of the whole evaluation, and the criteria inside its performance group."""

    id: Annotated[str, spelled(r"[A-Za-z0-9][A-Za-z0-9-]*", "letters A to Z, digits and hyphens, of which the first is no hyphen")]
    version: Annotated[str, spelled(r"[0-9]+(\.[0-9]+)*", "numbers with points between them, for example 2 or 1.3")]
    name_vi: SomeText
    name_en: SomeText
    note: str = ""
    provisional: bool
    points_total: Points
    groups: tuple[Group, ...]
    performance_group: PlainId
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
            raise ValueError(f"one of the groups: {', '.join(known)}. {did_you_mean(name, known)}".rstrip(". "))
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


def _adds_up(what: str, points: Iterable[Decimal], expected: Decimal | None) -> None:
    total = sum(points, Decimal(0))
    if not total:
        raise ValueError(f"at least one of the {what}")
    if expected is not None and total != expected:
        raise ValueError(f"{what} whose points add up to {plain_number(expected)}; these add up to {plain_number(total)}")


def _each_once(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"each id once; {name} stands twice")
        seen.add(name)
