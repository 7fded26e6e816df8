"""The worklist of a sweep that has ended and is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from harness.catalog.agency import agency_of
from harness.errors import EvidenceError
from harness.evidence import sweep_at
from harness.evidence.folder import packed_portal, results_around
from harness.operations.attempts import command_about
from harness.operations.locust_run import require_not_measured
from harness.operations.selection import require_portals_of_sweep
from harness.publish import read_scores
from harness.publish.work_item import WorkItem
from harness.publish.worklist import chosen, settle_until, worklist
from harness.scoring import SweepScores


@dataclass(frozen=True, slots=True)
class ReviewedSweep:
    """The items of a sweep, and the date until which they are to be settled; None where the agency names none."""

    scores: SweepScores
    items: tuple[WorkItem, ...]
    until: date | None


def review_sweep(path: Path, portals: Sequence[str] = (), kinds: Sequence[str] = (), *, only_open: bool = False) -> ReviewedSweep:
    """The items of some portals and kinds, or of all.

    Raises EvidenceError where the sweep is still measured, is not scored or cannot be read, UsageError for a portal that it has not, and
    CatalogError where the agency's names file has mistakes.
    """
    folder = sweep_at(path)
    require_not_measured(folder)
    if not folder.scores.is_file():
        raise EvidenceError.missing(folder.scores, "the scores of a sweep", f"Score it first: {command_about(path, 'score', path)}")
    scores, agency = read_scores(folder.scores), agency_of(results_around(folder.path.parent))
    share = packed_portal(folder)
    known = [share] if share else [card.portal for card in scores.scorecards]
    require_portals_of_sweep(portals, known)
    items = chosen(worklist(folder, scores, agency), portals, kinds, only_open=only_open)
    return ReviewedSweep(scores, items, settle_until(folder, agency))
