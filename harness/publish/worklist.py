"""The worklist of the morning after a sweep: what needs a person before the scores are published. It reads the folder and writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Final

from harness.catalog.agency import Agency
from harness.evidence import SweepFolder
from harness.publish.portal_evidence import read_portal_evidence
from harness.publish.portal_work import portal_items
from harness.publish.shared_work import path_doubt, shared_failure
from harness.publish.unassessed_work import not_assessed
from harness.publish.work_item import KINDS, STATES, WorkItem, WorkKind
from harness.records.permitted_hours import VIETNAM
from harness.records.sweep_journal import read_journal
from harness.scoring.scorecard import SweepScores

SCHEMA: Final = "worklist/1"


def worklist(folder: SweepFolder, scores: SweepScores, agency: Agency | None) -> tuple[WorkItem, ...]:
    """What has to be settled, done or known of a sweep, as its scores and its folder tell it.

    First comes what two persons have to decide, then what else is open, then the rest; each by portal, the whole sweep first. Of a
    portal's share only this portal is listed. ``agency``: its own rule for the date; None where there is no names file. Raises
    EvidenceError where a file of the folder cannot be read.
    """
    portals = read_portal_evidence(folder, scores)
    items = [item for of in portals for item in portal_items(of)]
    items += [*shared_failure(scores.shared_failures, portals), *path_doubt(portals), *not_assessed(portals)]
    until = settle_until(folder, agency)
    return tuple(sorted((item.due(until) for item in items), key=_urgent_first))


def settle_until(folder: SweepFolder, agency: Agency | None) -> date | None:
    """The date until which open items are to be settled, by the agency's own rule; None where it has none, or nothing says when the sweep ended."""
    days = agency.settle_within_days if agency is not None else None
    ended = sweep_end(folder)
    return None if days is None or ended is None else ended.astimezone(VIETNAM).date() + timedelta(days=days)


def sweep_end(folder: SweepFolder) -> datetime | None:
    """When a sweep ended: by its journal, or else when its last round began; None where the folder says neither."""
    ends = [line.at_utc for line in read_journal(folder.journal) if line.event != "begun"]
    latest = ends[-1] if ends else max((round_.began_utc for round_ in folder.rounds()), default="")
    with suppress(ValueError):  # empty, or no time
        return datetime.fromisoformat(latest)
    return None


def counts_of(items: Iterable[WorkItem]) -> dict[WorkKind, Counter[str]]:
    """How many items of each kind are in each state; kinds without any are left out."""
    found = {kind: Counter[str]() for kind in KINDS}
    for item in items:
        found[item.kind][item.state] += 1
    return {kind: counts for kind, counts in found.items() if counts}


def chosen(
    items: Sequence[WorkItem], portals: Sequence[str] = (), kinds: Sequence[str] = (), *, only_open: bool = False
) -> tuple[WorkItem, ...]:
    """The items that concern some portals and kinds, or all; ``only_open``: those that somebody still has to do something about."""
    return tuple(
        item
        for item in items
        if (not portals or {*portals} & {*item.portals}) and (not kinds or item.kind in kinds) and (item.is_open or not only_open)
    )


def worklist_document(scores: SweepScores, items: Sequence[WorkItem], until: date | None) -> dict[str, Any]:
    """The list as ``--json`` prints it: every text in both languages."""
    return {
        "schema": SCHEMA,
        "sweep": scores.sweep,
        "revision": scores.revision,
        "until": None if until is None else until.isoformat(),
        "blocks_final": sum(item.blocks_final for item in items),
        "counts": {kind: {state: counts[state] for state in STATES} for kind, counts in counts_of(items).items()},
        "items": [_item_document(item) for item in items],
    }


def _item_document(item: WorkItem) -> dict[str, Any]:
    seen = item.seen
    return {
        "portal": item.portal,
        "portals": list(item.portals),
        "kind": item.kind,
        "subject": item.subject,
        "state": item.state,
        "blocks_final": item.blocks_final,
        "seen": {
            "text": seen.told._asdict(), "counted": seen.counted, "count": seen.count, "first_utc": seen.first_utc, "last_utc": seen.last_utc,
            "rule": seen.rule, "page": seen.page,
        },
        "who": item.who,
        "how": item.how._asdict(),
        "commands": [["harness", *command] for command in item.commands],
        "decided": item.decided._asdict(),
        "until": None if item.until is None else item.until.isoformat(),
    }  # fmt: skip


def _urgent_first(item: WorkItem) -> tuple[bool, bool, str, int, str]:
    return not item.blocks_final, not item.is_open, item.portal, KINDS.index(item.kind), item.subject
