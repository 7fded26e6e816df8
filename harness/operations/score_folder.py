"""Scores, exports and report of a sweep, from its evidence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from harness.catalog import Catalog
from harness.catalog.criteria_set import CriteriaSet
from harness.errors import Problem, UsageError
from harness.evidence import RunFacts, SweepFolder, read_runs
from harness.evidence.folder import SCORES_JSON
from harness.evidence.parquet import read_part
from harness.evidence.publication import read_publication
from harness.operations.addenda import enter_addenda
from harness.operations.bundle.differing_runs import run_differences
from harness.operations.circumstances import health_readings, provenance
from harness.operations.dossiers.claims import claims
from harness.operations.dossiers.shared_codes import Holders, as_failures, holders
from harness.operations.fault_counts import count_faults
from harness.operations.given_permissions import permissions_of
from harness.operations.integrity import check_evidence
from harness.operations.portal_diagnosis import diagnosis_of
from harness.operations.publication_record import checked_steps, enter_steps, require_final_unchanged
from harness.operations.revisions import as_given_out, with_revision, write_revisions
from harness.operations.sealed_evidence import check_seal
from harness.operations.selection import select_criteria
from harness.operations.settlements import apply_settlements, read_settlements, settlement_evidence
from harness.operations.shipped import DEFAULT_CRITERIA
from harness.operations.supplied.operator_files import maintenance, server_figures, supplied_evidence
from harness.operations.supplied.probe_copies import copied_probes, probes_file
from harness.operations.sweep_result import SweepResult
from harness.operations.worker_figures import by_worker
from harness.publish import (
    FAULTS_JSON,
    FINDINGS_JSON,
    ReportExtras,
    export,
    points_at_zero_round_trip,
    read_grades,
    read_scores,
    report,
    write_faults,
    write_findings,
)
from harness.publish.step_table import PortalSteps, workers_of, write_step_table
from harness.records import SCORED_STAGES, Plan, read_plan
from harness.records.files import digest, read_json
from harness.scoring import (
    NEEDED_COLUMNS,
    Evidence,
    PortalIdentity,
    RunEvidence,
    SlowVisit,
    SweepScores,
    gains_of_sweep,
    score_sweep,
    slowest_visits,
)
from harness.scoring.scorecard import with_publication
from harness.statistics.interval import RankInterval
from harness.statistics.trace_context import trace_id


def measured_criteria(folder: SweepFolder, catalog: Catalog) -> str:
    """The set and version that a sweep was measured for, by its manifests, as ``select_criteria`` takes it.

    Manifests without a version are older than the second version of any set, so they mean version 1.
    """
    manifests = folder.manifests()
    if not manifests:
        return DEFAULT_CRITERIA
    listed = read_json(manifests[0])
    name = str(listed.get("criteria", "")) or DEFAULT_CRITERIA
    if name not in catalog.criteria:
        return name
    with_version = f"{name}@{listed.get('criteria_version', '1')}"
    return with_version if with_version in catalog.criteria or "criteria_version" in listed else name


def scored_criteria(folder: SweepFolder, catalog: Catalog) -> str:
    """The set and version that the sweep's scores were made by; where it has none, those that it was measured for."""
    if not folder.scores.is_file():
        return measured_criteria(folder, catalog)
    return applied_criteria(read_scores(folder.scores))


def applied_criteria(scores: SweepScores) -> str:
    """The set and version behind some scores, as ``select_criteria`` takes it."""
    return scores.criteria_set.named


