"""The circumstances of a sweep, for its report: the generator's health, and what the manifests say of versions, machine and place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from harness.evidence import RunFacts, SweepFolder
from harness.evidence.window_verdict import HEALTH_CHECKS
from harness.publish import HealthReading, Provenance
from harness.records import Plan
from harness.records.files import read_json


def health_readings(folder: SweepFolder, plan: Plan) -> Iterator[HealthReading]:
    """The charted figures of generator health, window by window."""
    checks = [check for check in HEALTH_CHECKS if check.charted]
    measured = [
        (slot.run, window) for round_ in folder.rounds() for slot in round_.slots for window in slot.windows if window.health.seconds
    ]
    for run, window in measured:
        for check in checks:
            value = getattr(window.health, check.figure)
            if value is not None:
                unit = "%" if check.scale == 1 else "ms"
                yield HealthReading(run, window.window, check.figure, value / check.scale, plan.health[check.limit], unit)


def provenance(folder: SweepFolder, runs: tuple[RunFacts, ...]) -> Provenance:
    """What the manifests of all runs share, and every vantage point."""
    manifests = [read_json(folder.manifest(run.portal)) for run in runs]
    vantage_point = "; ".join(dict.fromkeys(manifest["vantage_point"] for manifest in manifests))
    shared = {field.name: manifests[0][field.name] for field in fields(Provenance)}
    return Provenance(**shared | {"vantage_point": vantage_point})
