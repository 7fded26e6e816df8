"""Measures known delays: the same requests by the harness's clock and by the server's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic_ns
from typing import Any

import httpx
import pandas as pd

from harness.catalog import Portal
from harness.catalog.workload import HealthLimits
from harness.evidence import RunFacts, SweepFolder, read_runs
from harness.load import schedule
from harness.operations.embedded import EmbeddedPortals, separate_processors
from harness.operations.locust_run import run_locust
from harness.records import VISIT_ROW, Plan, PlannedTarget, PlannedWindow, Round, RoundRecord, Slot, StopLimits, run_id

SEED = 1
IN_FLIGHT_CEILING = 100_000  # no arrival of a case is turned away

UNDISTURBED = HealthLimits(steal_percent=3.0, lag_p99_ms=6.0, scheduler_lag_ms=100.0, lateness_p99_ms=6.0, arrival_lateness_ms=100.0)
"""Stricter than for a sweep's windows (assumed): other load on the machine must not count as the instrument's error."""

ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class Case:
    """Known delays, and the rate of requests."""

    name: str
    personality: Mapping[str, Any]
    rate_per_s: float
    duration_s: float
    arrivals: str = "poisson"
    timeout_s: float = 60.0
    drain_s: float = 65.0
    rounds: int = 1


@dataclass(frozen=True)
class CaseResult:
    """The planned, measured and true times of one case, in microseconds of one clock (all processes are on one machine).

    ``pairs`` has one line a request that both sides know: ``visit``, ``planned_us`` (the schedule's), ``intended_us``,
    ``start_us``, ``end_us`` and ``outcome`` as measured; ``arrival_us``, ``begin_us``, ``served_us``, ``served_status`` as served.
    """

    case: Case
    folder: SweepFolder
    facts: RunFacts
    planned: int
    rows: pd.DataFrame  # request rows
    visits: pd.DataFrame  # visit rows
    truth: pd.DataFrame  # the server's log
    pairs: pd.DataFrame
    round_: RoundRecord  # the last one that was sealed
    freezes_from_us: int  # the moment from which the case's freezes are counted

    @property
    def disturbances(self) -> tuple[str, ...]:
        """Why a window of this case is void, for example by the limits of the generator's health."""
        return tuple(f"{reason.code}: {reason.detail}" for window in self.facts.windows for reason in window.reasons)


def measure_case(
    case: Case,
    portal: Portal,
    results: Path,
    *,
    workers: int = 1,
    health: HealthLimits | None = None,
    during: Callable[[SweepFolder, int], None] | None = None,
    after: Callable[[pd.DataFrame], None] = lambda _truth: None,
) -> CaseResult:
    """Measure a case against the simulator.

    ``during`` is called once the plan is written, in a thread of its own, with the folder and Locust's process id; ``after`` with the
    server's log, also where the measurement did not come to its end (MeasurementError).
    """
    generator_cpu, portals_cpu = separate_processors()
    portal = portal.model_copy(update={"personality": dict(case.personality)})
    embedded = EmbeddedPortals.start([portal], seed=SEED, cpu=portals_cpu)
    try:
        freezes_from_us = monotonic_ns() // 1000
        origin = {"portal": portal.id, "at_monotonic_us": freezes_from_us}
        httpx.post(f"{embedded.control}/freeze-origin", json=origin, timeout=30, trust_env=False).raise_for_status()
        plan = _plan(case, portal, embedded, results, health or HealthLimits())
        try:
            folder = run_locust(
                plan,
                workers=workers,
                processor=generator_cpu if workers == 1 else None,
                catalog=None,
                progress=lambda _line: None,
                during=during,
            )
        finally:
            truth = truth_of(embedded, portal.id)
            after(truth)
    finally:
        embedded.stop()
    return gather(case, plan, folder, truth, freezes_from_us)


def measure_undisturbed(
    case: Case, portal: Portal, results: Path, *, workers: int = 1, disturbed: Callable[[Sequence[str]], None] = lambda _reasons: None
) -> CaseResult:
    """Measure a case; repeat it where other load made a window void by ``UNDISTURBED``, at most ``ATTEMPTS`` times.

    Only the generator's health decides, never the figures. ``disturbed`` is told each time; the last attempt is answered as it is.
    """
    for attempt in range(ATTEMPTS):
        folder = results / f"again-{attempt}" if attempt else results
        result = measure_case(case, portal, folder, workers=workers, health=UNDISTURBED)
        if not result.disturbances:
            break
        disturbed(result.disturbances)
    return result


def truth_of(embedded: EmbeddedPortals, portal: str) -> pd.DataFrame:
    """The server's log of one portal, in microseconds of the machine's monotonic clock."""
    httpx.get(f"{embedded.control}/flush", timeout=30, trust_env=False).raise_for_status()
    lines = httpx.get(f"{embedded.control}/truth", params={"portal": portal}, timeout=60, trust_env=False).raise_for_status().text
    return pd.DataFrame([json.loads(line) for line in lines.splitlines()])


def gather(case: Case, plan: Plan, folder: SweepFolder, truth: pd.DataFrame, freezes_from_us: int) -> CaseResult:
    """Join measured and true times, request by request."""
    (facts,) = read_runs(folder)
    all_rows = pd.concat(
        [pd.read_parquet(path, partitioning=None) for path in sorted(folder.samples.glob("*/*/*.parquet"))], ignore_index=True
    )
    rows = all_rows[all_rows["request"] != VISIT_ROW].copy()
    visits = all_rows[all_rows["request"] == VISIT_ROW].copy()
    rounds = {round_.name: round_ for round_ in folder.rounds()}
    dues = pd.concat(
        [_dues(plan, round_, rounds[round_.name].start_us) for round_ in plan.rounds if round_.name in rounds], ignore_index=True
    )
    named = {"start_us": "begin_us", "end_us": "served_us", "status": "served_status", "portal": "served_by"}
    served = truth.rename(columns=named).assign(visit=truth["path"].str.rsplit("-", n=1).str[-1].astype("int64"))
    pairs = rows.merge(dues, on="visit").merge(served, on="visit").sort_values("visit", ignore_index=True)
    return CaseResult(case, folder, facts, len(dues), rows, visits, truth, pairs, rounds[max(rounds)], freezes_from_us)


def _dues(plan: Plan, round_: Round, start_us: int) -> pd.DataFrame:
    """When each visit of a round was planned to arrive, computed from the seed."""
    arrivals = schedule(round_.slots[0], seed=plan.seed, arrivals=plan.arrivals).arrivals
    return pd.DataFrame({"visit": [a.visit for a in arrivals], "planned_us": [start_us + a.offset_us for a in arrivals]})


def _plan(case: Case, portal: Portal, embedded: EmbeddedPortals, results: Path, health: HealthLimits) -> Plan:
    target = PlannedTarget(portal.id, "calibration", {"portal": embedded.origins(portal.id)["portal"]}, "", StopLimits())
    first = PlannedWindow(1, "typical", 1.0, 0.0, float(case.duration_s), {"search": case.rate_per_s}, {})
    windows = [replace(first, window=1 + n, round=n) for n in range(case.rounds)]
    rounds = tuple(Round(w.round, (Slot(portal.id, run_id(portal.id, SEED), (w,), IN_FLIGHT_CEILING),)) for w in windows)
    return Plan(
        sweep=case.name, seed=SEED, arrivals=case.arrivals, workload="calibration", targets=(target,), rounds=rounds,
        timeout_s=case.timeout_s, drain_s=case.drain_s, health=health.model_dump(), results=str(results / case.name), night="calibration",
        lead_s=1.0, simulator_control=embedded.control,
    )  # fmt: skip
