"""The last calibration of this machine, for the plan and the manifest of a sweep."""

from __future__ import annotations

from pathlib import Path

from harness.operations.manifest import host_facts
from harness.records import Calibration
from harness.records.files import digest, read_json

CERTIFICATE = "certificate.json"


def current(results: Path) -> Calibration:
    """``state`` is valid, failed, or none (no certificate, or one of another machine); with its date, digest and worst errors.

    A failed calibration voids what is measured after it, until the instrument is calibrated again.
    """
    path = results / "calibration" / CERTIFICATE
    if not path.is_file():
        return Calibration("none", "`harness calibrate` has not been run here")
    certificate = read_json(path)
    if certificate["bound_to"]["host"] != host_facts():
        return Calibration("none", f"{path} is of another machine, or of this one before it changed")
    errors = [abs(f["error_percent"]) for f in certificate["findings"] if f["unit"] == "ms" and f["error_percent"] is not None]
    return Calibration(
        state="valid" if certificate["valid"] else "failed",
        made_utc=certificate["made_utc"],
        sha256=digest(path),
        largest_error_percent=round(max(errors, default=0.0), 3),
    )
