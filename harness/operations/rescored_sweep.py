"""A sweep's evidence scored again by the set of another sweep's scores. Nothing is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from harness.catalog import Catalog
from harness.catalog.criteria_set import CriteriaSet
from harness.errors import EvidenceError, Problem, UsageError, did_you_mean
from harness.evidence import SweepFolder, read_runs, sweep_at
from harness.evidence.folder import packed_portal
from harness.operations.integrity import check_evidence
from harness.operations.retention import earlier_nights
from harness.operations.score_folder import as_measured, evidence_of, recompute
from harness.operations.sealed_evidence import check_seal
from harness.publish import read_scores
from harness.records import read_plan
from harness.scoring import SweepScores, score_sweep
from harness.scoring.rule_changes import differing_points
from harness.scoring.scorecard import AppliedCriteria


def require_evidence(before: Path, one: SweepScores, other: SweepScores) -> None:
    """Raise UsageError where the sweep of ``before`` cannot be scored again because its rows are not given."""
    if (before / "plan.json").is_file():
        return
    found = f"scores alone, by {_in_words(one.criteria_set)}; those after are by {_in_words(other.criteria_set)}"
    expected = "the folder of the sweep with its evidence, because old rows are scored again by the set of the later scores first"
    remedy = "Give the sweep's folder, or score the later sweep again by the earlier set with `--rescore after`."
    raise UsageError(Problem(str(before), "BEFORE", found, expected, remedy))


def score_again(path: Path, catalog: Catalog, ruling: SweepScores) -> SweepScores:
    """The scores of a sweep's checked evidence, with the earlier nights that its own scores count, by the set of ``ruling``.

    Of a portal's share there are those of this portal alone. Raises UsageError where the catalog does not have that set; EvidenceError where evidence has changed, was removed or is not there.
    """
    criteria = _set_of(ruling.criteria_set, catalog)
    folder = sweep_at(path)
    earlier = _checked_nights(folder, catalog)
    share, plan, runs = packed_portal(folder), read_plan(folder.plan), read_runs(folder)
    evidence = evidence_of(folder, runs, earlier, catalog, share)
    return score_sweep(plan.sweep, evidence, as_measured(criteria, plan, runs, earlier), only=share)


def not_reproduced(path: Path, catalog: Catalog, given_out: SweepScores) -> tuple[str, ...] | None:
    """The portals whose given points this program does not make again from the evidence by the set that they name.

    None where the catalog does not have that set. The evidence must have been checked.
    """
    if applied_set(given_out.criteria_set, catalog) is None:
        return None
    folder = sweep_at(path)
    return differing_points(given_out, recompute(folder, catalog, given_out, "", _nights(folder), packed_portal(folder)))


def applied_set(applied: AppliedCriteria, catalog: Catalog) -> CriteriaSet | None:
    """The set behind some scores; None where the catalog does not have it with this content."""
    criteria = catalog.criteria.get(applied.named)
    return criteria if criteria is not None and applied.sha256 in ("", criteria.sha256) else None


def _set_of(applied: AppliedCriteria, catalog: Catalog) -> CriteriaSet:
    """The set behind some scores, as the catalog has it."""
    if (found := applied_set(applied, catalog)) is not None:
        return found
    there = catalog.criteria.get(applied.named)
    expected = f"one of {', '.join(sorted(catalog.criteria))}" if there is None else f"as in the catalog, SHA-256 {there.sha256}"
    remedy = "Give --catalog the folder that these scores were made with, or make them again with `harness score`."
    remedy = f"{did_you_mean(applied.named, catalog.criteria) if there is None else ''}{remedy}"
    raise UsageError(Problem("compare", "criteria set", _in_words(applied), expected, remedy))


def _in_words(applied: AppliedCriteria) -> str:
    return f"{applied.named} (SHA-256 {applied.sha256})" if applied.sha256 else applied.named


def _checked_nights(folder: SweepFolder, catalog: Catalog) -> list[SweepFolder]:
    """The earlier nights of a sweep, after all evidence was checked; EvidenceError names those whose folder is not there."""
    if missing := [*_missing_nights(folder)]:
        raise EvidenceError(*missing)
    earlier = _nights(folder)
    for each in (folder, *earlier):
        check_evidence(each, catalog, packed_portal(each))
        check_seal(each, packed_portal(each))
    return earlier


def _nights(folder: SweepFolder) -> list[SweepFolder]:
    """The folders of the earlier nights that the scores count, in order of their names."""
    return [SweepFolder(Path(os.path.relpath(path))) for path in sorted(earlier_nights(folder))]


def _missing_nights(folder: SweepFolder) -> Iterator[Problem]:
    """A problem for each earlier night that the scores count and whose folder is not where it was."""
    scores = read_scores(folder.scores) if folder.scores.is_file() else None
    files = {each.file for card in scores.scorecards for each in card.evidence} if scores else set()
    for plan in sorted(file for file in files if file.startswith("../") and file.endswith("/plan.json")):
        if not (folder.path / plan).is_file():
            expected = "the folder of an earlier night that these scores count"
            remedy = "Put the folder back to where it was."
            yield Problem(str(folder.scores), "evidence", plan.removesuffix("/plan.json"), expected, remedy)
