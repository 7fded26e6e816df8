"""What the rules changed and what the portal changed, apart: old evidence scored again by the rules of today, then compared.

Three scores stand side by side: before and after as they were given out, and the sweep that was scored again by the set of the other.
Two of them share their evidence, so what differs between them is the rules' part. Two share their rules, so what differs is the portal's
part. Points have four decimals and are added as decimals, so the parts add up to the whole change exactly. The rules' part is arithmetic
on the same rows and has no test; the portal's part has that of ``compare``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.reading import CatalogModel
from harness.scoring.scorecard import AppliedCriteria, CriterionScore, Scorecard, SweepScores

Rescored = Literal["before", "after"]
"""Which of two sweeps was scored again by the set of the other."""

_PRINTED_RULES: Final = ("points_max", "metric", "selection", "over", "curve")
"""The rules of a criterion that its score prints."""


@dataclass(frozen=True, slots=True)
class RuledPoints:
    """Points by one set of rules: of a criterion, or of a portal in all."""

    points: float | None  # None where there are none
    points_max: float  # of a criterion, its own; of a portal, those of its assessed criteria
    state: str  # of a criterion; of a portal, its verdict
    reason: str = ""  # why a criterion is not assessed
    interval: tuple[float, float] | None = None  # of the points


@dataclass(frozen=True, slots=True)
class ChangeParts:
    """A change of points and its parts; None where a sweep has no points. ``whole`` is the sum of the other three.

    ``one_sweep`` are points of criteria that the rules of both have and only one of the sweeps could assess: nobody's part.
    """

    whole: float | None
    by_rules: float | None
    by_portal: float | None
    one_sweep: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionParts:
    """The change of one criterion of one portal. ``before``, ``rescored`` and ``after`` are None where the set lacks the criterion."""

    criterion: str
    name_vi: str
    name_en: str
    before: RuledPoints | None
    rescored: RuledPoints | None
    after: RuledPoints | None
    parts: ChangeParts


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalParts:
    """The change of one portal in all and by criterion, in the order of the later sweep's set; criteria that it lacks stand last."""

    portal: str
    name_vi: str
    name_en: str
    before: RuledPoints
    rescored: RuledPoints
    after: RuledPoints
    parts: ChangeParts
    criteria: tuple[CriterionParts, ...]

    @property
    def is_alike(self) -> bool:
        """Whether before and after are points of the same criteria with the same maxima. Otherwise totals are not to be subtracted."""
        return _assessed(each.before for each in self.criteria) == _assessed(each.after for each in self.criteria)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRule:
    """A criterion whose printed rules differ, with those of before and of after by name. Without any of before it is new, without any of after gone."""

    criterion: str
    name_vi: str
    name_en: str
    unit: str
    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UnprintedRule:
    """A rule that no score prints and that differs: of a criterion, or of the whole set."""

    rule: str  # quota, required or combine; of a set: shared, maintenance_notice, probes or path_doubt
    criterion: str = ""  # empty for the whole set
    name_vi: str = ""  # of the criterion
    name_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChanges:
    """What two sets of rules give from one evidence, beside what the portals changed."""

    rescored: Rescored
    before: AppliedCriteria  # of the scores that were given out
    after: AppliedCriteria
    again: AppliedCriteria  # of the scores that were made again; it says whether they are shortened
    same_version: bool  # one set and version, but another content: the rules changed without a new version
    not_reproduced: tuple[str, ...] | None  # portals whose given points today's program does not make again; None: nothing to tell by
    rules: tuple[ChangedRule, ...]
    unprinted: tuple[UnprintedRule, ...] | None  # None where the earlier or the later set is not at hand
    portals: tuple[PortalParts, ...]  # those in both sweeps, by id


def rule_changes(
    before: SweepScores,
    again: SweepScores,
    after: SweepScores,
    *,
    rescored: Rescored,
    not_reproduced: Collection[str] | None = None,
    unprinted: tuple[UnprintedRule, ...] | None = None,
) -> RuleChanges:
    """The parts of each portal in both sweeps. ``again``: the scores of the ``rescored`` sweep by the set of the other.

    Criteria are matched by id.
    """
    three = [{card.portal: card for card in sweep.scorecards} for sweep in (before, again, after)]
    both = sorted(set(three[0]) & set(three[1]) & set(three[2]))
    portals = tuple(_of_portal([cards[portal] for cards in three], rescored) for portal in both)
    return RuleChanges(
        rescored=rescored,
        before=before.criteria_set,
        after=after.criteria_set,
        again=again.criteria_set,
        same_version=before.criteria_set.named == after.criteria_set.named,
        not_reproduced=None if not_reproduced is None else tuple(sorted(set(not_reproduced) & set(both))),
        rules=tuple(_changed_rules(*(each.scorecards for each in ((before, again) if rescored == "before" else (again, after))))),
        unprinted=unprinted,
        portals=portals,
    )


def unprinted_rules(before: CriteriaSet, after: CriteriaSet) -> tuple[UnprintedRule, ...]:
    """The rules that differ between two sets and that no score prints: first of criteria in both, then of the whole set.

    Another basis or source of a number is no difference.
    """
    olds = {each.id: each for each in before.criteria}
    of_criteria = [
        UnprintedRule(rule, each.id, each.name_vi, each.name_en)
        for rule in ("quota", "required", "combine")
        for each in after.criteria
        if each.id in olds and _without_sources(getattr(olds[each.id], rule)) != _without_sources(getattr(each, rule))
    ]
    of_sets = [
        UnprintedRule(rule)
        for rule in ("shared", "maintenance_notice", "probes", "path_doubt")
        if _without_sources(getattr(before, rule)) != _without_sources(getattr(after, rule))
    ]
    return (*of_criteria, *of_sets)