def score_folder(
    folder: SweepFolder, catalog: Catalog, criteria: CriteriaSet, *, check: bool = False, earlier: Sequence[SweepFolder] = (),
    take_step: Callable[[SweepScores], None] | None = None,
) -> SweepResult:  # fmt: skip
    """Score the evidence of a sweep and write scores and report into its folder.

    A workload of shortened windows is scored by a shortened set, which every output says. With ``check`` every file of
    the evidence is compared with its manifest first; EvidenceError names what has changed. With the folders of ``earlier``
    nights the windows of all nights count together, and each criterion takes the latest ones that its quota asks for.

    ``take_step`` is called with the scores that the evidence gives, before anything is written; it adds a step of the publication,
    or refuses it. EvidenceError, and nothing written, where the card of a final portal would change.
    """
    for each in (folder, *earlier) if check else ():
        check_evidence(each, catalog)
        check_seal(each)
    plan, runs = read_plan(folder.plan), read_runs(folder)
    criteria = as_measured(criteria, plan, runs, earlier)
    evidence = evidence_of(folder, runs, earlier, catalog)
    made = score_sweep(plan.sweep, evidence, criteria)
    if take_step is not None:
        take_step(made)
    steps = checked_steps(folder)
    require_final_unchanged(folder, made, steps)
    scores, revisions = with_revision(folder, with_publication(made, steps))
    written = as_given_out(folder, scores)
    export(written, folder.path, ranks=ranks_of(folder))
    write_revisions(folder, revisions)
    rows = PortalRows(folder, [run.portal for run in runs])
    judged = PortalRows(folder, [run.portal for run in runs], judged=True)
    claimed = claims(folder, rows)
    found = count_faults(folder, rows, claimed)
    write_faults(plan.sweep, found, folder.path)
    rounds, cards = folder.rounds(), {card.portal: card for card in scores.scorecards}
    as_scored = tuple(each.under(criteria).facts for each in evidence[: len(runs)])
    diagnoses = tuple(diagnosis_of(folder, rounds, facts, cards[facts.portal]) for facts in as_scored)
    write_findings(plan.sweep, diagnoses, folder.path)
    also = ("revisions.json", FAULTS_JSON, FINDINGS_JSON)
    enter_addenda(folder, "score", [folder.scores, *(folder.path / name for name in also)])
    enter_steps(folder, steps)
    write_step_table(folder.steps, _portal_steps(folder, evidence[: len(runs)], criteria), rounds)
    extras = ReportExtras(
        claims=claimed,
        faults=found,
        diagnoses=diagnoses,
        workers=by_worker(rounds),
        provenance=provenance(folder, runs),
        permissions=permissions_of(folder, plan),
        grades=read_grades(folder.path),
        health=tuple(health_readings(folder, plan)),
        zero_round_trip=points_at_zero_round_trip(evidence[: len(runs)], judged, criteria),
        shortened=plan.shortened,
        ranks=ranks_of(folder),
        states=criteria.states,
        differences=run_differences(folder, catalog),
        rounds=tuple(rounds),
        gains=gains_of_sweep(scores.scorecards, evidence, criteria),
        slow_visits=_slow_visits(plan, evidence[: len(runs)], criteria),
    )
    report(scores, as_scored, judged, folder.path, extras=extras)
    return SweepResult(folder, written, extras, judged)


def recompute(
    folder: SweepFolder, catalog: Catalog, given_out: SweepScores, criteria: str, earlier: Sequence[SweepFolder], portal: str
) -> SweepScores:
    """What ``given_out`` must be by the evidence; nothing is written. ``criteria``: empty for the set that it names.

    With ``portal`` only its card is made, from its rows and the facts of all portals.
    """
    plan, runs = read_plan(folder.plan), read_runs(folder)
    chosen = as_measured(select_criteria(catalog, criteria or applied_criteria(given_out)), plan, runs, earlier)
    evidence = evidence_of(folder, runs, earlier, catalog, portal)
    made = score_sweep(plan.sweep, evidence, chosen, revision=given_out.revision, supersedes=given_out.supersedes, only=portal)
    return with_publication(made, read_publication(folder))


def ranks_of(folder: SweepFolder) -> Mapping[str, RankInterval] | None:
    """No ranks if each portal had a load of its own; None if the ranks that scoring computes are used."""
    return {} if folder.plan.is_file() and read_plan(folder.plan).per_portal else None


def read_sweep_scores(path: Path) -> SweepScores:
    """The scores in a sweep's folder, or of a scores.json."""
    return read_scores(path / SCORES_JSON if path.is_dir() else path)


def _portal_steps(folder: SweepFolder, evidence: Sequence[RunEvidence], criteria: CriteriaSet) -> Iterator[PortalSteps]:
    """The steps of each portal of a sweep, as the set scores them."""
    for each in evidence:
        if parts := folder.parts(each.facts.portal):
            found = pa.concat_tables([read_part(part, ["visit", "worker"]) for part in parts])
            yield PortalSteps(each.facts.portal, each.under(criteria).measured(criteria), workers_of(found))


def _slow_visits(plan: Plan, evidence: Sequence[RunEvidence], criteria: CriteriaSet) -> dict[str, tuple[SlowVisit, ...]]:
    """The slowest visits of each portal, in the windows that the set scores."""
    return {
        each.facts.portal: slowest_visits(each.under(criteria).measured(criteria), trace_id_of=_trace_ids(plan, each.facts.run))
        for each in evidence
    }


