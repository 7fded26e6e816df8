"""The manifest of a run: versions, machine, workload, verdict, and the digest of every file of its evidence."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

from harness.catalog import Catalog
from harness.evidence import RunFacts, SweepFolder, read_runs
from harness.evidence.guards import guard_ledger
from harness.operations.dossiers.shared_codes import shared_codes
from harness.operations.portal_hosts import NOT_STATED
from harness.operations.shipped import DEFAULT_CRITERIA
from harness.operations.times_usage import JourneyFactor, factors
from harness.records import Plan, PlannedTarget, RoundRecord, read_ledger, read_plan
from harness.records.files import digest, read_json, write_json
from harness.version import __version__

_MEASURED_WITH = ("locust", "gevent", "httptools", "httpx", "numpy", "pandas", "pyarrow", "selectolax", "msgpack")


def write_manifests(
    folder: SweepFolder,
    runs: Sequence[RunFacts],
    catalog: Catalog,
    *,
    factors: Mapping[str, JourneyFactor],
    vantage_points: Mapping[str, str],
    criteria: str = "",
) -> None:
    """One manifest a run, into the sweep's folder; ``factors`` by journey, ``vantage_points`` by portal.

    ``criteria``: the set that the sweep is measured for, by name in the catalog or as a file; empty for the default set.
    """
    plan, rounds = read_plan(folder.plan), folder.rounds()
    chosen = catalog.criteria.get(criteria or DEFAULT_CRITERIA)
    shared = {
        "harness": __version__,
        "versions": {name: metadata.version(name) for name in _MEASURED_WITH} | {"python": platform.python_version()},
        "host": host_facts(),
        "catalog_sha256": catalog_digest(catalog),
        "plan_sha256": digest(folder.plan),
        "seed": plan.seed,
        "workload": plan.workload,
        "shortened": plan.shortened,
        "calibration": plan.calibration.facts() if plan.calibration else {},
        "factors": {journey: asdict(factor) for journey, factor in factors.items()},
        "criteria": chosen.id if criteria and chosen else criteria,
        "criteria_version": chosen.version if chosen else "",
    }
    for run in runs:
        own = {"vantage_point": vantage_points[run.portal], **_of_run(folder, run, plan, rounds)}
        write_json(folder.manifest(run.portal), {**shared, **own})


def seal_manifests(folder: SweepFolder, catalog: Catalog) -> None:
    """Write the manifests of what is sealed, as the plan says; nothing where no round is sealed."""
    if not folder.sealed_rounds():
        return
    plan = read_plan(folder.plan)
    workload = catalog.workloads.get(plan.workload)
    write_manifests(
        folder, read_runs(folder), catalog, factors=factors(workload.spread_out()) if workload else {}, criteria=plan.criteria,
        vantage_points={target.portal: target.vantage_point or NOT_STATED for target in plan.targets},
    )  # fmt: skip


def _of_run(folder: SweepFolder, run: RunFacts, plan: Plan, rounds: Sequence[RoundRecord]) -> dict[str, Any]:
    slots = [(round_, slot) for round_ in rounds for slot in round_.slots if slot.portal == run.portal]
    target = plan.target(run.portal)
    recorded = {window.window: (round_, window) for round_, slot in slots for window in slot.windows}
    return {
        "sweep": run.sweep,
        "run": run.run,
        "portal": run.portal,
        "origins": dict(target.origins),
        "platform": target.platform,
        "authorisation": target.authorisation,
        **({"not_permitted": [asdict(each) for each in target.not_permitted]} if target.not_permitted else {}),
        **_of_terms(target),
        "verdict": run.verdict,
        "reasons": [{"code": reason.code, "detail": reason.detail} for reason in run.reasons],
        "schedule_sha256": _of_all(slot.schedule_sha256 for _, slot in slots),
        "citizens_sha256": _of_all(slot.citizens_sha256 for _, slot in slots),
        "clocks": [
            {"round": round_.name, "worker": member.worker, "offset_us": member.offset_us, "bound_us": member.bound_us}
            for round_, _ in slots
            for member in round_.members
        ],
        "windows": [
            {
                "guards": [entry._asdict() for entry in guard_ledger(plan, *recorded[window.window], window.reasons)],
                "window": window.window,
                "round": window.round,
                "stage": window.stage,
                "began_utc": window.began_utc,
                "duration_s": window.duration_s,
                "verdict": window.verdict,
                "reasons": [{"code": reason.code, "detail": reason.detail} for reason in window.reasons],
                **({"make_up_of": window.make_up_of} if window.make_up else {}),
            }
            for window in run.windows
        ],
        "generator_health": [
            {"window": window.window, **window.health.facts()} for _, slot in slots for window in slot.windows if window.health.seconds
        ],
        "claims": _claims(folder, run.portal),
        **shared_codes(folder, run.portal),
        "evidence": _listed(folder, evidence_files(folder, run.portal)),
        **({"lone": lone} if (lone := _listed(folder, sorted((folder.path / "lone" / run.portal).glob("*")))) else {}),
        **({"server_timing": timings} if (timings := _listed(folder, folder.timing_parts(run.portal))) else {}),
        "pages": _listed(folder, sorted(folder.pages(run.portal).parent.glob("*"))),
    }


def _listed(folder: SweepFolder, paths: Iterable[Path]) -> list[dict[str, str]]:
    return [{"file": folder.relative(path), "sha256": digest(path)} for path in paths]


def _of_terms(target: PlannedTarget) -> dict[str, Any]:
    """What the authorisation says besides limits, and the load beside usage; keys that a plan does not have are not there."""
    terms = {name: value for name, value in asdict(target.terms).items() if value}
    usage = [{**asdict(each), "times": each.times} for each in target.times_usage]
    return {**({"terms": terms} if terms else {}), **({"times_usage": usage} if usage else {})}


def _claims(folder: SweepFolder, portal: str) -> dict[str, Any]:
    """Dossiers and payments that citizens hold a receipt for, and the portal's own count (None where it was not asked)."""
    kinds = Counter(line.kind for line in read_ledger(folder.ledger).of_portal(portal))
    counted = read_json(folder.counted).get(portal, {}) if folder.counted.is_file() else {}
    return {
        "dossiers": {"acknowledged": kinds["dossier"], "counted_by_portal": counted.get("dossiers")},
        "payments": {"acknowledged": kinds["payment"], "counted_by_portal": counted.get("payments", {}).get("paid")},
    }


def evidence_files(folder: SweepFolder, portal: str) -> list[Path]:
    """The files that a run's score depends on: its rows, the facts of the rounds, the ledger, the portals' counts, generator health, the chain."""
    rounds = folder.sealed_rounds()
    others = (folder.ledger, folder.counted, *map(folder.health, rounds), *map(folder.link, rounds))
    return [folder.plan, *map(folder.round, rounds), *folder.parts(portal), *(path for path in others if path.is_file())]


def host_facts() -> dict[str, Any]:
    """System, processors and memory of this machine."""
    memory = Path("/proc/meminfo").read_text(encoding="ascii").split("\n", 1)[0].split()[1]
    models = [
        line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line
    ]
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processors": len(os.sched_getaffinity(0)),
        "processor": models[0] if models else platform.machine(),
        "memory_bytes": int(memory) * 1024,
    }


def catalog_digest(catalog: Catalog) -> str:
    """SHA-256 over the bytes of every file of the catalog, by name."""
    found = sha256()
    for path in sorted(catalog.files, key=lambda p: (p.parent.name, p.name)):
        found.update(f"{path.parent.name}/{path.name}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def _of_all(digests: Any) -> str:
    return sha256("\n".join(digests).encode()).hexdigest()
