"""The scores of a sweep: the points of each portal with their intervals and all their inputs.

These classes are the model of ``scores.json``, too: the fields are its keys in their order, and the constraints are checked
when a file is read. A field with a default may be missing from a file. Fields that came later than version 1 of the shipped
sets are left out where they hold their default, so that old evidence gives the bytes that it gave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field, PlainSerializer

from harness.catalog.basis import Basis
from harness.catalog.criteria import DEFAULT_OVER, Over
from harness.evidence.facts import Reason, UnprovenJourney, Verdict
from harness.evidence.publication import FIRST_DRAFT, PortalPublication, PublicationStep, publication_of

_Text = Annotated[str, Field(min_length=1)]
_Night = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
_Count = Annotated[int, Field(ge=0)]
_Points = Annotated[float, Field(ge=0)]
_PointsInterval = tuple[_Points, _Points]


class CriterionState(StrEnum):
    """Whether the evidence was enough to judge a criterion; only ``assessed`` has points."""

    ASSESSED = "assessed"
    NOT_ASSESSED = "not_assessed"
    UNPROVEN = "unproven"  # no lone citizen got through a journey that it needs: the portal is broken, or our profile is out of date


class WindowScore(NamedTuple):
    """A criterion's metric in one window; ``value`` is None where it is censored."""

    window: int
    value: float | None
    n: _Count


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionScore:
    """One criterion of one portal."""

    id: _Text
    name_vi: str
    name_en: str
    heading: str = ""  # the heading of Circular 22/2019 Art. 7, or "correctness"
    state: CriterionState
    reason: str = ""  # why it was not assessed or is unproven; empty otherwise
    points: _Points | None
    points_max: _Points
    interval: _PointsInterval | None  # of the points
    interval_kind: str = ""  # "sign test over windows", "block, one window", or ""
    metric: str  # in the grammar of metrics
    value: float | None  # the median window's, or the mean of the windows; None where censored or not assessed
    value_interval: tuple[float | None, float | None] | None = None
    censored: bool = False  # the value lies beyond the timeout
    unit: str
    windows: _Count
    n: _Count  # steps or visits behind the value
    curve: str = ""  # printed form with its version, for example "linear/1 full 2.5 s none 10 s"
    basis: Basis
    source: str = ""
    selection: str = ""  # printed form of what was selected
    per_window: tuple[Annotated[WindowScore, PlainSerializer(WindowScore._asdict)], ...] = ()
    interval_level: Annotated[float, Field(ge=0, le=1)] | None = (
        None  # the probability that the interval's rule attains, for example 0.96875
    )
    value_of_successes: float | None = None  # the same metric in the same windows over successes only; not scored
    not_charged_s: Annotated[float, Field(ge=0)] | None = None  # mean time that a step takes in these windows at hosts that are not charged
    points_per_window: tuple[tuple[_Night, int, int, _Points], ...] = ()  # (night, round, which window of the round, points)
    over: Annotated[Over, Field(exclude_if=lambda over: over == DEFAULT_OVER)] = DEFAULT_OVER  # the windows that gave the points
    # Only of a mean: the mean time of the successes in the same window as it was measured. ``value`` counts each success at most
    # as the zero point of the curve, and each failure at least as it.
    value_measured: Annotated[float | None, Field(ge=0, exclude_if=lambda value: value is None)] = None
    zero_point_s: Annotated[float | None, Field(ge=0, exclude_if=lambda value: value is None)] = None
    # Failed steps (or visits), and all of them, in the windows that gave the points; None where no window did.
    failures: Annotated[_Count | None, Field(exclude_if=lambda count: count is None)] = None
    failures_of: Annotated[_Count | None, Field(exclude_if=lambda count: count is None)] = None

    @property
    def judged_per_window(self) -> bool:
        """Whether ``over`` says how its points were made: they come from values that each window has."""
        return bool(self.points_per_window)


