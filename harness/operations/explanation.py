"""One portal of a sweep explained: its diagnosis, and the path from its rows to its points."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

from harness.catalog import Catalog
from harness.catalog.criteria_set import CriteriaSet
from harness.diagnosis import Diagnosis
from harness.errors import Problem, UsageError, did_you_mean
from harness.evidence import SweepFolder, read_runs
from harness.evidence.folder import packed_portal
from harness.evidence.publication import read_publication
from harness.evidence.reasons import Language
from harness.operations.dossiers.claims import claims
from harness.operations.fault_counts import count_faults
from harness.operations.integrity import check_evidence
from harness.operations.portal_diagnosis import diagnosis_of
from harness.operations.score_folder import PortalRows, as_measured, evidence_of, scored_criteria
from harness.operations.sealed_evidence import check_seal
from harness.operations.selection import select_criteria
from harness.operations.worker_figures import by_worker, in_words
from harness.publish import diagnosis_document, explain_faults, explain_findings
from harness.publish.gain_text import best_changes, gain_text, gained_text
from harness.publish.import_file import to_bytes
from harness.publish.wording import phrase
from harness.records import LoneWalk, read_plan
from harness.scoring import Gain, RunEvidence, Scorecard, SweepScores, explain, gains, score_sweep
from harness.scoring.card import common_highest_level, runs_by_portal
from harness.scoring.scorecard import with_publication

_MOST_GAINS = 5


def explain_portal(
    folder: SweepFolder,
    catalog: Catalog,
    portal: str,
    criteria: str,
    earlier: Sequence[SweepFolder] = (),
    languages: Sequence[Language] = ("en",),
) -> Iterator[str]:
    """One portal as text: its diagnosis, what would gain most, and the path from rows to points. ``earlier``: nights as in ``score_folder``.

    A pack of this portal alone will do.

    Without ``criteria`` by the set that its scores were made by. UsageError for a portal that is not in the sweep.
    """
    found = _explained(folder, catalog, portal, criteria, earlier)
    rows = PortalRows(folder, [portal])
    faults = count_faults(folder, rows, claims(folder, rows))
    of_workers = in_words(by_worker(folder.rounds(), portal))
    walks = (f"lone walk {each.journey}: {each.outcome}, {each.file}" for each in _kept_walks(folder, portal))
    of_diagnosis = chain.from_iterable(explain_findings(found.diagnosis, language) for language in languages)
    points = explain(found.card, found.evidence, found.criteria, highest_level=found.highest_level)
    of_gains = chain.from_iterable(_gain_lines(found.gains, language) for language in languages)
    return chain(of_diagnosis, of_gains, ("",), points, ("",), of_workers, *(explain_faults(each) for each in faults), walks)


def explanation(
    folder: SweepFolder, catalog: Catalog, portal: str, criteria: str, earlier: Sequence[SweepFolder] = ()
) -> Mapping[str, object]:
    """The same portal as a document: its entry of findings.json, all gains, best first, and its scorecard as scores.json has it."""
    found = _explained(folder, catalog, portal, criteria, earlier)
    card = next(each for each in json.loads(to_bytes(found.scores))["scores"] if each["portal"] == portal)
    return {**diagnosis_document(found.diagnosis), "gains": [asdict(gain) for gain in found.gains], "scorecard": card}


@dataclass(frozen=True, slots=True)
class _Explained:
    """One portal of a sweep, scored and diagnosed; nothing of it is written down."""

    criteria: CriteriaSet
    evidence: list[RunEvidence]
    scores: SweepScores
    card: Scorecard
    highest_level: float | None  # of a ramp, that every portal of the sweep was given
    diagnosis: Diagnosis
    gains: tuple[Gain, ...]


def _explained(folder: SweepFolder, catalog: Catalog, portal: str, criteria: str, earlier: Sequence[SweepFolder]) -> _Explained:
    share = packed_portal(folder)
    for each in (folder, *earlier):
        check_evidence(each, catalog, packed_portal(each))
        check_seal(each, packed_portal(each))
    plan, runs = read_plan(folder.plan), read_runs(folder)
    chosen = as_measured(select_criteria(catalog, criteria or scored_criteria(folder, catalog)), plan, runs, earlier)
    known = [share] if share else [run.portal for run in runs]
    if portal not in known:
        remedy = f"{did_you_mean(portal, known)}Name a portal of this sweep."
        raise UsageError(Problem(str(folder.path), "PORTAL", portal, f"one of {', '.join(known)}", remedy))
    evidence = evidence_of(folder, runs, earlier, catalog, share)
    scores = with_publication(score_sweep(plan.sweep, evidence, chosen, only=share), read_publication(folder))
    card = next(card for card in scores.scorecards if card.portal == portal)
    mine = [each for each in evidence if each.portal.id == portal]
    diagnosis = diagnosis_of(folder, folder.rounds(), mine[0].under(chosen).facts, card)
    highest = common_highest_level(runs_by_portal(evidence))
    return _Explained(chosen, mine, scores, card, highest, diagnosis, gains(card, mine, chosen, highest_level=highest))


def _gain_lines(found: Sequence[Gain], language: Language) -> Iterator[str]:
    """The changes that would gain most, a line each; nothing where there are none."""
    best = best_changes(found, _MOST_GAINS)
    if best:
        yield f"{phrase('card.gains').into(language)}:"
    for gain in best:
        yield f"  {gained_text(gain, language)}: {gain_text(gain, language)}"


def _kept_walks(folder: SweepFolder, portal: str) -> list[LoneWalk]:
    """The lone walks of a portal of which every request and answer is kept."""
    return [walk for round_ in folder.rounds() for walk in round_.lone_walks if walk.portal == portal and walk.file]
