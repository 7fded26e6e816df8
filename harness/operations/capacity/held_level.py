"""One level of a capacity search: its plan, a short sweep of its own, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.catalog import Catalog
from harness.catalog.criteria_set import CriteriaSet
from harness.catalog.workload import SECONDS_PER_DAY, Stage, Workload
from harness.errors import MeasurementError, Problem
from harness.evidence import RunFacts, SweepFolder, Verdict, WindowFacts, read_runs
from harness.operations.attempts import command_about, only_attempt
from harness.operations.disk_room import make_folder
from harness.operations.portal_hosts import PortalHosts, check_permitted
from harness.operations.provisions import check_provisions
from harness.operations.score_folder import evidence_of
from harness.operations.sweep import SweepSpec, measure_plan, plan_sweep
from harness.operations.times_usage import planned_times_usage
from harness.publish.capacity_file import LevelRecord
from harness.records import VISIT_ROW, WARM_UP, NotPermitted, Plan, PlannedWindow, Round, RoundRecord, read_plan
from harness.records.files import read_lines
from harness.scoring.capacity_search import LevelToMeasure
from harness.scoring.level_figures import TooFewSteps, missed_limits, steps_at_level, too_few_steps
from harness.scoring.littles_law import STAYS, Stays, in_flight
from harness.statistics.objective import Objective

RUN_UP_STAYS = 2
"""Mean stays of arrivals before a level is held, at least (assumed: citizens in flight are then as many as they stay)."""
RESERVE = 1.1
"""Times the values that the objective needs: visits that fail leave fewer of the later steps (assumed: a tenth, as in the workloads)."""
_HELD_STAGE = "typical"


@dataclass(frozen=True, slots=True)
class LevelTimes:
    """How long the arrivals of a level go on before it is held, and how long it is held."""

    run_up_s: float
    hold_s: float


def journey_shares(workload: Workload) -> dict[str, float]:
    """Each journey's share of the visits, as in the workload's first scored stage."""
    stage = workload.first_scored
    rates = {journey: workload.rate_per_s(journey, stage, 0) for journey in workload.journeys}
    return {journey: rate / sum(rates.values()) for journey, rate in rates.items() if rate}


def level_times(workload: Workload, objective: Objective, rate_per_s: float, stay_s: float, visits_a_value: float = 1.0) -> LevelTimes:
    """As long as the workload's windows, five stays, and as the objective needs for its rarest journey, whichever is longest.

    ``visits_a_value``: visits of that journey for one value that the objective needs; more than 1 where not every visit takes the step.
    """
    rarest = min(journey_shares(workload).values())
    needed_s = RESERVE * objective.least_values * visits_a_value / (rate_per_s * rarest)
    warm_up_s = next((stage.window_s for stage in workload.stages if stage.stage == WARM_UP), 0.0)
    run_up_s = max(warm_up_s, RUN_UP_STAYS * stay_s, 1.0)
    return LevelTimes(float(math.ceil(run_up_s)), float(math.ceil(max(workload.first_scored.window_s, STAYS * stay_s, needed_s))))


def level_workload(workload: Workload, rate_per_s: float, times: LevelTimes) -> Workload:
    """The workload at one rate, with its mix of journeys: a run-up, and one window that is held."""
    factor = workload.usage.busy_hour_factor
    per_day = {journey: share * rate_per_s * SECONDS_PER_DAY / factor for journey, share in journey_shares(workload).items()}
    stages = (Stage(stage=WARM_UP, window_s=times.run_up_s), Stage(stage=_HELD_STAGE, window_s=times.hold_s))
    return workload.model_copy(
        update={
            "usage": workload.usage.model_copy(update={"per_day": per_day}), "quota_per_window": {}, "stages": stages, "per_portal": False,
            "spare_windows": 0, "window_s_max": None,
        }
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """The plan of a level; ``not_permitted`` names what the authorisation does not cover of it."""

    plan: Plan
    hosts: PortalHosts
    spec: SweepSpec

    @property
    def not_permitted(self) -> tuple[NotPermitted, ...]:
        """What would be left out."""
        walked = set(self.spec.workload.journeys)
        return tuple(each for each in self.hosts.portals[0].not_permitted if not each.journey or each.journey in walked)


def plan_level(
    spec: SweepSpec, workload: Workload, rate_per_s: float, times: LevelTimes, hosts: PortalHosts, catalog: Catalog, name: str
) -> LevelPlan:
    """The plan of one level. Run-up and hold follow each other in one round, so that the hold begins under load.

    Both have an exact number of arrivals. ``spec``: of the search; ``workload``: that of the search.
    """
    spec = replace(spec, workload=level_workload(workload, rate_per_s, times))
    plan, hosts = plan_sweep(spec, hosts, catalog, name)
    loaded = [slot for each in plan.rounds if not each.alone for slot in each.slots]
    windows = [_exactly(window) for slot in loaded for window in slot.windows]
    if len(windows) < len(spec.workload.stages):  # the authorisation does not cover it
        return LevelPlan(plan, hosts, spec)
    begins_s = (0.0, times.run_up_s)
    held = tuple(replace(window, round=1, begin_s=begin_s) for window, begin_s in zip(windows, begins_s, strict=True))
    round_ = Round(1, (replace(loaded[0], windows=held),))
    target = replace(plan.targets[0], times_usage=planned_times_usage(hosts.portals[0], workload, round_.slots))
    return LevelPlan(replace(plan, targets=(target,), rounds=(plan.rounds[0], round_)), hosts, spec)


def _exactly(window: PlannedWindow) -> PlannedWindow:
    quota = {journey: round(rate * window.duration_s) for journey, rate in window.rates_per_s.items()}
    return replace(window, rates_per_s={}, quota=quota)


def measure_level(
    planned: LevelPlan, step: LevelToMeasure, times: LevelTimes, catalog: Catalog, criteria: CriteriaSet, objective: Objective,
    progress: Callable[[str], None], during: Callable[[SweepFolder, int], None] | None = None,
) -> LevelRecord:  # fmt: skip
    """Measure one level and judge it. Raises MeasurementError where a lone citizen could not walk, and so nothing was loaded.

    AuthorisationError where the permitted time does not suffice for it.
    """
    folder = SweepFolder(Path(planned.plan.results))
    check_permitted(planned.plan, catalog, datetime.now(UTC))
    make_folder(folder)
    with only_attempt(folder):
        check_provisions(planned.plan, catalog)
        measure_plan(folder, planned.plan, planned.hosts, planned.spec, catalog, criteria, progress, during)
    return judge_level(folder, step, times, catalog, criteria, objective)


def judge_level(
    folder: SweepFolder, step: LevelToMeasure, times: LevelTimes, catalog: Catalog, criteria: CriteriaSet, objective: Objective
) -> LevelRecord:
    """What the evidence of a level says."""
    runs = read_runs(folder)
    portal = runs[0].portal
    held = next((window for window in runs[0].windows if window.stage == _HELD_STAGE), None)
    if held is None:
        said = _reasons(runs[0]) or runs[0].verdict.value
        remedy = f"Read {folder.log}, or walk it with `{command_about(folder.path, 'walk', portal)}`."
        raise MeasurementError(
            Problem(str(folder.path), "level", said, "a lone citizen who gets through, and a level that is held", remedy)
        )
    round_, window = next(
        (round_, window) for round_ in folder.rounds() for slot in round_.slots for window in slot.windows if window.window == held.window
    )
    record = LevelRecord(
        folder.path.name, step.rate_per_s, step.purpose, times.run_up_s, times.hold_s, sum(window.quota.values()), held.began_utc,
        turned_away=window.counts.get("turned_away", 0),
    )  # fmt: skip
    if portal in round_.safety_stops:
        return replace(record, stopped=f"safety_stop: {round_.safety_stops[portal]}")
    if held.verdict is Verdict.BLOCKED:
        return replace(record, stopped=_reasons(held))
    if held.verdict is not Verdict.VALID:
        return replace(record, void=_reasons(held))
    run = evidence_of(folder, runs, (), catalog)[0].measured(criteria)
    missed = missed_limits(run, held.window, objective, read_plan(folder.plan).patience_s, held.window)
    flow = in_flight(list(_stays(folder, portal, round_, times)))
    few = None if missed else too_few_steps(run, held.window, objective)
    needed_s = 0.0 if few is None else math.ceil(times.hold_s * RESERVE * few.least / max(few.n, 1))
    record = replace(record, missed=missed, steps=steps_at_level(run, held.window), in_flight=flow, needed_s=float(needed_s))
    return replace(record, void=_own_doubt(record, few))


def _own_doubt(record: LevelRecord, few: TooFewSteps | None) -> str:
    """Why a level does not count although its window is valid. A level that fails is not held too briefly: its stays have grown."""
    flow = record.in_flight
    assert flow is not None
    if not flow.agrees:
        return f"in_flight_differs: {flow.counted:.2f} counted, {flow.computed:.2f} computed, tolerance {flow.tolerance:.2f}"
    if few is not None:
        of = few.step or (f"visits of {few.journey}" if few.journey else "visits")
        return f"too_few_steps: {few.n} of {few.least}, to be held for {record.needed_s:g} s at least ({of})"
    if not record.missed and record.hold_s < STAYS * flow.stay_s:
        return f"held_too_briefly: {record.hold_s:g} s < {STAYS} × {flow.stay_s:.1f} s"
    return ""


def _reasons(judged: RunFacts | WindowFacts) -> str:
    return "; ".join(f"{reason.code}: {reason.detail}".rstrip(": ") for reason in judged.reasons)


def _stays(folder: SweepFolder, portal: str, round_: RoundRecord, times: LevelTimes) -> Iterator[Stays]:
    """The visits of each worker in the loaded round, and its counts of citizens."""
    columns = ["request", "worker", "intended_us", "start_us", "end_us"]
    table = pq.read_table(folder.part(portal, _run_of(round_, portal), round_.name), columns=columns, partitioning=None)
    closing = table.filter(pc.and_(pc.equal(table["request"], VISIT_ROW), pc.greater(table["start_us"], 0)))
    workers = np.asarray(closing["worker"].cast("string").to_pylist())
    begin_us, end_us = (closing[name].to_numpy() for name in ("intended_us", "end_us"))
    counts = _counts(folder, round_)
    for member in round_.members:
        mine = workers == member.worker
        hold_us = round(round_.start_us + member.offset_us + times.run_up_s * 1e6)
        yield Stays(begin_us[mine], end_us[mine], (hold_us, hold_us + round(times.hold_s * 1e6)), counts.get(member.worker, {}))


def _counts(folder: SweepFolder, round_: RoundRecord) -> Mapping[str, dict[int, int]]:
    """Citizens in flight on each worker, by moment."""
    counts: dict[str, dict[int, int]] = {}
    for line in read_lines(folder.health(round_.name)).values:
        counts.setdefault(line["worker"], {})[line["at_us"]] = line["in_flight"]
    return counts


def _run_of(round_: RoundRecord, portal: str) -> str:
    return next(slot.run for slot in round_.slots if slot.portal == portal)
