"""The revision number of a sweep's scores: equal contents keep it, other contents take the next one.

    revisions.json   one entry a revision: number, what it supersedes, criteria set, and the SHA-256 of its contents without its number

(sweep, revision) names a document to those who import it, so a number is never used twice. Other scores get the next number, whether
another criteria set, figures that the operator supplied later, or earlier nights changed them. That holds after scores.json was deleted, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.errors import EvidenceError, Problem
from harness.evidence import SweepFolder
from harness.evidence.folder import SCORES_JSON
from harness.publish import read_scores
from harness.publish.import_file import to_bytes
from harness.records.files import read_json, write_json
from harness.scoring import SweepScores
from harness.scoring.scorecard import earlier_forms, without_later_fields

_ARCHIVE = "Restore the file from the archive."
Revisions = list[dict[str, Any]]


def with_revision(folder: SweepFolder, scores: SweepScores) -> tuple[SweepScores, Revisions]:
    """The scores with their revision in this folder, and the list for ``write_revisions`` once they are written.

    Raises EvidenceError where the record so far cannot be read.
    """
    past = _past(folder)
    last: dict[str, Any] = past[-1] if past else {"revision": 0, "supersedes": None, "content_sha256": ""}
    if last["content_sha256"] == _content(scores):
        return replace(scores, revision=last["revision"], supersedes=last["supersedes"]), past
    new = replace(scores, revision=last["revision"] + 1, supersedes=last["revision"] or None)
    return new, [*past, _entry(new)]


def as_given_out(folder: SweepFolder, scores: SweepScores) -> SweepScores:
    """The scores as they are written: without newer fields if the folder has a document of this revision without them."""
    there = folder.scores.read_bytes() if folder.scores.is_file() else b""
    return next((earlier for earlier in earlier_forms(scores) if there == to_bytes(earlier)), scores)


def is_given_out(folder: SweepFolder, scores: SweepScores) -> bool:
    """Whether these scores are the ones that were written last."""
    last = _past(folder)[-1]
    return (last["revision"], last["content_sha256"]) == (scores.revision, _content(scores))


def unlike_revision(folder: SweepFolder, scores: SweepScores) -> Iterator[Problem]:
    """The problem of scores in a folder whose contents are not what was given out by their number; nothing in a folder without a list.

    The fields that came later (``LATER_FIELDS``) are not among the contents.
    """
    path = _path(folder)
    if not path.is_file():
        return
    try:
        expected = {each["revision"]: each["content_sha256"] for each in read_json(path)}.get(scores.revision, "a revision of the list")
    except (LookupError, TypeError) as error:
        raise EvidenceError(Problem(str(path), "content", "no list of revisions", "the file as it was written", _ARCHIVE)) from error
    if (found := _content(scores)) != expected:
        key, remedy = f"SHA-256 of the contents of revision {scores.revision}", f"{_ARCHIVE[:-1]}, or score the sweep again."
        yield Problem(str(folder.scores), key, found, f"{expected}, by {path.name}", remedy)


def scores_given_out(path: Path) -> SweepScores:
    """The scores in a sweep's folder, or of a scores.json. Raises EvidenceError if revisions.json beside them has another digest."""
    file = path / SCORES_JSON if path.is_dir() else path
    scores = read_scores(file)
    if file.name == SCORES_JSON and (problems := [*unlike_revision(SweepFolder(file.parent), scores)]):
        raise EvidenceError(*problems)
    return scores


def write_revisions(folder: SweepFolder, record: Revisions) -> None:
    """Write the list of revisions."""
    write_json(_path(folder), record)


def _past(folder: SweepFolder) -> Revisions:
    """The revisions so far, in order; from scores.json in a folder without a list."""
    if _path(folder).is_file():
        found: Revisions = read_json(_path(folder))
        return found
    return [_entry(read_scores(folder.scores))] if folder.scores.is_file() else []


def _entry(scores: SweepScores) -> dict[str, Any]:
    return {
        "revision": scores.revision,
        "supersedes": scores.supersedes,
        "criteria_set": {"id": scores.criteria_set.id, "version": scores.criteria_set.version, "sha256": scores.criteria_set.sha256},
        "content_sha256": _content(scores),
    }


def _content(scores: SweepScores) -> str:
    return sha256(to_bytes(replace(without_later_fields(scores), revision=1, supersedes=None))).hexdigest()


def _path(folder: SweepFolder) -> Path:
    return folder.path / "revisions.json"
