"""The verdict that comes before any score: whose fault it is decides.

A window is void only through the generator's own fault. What the portal did not serve while the generator was healthy
is scored, not excused. A run is blocked or unreachable only if a lone citizen was refused too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from harness.evidence.facts import Reason, RunFacts, Verdict, WindowFacts
from harness.evidence.folder import SweepFolder
from harness.records import SCORED_STAGES
from harness.records.failure import unreadable_by_all
from harness.records.files import read_json


def read_runs(folder: SweepFolder) -> tuple[RunFacts, ...]:
    """Every run of a sweep, judged, in the order of portal ids; reads plan.json and the sealed rounds."""
    plan = read_json(folder.plan)
    rounds = [read_json(folder.round(number)) for number in folder.sealed_rounds()]
    portals = sorted({slot["portal"] for round_ in plan["rounds"] for slot in round_["slots"]} | {t["portal"] for t in plan["targets"]})
    return tuple(judge_run(plan, rounds, portal) for portal in portals)


def judge_run(plan: Mapping[str, Any], rounds: list[Mapping[str, Any]], portal: str) -> RunFacts:
    """One portal's run from the facts of the sealed rounds."""
    windows: list[WindowFacts] = []
    mine = [window for round_ in rounds for slot in round_["slots"] if slot["portal"] == portal for window in slot["windows"]]
    ours = not unreadable_by_all((failure["outcome"], failure["rule"]) for window in mine for failure in window.get("failures", ()))
    refusal, stops, ceiling, run, closed = "", [], 0, f"{portal}-seed{plan['seed']}", False
    for round_ in rounds:
        refusal = round_["refusals"].get(portal, refusal)
        closed = closed or round_["closed"]
        if portal in round_["safety_stops"]:
            stops.append(f"round {round_['round']}: {round_['safety_stops'][portal]}")
        for slot in round_["slots"]:
            if slot["portal"] == portal:
                run, ceiling = slot["run"], slot["in_flight_ceiling"]
                windows += [judge_window(plan, round_, slot, window, unreadable_is_ours=ours) for window in slot["windows"]]
    verdict, reasons = _of_run(windows, refusal, closed=closed)
    reasons += tuple(Reason("safety_stop", stop) for stop in stops)
    return RunFacts(plan["sweep"], run, portal, verdict, reasons, tuple(windows), plan["timeout_s"], ceiling)


def judge_window(
    plan: Mapping[str, Any],
    round_: Mapping[str, Any],
    slot: Mapping[str, Any],
    window: Mapping[str, Any],
    *,
    unreadable_is_ours: bool = True,
) -> WindowFacts:
    """Valid, or void with every reason that makes it so; unreadable answers are one where another client can read them."""
    reasons = (
        *_of_instrument(plan),
        *_of_workers(plan["health"], round_),
        *_of_rows(round_, window, slot["portal"], unreadable_is_ours=unreadable_is_ours),
        *_of_health(plan["health"], window),
    )
    return WindowFacts(
        run=slot["run"],
        window=window["window"],
        round=window["round"],
        night=plan["night"],
        stage=window["stage"],
        level=sum(window["rates_per_s"].values()) + sum(window["quota"].values()) / window["duration_s"],
        began_utc=(datetime.fromisoformat(round_["began_utc"]) + timedelta(seconds=window["begin_s"])).isoformat(timespec="milliseconds"),
        duration_s=window["duration_s"],
        verdict=Verdict.VOID if reasons else Verdict.VALID,
        reasons=reasons,
    )


def _of_run(windows: list[WindowFacts], refusal: str, *, closed: bool) -> tuple[Verdict, tuple[Reason, ...]]:
    if refusal:
        code = "lone_citizen_refused" if refusal == Verdict.BLOCKED else "lone_citizen_cannot_connect"
        return Verdict(refusal), (Reason(code),)
    if closed:
        return Verdict.INSUFFICIENT, (Reason("closed_workload"),)
    scored = [window for window in windows if window.stage in SCORED_STAGES]
    if not scored:
        return Verdict.INSUFFICIENT, (Reason("no_windows"),)
    if all(window.verdict is Verdict.VOID for window in scored):
        causes = sorted({reason.code for window in scored for reason in window.reasons})
        return Verdict.VOID, (Reason("all_windows_void", ", ".join(causes)),)
    return Verdict.VALID, ()


