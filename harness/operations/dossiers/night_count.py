"""How many dossiers were filed at each portal in one night, over all sweeps in a folder of results, by their ledgers.

Lines of a ledger have no date. A sweep that was resumed on a later night therefore counts whole for each of its nights: a limit may be
reached early, never late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from harness.evidence import SweepFolder
from harness.evidence.folder import results_around
from harness.records import Plan, read_ledger
from harness.records.files import read_json
from harness.records.sweep_journal import last_attempt, read_journal


def filed_at_night(results: Path, night: str) -> Counter[str]:
    """Dossiers by portal, each counted once, also of sweeps under way. EvidenceError where a plan or a ledger cannot be read."""
    found = Counter[str]()
    for folder in _of_night(results, night):
        found.update(filed_dossiers(folder))
    return found


def dossiers_left(plan: Plan) -> dict[str, int]:
    """How many more dossiers may be filed now at the portals of a plan whose authorisations limit them: in this sweep, and in its night."""
    limited = [target for target in plan.targets if target.terms.limits_dossiers]
    if not limited:
        return {}
    folder = Path(plan.results)
    attempt = last_attempt(SweepFolder(folder).journal)
    own, night = filed_dossiers(SweepFolder(folder)), filed_at_night(folder.parent, attempt.night if attempt is not None else plan.night)
    left = {}
    for target in limited:
        limits = [(target.terms.dossiers_max, own[target.portal]), (target.terms.dossiers_per_night_max, night[target.portal])]
        left[target.portal] = min(max(most - filed, 0) for most, filed in limits if most)
    return left


def _of_night(results: Path, night: str) -> Iterator[SweepFolder]:
    root = results_around(results)
    for path in sorted((*root.glob("*/plan.json"), *root.glob("*/level-*/plan.json"))):
        folder = SweepFolder(path.parent)
        if night in {read_json(path).get("night"), *(line.night for line in read_journal(folder.journal))}:
            yield folder


def filed_dossiers(folder: SweepFolder) -> Counter[str]:
    """The dossiers of one sweep by portal, by its ledgers."""
    paths = [folder.ledger, *sorted(folder.path.glob("ledgers/*.jsonl"))]  # a worker's own, until the master has all of it
    lines = (line for path in paths for line in read_ledger(path).lines if line.kind == "dossier")
    return Counter(portal for portal, *_ in {(line.portal, line.run, line.visit, line.code) for line in lines})
