"""The guard ledger of a window: which guards ran, on what data, and what they said.

A guard looks for what spoils a measurement. One whose data is missing does not pass: its window is void.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from harness.evidence.facts import Reason
from harness.records import LONE, Plan, RoundRecord, WindowRecord


class Guard(NamedTuple):
    """A guard, the reasons that it may give, and what it looks at; its data is empty where it is missing."""

    name: str
    reasons: tuple[str, ...]
    data: Callable[[Plan, RoundRecord, WindowRecord], str]


class GuardEntry(NamedTuple):
    """One line of the ledger, as the manifest has it."""

    guard: str
    data: str
    said: str  # passed; or the reason that it gave, with its figures


def _health(figure: str, scale: float, unit: str) -> Callable[[Plan, RoundRecord, WindowRecord], str]:
    def data(_plan: Plan, round_: RoundRecord, window: WindowRecord) -> str:
        value = getattr(window.health, figure)
        if value is None or not window.health.seconds or window.health.workers < len(round_.members):
            return ""
        return f"{value / scale:g} {unit}, {window.health.seconds} s of {window.health.workers} workers"

    return data


def _of_workers(text: Callable[[RoundRecord], str]) -> Callable[[Plan, RoundRecord, WindowRecord], str]:
    return lambda _plan, round_, _window: text(round_) if round_.outcome and len(round_.outcome) >= len(round_.members) else ""


def _counted(*names: str) -> Callable[[Plan, RoundRecord, WindowRecord], str]:
    return lambda _plan, _round, window: ", ".join(f"{name} {window.counts.get(name, 0)}" for name in names)


GUARDS = (
    Guard("calibration", ("calibration_failed",), lambda plan, _round, _window: plan.calibration.state if plan.calibration else "not asked for"),
    Guard("workers stay", ("worker_lost",), _of_workers(lambda round_: f"{sum(not each.lost for each in round_.outcome)} of {len(round_.outcome)} stayed")),
    Guard("workers hear the master", ("lease_lapsed", "worker_silent"), _of_workers(lambda round_: f"longest silence {max(each.longest_silence_s for each in round_.outcome):g} s")),
    Guard("all rows arrive", ("rows_lost",), _of_workers(lambda round_: f"complete of {sum(each.complete for each in round_.outcome)} of {len(round_.outcome)}")),
    Guard("clocks agree", ("clock_uncertain",), lambda _plan, round_, _window: f"± {max((each.bound_us for each in round_.members), default=0) / 1000:g} ms" if round_.members else ""),
    Guard("load within the authorisation", ("beyond_authorisation",), lambda _plan, round_, _window: f"portals held back: {len(round_.held_back)}"),
    Guard("nobody stopped it", ("stopped_early", "interrupted"), lambda _plan, round_, _window: f"stopped: {'yes' if round_.stopped or round_.incomplete else 'no'}"),
    Guard("nothing of ours is lacking", ("our_own_files", "arrivals_dropped"), _counted("visits_dropped", "requests_dropped", "refused")),
    Guard("answers can be read", ("only_our_client_rejects",), _counted("requests_protocol")),
    Guard("every visit ended", ("visits_unaccounted",), lambda _plan, _round, window: f"{window.planned} planned, {sum(count for name, count in window.counts.items() if name.startswith('visits_'))} ended"),
    Guard("no visit was cut off", ("visits_cut_off",), _counted("visits_aborted")),
    Guard("processor", ("generator_saturated",), _health("busy_percent", 1, "% of one core")),
    Guard("processor taken by the host", ("cpu_stolen",), _health("steal_percent", 1, "%")),
    Guard("scheduler", ("scheduler_lag",), _health("lag_p99_us", 1000, "ms at p99")),
    Guard("arrivals on time", ("late_arrivals",), _health("late_p99_us", 1000, "ms at p99")),
    Guard("garbage collection", ("gc_pause",), _health("gc_max_us", 1000, "ms")),
    Guard("loopback reference", ("reference_error",), _health("reference_error_us", 1000, "ms")),
    Guard("shared hosts", ("shared_failure",), lambda _plan, _round, window: f"visits lost there: {sum(each.lost for each in window.shared_failures)}"),
    Guard("path to the portals", ("path_doubt",), lambda plan, _round, window: "not asked for" if plan.path_doubt is None else f"mean request {window.mean_us or 0} µs"),
    Guard("no limit on our address", ("address_limit",), _counted("refused")),
)  # fmt: skip


def without_data(plan: Plan, round_: RoundRecord, window: WindowRecord) -> Iterator[Reason]:
    """The guards of a loaded window whose data is missing; nothing where no health was recorded at all, which has a reason of its own."""
    if window.stage == LONE or not window.health.seconds:
        return
    if lacking := [guard.name for guard in GUARDS if not guard.data(plan, round_, window)]:
        yield Reason("guard_without_data", ", ".join(lacking))


def guard_ledger(plan: Plan, round_: RoundRecord, window: WindowRecord, reasons: Iterable[Reason]) -> list[GuardEntry]:
    """What each guard said of a window, in a fixed order; ``reasons`` are those of its verdict."""
    given = {reason.code: reason.detail for reason in reasons}
    found = []
    for guard in GUARDS:
        data = guard.data(plan, round_, window)
        said = "; ".join(f"{code}: {given[code]}".rstrip(": ") for code in guard.reasons if code in given)
        found.append(GuardEntry(guard.name, data or "none", said or ("passed" if data else "did not pass: no data")))
    return found
