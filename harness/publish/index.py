"""What lies in a results folder: its sweeps, newest first, and how portals fared over the nights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import EvidenceError
from harness.evidence.folder import REPORT_HTML, SCORES_CSV, SCORES_JSON, SCORES_XLSX
from harness.publish.scores_file import read_scores
from harness.scoring.scorecard import Scorecard, SweepScores

PUBLISHED = (REPORT_HTML, SCORES_JSON, SCORES_CSV, SCORES_XLSX)
"""The files of a sweep that pages link to and ``serve`` gives out; evidence is not among them."""

CriteriaKey = tuple[str, str, str]  # id, version, digest


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep's folder; ``scores`` is None where they are missing or cannot be read, and ``trouble`` says why."""

    name: str
    files: tuple[str, ...]
    scores: SweepScores | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """One portal over the nights."""

    portal: str
    name_vi: str
    name_en: str
    cards: tuple[Scorecard | None, ...]  # one a night of the table; None where the portal was not measured


@dataclass(frozen=True, slots=True)
class Nights:
    """Sweeps under one criteria set, oldest first; those under different sets cannot be compared and stand apart."""

    criteria_set: CriteriaKey
    points_max: float
    sweeps: tuple[SweepScores, ...]
    courses: tuple[Course, ...]


def find_sweeps(folder: Path) -> list[Sweep]:
    """Every folder in ``folder`` that holds something published, newest first; EvidenceError where there is no such folder."""
    if not folder.is_dir():
        raise EvidenceError.missing(folder, "a folder of sweeps", "Name the results folder; `harness demo` makes one.")
    return sorted(_sweeps(folder), key=lambda sweep: sweep.name, reverse=True)


def over_nights(sweeps: Sequence[Sweep], most: int = 14) -> list[Nights]:
    """The latest sweeps of each criteria set side by side; portals with the best latest points first."""
    by_set: dict[CriteriaKey, list[SweepScores]] = {}
    for sweep in sorted(sweeps, key=lambda sweep: sweep.name):
        if sweep.scores is not None:
            scores = sweep.scores
            by_set.setdefault((scores.criteria_set_id, scores.criteria_set_version, scores.criteria_set_sha256), []).append(scores)
    return [Nights(key, scored[-1].points_max, tuple(scored[-most:]), _courses(scored[-most:])) for key, scored in sorted(by_set.items())]


def _sweeps(folder: Path) -> Iterator[Sweep]:
    for path in folder.iterdir():
        files = tuple(name for name in PUBLISHED if (path / name).is_file()) if path.is_dir() and not path.is_symlink() else ()
        if not files:
            continue
        try:
            yield Sweep(path.name, files, read_scores(path / SCORES_JSON))
        except EvidenceError as error:
            yield Sweep(path.name, files, None, str(error))


def _courses(scored: Sequence[SweepScores]) -> tuple[Course, ...]:
    tables = [{card.portal: card for card in scores.scorecards} for scores in scored]
    latest = {portal: card for table in tables for portal, card in table.items()}
    courses = [
        Course(card.portal, card.name_vi, card.name_en, tuple(table.get(card.portal) for table in tables)) for card in latest.values()
    ]
    return tuple(sorted(courses, key=lambda course: _best_first(latest[course.portal])))


def _best_first(card: Scorecard) -> tuple[bool, float, str]:
    return card.points is None, -(card.points or 0.0), card.portal
