"""The evidence and the scores of one sweep as pandas frames, for analysts. docs/analysis.md has their columns and recipes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from harness.catalog.criteria_set import CriteriaSet
from harness.errors import Problem, UsageError, did_you_mean
from harness.evidence import RunFacts, Verdict, WindowFacts, read_runs
from harness.operations.addenda import SEAL, read_seal
from harness.operations.dossiers.shared_codes import Holders, holders, shared_codes
from harness.operations.kept_evidence import NOT_SENT
from harness.operations.opened_evidence import OpenedSweep, SweepState, criteria_of, opened, scores_of
from harness.operations.row_frames import rows_frame, steps_frame
from harness.operations.score_folder import ranks_of
from harness.operations.settlements import apply_settlements, read_settlements
from harness.operations.shipped import shipped_catalog
from harness.operations.supplied.operator_files import maintenance
from harness.publish.frame_columns import ROWS, STEPS, WINDOWS, framed
from harness.publish.score_frames import reasons_text, scorecards_frame, scores_frame
from harness.records import SCORED_STAGES, Outcome, Plan, RoundRecord, WindowRecord, read_plan
from harness.scoring import without_maintenance
from harness.scoring.windows import span_of


@dataclass(frozen=True, slots=True)
class SweepMetadata:
    """What a sweep is, besides its frames."""

    sweep: str
    state: SweepState
    nights: tuple[str, ...]  # ISO dates
    workload: str
    seed: int
    shortened: bool  # windows were shorter than the rules ask for
    criteria: str  # the set that steps and windows are charged by, ID@VERSION
    harness: str  # the version that measured; empty without manifests
    vantage_points: Mapping[str, str]  # by portal
    sealed_by: str  # the fingerprint of the key; empty: it is not sealed


class SweepFrames:
    """One sweep: its rows, steps, windows, scores and scorecards. Each call reads and gives a frame of its own.

    Every method raises EvidenceError for files that are missing or changed, and UsageError for portals or columns that are not there.
    """

    def __init__(self, sweep: OpenedSweep, *, catalog: Path | None, criteria: str) -> None:
        self._sweep, self._catalog, self._named = sweep, catalog, criteria
        self._folder = sweep.folder

    def __repr__(self) -> str:
        return f"<sweep {self._plan.sweep}, {self._sweep.state}, {len(self.portals)} portals>"

    @property
    def portals(self) -> tuple[str, ...]:
        """The portals that have rows here, by id."""
        return tuple(portal for portal in self._facts if self._folder.parts(portal))

    @property
    def metadata(self) -> SweepMetadata:
        """How and when it was measured."""
        manifests, plan = self._sweep.manifests, self._plan
        return SweepMetadata(
            sweep=plan.sweep,
            state=self._sweep.state,
            nights=tuple(sorted({window.night for facts in self._facts.values() for window in facts.windows})),
            workload=plan.workload,
            seed=plan.seed,
            shortened=plan.shortened,
            criteria=self._criteria.named,
            harness=next((str(each["harness"]) for each in manifests.values()), ""),
            vantage_points={portal: str(each["vantage_point"]) for portal, each in manifests.items()},
            sealed_by=read_seal(self._folder).key if (self._folder.path / SEAL).is_file() else "",
        )

    def rows(self, portal: str | Sequence[str] | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Every request as it was measured, and the row that closes each visit; of one portal, of several, or of all. ``columns``: only these."""
        columns = [columns] if isinstance(columns, str) else columns
        known = [each.name for each in ROWS]
        if unknown := [name for name in columns or () if name not in known]:
            remedy = f"{did_you_mean(unknown[0], known)}docs/analysis.md lists the columns."
            raise UsageError(Problem(str(self._folder.path), "columns", unknown[0], f"columns of rows: {', '.join(known)}", remedy))
        rounds = {each.name: each for each in self._rounds}
        return rows_frame(self._folder, self._chosen(portal, self.portals), known if columns is None else list(columns), rounds)

    def steps(self, portal: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Every attempted step as it is scored, of all windows; of one portal, of several, or of all."""
        frames = [
            steps_frame(self._folder, self._facts[each], self._rounds, self._holders(each), self._criteria.shared_owners)
            for each in self._chosen(portal, self.portals)
        ]
        joined = pd.concat(frames, ignore_index=True) if frames else framed(STEPS, ())
        return joined.astype({each.name: each.dtype for each in STEPS})  # names of several portals are one category

    def windows(self, portal: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Every window that was measured, with its verdict and counts; of one portal, of several, or of all."""
        chosen = self._chosen(portal, tuple(self._facts))
        records = {(slot.run, window.window): window for each in self._rounds for slot in each.slots for window in slot.windows}
        facts = [(self._facts[name], window) for name in chosen for window in self._facts[name].windows]
        return framed(WINDOWS, [_window(run, window, records[window.run, window.window]) for run, window in facts])

    def scores(self) -> pd.DataFrame:
        """The criteria of every portal, as ``scores.json`` has them."""
        return scores_frame(scores_of(self._sweep))

    def scorecards(self) -> pd.DataFrame:
        """The verdict, the points and the ranks of every portal, as the scoreboard has them."""
        return scorecards_frame(scores_of(self._sweep), ranks_of(self._folder))

    def _chosen(self, portal: str | Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
        if portal is None:
            return known
        named = [portal] if isinstance(portal, str) or not isinstance(portal, Iterable) else [*dict.fromkeys(portal)]
        for each in named:
            if each not in known:
                remedy = f"{did_you_mean(str(each), known)}Name a portal of this sweep, or a list of them."
                raise UsageError(Problem(str(self._folder.path), "portal", str(each), f"one of {', '.join(known)}", remedy))
        return tuple(named)

    def _holders(self, portal: str) -> Holders:
        return holders(self._sweep.manifests.get(portal) or shared_codes(self._folder, portal))

    @cached_property
    def _plan(self) -> Plan:
        return read_plan(self._folder.plan)

    @cached_property
    def _rounds(self) -> tuple[RoundRecord, ...]:
        return self._folder.rounds()

    @cached_property
    def _criteria(self) -> CriteriaSet:
        return criteria_of(self._sweep, shipped_catalog(self._catalog), self._named)

    @cached_property
    def _facts(self) -> Mapping[str, RunFacts]:
        """Each portal's run as it is scored: with what persons settled and with announced maintenance."""
        settled, notice = read_settlements(self._folder), self._criteria.maintenance_notice
        runs = (apply_settlements(run, settled) for run in read_runs(self._folder))
        return {run.portal: without_maintenance(run, maintenance(self._folder, run.portal), notice) for run in runs}


def _window(run: RunFacts, window: WindowFacts, record: WindowRecord) -> dict[str, object]:
    """One line of the windows."""
    begin, end = span_of(window)
    valid = run.verdict is Verdict.VALID and window.verdict is Verdict.VALID
    return {
        "portal": run.portal,
        "run": window.run,
        "night": window.night,
        "round": window.round,
        "window": window.window,
        "stage": window.stage,
        "verdict": window.verdict.value,
        "reasons": reasons_text(window.reasons),
        "scored": valid and window.stage in SCORED_STAGES,
        "begin_utc": begin,
        "end_utc": end,
        "planned_per_s": window.level,
        "planned": record.planned,
        "begun": record.begun,
        "turned_away": record.counts.get("turned_away", 0),
        "ended_well": record.counts.get(f"visits_{Outcome.OK}", 0),
        "requests": sum(record.counts.get(f"requests_{each}", 0) for each in Outcome if each not in NOT_SENT),
        "make_up_of": window.make_up_of,
    }


def read_sweep(folder: Path, *, catalog: Path | None, criteria: str, unfinished: bool) -> SweepFrames:
    """Check a sweep and open it; ``harness.open_sweep`` describes the parameters."""
    return SweepFrames(opened(folder, unfinished=unfinished), catalog=catalog, criteria=criteria)