def _of_instrument(plan: Mapping[str, Any]) -> Iterator[Reason]:
    calibration = plan.get("calibration", {})
    if calibration.get("state") == "failed":
        yield Reason("calibration_failed", f"{calibration['made_utc']}, largest error {calibration['largest_error_percent']} %")


def _of_workers(limits: Mapping[str, float], round_: Mapping[str, Any]) -> Iterator[Reason]:
    lost = [outcome for outcome in round_["outcome"] if outcome["lost"]]
    if lost:
        yield Reason("worker_lost", f"{len(lost)} of {len(round_['outcome'])}")
    silent = max((o["longest_silence_s"] for o in round_["outcome"] if not o["lost"]), default=0.0)
    if silent > limits["silent_s"]:
        yield Reason("worker_silent", f"{silent:.1f} s > {limits['silent_s']:g} s")
    missing = [o for o in round_["outcome"] if not o["complete"] and not o["lost"]]
    if missing:
        yield Reason("rows_lost", f"{len(missing)} of {len(round_['outcome'])} workers")
    bound_us = max((member["bound_us"] for member in round_["members"]), default=0)
    if bound_us > limits["clock_bound_ms"] * 1000:
        yield Reason("clock_uncertain", f"± {bound_us / 1000:.1f} ms > {limits['clock_bound_ms']:g} ms")


def _of_rows(round_: Mapping[str, Any], window: Mapping[str, Any], portal: str, *, unreadable_is_ours: bool) -> Iterator[Reason]:
    counts = window["counts"]
    if portal in round_.get("held_back", {}):
        yield Reason("beyond_authorisation", round_["held_back"][portal])
    if round_["stopped"] and not round_["closed"] and (_ends_us(round_, window) > round_["stopped_at_us"] or counts.get("visits_aborted")):
        yield Reason("stopped_early")
        return
    dropped = counts.get("visits_dropped", 0) + counts.get("requests_dropped", 0)
    if dropped:
        yield Reason("arrivals_dropped", f"{dropped} of {window['planned']}")
    if counts.get("requests_protocol", 0) and unreadable_is_ours:
        yield Reason("only_our_client_rejects", f"{counts['requests_protocol']} answers")
    ended = sum(count for name, count in counts.items() if name.startswith("visits_"))
    if window["planned"] is not None and ended != window["planned"] and all(o["complete"] for o in round_["outcome"]):
        yield Reason("visits_unaccounted", f"{window['planned']} planned, {ended} ended")


def _ends_us(round_: Mapping[str, Any], window: Mapping[str, Any]) -> float:
    """When the window was to end, by the master's clock."""
    return float(round_["start_us"] + (window["begin_s"] + window["duration_s"]) * 1e6)


def _of_health(limits: Mapping[str, float], window: Mapping[str, Any]) -> Iterator[Reason]:
    health = window["health"]
    if not health:
        yield Reason("no_health")
        return
    yield from _beyond("generator_saturated", max(health["cpu_percent"], health["busy_percent"]), limits["cpu_percent"], "%")
    yield from _beyond("cpu_stolen", health["steal_percent"], limits["steal_percent"], "%")
    lag = list(_beyond("scheduler_lag", health["lag_p99_us"] / 1000, limits["lag_p99_ms"], " ms at p99"))
    yield from lag or _beyond("scheduler_lag", health["lag_max_us"] / 1000, limits["scheduler_lag_ms"], " ms at most")
    late = list(_beyond("late_arrivals", health["late_p99_us"] / 1000, limits["lateness_p99_ms"], " ms at p99"))
    yield from late or _beyond("late_arrivals", health["late_max_us"] / 1000, limits["arrival_lateness_ms"], " ms at most")
    yield from _beyond("gc_pause", health["gc_max_us"] / 1000, limits["gc_pause_ms"], " ms")
    if health["reference_error_us"] is not None:
        yield from _beyond("reference_error", health["reference_error_us"] / 1000, limits["reference_error_ms"], " ms")


def _beyond(code: str, value: float, limit: float, unit: str) -> Iterator[Reason]:
    if value > limit:
        yield Reason(code, f"{value:.1f} > {limit:g}{unit}")