def _trace_ids(plan: Plan, run: str) -> Callable[[int], str]:
    """The id of the trace that the requests of a visit named, by its number; empty where they named none."""
    return lambda visit: trace_id(plan.seed, plan.sweep, run, visit) if plan.traceparent else ""


class PortalRows(Mapping[str, pd.DataFrame]):
    """The rows of each portal, read on access: as measured, or as judged."""

    def __init__(self, folder: SweepFolder, portals: list[str], *, judged: bool = False) -> None:
        self._folder, self._judged = folder, judged
        self._parts = {portal: parts for portal in portals if (parts := folder.parts(portal))}

    def __getitem__(self, portal: str) -> pd.DataFrame:
        table = pa.concat_tables([read_part(part) for part in self._parts[portal]], promote_options="default")
        held = holders(read_json(self._folder.manifest(portal))) if self._judged else Holders()
        frame = as_failures(table, held).to_pandas()
        assert isinstance(frame, pd.DataFrame)
        return frame.assign(portal=portal, run=self._parts[portal][0].parent.name.removeprefix("run="))

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


def evidence_of(
    folder: SweepFolder, runs: Sequence[RunFacts], earlier: Sequence[SweepFolder], catalog: Catalog, portal: str = ""
) -> list[RunEvidence]:
    """The sweep's own runs, then those of earlier nights. With ``portal`` only its files are read; of the others the facts are there."""
    settlements = read_settlements(folder)
    own = [
        _evidence(folder, run, catalog)
        if portal in ("", run.portal)
        else RunEvidence(PortalIdentity(run.portal, "", "", ""), apply_settlements(run, settlements), rows=None)
        for run in runs
    ]
    return own + [_evidence(each, run, catalog, folder) for each in earlier for run in read_runs(each) if portal in ("", run.portal)]


def _evidence(folder: SweepFolder, run: RunFacts, catalog: Catalog, scored: SweepFolder | None = None) -> RunEvidence:
    """A run for scoring; its files are named relative to the folder of the sweep that is scored."""
    if run.portal not in catalog.portals:
        remedy = "Give --catalog the folder that the sweep was measured with."
        raise UsageError(Problem(str(folder.path), "portal", run.portal, "a portal of the catalog", remedy))
    portal = catalog.portals[run.portal]
    manifest = read_json(folder.manifest(run.portal))
    files = tuple(Evidence(item["file"], item["sha256"]) for item in manifest["evidence"])
    files += supplied_evidence(folder, run.portal)
    probes = probes_file(folder, run.portal)
    files += (Evidence(folder.relative(probes), digest(probes)),) if probes.is_file() else ()
    settlements = read_settlements(folder)
    files += settlement_evidence(folder, settlements, run.portal)
    if scored is not None:
        files = tuple(Evidence(os.path.relpath(folder.path / file.file, scored.path), file.sha256) for file in files)
    return RunEvidence(
        PortalIdentity(portal.id, portal.name_vi, portal.name_en, portal.level),
        apply_settlements(run, settlements),
        _reader(folder.parts(run.portal), holders(manifest)),
        files,
        server_figures(folder, run.portal),
        maintenance(folder, run.portal),
        copied_probes(
            folder, run.portal, authorised=any(each.portal == run.portal and each.authorisation for each in read_plan(folder.plan).targets)
        )
        if probes.is_file()
        else (),
    )


def _reader(parts: list[Path], held: Holders) -> Callable[[], pa.Table]:
    def read() -> pa.Table:
        tables = [read_part(part, list(NEEDED_COLUMNS)) for part in parts]
        return as_failures(pa.concat_tables(tables, promote_options="default"), held)

    return read


def as_measured(criteria: CriteriaSet, plan: Plan, runs: tuple[RunFacts, ...], earlier: Sequence[SweepFolder] = ()) -> CriteriaSet:
    """The set as these sweeps need it: of the latest windows if there are earlier nights, shortened if windows are below 60 s."""
    if earlier:
        criteria = criteria.of_latest_windows()
    shortest_s = min((w.duration_s for run in runs for w in run.windows if w.stage in SCORED_STAGES), default=60.0)
    return criteria.shortened(window_s=shortest_s, min_n=1) if plan.shortened and shortest_s < 60 else criteria
