"""The register of a results folder: every sweep that was begun in it, those that were ended early included.

    results/register.jsonl    one line when a sweep begins, is resumed, and ends, and for each step of its publication, each with
                              the digest of the line before

Lines are only ever added, so nobody can measure twice and show the better night. The seal of a sweep holds a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from harness.errors import EnvironmentFault, Problem
from harness.evidence import SweepFolder
from harness.evidence.chain import last_link
from harness.evidence.folder import REGISTER
from harness.evidence.publication import AFTER, PUBLICATION, read_publication
from harness.operations.locust_run import measuring
from harness.records import read_plan
from harness.records.chained_lines import last_line, line_bytes, line_digest, link_problems, read_chained
from harness.records.files import digest, locked, read_lines
from harness.records.plain import to_plain

Event = Literal["begun", "resumed", "ended", "aborted", "sent", "answered", "final", "reopened"]
NOT_ENDED = ("begun", "resumed")
_ARCHIVE = "Restore the register from the archive; lines are never changed or removed."


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One line of the register."""

    sweep: str  # its folder's name
    event: Event
    at_utc: str  # ISO 8601
    sha256: str  # of rules.json where it is begun; of the chain's last link where it has ended or is resumed; of a step's line
    previous: str  # SHA-256 of the line before; empty in the first


def enter_beginning(folder: SweepFolder) -> None:
    """Enter a sweep whose rules are fixed. Raises EnvironmentFault where the register cannot be written."""
    _enter(folder, "begun", digest(folder.rules))


def enter_resumption(folder: SweepFolder) -> None:
    """Enter that a sweep goes on, after what is sealed; nothing where its beginning is not entered."""
    if last_event(folder):
        _enter(folder, "resumed", last_link(folder).sha256)


def enter_end(folder: SweepFolder, event: Event) -> None:
    """Enter the end of a sweep; nothing where its beginning is not entered, or its end is."""
    if last_event(folder) in NOT_ENDED:
        _enter(folder, event, last_link(folder).sha256)


def enter_publication(folder: SweepFolder) -> None:
    """Enter the steps of a sweep's publication that are not entered yet; nothing where its beginning is not entered."""
    if not last_event(folder):
        return
    entered = [line for line in read_register(folder.path.parent / REGISTER) if line.sweep == folder.path.name and line.event in AFTER]
    for step, sha in _steps(folder)[len(entered) :]:
        _enter(folder, step, sha)


def _steps(folder: SweepFolder) -> list[tuple[Event, str]]:
    """The steps of a sweep's publication, and the digest of the line of each."""
    steps, path = read_publication(folder), folder.path / PUBLICATION
    lines = path.read_bytes().splitlines() if steps else []
    return [(step.step, line_digest(line)) for step, line in zip(steps, lines, strict=False)]


def last_event(folder: SweepFolder) -> str:
    """The last event of a sweep; empty where the register does not know it."""
    lines = read_register(folder.path.parent / REGISTER)
    return next((line.event for line in reversed(lines) if line.sweep == folder.path.name), "")


def _enter(folder: SweepFolder, event: Event, sha: str) -> None:
    results = folder.path.parent
    path = results / REGISTER
    try:
        with locked(results), path.open("a+b") as file:
            previous = line_digest(last_line(file))
            line = RegisterLine(folder.path.name, event, datetime.now(UTC).isoformat(timespec="seconds"), sha, previous)
            file.write(line_bytes(to_plain(line)) + b"\n")
    except OSError as error:
        remedy = "Make room or mend the permissions: a sweep that is not in the register is not begun."
        raise EnvironmentFault(
            Problem(str(path), "file", f"not writable ({error.strerror})", "a file that can be added to", remedy)
        ) from error


def read_register(path: Path) -> tuple[RegisterLine, ...]:
    """The lines of a register, none where there is no such file; EvidenceError for a line that is none."""
    return read_chained(RegisterLine, path, "lines", _ARCHIVE)


def register_problems(folder: SweepFolder) -> Iterator[Problem]:
    """Gaps in the registers that know of a sweep: the one beside it, and the copy in its seal; nothing where there is none.

    Evidence that is older than the register need not be in it.
    """
    beside, copy = folder.path.parent / REGISTER, folder.path / REGISTER
    for path in (beside, copy):
        if path.is_file():
            yield from _of_lines(path, folder)
    if beside.is_file() and copy.is_file() and not beside.read_bytes().startswith(copy.read_bytes()):
        yield Problem(str(beside), "lines", "other than when the sweep was sealed", f"those of {copy} and later ones", _ARCHIVE)
    if beside.is_file():
        yield from _of_folders(beside, folder.path.parent)


def _of_lines(path: Path, folder: SweepFolder) -> Iterator[Problem]:
    lines = read_register(path)
    yield from link_problems(path, lines, _ARCHIVE)
    if read_lines(path).left_out:
        yield Problem(str(path), "last line", "cut off", "a whole line", _ARCHIVE, len(lines) + 1)
    sweep = read_plan(folder.plan).sweep  # the folder may have another name elsewhere
    mine = next((line for line in lines if line.sweep == sweep and line.event == "begun"), None)
    if mine is None and folder.rules.is_file():
        yield Problem(str(path), "sweep", f"without {sweep}", "every sweep that was begun", "Ask where it was begun.")
    elif mine is not None and mine.sha256 != (digest(folder.rules) if folder.rules.is_file() else ""):
        yield Problem(str(path), f"rules of {mine.sweep}", mine.sha256, f"those of {folder.rules}", _ARCHIVE)
    if mine is not None:
        entered = [(line.event, line.sha256) for line in lines if line.sweep == sweep and line.event in AFTER]
        yield from _of_steps(path, folder, entered)


def _of_steps(path: Path, folder: SweepFolder, entered: list[tuple[Event, str]]) -> Iterator[Problem]:
    """Steps of a publication that a register has otherwise; the copy in a seal may lack the last ones."""
    taken = _steps(folder)
    record = str(folder.path / PUBLICATION)
    if entered != taken[: len(entered)]:
        number = next((at for at, one in enumerate(entered) if one not in taken[at : at + 1]), 0) + 1
        shown = f"{number} ({entered[number - 1][0]}) is another or missing"
        yield Problem(record, "steps", shown, f"the steps that {path} has", _ARCHIVE)
    elif len(entered) < len(taken) and path.parent != folder.path:
        remedy = f"`harness score {folder.path}` enters what a crash kept from being entered."
        yield Problem(str(path), "steps", f"{len(entered)} of {len(taken)}", f"all steps of {record}", remedy)


def _of_folders(path: Path, results: Path) -> Iterator[Problem]:
    events = {line.sweep: line.event for line in read_register(path)}  # the last of each sweep
    for name, last in events.items():
        there = SweepFolder(results / name)
        if not there.plan.is_file():
            yield Problem(
                str(path), name, "begun here, and its folder is gone", "the folder of every sweep", "Show it, or say why it is gone."
            )
        elif last in NOT_ENDED and measuring(there) is None:
            remedy = f"`harness score {there.path}` enters that it was cut off."
            yield Problem(str(path), name, "begun, and neither ended nor aborted", "an end of every sweep", remedy)
    for plan in sorted(results.glob("*/plan.json")):
        there = SweepFolder(plan.parent)
        if there.path.name not in events and there.rules.is_file():
            remedy = "A sweep that is not in the register is not to be published."
            yield Problem(str(there.path), "sweep", f"not in {path.name}", "only sweeps that the register has", remedy)
