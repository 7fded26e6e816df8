"""Removes the bulk of old sweeps on which no published scores rest: rows, server timings, health, pages, lone walks. All else stays.

    removed.json    in the sweep's folder: when, by which rule, and every removed file with its size and SHA-256

A published sweep keeps everything, and so does every earlier night that its scores count.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.errors import EnvironmentFault, EvidenceError, Problem
from harness.evidence import SweepFolder
from harness.evidence.publication import read_publication
from harness.operations.addenda import SEAL, now_utc
from harness.operations.attempts import is_under_way
from harness.operations.locust_run import measuring
from harness.operations.register import NOT_ENDED, last_event
from harness.publish import read_scores
from harness.publish.delivery import RECEIPT_SUFFIX
from harness.records import read_plan
from harness.records.files import digest, write_json
from harness.records.plain import read_record, to_plain

REMOVED = "removed.json"
_BULK = ("samples", "server_timing", "health", "pages", "lone", "spool", "ledgers", "portals", "report")
_MADE_BY_SCORING = ("steps.parquet", "report.html")


@dataclass(frozen=True, slots=True)
class RemovedFile:
    """One file that was removed, relative to the sweep's folder."""

    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Removal:
    """The contents of ``removed.json``."""

    at_utc: str  # ISO 8601
    keep_days: float
    files: tuple[RemovedFile, ...]
    schema: str = "evidence-removed/1"


@dataclass(frozen=True, slots=True)
class Retention:
    """What the rule says of one sweep."""

    sweep: str
    age_days: float
    kept_because: str  # empty where its bulk is to be removed
    files: tuple[Path, ...] = ()
    bytes: int = 0


def apply_retention(results: Path, keep_days: float, *, dry_run: bool, now: datetime | None = None) -> list[Retention]:
    """What the rule says of every sweep of a results folder, oldest first; without ``dry_run`` the files are removed.

    Raises EvidenceError for a folder without sweeps or a scores file that cannot be read, EnvironmentFault where files cannot be removed.
    """
    folders = [SweepFolder(path.parent) for path in sorted(results.glob("*/plan.json"))]
    if not folders:
        raise EvidenceError.missing(results, "a folder of sweeps", "Name the results folder, for example results.")
    rested_on = _rested_on(folders)
    found = [_judge(each, keep_days, rested_on, now or datetime.now(UTC)) for each in folders]
    for each in found if not dry_run else ():
        if each.files:
            _remove(SweepFolder(results / each.sweep), each.files, keep_days)
    return sorted(found, key=lambda each: -each.age_days)


def removal_problem(folder: SweepFolder) -> Problem | None:
    """Why a sweep's evidence cannot be read any more; None where nothing was removed."""
    path = folder.path / REMOVED
    if not path.is_file():
        return None
    made = read_record(Removal, path)
    found = f"rows and pages removed on {made.at_utc} by `harness gc`, after {made.keep_days:g} days"
    return Problem(str(path), "sweep", found, "a sweep with its evidence", "Restore the files that removed.json lists from an archive.")


def _judge(folder: SweepFolder, keep_days: float, rested_on: Mapping[Path, str], now: datetime) -> Retention:
    name, age_days = folder.path.name, _age_days(folder, now)
    files = tuple(_bulk(folder))
    if not files:
        why = "removed already" if (folder.path / REMOVED).is_file() else "nothing to remove"
    elif measuring(folder) is not None or is_under_way(folder):
        why = "it is measured now"
    elif last_event(folder) in NOT_ENDED:  # older sweeps are in no register
        why = "it never ended: `harness score` enters that it was cut off"
    elif folder.path.resolve() in rested_on:
        why = rested_on[folder.path.resolve()]
    else:
        why = "" if age_days > keep_days else f"not older than {keep_days:g} days"
    if why:
        return Retention(name, age_days, why)
    return Retention(name, age_days, "", files, sum(path.stat().st_size for path in files))


def _rested_on(folders: Sequence[SweepFolder]) -> dict[Path, str]:
    """The folders on which published scores rest, and why. A sweep that is sealed or was sent, also to operators, is published."""
    found: dict[Path, str] = {}
    for folder in folders:
        receipt = folder.scores.with_name(folder.scores.name + RECEIPT_SUFFIX)
        sealed, sent = (folder.path / SEAL).is_file(), receipt.is_file()
        how = "sealed" if sealed else "sent to the main evaluation" if sent else "sent to operators" if read_publication(folder) else ""
        if how:
            found[folder.path.resolve()] = how
            for earlier in earlier_nights(folder):
                found.setdefault(earlier, f"the scores of {folder.path.name}, {how}, count it")
    return found


def earlier_nights(folder: SweepFolder) -> set[Path]:
    """The folders of earlier nights that a sweep's scores count."""
    if not folder.scores.is_file():
        return set()
    files = {each.file for card in read_scores(folder.scores).scorecards for each in card.evidence if each.file.startswith("../")}
    named = {(folder.path / file).resolve() for file in files}
    return {parent for path in named for parent in path.parents if (parent / "plan.json").is_file()}


def _age_days(folder: SweepFolder, now: datetime) -> float:
    begins = [datetime.fromisoformat(record.began_utc) for record in folder.rounds()]
    night = datetime.fromisoformat(read_plan(folder.plan).night).replace(tzinfo=UTC)
    return (now - max(begins, default=night)) / timedelta(days=1)


def _bulk(folder: SweepFolder) -> Iterator[Path]:
    for room in _BULK:
        yield from sorted(path for path in (folder.path / room).rglob("*") if path.is_file() or path.is_symlink())
    yield from (path for name in _MADE_BY_SCORING if (path := folder.path / name).is_file())


def _remove(folder: SweepFolder, files: Sequence[Path], keep_days: float) -> None:
    """Write the list, then remove: so removed.json also explains a sweep whose removal was cut off by a crash."""
    try:
        if not (folder.path / REMOVED).is_file():
            listed = tuple(RemovedFile(folder.relative(path), digest(path), path.stat().st_size) for path in files)
            write_json(folder.path / REMOVED, to_plain(Removal(now_utc(), keep_days, listed)))
        for room in _BULK:
            if (folder.path / room).is_dir():
                shutil.rmtree(folder.path / room)
        for name in _MADE_BY_SCORING:
            (folder.path / name).unlink(missing_ok=True)
    except OSError as error:
        remedy = "Mend the permissions of the folder, and start it again."
        raise EnvironmentFault(
            Problem(str(error.filename or folder.path), "file", f"not removable ({error.strerror})", "files that can be removed", remedy)
        ) from error
