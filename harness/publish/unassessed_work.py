"""The items of criteria that were not assessed: one for each portal and reason, and one for the sweep where no portal has a criterion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from harness.publish.criterion_words import name_text
from harness.publish.portal_evidence import PortalEvidence
from harness.publish.reason_words import because
from harness.publish.wording import Phrase, joined, phrase, same
from harness.publish.work_item import NAMED, Settler, ShellWords, Sighting, WorkItem, WorkState, shortened, sweep_item
from harness.scoring.scorecard import CriterionScore, CriterionState

Missing = tuple[str, str]
"""A criterion, and the code of the reason for which it was not assessed."""


class UnassessedRemedy(NamedTuple):
    """Who can do what about a reason for which criteria are not assessed."""

    who: Settler
    how: str  # a key of the phrases under ``work.how``
    commands: Callable[[PortalEvidence, str], Sequence[ShellWords]] = lambda _of, _portal: ()
    state: WorkState = "open"


def _figures(of: PortalEvidence, portal: str) -> Sequence[ShellWords]:
    return of.about("supply", portal, "--from", "FILE"), of.about("score")


def _probes(of: PortalEvidence, portal: str) -> Sequence[ShellWords]:
    results = str(of.folder.path.parent)
    probe: ShellWords = ("probe", portal, "--every", "5m", "--results", results, *of.catalog)
    return probe, of.about("supply", "--probes", results), of.about("score")


def _again(of: PortalEvidence, portal: str) -> Sequence[ShellWords]:
    return of.again(portal)


def _more_nights(of: PortalEvidence, portal: str) -> Sequence[ShellWords]:
    return (*of.again(portal), of.about("score", "--with", "EARLIER"))


_REMEDIES: Final[Mapping[str, UnassessedRemedy]] = {
    "no_operator_figures": UnassessedRemedy("operator", "no_operator_figures", _figures),
    "no_windows_of_stage": UnassessedRemedy("evaluator", "no_windows_of_stage", state="for_information"),
    "not_measured": UnassessedRemedy("evaluator", "more_windows", _again),
    "too_few_windows": UnassessedRemedy("evaluator", "more_windows", _again),
    "too_few_hours": UnassessedRemedy("evaluator", "too_few_hours", _probes),
    "too_few_nights": UnassessedRemedy("evaluator", "too_few_nights", _more_nights),
    "not_permitted": UnassessedRemedy("agency", "not_permitted", _again),
    "journey_not_chosen": UnassessedRemedy("evaluator", "journey_not_chosen", _again),
    "goal_absent": UnassessedRemedy("operator", "goal_absent", state="for_information"),
    "shared_failure": UnassessedRemedy("shared_host_owner", "stopped", _again),
}
_ANOTHER: Final = UnassessedRemedy("evaluator", "more_windows", _again)
"""The remedy for a reason that this version does not know."""


def not_assessed(portals: Sequence[PortalEvidence]) -> Iterator[WorkItem]:
    """Criteria of portals with points that were not assessed, with the reason why."""
    scored = [of for of in portals if of.card.points is not None]
    everywhere = _on_all(scored) if len(scored) > 1 else set()
    for code in dict.fromkeys(code for _, code in sorted(everywhere)):
        yield _of_sweep(
            scored, code, [each for each in _missing(scored[0]) if (each.id, _code(each)) in everywhere and _code(each) == code]
        )
    for of in scored:
        mine = [each for each in _missing(of) if (each.id, _code(each)) not in everywhere]
        for code in dict.fromkeys(map(_code, mine)):
            yield _of_portal(of, code, [each for each in mine if _code(each) == code])


def _of_portal(of: PortalEvidence, code: str, criteria: Sequence[CriterionScore]) -> WorkItem:
    remedy = _REMEDIES.get(code, _ANOTHER)
    told = joined("", [_names(criteria), same(": "), because(criteria[0].reason), same(".")])
    seen = Sighting(told, "criteria", len(criteria))
    return of.item("not_assessed", _ids(criteria), seen, remedy.who, remedy.how, remedy.commands(of, of.card.portal), remedy.state)


def _of_sweep(scored: Sequence[PortalEvidence], code: str, criteria: Sequence[CriterionScore]) -> WorkItem:
    remedy, ids = _REMEDIES.get(code, _ANOTHER), {each.id for each in criteria}
    reasons = {each.reason for of in scored for each in _missing(of) if each.id in ids}
    why = because(criteria[0].reason if len(reasons) == 1 else code)  # figures only where they are the same on all portals
    told = phrase("work.not_assessed.everywhere").filled(str(len(scored)), _names(criteria), why)
    seen, portals = Sighting(told, "criteria", len(criteria)), [of.card.portal for of in scored]
    return sweep_item(
        "not_assessed", _ids(criteria), seen, remedy.who, remedy.how, portals, remedy.state, remedy.commands(scored[0], "PORTAL")
    )


def _on_all(scored: Sequence[PortalEvidence]) -> set[Missing]:
    """What no portal has, for one and the same reason."""
    return set.intersection(*({(each.id, _code(each)) for each in _missing(of)} for of in scored))


def _missing(of: PortalEvidence) -> list[CriterionScore]:
    return [each for each in of.card.criteria if each.state is CriterionState.NOT_ASSESSED]


def _code(criterion: CriterionScore) -> str:
    return criterion.reason.partition(": ")[0]


def _ids(criteria: Iterable[CriterionScore]) -> str:
    return ", ".join(each.id for each in criteria)


def _names(criteria: Sequence[CriterionScore]) -> Phrase:
    """The names of the first criteria, and how many more there are."""
    named = joined("; ", [shortened(name_text(each.name_vi, each.name_en), 80) for each in criteria[:NAMED]])
    return joined("", [named, phrase("work.more").filled(str(len(criteria) - NAMED))]) if len(criteria) > NAMED else named
