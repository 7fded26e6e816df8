"""The plan of a sweep from a workload and portals: which windows, in which rounds, at which rates."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from harness.catalog import Portal
from harness.catalog.not_charged import SharedHosts
from harness.catalog.workload import SECONDS_PER_DAY, Stage, Workload
from harness.load.further_windows import lone_tries
from harness.load.lone_rounds import turns
from harness.records import (
    LONE,
    MOST_UNDER_WAY,
    SCORED_STAGES,
    WARM_UP,
    Calibration,
    NotPermitted,
    PathLimits,
    Plan,
    PlannedTarget,
    PlannedWindow,
    Round,
    Slot,
    StopLimits,
    Terms,
    ThinkTime,
    TimesUsage,
    run_id,
)
from harness.statistics.keyed import keyed_random

LONE_SPACING_S = 0.2
BETWEEN_ROUNDS_S = 2.0
"""From the last citizen's arrival, or the end of a drain that is waited for, to the next orders, at most (assumed; ``benches.night`` measured at most
1.3 s, and 4.7 s on an overloaded machine)."""
LOOPBACK = "this machine, loopback"
"""The vantage point of embedded portals."""
CLOSED_THINK = ThinkTime(median_s=1.0, sigma=0.5, max_s=5.0)
"""Think times of a closed run without a workload (assumed): short, so that a first try shows something soon."""


@dataclass(frozen=True, slots=True)
class MeasuredPortal:
    """A portal, its hosts, and what its authorisation allows there."""

    portal: Portal
    platform: str
    origins: Mapping[str, str]
    authorisation: str = ""
    in_flight_ceiling: int = 0  # 0: the workload's
    safety: StopLimits = field(default_factory=StopLimits)
    valid_to_s: float = 0.0  # of the authorisation, in seconds since 1970
    hosting_group: str = ""  # portals that share machines are never loaded at the same time
    vantage_point: str = LOOPBACK  # where it is measured from
    not_permitted: tuple[NotPermitted, ...] = ()  # what the authorisation does not cover
    shared_hosts: tuple[str, ...] | None = None  # origins that the criteria set lists as shared; None: it says nothing of such hosts
    terms: Terms = field(default_factory=Terms)

    @property
    def left_out(self) -> frozenset[str]:
        """The journeys that are not permitted there."""
        return frozenset(each.journey for each in self.not_permitted if each.journey)


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
    rounds = [Round(0, tuple(_lone_slot(one, workload, seed) for one in measured))]
    loads: list[Slot] = []
    number = window = 1
    for group in _groups(workload, contiguous=contiguous or back_to_back):
        windows, window = _windows(workload, group, window)
        windows = tuple(replace(w, round=number + (i if back_to_back else 0)) for i, w in enumerate(windows))
        slots = {
            one.portal.id: Slot(
                one.portal.id,
                run_id(one.portal.id, seed),
                _permitted(_own_usage(windows, one, workload), one),
                _ceiling(one, workload, in_flight_ceiling),
            )
            for one in measured
        }
        loads += slots.values()
        order = sorted((one for one in measured if slots[one.portal.id].windows), key=lambda one: one.portal.id)
        keyed_random(seed, workload.id, number, "order").shuffle(order)
        for part, together in enumerate(_parts(order, at_once or len(order))):
            rounds.append(Round(number, tuple(slots[one.portal.id] for one in together), part))
        number += len(windows) if back_to_back else 1
    return Plan(
        sweep=sweep,
        seed=seed,
        arrivals=workload.arrivals,
        workload=workload.id,
        targets=tuple(
            replace(_target(one), times_usage=_times_usage(one, workload, [slot for slot in loads if slot.portal == one.portal.id]))
            for one in measured
        ),
        rounds=tuple(rounds),
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
        criteria=criteria,
        shared_lost_max=None if shared is None else shared.lost_max.value,
        path_doubt=path_doubt,
        simulator_control=control,
    )


def closed_plan(
    sweep: str, measured: MeasuredPortal, *, seed: int, results: Path, night: str, health: Mapping[str, float], control: str
) -> Plan:
    """A plan without rounds: Locust's users walk until Locust stops them."""
    return Plan(
        sweep, seed, "closed", "", (_target(measured),), (), 60.0, 65.0, health, str(results), night,
        think={"default": CLOSED_THINK}, simulator_control=control,
    )  # fmt: skip


def planned_s(plan: Plan) -> float:
    """The longest that the rounds of a plan take: every round waits its full drain time."""
    return projected_s(plan, plan.drain_s)


def projected_s(plan: Plan, drain_s: float, check_s: float = 0.0) -> float:
    """How long the rounds of a plan take if every drain lasts ``drain_s``. Each round begins as soon as the conductor lets it.

    ``check_s``: how long a lone citizen walks after each loaded round.
    """
    return max((end_s for end_s, _ in _ends(plan, drain_s, check_s)), default=0.0)


def last_ends_s(plan: Plan) -> dict[str, float]:
    """The latest end of each portal's last round, in seconds from the sweep's start; every round waits its full drain time."""
    ends_s: dict[str, float] = {}
    for end_s, round_ in _ends(plan, plan.drain_s):
        for slot in round_.slots:
            ends_s[slot.portal] = max(end_s, ends_s.get(slot.portal, 0.0))
    return ends_s