def _without_sources(rule: object) -> object:
    """A rule of a set without basis and source of its numbers."""
    if isinstance(rule, CatalogModel):
        return _without_sources(rule.model_dump())
    if isinstance(rule, dict):
        return {key: _without_sources(value) for key, value in rule.items() if key not in ("basis", "source")}
    return rule


def differing_points(one: SweepScores, other: SweepScores) -> tuple[str, ...]:
    """The portals of ``one`` whose verdict or points, in all or of a criterion, are others in ``other``."""
    others = {card.portal: _given(card) for card in other.scorecards}
    return tuple(card.portal for card in one.scorecards if others.get(card.portal) != _given(card))


def _given(card: Scorecard) -> object:
    return card.verdict, card.points, [(each.id, each.state, each.points, each.points_max) for each in card.criteria]


def _of_portal(cards: Sequence[Scorecard], rescored: Rescored) -> PortalParts:
    tables = [{each.id: each for each in card.criteria} for card in cards]
    have_points = [card.points is not None for card in cards]
    order = dict.fromkeys(each for table in reversed(tables) for each in table)
    criteria = tuple(_of_criterion([table.get(each) for table in tables], have_points, rescored) for each in order)
    return PortalParts(
        portal=cards[2].portal,
        name_vi=cards[2].name_vi,
        name_en=cards[2].name_en,
        before=_in_all(cards[0]),
        rescored=_in_all(cards[1]),
        after=_in_all(cards[2]),
        parts=_added([each.parts for each in criteria]),
        criteria=criteria,
    )


def _in_all(card: Scorecard) -> RuledPoints:
    return RuledPoints(card.points, card.points_assessed_max, card.verdict.value, interval=card.interval)


def _of_criterion(scores: Sequence[CriterionScore | None], have_points: Sequence[bool], rescored: Rescored) -> CriterionParts:
    named = next(each for each in reversed(scores) if each is not None)
    before, again, after = (
        None if each is None else RuledPoints(each.points, each.points_max, each.state.value, each.reason, each.interval) for each in scores
    )
    under_rules, of_portal = ((before, again), (again, after)) if rescored == "before" else ((again, after), (before, again))
    by_rules = by_portal = one_sweep = None
    if have_points[1] and have_points[0 if rescored == "before" else 2]:
        by_rules = _difference(*under_rules)
    if have_points[1] and have_points[2 if rescored == "before" else 0]:
        moved, is_both = _difference(*of_portal), _is_assessed(of_portal[0]) == _is_assessed(of_portal[1])
        by_portal, one_sweep = (moved, Decimal(0)) if is_both else (Decimal(0), moved)
    whole = _difference(before, after) if have_points[0] and have_points[2] else None
    return CriterionParts(
        criterion=named.id,
        name_vi=named.name_vi,
        name_en=named.name_en,
        before=before,
        rescored=again,
        after=after,
        parts=ChangeParts(*(None if each is None else float(each) for each in (whole, by_rules, by_portal, one_sweep))),
    )


def _difference(one: RuledPoints | None, other: RuledPoints | None) -> Decimal:
    """The change of points. What a set lacks, or was not assessed, adds nothing to a total."""
    return _points(other) - _points(one)


def _points(ruled: RuledPoints | None) -> Decimal:
    return Decimal(0) if ruled is None or ruled.points is None else Decimal(repr(ruled.points))


def _is_assessed(ruled: RuledPoints | None) -> bool:
    return ruled is not None and ruled.points is not None


def _added(parts: Sequence[ChangeParts]) -> ChangeParts:
    return ChangeParts(
        _sum(each.whole for each in parts),
        _sum(each.by_rules for each in parts),
        _sum(each.by_portal for each in parts),
        _sum(each.one_sweep for each in parts),
    )


def _sum(changes: Iterable[float | None]) -> float | None:
    known = [Decimal(repr(each)) for each in changes if each is not None]
    return float(sum(known, Decimal(0))) if known else None


def _assessed(points: Iterable[RuledPoints | None]) -> list[float | None]:
    """The maximum of each criterion that has points."""
    return [each.points_max if each is not None and _is_assessed(each) else None for each in points]


def _changed_rules(before: Sequence[Scorecard], after: Sequence[Scorecard]) -> Iterator[ChangedRule]:
    """Each criterion whose printed rules differ, from two scores of one sweep.

    All portals of a sweep have the same rules. Two sweeps may not, even by one set: a sweep whose load stays below the level for full points
    lowers that level.
    """
    olds, news = ({each.id: each for card in cards for each in card.criteria} for cards in (before, after))
    for criterion in dict.fromkeys((*news, *olds)):
        old, new = olds.get(criterion), news.get(criterion)
        one, other = _printed(old), _printed(new)
        if one == other:
            continue
        named = new or old
        assert named is not None
        differing = [name for name in _PRINTED_RULES if one.get(name) != other.get(name)]
        yield ChangedRule(
            criterion=criterion,
            name_vi=named.name_vi,
            name_en=named.name_en,
            unit=named.unit,
            before={name: one[name] for name in differing if name in one},
            after={name: other[name] for name in differing if name in other},
        )


def _printed(score: CriterionScore | None) -> dict[str, str]:
    return {} if score is None else {name: str(getattr(score, name)) for name in _PRINTED_RULES}
