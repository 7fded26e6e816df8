"""The operators' answers to their scores: which file is whose, and the copies of them in a sweep's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.errors import Problem, UsageError
from harness.evidence import SweepFolder
from harness.evidence.chain import SealedFile
from harness.evidence.publication import ANSWERS
from harness.operations.kept_files import keep_file


def answers_in(answers: Path, portals: Sequence[str]) -> dict[str, Path]:
    """The files of a folder by portal, each named after its portal: ``PORTAL.pdf``. Files whose names begin with a dot are left out.

    Raises UsageError where a portal has no file or two, and for a file of no such portal.
    """
    try:
        files = sorted(path for path in answers.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        found = f"{answers} ({error.strerror})"
        raise UsageError(Problem("command line", "--answers", found, "a folder that can be read", "Check the path.")) from error
    by_portal: dict[str, list[Path]] = {}
    for path in files:
        by_portal.setdefault(path.name.partition(".")[0], []).append(path)
    if problems := [*_misnamed(answers, by_portal, portals)]:
        raise UsageError(*problems)
    return {portal: paths[0] for portal, paths in by_portal.items()}


def keep_answers(folder: SweepFolder, answers: Mapping[str, Path]) -> dict[str, SealedFile]:
    """Copies of the answers by portal, each in a folder of its portal."""
    kept = {portal: keep_file(folder, f"{ANSWERS}/{portal}", path, "--answer") for portal, path in answers.items()}
    return {portal: SealedFile(each.file, each.sha256) for portal, each in kept.items()}


def _misnamed(answers: Path, found: Mapping[str, Sequence[Path]], portals: Sequence[str]) -> Iterator[Problem]:
    for portal, paths in found.items():
        names = ", ".join(path.name for path in paths)
        if portal not in portals:
            yield Problem(str(answers), "file", names, "the name of a portal of this step, and an ending", "Rename it, or move it away.")
        elif len(paths) > 1:
            yield Problem(str(answers), portal, names, "one file a portal", "Put them into one file.")
    if missing := [portal for portal in portals if portal not in found]:
        remedy = "Add the files, or name those that have answered with --portal; --no-answer is a step of its own."
        yield Problem(str(answers), "file", f"none of {', '.join(missing)}", "a file of each portal of this step, PORTAL.pdf", remedy)
