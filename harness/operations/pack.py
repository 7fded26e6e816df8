"""A sealed sweep, or one portal's share of it for its operator, as one file: `harness verify` works on it alone.

A share holds what all portals have in common (plan, rounds, health, ledger, scores, seal) and the portal's own rows, pages and manifest.
"""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from harness.errors import EnvironmentFault, EvidenceError, Problem, UsageError, did_you_mean
from harness.evidence import SweepFolder
from harness.evidence.folder import PACK
from harness.operations.addenda import ADDENDA, SEAL, SIGNATURE
from harness.operations.sealed_evidence import sealed_files
from harness.records import read_plan
from harness.records.files import json_bytes, write_whole


def pack(folder: SweepFolder, portal: str, out: Path) -> int:
    """Write a sweep, or the share of one ``portal``, into a ZIP or TAR file, below a folder with its name. Answers the number of files.

    Raises UsageError for another kind of file or an unknown portal, and EvidenceError where the sweep is not sealed or lacks a file.
    """
    plan = read_plan(folder.plan)
    known = [target.portal for target in plan.targets]
    if portal and portal not in known:
        raise UsageError(
            Problem(
                str(folder.path),
                "--portal",
                portal,
                f"one of {', '.join(known)}",
                f"{did_you_mean(portal, known)}Name a portal of this sweep.",
            )
        )
    if out.suffix not in (".zip", ".tar"):
        raise UsageError(Problem("command line", "--out", str(out), "a file that ends in .zip or .tar", "Name such a file."))
    about = [folder.path / name for name in (SEAL, SIGNATURE, ADDENDA)]
    paths = [*(folder.path / file for file in sealed_files(folder, portal)), *(path for path in about if path.is_file())]
    if lacking := [path for path in paths if not path.is_file()]:
        remedy = "Restore it from the archive."
        raise EvidenceError(*(Problem(str(path), "path", "not there", "a file of the seal", remedy) for path in lacking))
    note = folder.path / f".{PACK}"
    write_whole(note, json_bytes({"schema": "evidence-pack/1", "sweep": plan.sweep, "portal": portal}))
    try:
        _write(out, [(note, f"{plan.sweep}/{PACK}"), *((path, f"{plan.sweep}/{folder.relative(path)}") for path in paths)])
    except OSError as error:
        remedy = "Make room or name another place."
        raise EnvironmentFault(Problem(str(out), "file", f"not writable ({error.strerror})", "a new file", remedy)) from error
    finally:
        note.unlink(missing_ok=True)
    return len(paths)


def _write(out: Path, members: list[tuple[Path, str]]) -> None:
    if out.suffix == ".tar":
        with tarfile.open(out, "w") as tar:
            for path, name in members:
                tar.add(path, name)
        return
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, name in members:
            archive.write(path, name)