LATER_FIELDS: Final = ("value_measured", "zero_point_s", "failures", "failures_of")
"""Fields of a criterion that scores written by earlier versions of this program do not have."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A scored file; ``file`` is relative to the sweep's folder."""

    file: _Text
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class PointsWithoutMakeUp:
    """The points as they would be without the make-up windows. They are shown beside the points and never used as such."""

    make_up_windows: _Count  # that are valid
    points: _Points | None  # None where too few other windows are left
    interval: _PointsInterval | None
    points_assessed_max: _Points


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAndNight:
    """How long a search takes in office hours and at night, by probes that got through. It changes no points."""

    day_s: Annotated[float, Field(ge=0)]  # the median over days of each day's median
    night_s: Annotated[float, Field(ge=0)]
    ratio: Annotated[float, Field(ge=0)]
    limit: Annotated[float, Field(gt=1)]  # from this ratio on it is a finding
    is_finding: bool
    days: _Count
    nights: _Count
    probes: _Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """The points of one portal; ``points`` and ``interval`` are None unless the verdict is valid."""

    portal: _Text
    name_vi: str
    name_en: str
    level: str = ""  # ministry, province or sample
    verdict: Verdict
    reasons: tuple[Reason, ...]
    points: _Points | None
    interval: _PointsInterval | None
    points_max: _Points
    points_assessed_max: _Points
    nights: tuple[_Night, ...]
    criteria: tuple[CriterionScore, ...]
    evidence: tuple[Evidence, ...]
    interval_kind: str = ""  # how the total's interval was computed
    unproven: Annotated[tuple[UnprovenJourney, ...], Field(exclude_if=lambda journeys: not journeys)] = ()
    without_make_up: Annotated[PointsWithoutMakeUp | None, Field(exclude_if=lambda points: points is None)] = None

    day_and_night: Annotated[DayAndNight | None, Field(exclude_if=lambda found: found is None)] = None
    publication: Annotated[PortalPublication | None, Field(exclude_if=lambda found: found is None)] = None  # None in older files: a draft

    @property
    def where_it_stands(self) -> PortalPublication:
        """The state between the night and the publication; a card without any step is a draft."""
        return self.publication or FIRST_DRAFT

    @property
    def is_ranked(self) -> bool:
        """Whether it has points, no unproven criterion, and no windows with an address limit that persons still have to settle."""
        proven = all(score.state is not CriterionState.UNPROVEN for score in self.criteria)
        return self.points is not None and proven and all(reason.code != "address_limit" for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class AppliedCriteria:
    """The criteria set that the scores were computed by."""

    id: _Text
    version: _Text
    provisional: bool
    sha256: str = ""

    @property
    def unshortened_version(self) -> str:
        """The version of the set itself, without a note that it was applied shortened."""
        return self.version.partition("+")[0]

    @property
    def named(self) -> str:
        """Id and version, as ``--criteria`` takes them."""
        return f"{self.id}@{self.unshortened_version}"

    def is_same_as(self, other: AppliedCriteria) -> bool:
        """Whether both are one set in one version with one content; shortening does not count. Old scores have no digest."""
        return self.named == other.named and len({self.sha256, other.sha256} - {""}) <= 1


@dataclass(frozen=True, slots=True)
class ScoredGroup:
    """The group of the whole evaluation that the points belong to."""

    id: _Text
    name_vi: str
    name_en: str
    points_max: Annotated[float, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class SharedHostOutage:
    """A host that portals share, and the visits that it failed: nobody's failures among the portals."""

    host: _Text
    owner: _Text
    first_utc: _Text  # when the first and the last window began in which it failed visits
    last_utc: _Text
    visits: _Count
    portals: tuple[_Text, ...]  # whose visits ended there


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepScores:
    """All scorecards of one sweep under one criteria set."""

    sweep: _Text
    revision: Annotated[int, Field(ge=1)]
    supersedes: Annotated[int, Field(ge=1)] | None
    nights: tuple[_Night, ...]
    criteria_set: AppliedCriteria
    group: ScoredGroup
    scorecards: Annotated[tuple[Scorecard, ...], Field(alias="scores")]  # ordered by portal id
    shared_failures: Annotated[tuple[SharedHostOutage, ...], Field(exclude_if=lambda outages: not outages)] = ()

    def is_same_sweep_as(self, other: SweepScores) -> bool:
        """Whether both are scores of one measurement: one id, and one plan by its digest. Scores without evidence are of none."""
        plans = [{file.sha256 for card in each.scorecards for file in card.evidence if file.file == "plan.json"} for each in (self, other)]
        return self.sweep == other.sweep and bool(plans[0] & plans[1])


def with_publication(scores: SweepScores, steps: Sequence[PublicationStep]) -> SweepScores:
    """The scores, each card with where it stands after these steps."""
    cards = tuple(replace(card, publication=publication_of(steps, card.portal)) for card in scores.scorecards)
    return replace(scores, scorecards=cards)


def earlier_forms(scores: SweepScores) -> tuple[SweepScores, ...]:
    """The scores as earlier versions of this program would have written them, the latest first. All count as equal."""
    drafts = tuple(_without_first_draft(card) for card in scores.scorecards)
    return replace(scores, scorecards=drafts), without_later_fields(scores)


def without_later_fields(scores: SweepScores) -> SweepScores:
    """The scores as the earliest version of this program would have written them. They count as equal, so they keep their revision."""
    absent: dict[str, Any] = dict.fromkeys(LATER_FIELDS)
    cards = tuple(
        replace(_without_first_draft(card), criteria=tuple(replace(each, **absent) for each in card.criteria)) for card in scores.scorecards
    )
    return replace(scores, scorecards=cards)


def _without_first_draft(card: Scorecard) -> Scorecard:
    """The card without its publication, if no step was taken: that is what a card without the field means."""
    return replace(card, publication=None) if card.publication == FIRST_DRAFT else card
