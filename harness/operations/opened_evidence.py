"""A sweep's folder, opened for reading only: checked as `harness score` checks it, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.catalog import Catalog
from harness.catalog.criteria_set import CriteriaSet
from harness.errors import EvidenceError, Problem, did_you_mean
from harness.evidence import SweepFolder, sweep_at
from harness.evidence.chain import SealedFile, chain_problems, changed
from harness.evidence.folder import packed_portal, portal_of
from harness.operations.addenda import SEAL
from harness.operations.attempts import command_about, is_under_way
from harness.operations.integrity import evidence_problems
from harness.operations.locust_run import measuring
from harness.operations.retention import removal_problem
from harness.operations.revisions import scores_given_out, unlike_revision
from harness.operations.score_folder import applied_criteria, measured_criteria
from harness.operations.sealed_evidence import seal_problems
from harness.operations.selection import select_criteria
from harness.publish import read_scores
from harness.records.files import read_json
from harness.records.sweep_journal import read_journal
from harness.scoring import SweepScores

SweepState = Literal["ended", "aborted", "under way"]
"""``ended``: the plan was carried out; ``aborted``: somebody or something ended it before; ``under way``: it is measured now."""


@dataclass(frozen=True, slots=True)
class OpenedSweep:
    """A folder whose evidence is what was sealed."""

    folder: SweepFolder
    state: SweepState
    manifests: Mapping[str, Mapping[str, object]]  # by portal; none where the sweep has not ended in order
    portal: str  # the only one whose rows a pack holds; empty: all are there


def opened(path: Path, *, unfinished: bool) -> OpenedSweep:
    """Open a sweep. Raises EvidenceError, with every problem, where a file is not as it was sealed.

    A sweep that has not ended, or has no manifests, is opened only with ``unfinished``: its sealed rounds are then checked by their chain.
    """
    folder = sweep_at(path)
    if (removed := removal_problem(folder)) is not None:
        raise EvidenceError(removed)
    state, portal = _state(folder), packed_portal(folder)
    if not unfinished and (problem := _not_ended(folder, state)) is not None:
        raise EvidenceError(problem)
    sealed = state != "under way" and bool(folder.manifests())
    problems = evidence_problems(folder, portal) if sealed else [*chain_problems(folder, portal)]
    if (folder.path / SEAL).is_file():
        problems += [each for each in seal_problems(folder, portal=portal) if each.key != "signature of the last lines"]
    if problems:
        raise EvidenceError(*dict.fromkeys(problems))
    return OpenedSweep(folder, state, {each["portal"]: each for each in map(read_json, folder.manifests())} if sealed else {}, portal)


def _state(folder: SweepFolder) -> SweepState:
    if is_under_way(folder) or measuring(folder) is not None:
        return "under way"
    lines = read_journal(folder.journal)  # evidence of earlier versions has none
    ended = lines[-1].event == "ended" if lines else bool(folder.manifests())
    return "ended" if ended else "aborted"


def _not_ended(folder: SweepFolder, state: SweepState) -> Problem | None:
    """Why a sweep is not opened without being asked twice."""
    anyway = "open what is there with unfinished=True"
    if state == "under way":
        return Problem(str(folder.path), "sweep", "under way", "a sweep that has ended", f"Wait until it has ended, or {anyway}.")
    if state == "aborted":
        remedy = f"Measure the rest with `harness resume`, or {anyway}."
        return Problem(str(folder.path), "sweep", "cut off before its plan was carried out", "a sweep that has ended", remedy)
    if not folder.manifests():
        remedy = f"Restore them from the archive, or {anyway}."
        return Problem(str(folder.path / "manifests"), "manifests", "not there", "one for each run, with the digests of its files", remedy)
    return None


def scores_of(sweep: OpenedSweep) -> SweepScores:
    """The scores in the folder. Raises EvidenceError: there are none, they were changed, or they were made from other files."""
    folder = sweep.folder
    if not folder.scores.is_file():
        raise EvidenceError.missing(
            folder.scores, "the scores of this sweep", f"Make them with `{command_about(folder.path, 'score', folder.path)}`."
        )
    scores = read_scores(folder.scores)
    if problems := [*unlike_revision(folder, scores), *_of_other_files(sweep, scores)]:
        raise EvidenceError(*problems)
    return scores


def _of_other_files(sweep: OpenedSweep, scores: SweepScores) -> Iterator[Problem]:
    """Files that the scores name with another digest. Files of other nights lie in other folders."""
    known = {item["file"]: item["sha256"] for manifest in sweep.manifests.values() for item in _evidence(manifest)}
    named = {SealedFile(each.file, each.sha256) for card in scores.scorecards for each in card.evidence if not each.file.startswith("..")}
    for item in sorted(named, key=lambda each: each.file):
        is_here = portal_of(item.file) in ("", sweep.portal) or not sweep.portal
        if is_here and known.get(item.file) != item.sha256:
            yield from changed(sweep.folder, item, by=sweep.folder.scores.name)


def _evidence(manifest: Mapping[str, object]) -> Sequence[Mapping[str, str]]:
    listed = manifest["evidence"]
    assert isinstance(listed, list)
    return listed


def criteria_of(sweep: OpenedSweep, catalog: Catalog, name: str) -> CriteriaSet:
    """The set that says which hosts are charged and which maintenance is not: ``name``, else that of the scores, else that of the plan.

    Raises EvidenceError where the scores were changed, where the catalog has no such set, or another one under this name than the scores were made by.
    """
    folder = sweep.folder
    scores = scores_given_out(folder.path) if folder.scores.is_file() and not name else None
    wanted = name or (measured_criteria(folder, catalog) if scores is None else applied_criteria(scores))
    remedy = "Give `catalog` the folder, or `criteria` the file, that it was scored with."
    if wanted not in catalog.criteria and not Path(wanted).is_file():
        expected = f"one of {', '.join(sorted(catalog.criteria))}, or a YAML file"
        raise EvidenceError(Problem(str(folder.path), "criteria", wanted, expected, did_you_mean(wanted, catalog.criteria) + remedy))
    chosen = select_criteria(catalog, wanted)
    if scores is not None and scores.criteria_set.sha256 not in ("", chosen.sha256):
        expected = f"SHA-256 {scores.criteria_set.sha256}, as {folder.scores.name} has it"
        raise EvidenceError(Problem(str(folder.path), f"criteria {wanted}", chosen.sha256, expected, remedy))
    return chosen
