"""What the main evaluation imports: the same scores as JSON, CSV and XLSX."""

from __future__ import annotations

from pathlib import Path

from harness.evidence.folder import SCORES_CSV, SCORES_JSON, SCORES_XLSX
from harness.publish.document import to_bytes
from harness.publish.scores_file import check_bytes
from harness.publish.tables import criteria_table, csv_bytes, evidence_table, flat_table, scores_table
from harness.publish.workbook import workbook_bytes
from harness.records.files import write_together
from harness.scoring.scorecard import SweepScores


def export(scores: SweepScores, folder: Path) -> Path:
    """Writes ``scores.csv``, ``scores.xlsx`` and ``scores.json`` into ``folder``, all three or none; answers the JSON's path.

    The same scores give the same bytes. Raises EvidenceError where the scores break the published schema, and
    EnvironmentFault where the folder cannot be written.
    """
    document = to_bytes(scores)
    check_bytes(document, str(folder / SCORES_JSON))
    sheets = [scores_table(scores), criteria_table(scores), evidence_table(scores)]
    contents = {
        SCORES_CSV: csv_bytes(flat_table(scores)),
        SCORES_XLSX: workbook_bytes(sheets, f"{scores.sweep}, revision {scores.revision}"),
        SCORES_JSON: document,
    }
    write_together(folder, contents)
    return folder / SCORES_JSON
