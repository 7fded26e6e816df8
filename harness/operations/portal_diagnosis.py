"""The diagnosis of each portal of a sweep, from its rows as judged, its rounds, and its lone walks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pyarrow as pa

from harness.diagnosis import DIAGNOSED_COLUMNS, Diagnosis, Encodings, EvidenceBeside, diagnose
from harness.evidence import RunFacts, SweepFolder
from harness.evidence.parquet import read_part
from harness.evidence.timing_parts import beside_rows, read_server_timings
from harness.operations.dossiers.shared_codes import as_failures, holders
from harness.records import FailureCount, RoundRecord
from harness.records.files import read_json
from harness.records.kept_walks import read_walk
from harness.scoring import Scorecard


def diagnosis_of(folder: SweepFolder, rounds: Sequence[RoundRecord], facts: RunFacts, card: Scorecard) -> Diagnosis:
    """One portal's diagnosis. ``facts``: as they were scored, without the windows that the criteria set leaves out."""
    rows = _rows(folder, facts.portal)

    def timings() -> pa.Table | None:
        found = read_server_timings(folder, facts.portal)
        return None if found is None or rows is None else beside_rows(found, rows)

    encodings = partial(_encodings, folder, rounds, facts.portal)
    return diagnose(rows, facts, card, EvidenceBeside(_failures(rounds, facts.portal), encodings, timings))


def _rows(folder: SweepFolder, portal: str) -> pa.Table | None:
    parts = folder.parts(portal)
    if not parts:
        return None
    tables = [read_part(part, _COLUMNS) for part in parts]
    return as_failures(pa.concat_tables(tables, promote_options="default"), holders(read_json(folder.manifest(portal))))


_COLUMNS = (*DIAGNOSED_COLUMNS, "path_template")


def _failures(rounds: Sequence[RoundRecord], portal: str) -> Mapping[int, Sequence[FailureCount]]:
    """The failures of a portal by window, as its rounds counted them."""
    return {window.window: window.failures for each in rounds for slot in each.slots if slot.portal == portal for window in slot.windows}


def _encodings(folder: SweepFolder, rounds: Sequence[RoundRecord], portal: str) -> Encodings:
    """How a lone citizen's answers were encoded, of the walks that are kept."""
    found: dict[tuple[str, str, int, int], str] = {}
    for walk in (walk for each in rounds for walk in each.lone_walks if walk.portal == portal and walk.file):
        for exchange in read_walk(folder.path / walk.file).exchanges:
            if exchange.received is not None:
                fields = {name.lower(): value for name, value in exchange.received.fields}
                found[exchange.goal, exchange.step, exchange.request, exchange.hop] = fields.get("content-encoding", "")
    return found