def _ends(plan: Plan, drain_s: float, check_s: float = 0.0) -> list[tuple[float, Round]]:
    """When each round of a plan ends, as ``projected_s`` says, in seconds from the sweep's start."""
    arrived_s = 0.0  # when the last citizen of the round before has arrived
    ends: list[tuple[float, Round]] = []
    for round_ in plan.rounds:
        in_the_way = [end_s for end_s, other in ends if not plan.may_overlap(round_, other)]
        most = sorted(end_s for end_s, _ in ends)[-MOST_UNDER_WAY:]
        room_s = most[0] if len(most) == MOST_UNDER_WAY else 0.0
        arrived_s = max((arrived_s, room_s, *in_the_way)) + _pause_s(plan) + round_.duration_s
        ends.append((arrived_s + drain_s * turns(round_) + (0.0 if round_.alone else check_s), round_))
    return ends


def longest_make_up_s(plan: Plan) -> float:
    """The most seconds that make-up windows may take. Each of their rounds counts like the plan's longest round."""
    longest = max(round_.duration_s for round_ in plan.rounds)
    return _make_up_rounds(plan) * (_pause_s(plan) + longest + plan.drain_s)


def longest_s(plan: Plan) -> float:
    """The longest that a night may take: the plan's rounds, further lone walks, make-up windows, and a check after every loaded round.

    A closed run plans no round and ends when it is stopped: 0.
    """
    if not plan.rounds:
        return 0.0
    if not plan.rounds[0].alone:
        return planned_s(plan) + longest_make_up_s(plan)
    lone_s = _pause_s(plan) + plan.rounds[0].duration_s + plan.drain_s * turns(plan.rounds[0])
    further = lone_tries(plan) - 1 + _make_up_rounds(plan)
    return projected_s(plan, plan.drain_s, lone_s) + longest_make_up_s(plan) + further * lone_s


def _pause_s(plan: Plan) -> float:
    return plan.lead_s + BETWEEN_ROUNDS_S


def _make_up_rounds(plan: Plan) -> int:
    """The rounds of make-up windows at most, each part counted: portals are together in them as in the plan's last round."""
    return plan.spare_windows * sum(round_.round == plan.rounds[-1].round for round_ in plan.rounds)


@dataclass(frozen=True, slots=True)
class JourneyFactor:
    """Arrivals per second of a journey in real usage and in the first scored stage, and how many times usage that is."""

    usage_per_s: float
    planned_per_s: float
    factor: float | None  # None where usage has none of this journey

    def __str__(self) -> str:
        return "no usage figure" if self.factor is None else f"{self.factor:.1f} × usage"


def factors(workload: Workload) -> dict[str, JourneyFactor]:
    """How the planned load of each journey compares with real usage."""
    stage = workload.first_scored
    return {
        journey: JourneyFactor(
            workload.usage.rate_per_s(journey), workload.rate_per_s(journey, stage, 0), workload.raised_by(journey, stage)
        )
        for journey in workload.journeys
    }


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


_DAILY: Mapping[str, tuple[Literal["dossiers", "online_dossiers", "payments", "visits"], ...]] = {
    "search": ("visits",), "submit": ("online_dossiers", "dossiers"), "pay": ("payments",),
}  # fmt: skip
"""The daily figures of a portal that a journey's usage is taken from; the first one that the portal has counts."""


def _own_per_day(portal: Portal) -> dict[str, float]:
    """The visits of each journey in a day, by the portal's own figures."""
    daily = portal.daily
    figures = {journey: next((daily[name] for name in names if name in daily), None) for journey, names in _DAILY.items()}
    return {journey: figure.per_day for journey, figure in figures.items() if figure is not None}


def _own_usage(windows: tuple[PlannedWindow, ...], one: MeasuredPortal, workload: Workload) -> tuple[PlannedWindow, ...]:
    """The windows, with the portal's own daily figures where the workload asks for them and the catalog has them."""
    if not workload.per_portal:
        return windows
    usual = workload.usage.per_day
    own = {journey: per_day / usual[journey] for journey, per_day in _own_per_day(one.portal).items() if usual.get(journey)}
    return tuple(
        replace(window, rates_per_s={journey: rate * own.get(journey, 1.0) for journey, rate in window.rates_per_s.items()})
        for window in windows
    )


def _times_usage(one: MeasuredPortal, workload: Workload, slots: Sequence[Slot]) -> tuple[TimesUsage, ...]:
    """The highest load of each journey in a scored window, beside the usage of the busy hour: the portal's own where the catalog has it."""
    own, factor = _own_per_day(one.portal), workload.usage.busy_hour_factor / SECONDS_PER_DAY
    planned: dict[str, float] = {}
    for window in (window for slot in slots for window in slot.windows if window.stage in SCORED_STAGES):
        for journey in window.journeys:
            rate = window.rates_per_s.get(journey, 0.0) + window.quota.get(journey, 0) / window.duration_s
            planned[journey] = max(planned.get(journey, 0.0), rate)
    return tuple(
        TimesUsage(journey, rate, factor * own[journey] if journey in own else workload.usage.rate_per_s(journey), own=journey in own)
        for journey, rate in sorted(planned.items())
    )


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
