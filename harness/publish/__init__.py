"""What leaves the house: exports, pushes, reports, charts and the scoreboard."""

from harness.publish.background import Background, Claim, HealthReading
from harness.publish.delivery import Receipt, push
from harness.publish.exports import export
from harness.publish.faults import FAULTS_JSON, Fault, PortalFaults, explain_faults, write_faults
from harness.publish.overview import draw_overview
from harness.publish.report import report
from harness.publish.round_trip import points_at_zero_round_trip
from harness.publish.scoreboard import scoreboard
from harness.publish.scores_file import read_scores, schema
from harness.publish.site import serve, served
from harness.publish.totals import export_totals

__all__ = [
    "FAULTS_JSON",
    "Background",
    "Claim",
    "Fault",
    "HealthReading",
    "PortalFaults",
    "Receipt",
    "draw_overview",
    "explain_faults",
    "export",
    "export_totals",
    "points_at_zero_round_trip",
    "push",
    "read_scores",
    "report",
    "schema",
    "scoreboard",
    "serve",
    "served",
    "write_faults",
]
