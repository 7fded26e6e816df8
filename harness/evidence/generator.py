"""What the generator's health says of one window: the worst of its workers, from their records of each second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any


def summarise(health: Sequence[Mapping[str, Any]], record: Mapping[str, Any], window: Mapping[str, Any]) -> dict[str, Any]:
    """Each figure's worst worker in the window's seconds; empty where no second was recorded.

    ``cpu_percent``, ``busy_percent``, ``steal_percent`` are means over the window, the lag and lateness percentiles are over all of its records,
    ``reference_error_us`` is the median of |measured − true|.
    """
    per_worker = []
    for member in record["members"]:
        begin_us = record["start_us"] + member["offset_us"] + window["begin_s"] * 1e6
        end_us = begin_us + window["duration_s"] * 1e6
        seconds = [r for r in health if r["worker"] == member["worker"] and begin_us < r["at_us"] <= end_us + 1e6]
        if seconds:
            per_worker.append(_of_worker(seconds))
    if not per_worker:
        return {}
    worst = {name: max((w[name] for w in per_worker if w[name] is not None), default=None) for name in per_worker[0]}
    return {**worst, "workers": len(per_worker), "seconds": min(w["seconds"] for w in per_worker)}


def _of_worker(seconds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    lags = sorted(lag for r in seconds for lag in r["lag_us"])
    late = sorted(lag for r in seconds for lag in r["late_us"])
    references = [abs(r["reference_us"]) for r in seconds if r["reference_us"] is not None]
    return {
        "cpu_percent": round(fmean(r["cpu_percent"] for r in seconds), 2),
        "busy_percent": round(fmean(r["busy_percent"] for r in seconds), 2),
        "steal_percent": round(fmean(r["steal_percent"] for r in seconds), 2),
        "lag_max_us": max(r["lag_max_us"] for r in seconds),
        "lag_p99_us": _rank(lags, 0.99),
        "late_max_us": max(r["late_max_us"] for r in seconds),
        "late_p99_us": _rank(late, 0.99),
        "unread_max_us": max(r["unread_max_us"] for r in seconds),
        "gc_max_us": max(r["gc_max_us"] for r in seconds),
        "parsing_us": sum(r["parsing_us"] for r in seconds),
        "sockets": max(r["sockets"] for r in seconds),
        "rss_bytes": max(r["rss_bytes"] for r in seconds),
        "in_flight": max(r["in_flight"] for r in seconds),
        "reference_error_us": int(median(references)) if references else None,
        "reference_failures": sum(r["reference_us"] is None for r in seconds),
        "seconds": len(seconds),
    }


def _rank(ordered: Sequence[int], share: float) -> int:
    """Nearest rank; 0 of nothing."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0
