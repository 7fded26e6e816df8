"""A catalog of two portals and short workloads, as a user's own folder: what a test can afford to measure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FAST_MS, SLOW_MS = 8, 120

WIDE_HEALTH = {
    "steal_percent": 95, "cpu_percent": 100, "lag_p99_ms": 2000, "scheduler_lag_ms": 9000, "lateness_p99_ms": 2000, "arrival_lateness_ms": 9000,
    "reference_error_ms": 2000, "gc_pause_ms": 2000, "silent_s": 14,
}  # fmt: skip
"""These sweeps test wiring, on machines that do other things too: nothing is judged by the generator's health."""

OURS: Mapping[str, str] = {"basis": "assumed", "source": "made up for a test"}
PAIR = {
    "name_vi": "Hai cổng",
    "name_en": "Two portals",
    "members": [{"basis": "assumed: made up for a test", "portals": ["swift", "sluggish"]}],
}
"""A set."""


def portal(identifier: str, median_ms: float, **traits: Any) -> dict[str, Any]:
    """A server-rendered embedded portal of a constant delay."""
    return {
        "id": identifier, "name_vi": f"Cổng thử {identifier}", "name_en": f"Test portal {identifier}", "level": "sample",
        "embedded_platform": "liferay",
        "personality": {"distribution": "constant", "median_ms": median_ms, "servers": 32, **traits},
    }  # fmt: skip


def workload(
    identifier: str, window_s: float, per_window: Mapping[str, int], search_per_day: float = 0.0, timeout_s: float = 10.0
) -> dict[str, Any]:
    """One short window with exactly ``per_window`` visits besides a stream of searches."""
    return {
        "id": identifier, "name_vi": f"Kịch bản thử {identifier}", "name_en": f"Test workload {identifier}", "shortened": True,
        "usage": {"per_day": {"search": search_per_day}, **OURS}, "quota_per_window": dict(per_window),
        "stages": [{"stage": "typical", "windows": 1, "window_s": window_s}],
        "in_flight_ceiling": 500, "timeout_s": timeout_s, "patience_s": 20, "drain_s": 36, "health": WIDE_HEALTH, "think": {"default": {"median_s": 0.05, "max_s": 0.2}},
    }  # fmt: skip


def permission(identifier: str, portal: str, origins: Mapping[str, str], *, days: int = 1, **changes: Any) -> dict[str, Any]:
    """An authorisation that holds ``days`` before and after now. ``origins``: by role, of the portal and of the hosts that it shares."""
    now, far = datetime.now(UTC), timedelta(days=days)
    return {
        "id": identifier, "portal": portal, "reference": "made up for a test", "granted_by": "this test",
        "valid_from": (now - far).isoformat(), "valid_to": (now + far).isoformat(), "citizens_in_flight_max": 500, "requests_per_s_max": 1000,
        "hosts": [{"origin": origin} if role == "portal" else {"origin": origin, "role": role, "owner": role} for role, origin in origins.items()],
        **changes,
    }  # fmt: skip


def criteria() -> dict[str, Any]:
    """Twenty points for the mean of a search's steps: one window is enough."""
    return {
        "id": "speed-only", "version": "1", "name_vi": "Chỉ tốc độ", "name_en": "Speed only", "provisional": True,
        "points_total": {"value": 20, **OURS}, "performance_group": "performance",
        "groups": [{"id": "performance", "name_vi": "Hiệu năng", "name_en": "Performance", "points": {"value": 20, **OURS}}],
        "criteria": [{
            "id": "average-search", "name_vi": "Trung bình khi tra cứu", "name_en": "Average while searching", "heading": "average_response",
            "points": {"value": 20, **OURS}, "metric": "mean", "select": {"journey": ["search"], "step": ["search"], "stage": "typical"},
            "curve": {"kind": "linear", "version": 1, "full": 0.001, "none": 2, **OURS},
            "quota": {"windows": 1, "n": 3, "window_s": 1, **OURS}, "required": "always",
        }],
    }  # fmt: skip


def write_catalog(folder: Path, *, swift_ms: float = FAST_MS, sluggish_ms: float = SLOW_MS) -> Path:
    """Portals ``swift``, ``sluggish`` (set ``pair``) and ``silent``; workloads ``tiny``, ``steady``, ``impatient``; criteria ``speed-only``.

    ``sluggish`` says in Server-Timing where its time went. ``silent`` never answers one request in twenty, also where it has stored
    what the request before it sent. The citizens of ``tiny`` name their traces.
    """
    sluggish = portal("sluggish", sluggish_ms, server_timing=True)
    files = {
        "portals/pair.yaml": {"portals": [portal("swift", swift_ms), sluggish], "sets": {"pair": PAIR}},
        "portals/silent.yaml": {"portals": [portal("silent", swift_ms, hang_share=0.05, hang_s=60)]},
        "workloads/impatient.yaml": workload("impatient", 5, {"search": 6, "submit": 180, "pay": 90}, timeout_s=1.5),
        "workloads/tiny.yaml": {**workload("tiny", 2, {"search": 6, "submit": 2, "pay": 2}), "traceparent": True},
        "workloads/steady.yaml": workload("steady", 120, {"submit": 120, "pay": 120}, search_per_day=2 * 86_400),
        "criteria/speed-only.yaml": criteria(),
    }
    return write_files(folder, files)


def write_files(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write files of a catalog, by their paths in it."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")  # JSON is YAML
    return folder
