"""The verdict on one window, with every reason for it; whose fault a failure is decides it.

A window is void only through the generator's own fault. What the portal did not serve while the generator was healthy
is scored, not excused. Three exceptions: a window is blocked if the portal limited the load of our address (a person decides), and
insufficient if a host that portals share failed too many of its visits, or if the path to nearly all portals was doubted
at that time (it is measured again).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from harness.catalog.workload import HealthLimits
from harness.evidence.facts import Reason, Verdict, WindowFacts
from harness.evidence.guards import without_data
from harness.records import LoneWalk, Met, Outcome, Plan, RoundRecord, SlotRecord, WindowHealth, WindowRecord


class HealthCheck(NamedTuple):
    """A figure of generator health and its limit in the workload. Beyond the limit the window is void."""

    reason: str
    figure: str  # of WindowHealth
    limit: str  # of HealthLimits
    scale: float  # from the figure's unit to the limit's
    unit: str
    charted: bool = True  # in the report


HEALTH_CHECKS = (  # of several checks with one reason, only the first that fails is reported
    HealthCheck("generator_saturated", "busy_percent", "cpu_percent", 1, "%", charted=False),
    HealthCheck("generator_saturated", "cpu_percent", "cpu_percent", 1, "%"),
    HealthCheck("cpu_stolen", "steal_percent", "steal_percent", 1, "%"),
    HealthCheck("scheduler_lag", "lag_p99_us", "lag_p99_ms", 1000, " ms at p99"),
    HealthCheck("scheduler_lag", "lag_max_us", "scheduler_lag_ms", 1000, " ms at most", charted=False),
    HealthCheck("late_arrivals", "late_p99_us", "lateness_p99_ms", 1000, " ms at p99"),
    HealthCheck("late_arrivals", "late_max_us", "arrival_lateness_ms", 1000, " ms at most", charted=False),
    HealthCheck("gc_pause", "gc_max_us", "gc_pause_ms", 1000, " ms"),
    HealthCheck("reference_error", "reference_error_us", "reference_error_ms", 1000, " ms"),
)

OF_THE_MACHINE = frozenset(check.reason for check in HEALTH_CHECKS)
"""Reasons (codes) that say that the generator, or the machine that it runs on, was too busy."""


def judge_window(
    plan: Plan,
    round_: RoundRecord,
    slot: SlotRecord,
    window: WindowRecord,
    *,
    unreadable_is_ours: bool,
    rechecks: Sequence[LoneWalk] = (),
    doubt: str = "",
) -> WindowFacts:
    """The window with its verdict and all reasons for it.

    It is void by a fault of ours, blocked if the portal limits our address, insufficient if a shared host failed or the path is doubted.
    Otherwise it is valid.

    ``unreadable_is_ours``: evidence of an earlier version, in which no other client confirmed that unreadable answers are the portal's
    fault; today a second parser reads their bytes. ``rechecks``: lone walks after the round, made because the portal refused many of its
    visits. ``doubt``: the figures of the path's doubt; empty without doubt.
    """
    limits = HealthLimits().model_copy(update=dict(plan.health))
    reasons = (
        *_of_instrument(plan),
        *_of_workers(limits, round_),
        *_of_rows(round_, window, slot.portal, unreadable_is_ours=unreadable_is_ours),
        *_of_cut_visits(plan, round_, window, slot.portal),
        *_of_rechecks(window, rechecks),
        *_of_health(limits, window.health),
        *without_data(plan, round_, window),
    )
    if round_.incomplete:
        reasons = (Reason("interrupted"),)  # nobody knows what else happened
    verdict = Verdict.VOID if reasons else Verdict.VALID
    if not reasons and doubt:
        verdict, reasons = Verdict.INSUFFICIENT, (Reason("path_doubt", doubt),)
    if not reasons and _lost_too_many(plan, round_, window, slot.portal):
        verdict, reasons = Verdict.INSUFFICIENT, (Reason("shared_failure", lost_in_words(window)),)
    if not reasons and only_our_address(window, rechecks):
        verdict, reasons = Verdict.BLOCKED, (Reason("address_limit", refused_in_words(window)),)
    return WindowFacts(
        run=slot.run,
        window=window.window,
        round=window.round,
        night=round_.night or plan.night,
        stage=window.stage,
        level=sum(window.rates_per_s.values()) + sum(window.quota.values()) / window.duration_s,
        began_utc=began_utc(round_, window),
        duration_s=window.duration_s,
        verdict=verdict,
        reasons=reasons,
        make_up_of=window.make_up_of,
    )


def _lost_too_many(plan: Plan, round_: RoundRecord, window: WindowRecord, portal: str) -> bool:
    """Whether a window lost too many visits of a journey at a shared host, or its load was stopped because of one."""
    if plan.shared_lost_max is None:
        return False
    lost: Counter[str] = Counter()
    for each in window.shared_failures:
        lost[each.journey] += each.lost
    many = any(lost[each.journey] > plan.shared_lost_max * each.visits for each in window.shared_failures)
    return many or (round_.stopped_for_shared_host(portal) and bool(window.counts.get("visits_aborted")))


def lost_in_words(window: WindowRecord) -> str:
    """What a window lost at shared hosts, in figures."""
    return "; ".join(f"{each.journey}: {each.lost} of {each.visits} visits at {each.owner}, {each.host}" for each in window.shared_failures)


def began_utc(round_: RoundRecord, window: WindowRecord) -> str:
    """When a window began: ISO 8601, UTC, in milliseconds."""
    return (datetime.fromisoformat(round_.began_utc) + timedelta(seconds=window.begin_s)).isoformat(timespec="milliseconds")


def only_our_address(window: WindowRecord, rechecks: Sequence[LoneWalk]) -> bool:
    """Whether a window met a limit on our address: the portal refused many in it, and served a lone citizen on every journey."""
    return window.refuses_many and bool(rechecks) and all(walk.met is Met.THROUGH for walk in rechecks)


def refused_in_words(window: WindowRecord) -> str:
    """How many of its visits a window had refused, in figures."""
    return f"{window.counts.get('refused', 0)} of {window.begun} visits"


def _of_instrument(plan: Plan) -> Iterator[Reason]:
    said = plan.calibration
    if said is not None and said.state == "failed":
        yield Reason("calibration_failed", f"{said.made_utc}, largest error {said.largest_error_percent} %")


def _of_workers(limits: HealthLimits, round_: RoundRecord) -> Iterator[Reason]:
    stayed = [outcome for outcome in round_.outcome if not (outcome.lost or (outcome.left and not round_.stopped))]
    lost = len(round_.outcome) - len(stayed)
    if lost:
        yield Reason("worker_lost", f"{lost} of {len(round_.outcome)}")
    if lapsed := sum(bool(outcome.lapsed) for outcome in round_.outcome):
        yield Reason("lease_lapsed", f"{lapsed} of {len(round_.outcome)} workers")
    silent_s = max((outcome.longest_silence_s for outcome in stayed), default=0.0)
    if silent_s > limits.silent_s:
        yield Reason("worker_silent", f"{silent_s:.1f} s > {limits.silent_s:g} s")
    missing = sum(not outcome.complete for outcome in stayed)
    if missing:
        refused = "".join(
            f"; {each.batches} batches of {each.worker or 'nobody'} refused ({each.reason})" for each in round_.refused_batches
        )
        yield Reason("rows_lost", f"{missing} of {len(round_.outcome)} workers{refused}")
    bound_us = max((member.bound_us for member in round_.members), default=0)
    if bound_us > limits.clock_bound_ms * 1000:
        yield Reason("clock_uncertain", f"± {bound_us / 1000:.1f} ms > {limits.clock_bound_ms:g} ms")


def _of_rows(round_: RoundRecord, window: WindowRecord, portal: str, *, unreadable_is_ours: bool) -> Iterator[Reason]:
    counts = window.counts
    if portal in round_.held_back:
        yield Reason("beyond_authorisation", round_.held_back[portal])
    if round_.is_stopped_in(window):
        yield Reason("stopped_early")
        return
    visits, requests = counts.get("visits_dropped", 0), counts.get("requests_dropped", 0)
    today = bool(round_.second_parser)  # earlier evidence keeps its reasons
    dropped = max(visits, requests) if today else visits + requests
    by_our_files = [each for each in window.failures if each.outcome == Outcome.DROPPED and (each.rule or not today)]  # a file is named
    if by_our_files:
        yield Reason("our_own_files", "; ".join(dict.fromkeys(f"{failure.step}: {failure.rule}" for failure in by_our_files)))
    elif dropped:
        yield Reason("arrivals_dropped", f"{dropped} of {window.planned}")
    if counts.get("requests_protocol", 0) and unreadable_is_ours:
        yield Reason("only_our_client_rejects", f"{counts['requests_protocol']} answers")
    ended = sum(count for name, count in counts.items() if name.startswith("visits_"))
    if window.planned is not None and ended != window.planned and all(outcome.complete for outcome in round_.outcome):
        yield Reason("visits_unaccounted", f"{window.planned} planned, {ended} ended")


def _of_cut_visits(plan: Plan, round_: RoundRecord, window: WindowRecord, portal: str) -> Iterator[Reason]:
    """Visits that we cut off although nobody stopped the round: the plan's patience ends every visit that is the portal's fault."""
    cut = window.counts.get("visits_aborted", 0)
    stopped = round_.stopped or round_.closed or portal in round_.held_back or round_.stopped_for_shared_host(portal)
    if cut and plan.patience_s and not stopped:
        yield Reason("visits_cut_off", f"{cut} of {window.planned}")


def _of_rechecks(window: WindowRecord, rechecks: Sequence[LoneWalk]) -> Iterator[Reason]:
    """A fault of ours kept the lone citizen from checking the portal, so nobody knows whether the portal refused the load or the address."""
    ours = [walk for walk in rechecks if walk.met is Met.OUR_FILES] if window.refuses_many else []
    if ours:
        yield Reason("our_own_files", f"{ours[0].journey}: {ours[0].step}, {ours[0].rule}")


def _of_health(limits: HealthLimits, health: WindowHealth) -> Iterator[Reason]:
    if not health.seconds:
        yield Reason("no_health")
        return
    told: set[str] = set()
    for check in HEALTH_CHECKS:
        value, limit = getattr(health, check.figure), getattr(limits, check.limit)
        if check.reason not in told and value is not None and value / check.scale > limit:
            told.add(check.reason)
            yield Reason(check.reason, f"{value / check.scale:.1f} > {limit:g}{check.unit}")
