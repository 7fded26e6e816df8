"""What a Prometheus scrapes from `harness serve`: how sweeps stand, from what their master writes, and points once they are scored.

Sweeps under way and the last one that has ended are shown. Names and units follow Prometheus' conventions; docs/metrics.md lists them all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from harness.errors import EvidenceError
from harness.publish.live_page import scores_once_ended
from harness.records import Outcome
from harness.records.live_state import LIVE_JSON, LiveState, read_live
from harness.records.live_steps import read_steps

SILENT_FOR_S = 86_400.0
"""How long a sweep is shown that fell silent before its end (assumed: a night and the morning after)."""
MOST_SWEEPS = 4
"""Shown at once, the newest first (assumed: one machine measures one or two). ``harness_sweeps_left_out`` counts the others."""
SWEEP_STATES = ("measuring", "silent", "ended", "aborted")


class Described(NamedTuple):
    """One metric: its name as it is scraped, without the suffixes of a histogram."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str


_SWEEP = ("sweep",)
_PORTAL = ("sweep", "portal")
_STAGE = (*_PORTAL, "stage")
_STEP = (*_PORTAL, "journey", "goal", "step")
_RULE = ("sweep", "criteria_set", "criterion")

METRICS = (
    Described("harness_sweeps_left_out", "gauge", (), "Sweeps under way that are not shown, because too many are."),
    Described("harness_sweep_unreadable", "gauge", _SWEEP, "1 for a sweep whose live state cannot be read; the index of the pages says why."),
    Described("harness_sweep_state", "gauge", (*_SWEEP, "state"), "1 for the state of the sweep: measuring, silent, ended or aborted; 0 for the others."),
    Described("harness_sweep_news_age_seconds", "gauge", _SWEEP, "Age of the news of a sweep that has not ended. The master writes about once a second."),
    Described("harness_sweep_attempt", "gauge", _SWEEP, "Number of the attempt at the sweep."),
    Described("harness_sweep_begun_timestamp_seconds", "gauge", _SWEEP, "When the attempt began, since 1970."),
    Described("harness_sweep_expected_end_timestamp_seconds", "gauge", _SWEEP, "When the planned rounds of a sweep under way are expected to end."),
    Described("harness_sweep_arrivals_planned_total", "counter", _SWEEP, "Arrivals that the rounds planned which have begun."),
    Described("harness_arrivals_begun_total", "counter", _PORTAL, "Visits that began, those of lone citizens included."),
    Described("harness_round_arrivals_planned", "gauge", _STAGE, "Arrivals that the portal's round under way plans."),
    Described("harness_round_arrivals_due", "gauge", _STAGE, "Of these, arrivals that were to begin by now."),
    Described("harness_round_arrivals_begun", "gauge", _STAGE, "Of these, visits that began."),
    Described("harness_round_arrivals_turned_away", "gauge", _STAGE, "Of these, visits turned away at the ceiling or after a safety stop."),
    Described("harness_citizens_in_flight", "gauge", _PORTAL, "Citizens that are at the portal now."),
    Described("harness_portal_state", "gauge", (*_PORTAL, "state"), "1 for what happens at the portal now, such as measuring, draining or stopped."),
    Described("harness_windows_planned", "gauge", _PORTAL, "Windows of the plan, those of lone citizens not counted, here and below."),
    Described("harness_windows_done", "gauge", _PORTAL, "Windows that are sealed and not void."),
    Described("harness_windows_void", "gauge", _PORTAL, "Windows that are sealed and void."),
    Described("harness_visits_total", "counter", (*_PORTAL, "outcome"), "Visits by outcome, those that did not begin included."),
    Described("harness_requests_total", "counter", (*_PORTAL, "outcome"), "Requests by outcome; those that are skipped or dropped were not sent."),
    Described("harness_steps_total", "counter", (*_STEP, "outcome"), "Steps of scored stages by outcome since the attempt began."),
    Described("harness_step_duration_seconds", "histogram", _STEP, "Time of the steps with outcome ok, from when they were due to their last byte."),
    Described("harness_generator_workers", "gauge", _SWEEP, "Workers of the rounds under way."),
    Described("harness_generator_cpu_ratio", "gauge", _SWEEP, "Processor time of the worst worker in the last second, of one core."),
    Described("harness_generator_steal_ratio", "gauge", _SWEEP, "Processor time that the host of the worst worker's machine took away in the last second."),
    Described("harness_generator_scheduler_lag_seconds", "gauge", _SWEEP, "Latest wake-up of the worst worker in the last second."),
    Described("harness_generator_arrival_lateness_seconds", "gauge", _SWEEP, "Latest start of a citizen on the worst worker in the last second."),
    Described("harness_generator_worst_scheduler_lag_seconds", "gauge", _SWEEP, "Latest wake-up since the rounds under way began."),
    Described("harness_generator_worst_arrival_lateness_seconds", "gauge", _SWEEP, "Latest start of a citizen since the rounds under way began."),
    Described("harness_generator_late_seconds", "gauge", _SWEEP, "Seconds since then, of all workers, with an arrival later than the limit lateness_p99."),
    Described("harness_generator_limit_ratio", "gauge", (*_SWEEP, "limit"), "Limit of the workload beyond which a window is void: cpu or steal."),
    Described("harness_generator_limit_seconds", "gauge", (*_SWEEP, "limit"), "Limit of the workload beyond which a window is void, by its key without the unit."),
    Described("harness_criterion_points_max", "gauge", _RULE, "Most points of a criterion."),
    Described("harness_criterion_full_points_at", "gauge", (*_RULE, "unit"), "Value from which on the criterion gives full points."),
    Described("harness_criterion_no_points_at", "gauge", (*_RULE, "unit"), "Value from which on the criterion gives no points."),
    Described("harness_criterion_value", "gauge", (*_RULE, "portal", "unit"), "Value of the criterion, once the sweep is scored."),
    Described("harness_criterion_points", "gauge", (*_RULE, "portal"), "Points of the criterion, once the sweep is scored."),
    Described("harness_portal_points", "gauge", (*_PORTAL, "criteria_set"), "Points of a valid portal, once the sweep is scored."),
    Described("harness_portal_verdict", "gauge", (*_PORTAL, "verdict"), "1 for the verdict of the portal's run, once the sweep is scored."),
)  # fmt: skip
"""Every metric, in the order in which they are written."""


