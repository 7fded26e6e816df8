"""The plan of a sweep from a workload and portals: which windows, in which rounds, at which rates."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.catalog.not_charged import SharedHosts
from harness.catalog.workload import Stage, Workload
from harness.operations.measured_portal import MeasuredPortal
from harness.operations.times_usage import planned_times_usage, with_own_usage
from harness.records import LONE, WARM_UP, Calibration, PathLimits, Plan, PlannedTarget, PlannedWindow, Round, Slot, ThinkTime, run_id
from harness.statistics.keyed import keyed_random

LONE_SPACING_S = 0.2
CLOSED_THINK = ThinkTime(median_s=1.0, sigma=0.5, max_s=5.0)
"""Think times of a closed run without a workload (assumed): short, so that a first try shows something soon."""


def sweep_id(label: str, seed: int, results: Path) -> str:
    """A sweep's name: when it began, in UTC, and what it measures; numbered where ``results`` has a folder of that name."""
    name = f"{datetime.now(UTC):%Y-%m-%dT%H-%MZ}-{label}-{seed}"
    candidates = itertools.chain([name], (f"{name}.{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if not (results / candidate).exists())


def night_date() -> str:
    """The date of the evening on which the night began: until noon, yesterday's."""
    return f"{datetime.now() - timedelta(hours=12):%Y-%m-%d}"  # noqa: DTZ005  (the date where this machine stands)


def make_plan(
    sweep: str,
    measured: Sequence[MeasuredPortal],
    workload: Workload,
    *,
    seed: int,
    results: Path,
    night: str,
    control: str = "",
    at_once: int = 0,
    in_flight_ceiling: int = 0,
    contiguous: bool = False,
    back_to_back: bool = False,
    calibration: Calibration | None = None,
    criteria: str = "",
    maintenance_notice_h: float = 0.0,
    second_address: str = "",
    shared: SharedHosts | None = None,
    path_doubt: PathLimits | None = None,
) -> Plan:
    """A sweep over portals in rounds, ``at_once`` at the same time (0: all).

    ``contiguous``: all windows of a portal follow each other without a pause, in one round; such windows are not independent,
    and are scored so. ``back_to_back``: the same, but every portal is measured at the same time and each window counts as a
    round; for demonstrations, which have no time to drain between rounds. ``shared`` and ``path_doubt``:
    what the criteria set says of shared hosts, and of a doubted path.

    In the first round one citizen walks alone. The warm-up is a round of its own, so that its citizens are gone when the first
    scored window begins. All windows of a ramp or a soak stay in one round.
    """
    lone = Round(0, tuple(_lone_slot(one, workload, seed) for one in measured))
    loaded = _loaded_rounds(measured, workload, seed, at_once, in_flight_ceiling, contiguous=contiguous, back_to_back=back_to_back)
    loads = [slot for round_ in loaded for slot in round_.slots]
    return Plan(
        sweep=sweep,
        seed=seed,
        arrivals=workload.arrivals,
        workload=workload.id,
        targets=tuple(
            replace(
                _target(one),
                times_usage=planned_times_usage(one, workload, [slot for slot in loads if slot.portal == one.portal.id]),
                absent_goals=tuple(each for each in one.absent_goals if each.journey in workload.journeys),
            )
            for one in measured
        ),
        rounds=(lone, *loaded),
        timeout_s=workload.timeout_s,
        drain_s=workload.drain_s,
        patience_s=workload.patience_s,
        health=workload.health.model_dump(),
        results=str(results),
        night=night,
        think={name: ThinkTime(**think.model_dump()) for name, think in workload.think.items()},
        calibration=calibration,
        shortened=workload.shortened,
        spare_windows=0 if contiguous or back_to_back else workload.spare_windows,
        maintenance_notice_h=maintenance_notice_h,
        second_address=second_address,
        per_portal=workload.per_portal,
        assets=workload.assets,
        traceparent=workload.traceparent,
        criteria=criteria,
        shared_lost_max=None if shared is None else shared.lost_max.value,
        path_doubt=path_doubt,
        simulator_control=control,
    )


def _loaded_rounds(
    measured: Sequence[MeasuredPortal],
    workload: Workload,
    seed: int,
    at_once: int,
    in_flight_ceiling: int,
    *,
    contiguous: bool,
    back_to_back: bool,
) -> list[Round]:
    """The rounds after that of the lone citizens, each in its parts; portals stand in an order that the seed draws for each round."""
    rounds: list[Round] = []
    number = window = 1
    for group in _groups(workload, contiguous=contiguous or back_to_back):
        windows, window = _windows(workload, group, window)
        windows = tuple(replace(w, round=number + (i if back_to_back else 0)) for i, w in enumerate(windows))
        slots = {
            one.portal.id: Slot(
                one.portal.id,
                run_id(one.portal.id, seed),
                _permitted(with_own_usage(windows, one, workload), one),
                _ceiling(one, workload, in_flight_ceiling),
            )
            for one in measured
        }
        order = sorted((one for one in measured if slots[one.portal.id].windows), key=lambda one: one.portal.id)
        keyed_random(seed, workload.id, number, "order").shuffle(order)
        for part, together in enumerate(_parts(order, at_once or len(order))):
            rounds.append(Round(number, tuple(slots[one.portal.id] for one in together), part))
        number += len(windows) if back_to_back else 1
    return rounds


def closed_plan(
    sweep: str, measured: MeasuredPortal, *, seed: int, results: Path, night: str, health: Mapping[str, float], control: str
) -> Plan:
    """A plan without rounds: Locust's users walk until Locust stops them."""
    return Plan(
        sweep, seed, "closed", "", (_target(measured),), (), 60.0, 65.0, health, str(results), night,
        think={"default": CLOSED_THINK}, simulator_control=control,
    )  # fmt: skip


def _groups(workload: Workload, *, contiguous: bool) -> list[list[tuple[Stage, int]]]:
    """Windows of each round after the lone walks: the warm-up, then one of each replicated stage, or all of a ramp or a soak."""
    warm_up = [(stage, n) for stage in workload.stages if stage.stage == WARM_UP for n in range(stage.windows)]
    scored = [stage for stage in workload.stages if stage.stage != WARM_UP]
    if contiguous:
        groups = [warm_up, [(stage, n) for stage in scored for n in range(stage.windows)]]
        return [group for group in groups if group]
    together = [[(stage, n) for n in range(stage.windows)] for stage in scored if stage.stage in ("ramp", "soak")]
    replicated = [stage for stage in scored if stage.stage not in ("ramp", "soak")]
    most = max((stage.windows for stage in replicated), default=0)
    groups = [warm_up, *([(stage, n) for stage in replicated if n < stage.windows] for n in range(most)), *together]
    return [group for group in groups if group]


def _windows(workload: Workload, group: Sequence[tuple[Stage, int]], first: int) -> tuple[tuple[PlannedWindow, ...], int]:
    windows = []
    begin_s = 0.0
    for stage, n in group:
        level = stage.level_of(n) * stage.curve_mean(n)
        journeys = workload.journeys
        windows.append(
            PlannedWindow(
                window=first,
                stage=stage.stage,
                level=level,
                begin_s=begin_s,
                duration_s=stage.window_s,
                rates_per_s={j: level * workload.usage.rate_per_s(j) for j in journeys},
                quota={j: round(level * workload.quota_of(j, stage)) for j in journeys},
                curve=_curve(stage, n),
            )
        )
        begin_s += stage.window_s
        first += 1
    return tuple(windows), first


def _permitted(windows: tuple[PlannedWindow, ...], one: MeasuredPortal) -> tuple[PlannedWindow, ...]:
    """The windows without the stages and the journeys that are not permitted on this portal."""
    stages = {each.stage for each in one.not_permitted if not each.journey}
    if not one.left_out and not stages:
        return windows
    return tuple(window.only(window.journeys - one.left_out) for window in windows if window.stage not in stages)


def _parts(order: Sequence[MeasuredPortal], size: int) -> list[list[MeasuredPortal]]:
    """Portals in parts that are loaded together: each goes into the first part with room and without a portal that shares its machines."""
    parts: list[list[MeasuredPortal]] = []
    for one in order:
        for part in parts:
            if len(part) < size and not any(_target(one).shares_machines_with(_target(other)) for other in part):
                part.append(one)
                break
        else:
            parts.append([one])
    return parts


def _curve(stage: Stage, n: int) -> tuple[tuple[float, float], ...]:
    """The part of a stage's curve that falls into its window ``n``, by shares of the window."""
    if not stage.curve:
        return ()
    points = [(p.at * stage.windows - n, p.factor) for p in stage.curve]
    inner = [(at, factor) for at, factor in points if 0 < at < 1]
    return ((0.0, _at(points, 0.0)), *inner, (1.0, _at(points, 1.0)))


def _at(points: Sequence[tuple[float, float]], where: float) -> float:
    if where <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if where <= x1:
            return y0 + (y1 - y0) * (where - x0) / (x1 - x0)
    return points[-1][1]


def _lone_slot(one: MeasuredPortal, workload: Workload, seed: int) -> Slot:
    """The slot of a lone citizen: one visit of each journey, one after another."""
    quota = dict.fromkeys(workload.journeys, 1)
    window = PlannedWindow(0, LONE, 0.0, 0.0, LONE_SPACING_S * len(workload.journeys), {}, quota)
    return Slot(one.portal.id, run_id(one.portal.id, seed), _permitted((window,), one), _ceiling(one, workload, 0))


def _ceiling(one: MeasuredPortal, workload: Workload, given: int) -> int:
    return min(value for value in (one.in_flight_ceiling, workload.in_flight_ceiling, given) if value)


def _target(one: MeasuredPortal) -> PlannedTarget:
    return PlannedTarget(
        one.portal.id,
        one.platform,
        dict(one.origins),
        one.authorisation,
        one.safety,
        one.in_flight_ceiling,
        one.valid_to_s,
        one.not_permitted,
        one.vantage_point,
        one.shared_hosts,
        one.hosting_group,
        one.terms,
    )
