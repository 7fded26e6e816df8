"""Copies availability histories into a sweep's evidence, where scoring reads them.

supplied/<portal>.probes.jsonl    successive lines of the portal's history, unchanged; a later copy must hold them all
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.errors import EvidenceError, Problem, UsageError, did_you_mean
from harness.evidence import SweepFolder
from harness.operations.addenda import enter_addenda
from harness.operations.supplied.operator_files import with_zone
from harness.records import read_plan
from harness.records.files import digest, locked, write_whole
from harness.records.probe_history import AVAILABILITY, ProbeLine, read_history


@dataclass(frozen=True, slots=True)
class CopiedHistory:
    """The probes of one portal that a sweep's folder holds, and their first and last time (UTC)."""

    portal: str
    file: str
    sha256: str
    probes: int
    first_utc: str
    last_utc: str


def supply_probes(folder: SweepFolder, source: Path, portal: str = "", *, since: str = "", until: str = "") -> tuple[CopiedHistory, ...]:
    """Copy the histories of one portal, or of all of the sweep that have one, from a results folder or its ``availability``.

    ``since`` and ``until``: ISO 8601 with a time zone; all lines from the first to the last in that time are copied.
    Raises UsageError where there is nothing to copy, EvidenceError for a history that was changed.
    """
    known = [target.portal for target in read_plan(folder.plan).targets]
    if portal and portal not in known:
        raise UsageError(
            Problem(
                str(folder.path),
                "PORTAL",
                portal,
                f"one of {', '.join(known)}",
                f"{did_you_mean(portal, known)}Name a portal of this sweep.",
            )
        )
    histories = source / AVAILABILITY if (source / AVAILABILITY).is_dir() else source
    begin, end = _moment(since, "--since"), _moment(until, "--until")
    copied, paths = [], []
    with locked(folder.path / "supplied"):
        for name in [portal] if portal else known:
            path = histories / f"{name}.jsonl"
            probes = read_history(path)
            raw = path.read_bytes().splitlines()[: len(probes)] if probes else []
            chosen = [
                number for number, probe in enumerate(probes) if (begin is None or begin <= probe.at) and (end is None or probe.at < end)
            ]
            if not chosen:
                continue
            kept = slice(chosen[0], chosen[-1] + 1)
            target = probes_file(folder, name)
            _check_longer(target, raw[kept])
            write_whole(target, b"".join(line + b"\n" for line in raw[kept]))
            found = probes[kept]
            copied.append(CopiedHistory(name, folder.relative(target), digest(target), len(found), found[0].at_utc, found[-1].at_utc))
            paths.append(target)
    if not copied:
        expected = f"{portal or 'a portal'}.jsonl with probes of that time"
        remedy = "Name the results folder that `harness probe` wrote to, or another time."
        raise UsageError(Problem("command line", "--probes", str(histories), expected, remedy))
    enter_addenda(folder, "supply", paths)
    return tuple(copied)


def copied_probes(folder: SweepFolder, portal: str, *, authorised: bool) -> tuple[ProbeLine, ...]:
    """The probes of a portal that the sweep's folder holds, of its own hosts if ``authorised``, else of the simulator."""
    probes = read_history(probes_file(folder, portal))
    for number, probe in enumerate(probes, 1):
        if probe.portal != portal:
            remedy = "Restore the file, or supply it anew."
            raise EvidenceError(Problem(str(probes_file(folder, portal)), "portal", probe.portal, portal, remedy, number))
    return tuple(probe for probe in probes if bool(probe.authorisation) == authorised)


def probes_file(folder: SweepFolder, portal: str) -> Path:
    """The copy of a portal's history."""
    return folder.path / "supplied" / f"{portal}.probes.jsonl"


def _check_longer(target: Path, lines: Sequence[bytes]) -> None:
    """Raise EvidenceError where a copy that is there has a line that the new one lacks."""
    lacking = set(target.read_bytes().splitlines()) - set(lines) if target.is_file() else set()
    if lacking:
        value = f"without {len(lacking)} lines of {target.name}"
        remedy = "Give a longer time; evidence that was supplied is not taken back."
        raise EvidenceError(Problem(str(target), "probes", value, "all of them, and more", remedy))


def _moment(text: str, option: str) -> datetime | None:
    try:
        return with_zone(text) if text else None
    except ValueError as error:
        expected = "an ISO 8601 time with a time zone, for example 2026-11-21T00:00+07:00"
        raise UsageError(Problem("command line", option, f"{text!r} ({error})", expected, "Correct the time.")) from error
