"""Two sweeps compared: their scores, and the steps from the rows of both."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.catalog import Catalog
from harness.catalog.criteria_set import CriteriaSet
from harness.errors import EvidenceError, Problem, UsageError, did_you_mean
from harness.evidence import SweepFolder, Verdict, read_runs, sweep_at
from harness.evidence.folder import SCORES_JSON, packed_portal
from harness.operations.comparison_obstacles import obstacles, void_windows
from harness.operations.integrity import check_evidence
from harness.operations.rescored_sweep import applied_set, not_reproduced, require_evidence, score_again
from harness.operations.retention import REMOVED
from harness.operations.score_folder import applied_criteria, as_measured, evidence_of, read_sweep_scores
from harness.operations.sealed_evidence import check_seal
from harness.operations.selection import select_criteria
from harness.records import read_plan
from harness.scoring import FEW_PORTALS, Comparison, StepWindows, SweepScores, WhyNoSteps, compare, step_windows
from harness.scoring.release_stops import rows_of
from harness.scoring.rule_changes import Rescored, rule_changes, unprinted_rules

_REMEDIES: Final = {
    WhyNoSteps.SCORES_ONLY: "Give the folder of each sweep.",
    WhyNoSteps.ROWS_REMOVED: "Restore the files that removed.json lists from an archive.",
    WhyNoSteps.UNKNOWN_SET: "Give --catalog the folder that holds the criteria set.",
    WhyNoSteps.UNKNOWN_PORTAL: "Give --catalog the folder that the sweeps were measured with.",
}


def compare_sweeps(
    before: Path,
    after: Path,
    catalog: Catalog,
    *,
    rescore: Rescored | None = None,
    portals: Collection[str] = (),
    with_steps: bool | None = None,
    check: bool = False,
) -> Comparison:
    """Compare two sweeps, or some of their portals; nothing is written.

    Each is a sweep's folder or a scores.json. ``rescore`` names the folder that is scored again by the set of the other; where the sets
    differ and it names none, that is ``before``. What the rules changed is then told apart. ``with_steps``: None compares steps where
    the rows are at hand and at most ``FEW_PORTALS`` portals are compared; True always. Evidence is checked where steps are compared;
    with ``check`` also where they are not asked for, unless its rows were removed.

    Raises UsageError for two criteria sets without the rows to score again, for a portal in neither sweep, and with ``with_steps`` where
    steps cannot be compared; EvidenceError where the evidence of a sweep has changed.
    """
    *scores, given = _given_and_again(before, after, catalog, rescore)
    _check_known(portals, scores)
    one, other = (_of_portals(each, portals) for each in scores)
    shares = {packed_portal(SweepFolder(path)) for path in (before, after)} - {""}
    both = {card.portal for card in one.scorecards} & {card.portal for card in other.scorecards}
    both = {portal for portal in both if shares <= {portal}}  # of the others a share has no rows
    why = _why_no_steps((before, after), catalog, applied_criteria(other), both, with_steps)
    if why is not None and with_steps:
        raise UsageError(Problem("compare", "steps", why.value, "the rows of both sweeps", _REMEDIES[why]))
    without = compare(one, other, why_no_steps=why)  # first: two criteria sets are refused before any row is read
    found = without
    if why is None and both:
        criteria = select_criteria(catalog, applied_criteria(other))
        earlier, later = ([*_steps_of(path, criteria, catalog, both)] for path in (before, after))
        found = compare(one, other, steps=(earlier, later))
    elif why is WhyNoSteps.NOT_ASKED_FOR and check:
        for path in (before, after):
            if (path / "plan.json").is_file() and not (path / REMOVED).is_file():
                _checked(path, catalog)
    found = replace(
        found,
        obstacles=tuple(obstacles(found, (before, after), (one, other))),
        void_windows=tuple(void_windows((before, after), {row.portal for row in rows_of(found)})),
    )
    if given is None:
        return found
    which: Rescored = rescore or "before"
    unlike = not_reproduced(before if which == "before" else after, catalog, given)
    given = _of_portals(given, portals)
    three = (given, one, other) if which == "before" else (one, other, given)
    earlier_set, later_set = (applied_set(each.criteria_set, catalog) for each in (three[0], three[2]))
    unprinted = None if earlier_set is None or later_set is None else unprinted_rules(earlier_set, later_set)
    return replace(found, rule_changes=rule_changes(*three, rescored=which, not_reproduced=unlike, unprinted=unprinted))


def _given_and_again(
    before: Path, after: Path, catalog: Catalog, rescore: Rescored | None
) -> tuple[SweepScores, SweepScores, SweepScores | None]:
    """The scores of two sweeps by one set. The third are those that one of the two was given out with, by another set; None where there are none."""
    if rescore is None:
        one, other = read_sweep_scores(before), read_sweep_scores(after)
        if one.criteria_set.is_same_as(other.criteria_set):
            return one, other, None
        require_evidence(before, one, other)
        return score_again(before, catalog, other), other, one
    again, by = (before, after) if rescore == "before" else (after, before)
    ruling = read_sweep_scores(by)
    scored = score_again(again, catalog, ruling)
    given = read_sweep_scores(again) if (again / SCORES_JSON).is_file() else None
    if given is not None and given.criteria_set.is_same_as(ruling.criteria_set):
        given = None
    return (scored, ruling, given) if rescore == "before" else (ruling, scored, given)


def _of_portals(scores: SweepScores, portals: Collection[str]) -> SweepScores:
    return replace(scores, scorecards=tuple(card for card in scores.scorecards if card.portal in portals)) if portals else scores


def _check_known(portals: Collection[str], scores: Sequence[SweepScores]) -> None:
    measured = dict.fromkeys(card.portal for each in scores for card in each.scorecards)
    unknown = [portal for portal in portals if portal not in measured]
    if unknown:
        expected, remedy = "a portal of one of the two sweeps", "Leave --portal out to compare all."
        raise UsageError(
            *(Problem("command line", "--portal", each, expected, f"{did_you_mean(each, measured)}{remedy}") for each in unknown)
        )


def _why_no_steps(
    paths: Sequence[Path], catalog: Catalog, criteria: str, portals: Collection[str], with_steps: bool | None
) -> WhyNoSteps | None:
    if with_steps is False:
        return WhyNoSteps.NOT_ASKED_FOR
    if with_steps is None and len(portals) > FEW_PORTALS:
        return WhyNoSteps.MANY_PORTALS
    if any((path / REMOVED).is_file() for path in paths):
        return WhyNoSteps.ROWS_REMOVED
    if not all((path / "plan.json").is_file() for path in paths):
        return WhyNoSteps.SCORES_ONLY
    if criteria not in catalog.criteria:
        return WhyNoSteps.UNKNOWN_SET
    return WhyNoSteps.UNKNOWN_PORTAL if any(portal not in catalog.portals for portal in portals) else None


def _checked(path: Path, catalog: Catalog) -> SweepFolder:
    folder = sweep_at(path)
    share = packed_portal(folder)
    if not folder.manifests():  # scores come from manifests, and a comparison writes none
        expected, remedy = "the manifests that the scores were made from", "Restore them from the archive, or score the sweep again."
        raise EvidenceError.missing(folder.path / "manifests", expected, remedy)
    check_evidence(folder, catalog, share)
    check_seal(folder, share)
    return folder


def _steps_of(path: Path, criteria: CriteriaSet, catalog: Catalog, portals: Collection[str]) -> Iterator[StepWindows]:
    """The steps of some portals of a sweep, by the windows that its own night gives for the set."""
    folder = _checked(path, catalog)
    plan, runs = read_plan(folder.plan), read_runs(folder)
    chosen = as_measured(criteria, plan, runs)
    for each in evidence_of(folder, [run for run in runs if run.portal in portals], (), catalog):
        judged = each.under(chosen)
        if judged.facts.verdict is Verdict.VALID:
            yield from step_windows(judged.measured(chosen), chosen)
