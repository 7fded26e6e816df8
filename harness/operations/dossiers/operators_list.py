"""Writes what became of each dossier of a sweep, and the list of those that are still there, for the operators."""

from __future__ import annotations

from typing import Any

from harness.evidence.filed_dossiers import NEVER_TRIED, WITHDRAWALS, FiledDossiers
from harness.records.files import write_json, write_whole
from harness.visits.person import MARK

NOTE = f"{MARK} / PERFORMANCE TEST DOSSIER, TO BE DELETED"

UNSEEN = "stored, and no citizen was told: an attempt at the sweep ended meanwhile, or the answer was lost"

_COLUMNS = ("portal", "code", "run", "visit", "journey", "reason", "note")


def write_outcomes(dossiers: FiledDossiers) -> None:
    """Write both files; the operators' list is removed once it is empty."""
    outcomes = [
        {**key._asdict(), "withdrawn": dossiers.became[key] == "", "reason": dossiers.became[key], "at_utc": dossiers.when.get(key, "")}
        for key in dossiers.filed
        if key in dossiers.became
    ]
    left = dossiers.not_withdrawn()
    counts = {"dossiers": len(dossiers.filed), "withdrawn": len(dossiers.filed) - len(left), "not_withdrawn": len(left)}
    unseen = {"unseen": {portal: list(codes) for portal, codes in dossiers.unseen.items()}} if dossiers.unseen else {}
    facts = {**counts, **unseen, "sweep": dossiers.folder.path.name, "withdrawn_counted_by_portal": dossiers.counted, "outcomes": outcomes}
    write_json(dossiers.folder.path / WITHDRAWALS, facts)
    if not left and not unseen:
        dossiers.operators_list.unlink(missing_ok=True)
        return
    from harness.publish.tables import Table, csv_bytes  # noqa: PLC0415  (imports pandas; most sweeps withdraw everything)

    rows: list[tuple[Any, ...]] = [(*filed.key, filed.journey, dossiers.became.get(filed.key, NEVER_TRIED), NOTE) for filed in left]
    rows += [(portal, code, "", "", "", UNSEEN, NOTE) for portal, codes in dossiers.unseen.items() for code in codes]
    write_whole(dossiers.operators_list, csv_bytes(Table("not withdrawn", _COLUMNS, rows)))