class _Times(NamedTuple):
    buckets: Sequence[tuple[str, float]]  # upper bound, and how many are at most so large
    sum_s: float


_Found = tuple[str, tuple[str, ...], float | _Times]
"""Name, labels and value of one sample."""


def metrics_page(folder: Path, accept: str, now: datetime | None = None) -> tuple[bytes, str]:
    """The metrics of a results folder, and their content type: OpenMetrics where ``accept`` names it, otherwise Prometheus text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(folder, now or datetime.now(UTC)))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Collector(Collector):
    def __init__(self, folder: Path, now: datetime) -> None:
        self._folder, self._now = folder, now

    def collect(self) -> Iterator[Metric]:
        found: dict[str, dict[tuple[str, ...], float | _Times]] = {}
        for name, labels, value in _of_folder(self._folder, self._now):
            found.setdefault(name, {})[labels] = value  # a series that came twice would cost Prometheus the whole scrape
        for described in METRICS:
            if samples := found.get(described.name):
                yield _family(described, samples)


def _family(described: Described, samples: dict[tuple[str, ...], float | _Times]) -> Metric:
    if described.kind == "histogram":
        histogram = HistogramMetricFamily(described.name, described.meaning, labels=described.labels)
        for labels, times in samples.items():
            assert isinstance(times, _Times)
            histogram.add_metric(labels, times.buckets, times.sum_s)
        return histogram
    kind = CounterMetricFamily if described.kind == "counter" else GaugeMetricFamily
    family = kind(described.name, described.meaning, labels=described.labels)
    for labels, value in samples.items():
        assert not isinstance(value, _Times)
        family.add_metric(labels, value)
    return family


def _of_folder(folder: Path, now: datetime) -> Iterator[_Found]:
    under_way, ended = 0, False
    for path in _with_news(folder, now):
        name = path.name.encode(errors="backslashreplace").decode()
        try:
            state = read_live(path)
        except EvidenceError:
            yield "harness_sweep_unreadable", (name,), 1
            continue
        if state is None or (state.has_ended() and ended):
            continue
        under_way += not state.has_ended()
        ended = ended or state.has_ended()
        if state.has_ended() or under_way <= MOST_SWEEPS:
            yield from _of_sweep(path, name, state, now)
    yield "harness_sweeps_left_out", (), max(0, under_way - MOST_SWEEPS)


def _with_news(folder: Path, now: datetime) -> list[Path]:
    """The sweeps with news of the last day, or else the newest one; the newest first."""
    states = (path for path in folder.glob(f"*/{LIVE_JSON}") if not path.parent.is_symlink() and path.is_file())
    written = sorted(((path.stat().st_mtime, path.parent) for path in states), reverse=True)
    return [path for at_s, path in written if at_s > now.timestamp() - SILENT_FOR_S] or [path for _, path in written[:1]]


def _of_sweep(folder: Path, name: str, state: LiveState, now: datetime) -> Iterator[_Found]:
    stale = state.is_stale(now)
    current = "silent" if stale else state.state
    for each in SWEEP_STATES:
        yield "harness_sweep_state", (name, each), each == current
    yield "harness_sweep_attempt", (name,), state.attempt
    yield "harness_sweep_begun_timestamp_seconds", (name,), _since_1970(state.began_utc)
    yield "harness_sweep_arrivals_planned_total", (name,), state.arrivals_planned
    if not state.has_ended():
        yield "harness_sweep_news_age_seconds", (name,), state.silent_s(now)
        if not stale:
            yield from _now(name, state)
    yield from _of_portals(name, state)
    yield from _of_steps(folder, name)
    yield from _of_rules(name, state)
    yield from _of_points(folder, name, state)


def _now(name: str, state: LiveState) -> Iterator[_Found]:
    """What holds at this moment only. Nobody knows it of a sweep that fell silent."""
    if state.expected_end_utc:
        yield "harness_sweep_expected_end_timestamp_seconds", (name,), _since_1970(state.expected_end_utc)
    for portal in state.portals:
        yield "harness_citizens_in_flight", (name, portal.portal), portal.in_flight
        yield "harness_portal_state", (name, portal.portal, portal.state), 1
    for round_ in state.rounds:
        for load in round_.loads:
            counts = {"planned": load.planned, "due": load.due, "begun": load.begun, "turned_away": load.turned_away}
            for what, count in counts.items():
                if count is not None:  # a closed run plans no arrivals
                    yield f"harness_round_arrivals_{what}", (name, load.portal, round_.stage), count
    if state.rounds:
        generator = state.generator
        yield "harness_generator_workers", (name,), generator.workers
        yield "harness_generator_cpu_ratio", (name,), generator.cpu_percent / 100
        yield "harness_generator_steal_ratio", (name,), generator.steal_percent / 100
        yield "harness_generator_scheduler_lag_seconds", (name,), generator.lag_us / 1e6
        yield "harness_generator_arrival_lateness_seconds", (name,), generator.late_us / 1e6
        yield "harness_generator_worst_scheduler_lag_seconds", (name,), generator.worst_lag_us / 1e6
        yield "harness_generator_worst_arrival_lateness_seconds", (name,), generator.worst_late_us / 1e6
        yield "harness_generator_late_seconds", (name,), generator.late_seconds


def _of_portals(name: str, state: LiveState) -> Iterator[_Found]:
    for portal in state.portals:
        labels = (name, portal.portal)
        yield "harness_arrivals_begun_total", labels, portal.begun
        yield "harness_windows_planned", labels, portal.windows_planned
        yield "harness_windows_done", labels, portal.windows_done
        yield "harness_windows_void", labels, portal.windows_void
        for kind in ("visits", "requests"):
            for outcome in Outcome:
                if count := portal.outcomes.get(f"{kind}_{outcome}", 0):
                    yield f"harness_{kind}_total", (*labels, outcome), count


def _of_steps(folder: Path, name: str) -> Iterator[_Found]:
    try:
        found = read_steps(folder)
    except EvidenceError:
        yield "harness_sweep_unreadable", (name,), 1
        return
    if found is None:
        return
    bounds = [floatToGoString(bound) for bound in (*found.bounds_s, math.inf)]
    for step in found.steps:
        labels = (name, step.portal, step.journey, step.goal, step.step)
        for outcome in Outcome:
            if count := step.outcomes.get(outcome, 0):
                yield "harness_steps_total", (*labels, outcome), count
        yield "harness_step_duration_seconds", labels, _Times([*zip(bounds, accumulate(step.buckets), strict=True)], step.sum_s)


def _of_rules(name: str, state: LiveState) -> Iterator[_Found]:
    """The limits of generator health, and what the criteria set asks for."""
    for key, limit in state.health_limits.items():
        stem, _, unit = key.rpartition("_")
        if unit == "percent":
            yield "harness_generator_limit_ratio", (name, stem), limit / 100
        elif unit in ("ms", "s"):
            yield "harness_generator_limit_seconds", (name, stem), limit / 1000 if unit == "ms" else limit
    for criterion in state.criteria:
        rule = (name, state.criteria_set, criterion.id)
        yield "harness_criterion_points_max", rule, criterion.points_max
        if criterion.full_at is not None:
            yield "harness_criterion_full_points_at", *_in_base_unit(rule, criterion.unit, criterion.full_at)
        yield "harness_criterion_no_points_at", *_in_base_unit(rule, criterion.unit, criterion.none_at)


def _of_points(folder: Path, name: str, state: LiveState) -> Iterator[_Found]:
    """Points, once the sweep has ended and is scored."""
    scores = scores_once_ended(folder, state)
    if scores is None:
        return
    criteria_set = scores.criteria_set.named
    for card in scores.scorecards:
        yield "harness_portal_verdict", (name, card.portal, card.verdict), 1
        if card.points is None:
            continue
        yield "harness_portal_points", (name, card.portal, criteria_set), card.points
        for criterion in card.criteria:
            rule = (name, criteria_set, criterion.id, card.portal)
            if criterion.points is not None:
                yield "harness_criterion_points", rule, criterion.points
            if criterion.value is not None:
                yield "harness_criterion_value", *_in_base_unit(rule, criterion.unit, criterion.value)


def _in_base_unit(labels: Iterable[str], unit: str, value: float) -> tuple[tuple[str, ...], float]:
    """Labels with the unit of Prometheus' conventions, and the value in it."""
    if unit == "%":
        return (*labels, "ratio"), value / 100
    return (*labels, {"s": "seconds", "visits/s": "visits_per_second"}.get(unit, "ratio")), value


def _since_1970(utc: str) -> float:
    return datetime.fromisoformat(utc).timestamp()
